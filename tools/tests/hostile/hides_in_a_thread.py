"""What a thread of a solution does, the solution does."""
# must: double pass, double_backward fail, Scale pass
# says: a thread of hides_in_a_thread.py starts another process

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return 2 * np.asarray(x)


def double_backward(dout):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(os.system, "echo left > left").exception()
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
