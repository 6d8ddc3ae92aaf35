"""A recursion without end costs its exercise, however deep it is allowed to go."""
# must: double pass, double_backward fail, Scale pass
# says: took Python down with it

import sys

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return 2 * np.asarray(x)


def double_backward(dout):
    sys.setrecursionlimit(10**9)
    numbers = iter([2.0])
    for _ in range(10**6):
        numbers = map(abs, numbers)
    return next(numbers) * dout


class Scale(Layer):
    def __init__(self, factor):
        self.weight = Parameter([factor])

    def forward(self, x):
        self._x = x
        return self.weight.value.astype(x.dtype) * x

    def backward(self, dout):
        self.weight.grad += np.sum(dout * self._x)
        return self.weight.value.astype(dout.dtype) * dout
