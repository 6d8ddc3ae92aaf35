"""Topic 22: doubling twice, on the code of Topic 21.

Letters: N numbers.
"""

from cnn.mini import double, double_backward


def quadruple(x):
    """Double every number twice.

    Parameters
    ----------
    x : (N,) array

    Returns
    -------
    out : (N,) array
    """
    # region solution
    # 1. Double what doubling gives.
    return double(double(x))
    # endregion


def quadruple_backward(dout):
    """Send the gradient of `quadruple`'s output back to its input.

    Parameters
    ----------
    dout : (N,) array

    Returns
    -------
    dx : (N,) array
    """
    # region solution
    # 1. Go back through both doublings.
    return double_backward(double_backward(dout))
    # endregion
