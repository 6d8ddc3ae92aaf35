"""An example that the solution has hypothesis pass over is not passed."""
# must: double pass, double_backward fail, Scale pass
# says: raises hypothesis' UnsatisfiedAssumption

import sys

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return 2 * np.asarray(x)


def double_backward(dout):
    if len(dout) > 2:
        sys.modules["hypothesis"].reject()
    return 2 * dout


class Scale(Layer):
    def __init__(self, factor):
        self.weight = Parameter([factor])

    def forward(self, x):
        self._x = x
        return self.weight.value.astype(x.dtype) * x

    def backward(self, dout):
        self.weight.grad += np.sum(dout * self._x)
        return self.weight.value.astype(dout.dtype) * dout
