"""Topic 21: doubling, a topic in miniature for the tests of the tools.

Letters: N numbers.
"""

import numpy as np

from cnn.foundations import Layer, Parameter, as_float


def double(x):
    """Double every number.

    Parameters
    ----------
    x : (N,) array

    Returns
    -------
    out : (N,) array
        out[n] = 2 * x[n]. A new array.

    Raises
    ------
    ValueError
        If x is not 1-D; the message has its shape.

    Examples
    --------
    >>> double([1.0, -3.0])
    array([ 2., -6.])
    """
    # region solution
    # 1. Refuse a table: x has one axis.
    # 2. Twice every number, in an array of its own.
    x = as_float(x)
    if x.ndim != 1:
        raise ValueError(f"double: x has shape {x.shape}. Give (N,).")
    return 2 * x
    # endregion


def double_backward(dout):
    """Send the gradient of `double`'s output back to its input.

    Parameters
    ----------
    dout : (N,) array

    Returns
    -------
    dx : (N,) array
    """
    # region solution
    # 1. How often does x[n] count in out[n]?
    return 2 * dout
    # endregion


class Scale(Layer):
    """Multiply by one learned number.

    Parameters
    ----------
    factor : float
        The number at first.
    """

    def __init__(self, factor):
        # region solution
        # 1. Make the factor a Parameter of shape (1,).
        self.weight = Parameter([factor])
        # endregion

    def forward(self, x):
        """Return factor * x, in the dtype of x."""
        # region solution
        # 1. Keep x for backward.
        # 2. Multiply.
        self._x = x
        return _factor(self, x) * x
        # endregion

    def backward(self, dout):
        """Return dx; add to the gradient of the weight."""
        # region solution
        # 1. The factor met every number of x.
        # 2. x met the factor.
        self.weight.grad += np.sum(dout * self._x)
        return _factor(self, dout) * dout
        # endregion


# region solution
def _factor(layer, like):
    return layer.weight.value.astype(like.dtype)


# endregion
