"""The line of a hang is that of the code that hangs, not of a thread beside it."""
# must: double pass, double_backward fail, Scale pass
# says: did not end within 1 seconds at thread_in_front.py:21

import threading
import time

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return 2 * np.asarray(x)


def double_backward(dout):
    threading.Thread(target=lambda: time.sleep(3600), daemon=True).start()
    time.sleep(1800)


class Scale(Layer):
    def __init__(self, factor):
        self.weight = Parameter([factor])

    def forward(self, x):
        self._x = x
        return self.weight.value.astype(x.dtype) * x

    def backward(self, dout):
        self.weight.grad += np.sum(dout * self._x)
        return self.weight.value.astype(dout.dtype) * dout
