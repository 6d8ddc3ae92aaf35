"""What only the hidden suite sees is told without its numbers."""
# must: double pass, double_backward fail, Scale pass
# says: A large gradient is doubled as a small one is.

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return 2 * np.asarray(x)


def double_backward(dout):
    return np.clip(2 * dout, -1000, 1000)


class Scale(Layer):
    def __init__(self, factor):
        self.weight = Parameter([factor])

    def forward(self, x):
        self._x = x
        return self.weight.value.astype(x.dtype) * x

    def backward(self, dout):
        self.weight.grad += np.sum(dout * self._x)
        return self.weight.value.astype(dout.dtype) * dout
