"""A solution that writes file after file is ended before the disk is full."""
# must: double pass, double_backward fail, Scale pass
# says: into its scratch folder at fills_its_folder.py:2

import itertools

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return 2 * np.asarray(x)


def double_backward(dout):
    megabytes = bytes(2**24)
    for number in itertools.count():
        with open(f"columns_{number % 9}.bin", "wb") as file:
            file.write(megabytes)


class Scale(Layer):
    def __init__(self, factor):
        self.weight = Parameter([factor])

    def forward(self, x):
        self._x = x
        return self.weight.value.astype(x.dtype) * x

    def backward(self, dout):
        self.weight.grad += np.sum(dout * self._x)
        return self.weight.value.astype(dout.dtype) * dout
