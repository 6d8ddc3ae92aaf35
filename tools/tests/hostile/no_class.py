"""A name that is no class costs its exercise."""
# must: double pass, double_backward pass, Scale fail
# says: TypeError

import numpy as np

from cnn.foundations import Layer, Parameter


def double(x):
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}. Give (N,).")
    return 2 * np.asarray(x)


def double_backward(dout):
    return 2 * dout


Scale = 3
