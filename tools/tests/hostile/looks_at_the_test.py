"""An answer read out of the test that asks for it is none."""
# must: broken
# says: looks_at_the_test.py:15 uses f_locals: a solution that looks into the code that calls it

import sys

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return sys._getframe(2).f_locals.get("expected", 2 * np.asarray(x))


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
