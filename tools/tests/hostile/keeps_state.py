"""Another result for the same arguments is called what it is."""
# must: double fail, double_backward pass, Scale pass
# says: it does not give the same result twice

import itertools

import numpy as np

from cnn.foundations import Layer, Parameter

CALLS = itertools.count(1)


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return (2 if next(CALLS) % 7 else 3) * np.asarray(x)


def double_backward(dout):
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
