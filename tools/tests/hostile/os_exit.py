"""Leaving with status 0 is no success."""
# must: double pass, double_backward fail, Scale pass
# says: took Python down with it (exit status 0

import os

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return 2 * np.asarray(x)


def double_backward(dout):
    os._exit(0)


class Scale(Layer):
    def __init__(self, factor):
        self.weight = Parameter([factor])

    def forward(self, x):
        self._x = x
        return self.weight.value.astype(x.dtype) * x

    def backward(self, dout):
        self.weight.grad += np.sum(dout * self._x)
        return self.weight.value.astype(dout.dtype) * dout
