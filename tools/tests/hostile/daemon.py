"""A process that hides from its group is ended with it."""
# must: complete
# only on: linux

import ctypes
import os
import time

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return 2 * np.asarray(x)


def double_backward(dout):
    libc = ctypes.CDLL(None)
    if libc.fork() == 0:
        os.setsid()
        if libc.fork() == 0:
            time.sleep(3600)
        os._exit(0)
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
