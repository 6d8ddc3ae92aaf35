"""Topic 13: pooling, one number for every window: its maximum, or its mean.

Letters, the same in every topic:
    N images, C channels, H and W pixels down and across,
    kh and kw the window's sides, sh and sw the stride, ph and pw the padding,
    H_out and W_out the output's sides.
A cell is one of the kh * kw places of a window: (u, v), row u and column v.
"""

import numpy as np

from cnn.conv2d import conv_output_size, pad2d
from cnn.foundations import Layer, as_float, as_pair
from cnn.im2col import sliding_windows


def max_pool2d_forward(x, kernel_size, stride=None, padding=0):
    """Take the largest pixel of every window, channel by channel.

    Parameters
    ----------
    x : (N, C, H, W) float array
        Images, channels first.
    kernel_size : int or (int, int), pixels
        Window sides (down, across).
    stride : int or (int, int) or None, pixels
        Step between windows; None means the window's sides, so that windows tile the image.
    padding : int or (int, int), pixels
        Cells of -inf added on each side, so that no pixel loses to the padding; at most half the window.

    Returns
    -------
    out : (N, C, H_out, W_out) array, dtype of x
        out[n, c, i, j] = max over u, v of padded[n, c, i * sh + u, j * sw + v]; NaN where the window holds a
        NaN. H_out = (H + 2 * ph - kh) // sh + 1, W_out likewise. A new array; x is unchanged.
    cache : opaque
        What `max_pool2d_backward` needs: the winner of every window. It is one pixel of x, never padding:
        the first NaN, else the first maximum in row-major order, also where all pixels are -inf.

    Raises
    ------
    ValueError
        If x is not 4-D or has no pixels, a window does not fit, kernel_size or stride is below 1, padding is
        negative or more than half the window; the message has the numbers.

    References
    ----------
    Scherer, Mueller and Behnke 2010, Evaluation of pooling operations in convolutional architectures.

    Examples
    --------
    >>> x = np.array([[[[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, -1.0, 2.0]]]])
    >>> out, cache = max_pool2d_forward(x, kernel_size=2)
    >>> out[0, 0]
    array([[5., 2.]])
    """
    # TODO 1. Check x, then window, stride and padding against it; find H_out and W_out. The checks are worth
    #         a helper: avg_pool2d_forward asks the same.
    # TODO 2. Pad x with -inf and take its sliding windows. The output is their maximum over u and v.
    # TODO 3. Find the winner of each window: the first cell, row by row, that holds the maximum or is NaN. In
    #         a window of nothing but -inf that may be padding: there the first pixel of x in it wins.
    # TODO 4. Keep for backward which pixel of x won each window, and the shape and dtype of x.
    raise NotImplementedError("Topic 13 pooling: max_pool2d_forward is still to do")


def max_pool2d_backward(dout, cache):
    """Send every gradient to the pixel that won its window; the others get nothing.

    Parameters
    ----------
    dout : (N, C, H_out, W_out) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `max_pool2d_forward`; it can be used again.

    Returns
    -------
    dx : (N, C, H, W) array, dtype of x
        dx[n, c, h, w] = the sum of dout[n, c, i, j] over the windows (i, j) that pixel (h, w) won. A new array.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> x = np.array([[[[1.0, 7.0, 2.0, 7.0]]]])
    >>> out, cache = max_pool2d_forward(x, kernel_size=(1, 3), stride=1)
    >>> max_pool2d_backward(np.array([[[[10.0, 1.0]]]]), cache)[0, 0]
    array([[ 0., 11.,  0.,  0.]])
    """
    # TODO 1. Unpack the cache; check the shape of dout.
    # TODO 2. Start dx at zeros and give each number of dout to its winner. Add, never assign: where windows
    #         overlap a pixel can win several, and dx[index] += ... adds a repeated index only once.
    raise NotImplementedError("Topic 13 pooling: max_pool2d_backward is still to do")


def avg_pool2d_forward(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    """Take the mean of every window, channel by channel.

    Parameters
    ----------
    x : (N, C, H, W) float array
        Images, channels first.
    kernel_size, stride, padding : as in `max_pool2d_forward`
        The padding is zeros.
    count_include_pad : bool
        Whether the padding counts. True divides every sum by kh * kw, False by the number of pixels of x
        in the window.

    Returns
    -------
    out : (N, C, H_out, W_out) array, dtype of x
        out[n, c, i, j] = sum over u, v of padded[n, c, i * sh + u, j * sw + v] / count[i, j];
        H_out = (H + 2 * ph - kh) // sh + 1, W_out likewise. A new array; x is unchanged.
    cache : opaque
        What `avg_pool2d_backward` needs.

    Raises
    ------
    ValueError
        As `max_pool2d_forward`.

    References
    ----------
    LeCun et al. 1998, Gradient-based learning applied to document recognition, section II.

    Examples
    --------
    >>> x = np.array([[[[4.0, 8.0, 6.0]]]])
    >>> avg_pool2d_forward(x, (1, 2), stride=2, padding=(0, 1))[0][0, 0]
    array([[2., 7.]])
    >>> avg_pool2d_forward(x, (1, 2), stride=2, padding=(0, 1), count_include_pad=False)[0][0, 0]
    array([[4., 7.]])
    """
    # TODO 1. Check as max_pool2d_forward does.
    # TODO 2. Pad x with zeros; add up what the cells of every window see.
    # TODO 3. Divide by the count: kh * kw, or without the padding the pixels of x in each window. (A window sum
    #         over an image of ones counts them.)
    # TODO 4. Keep the count and the geometry for backward. The values of x it won't need: the mean is linear.
    raise NotImplementedError("Topic 13 pooling: avg_pool2d_forward is still to do")


def avg_pool2d_backward(dout, cache):
    """Share every gradient out evenly among the pixels of its window.

    Parameters
    ----------
    dout : (N, C, H_out, W_out) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `avg_pool2d_forward`; it can be used again.

    Returns
    -------
    dx : (N, C, H, W) array, dtype of x
        dx[n, c, h, w] = the sum of dout[n, c, i, j] / count[i, j] over the windows (i, j) that hold pixel
        (h, w). What falls on the padding is dropped. A new array.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> out, cache = avg_pool2d_forward(np.zeros((1, 1, 1, 4)), kernel_size=(1, 3), stride=1)
    >>> avg_pool2d_backward(np.array([[[[3.0, 30.0]]]]), cache)[0, 0]
    array([[ 1., 11., 11., 10.]])
    """
    # TODO 1. Unpack the cache; check the shape of dout; divide it by the count, the same one as in forward.
    # TODO 2. Start a padded dx at zeros. For each of the kh * kw cells, add the shares to the pixels this cell
    #         saw: a strided slice, H_out rows and W_out columns of it.
    # TODO 3. Cut the padding off.
    raise NotImplementedError("Topic 13 pooling: avg_pool2d_backward is still to do")


def global_avg_pool2d_forward(x):
    """Take the mean of every channel of every image: a map of any size becomes one number.

    Parameters
    ----------
    x : (N, C, H, W) float array
        Images, channels first.

    Returns
    -------
    out : (N, C) array, dtype of x
        out[n, c] = the mean of x[n, c] over its H * W pixels. A new array; x is unchanged.
    cache : opaque
        What `global_avg_pool2d_backward` needs.

    Raises
    ------
    ValueError
        If x is not 4-D or has no pixels; the message has x.shape.

    References
    ----------
    Lin, Chen and Yan 2013, Network In Network, arXiv:1312.4400, section 3.2.

    Examples
    --------
    >>> x = np.array([[[[1.0, 2.0, 6.0]], [[0.0, -5.0, 2.0]]]])
    >>> global_avg_pool2d_forward(x)[0]
    array([[ 3., -1.]])
    """
    # TODO 1. Check x; take the mean over its last two axes.
    # TODO 2. Keep the shape and dtype of x for backward.
    raise NotImplementedError("Topic 13 pooling: global_avg_pool2d_forward is still to do")


def global_avg_pool2d_backward(dout, cache):
    """Share every channel's gradient out evenly among all its pixels.

    Parameters
    ----------
    dout : (N, C) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `global_avg_pool2d_forward`; it can be used again.

    Returns
    -------
    dx : (N, C, H, W) array, dtype of x
        dx[n, c, h, w] = dout[n, c] / (H * W). A new array.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> out, cache = global_avg_pool2d_forward(np.zeros((1, 2, 1, 3)))
    >>> global_avg_pool2d_backward(np.array([[6.0, -3.0]]), cache)[0]
    array([[[ 2.,  2.,  2.]],
    <BLANKLINE>
           [[-1., -1., -1.]]])
    """
    # TODO 1. Check the shape of dout; divide by the number of pixels.
    # TODO 2. Repeat each number over its H by W pixels, in an array that can be written to.
    raise NotImplementedError("Topic 13 pooling: global_avg_pool2d_backward is still to do")


class MaxPool2d(Layer):
    """Max pooling as a layer; it has no parameters.

    Parameters
    ----------
    kernel_size, stride, padding : as in `max_pool2d_forward`

    Examples
    --------
    >>> MaxPool2d(2)(np.zeros((5, 3, 8, 6), np.float32)).shape
    (5, 3, 4, 3)
    """

    def __init__(self, kernel_size, stride=None, padding=0):
        # TODO 1. Remember the three settings.
        raise NotImplementedError("Topic 13 pooling: MaxPool2d.__init__ is still to do")

    def forward(self, x):
        """Return `max_pool2d_forward`'s output for x, in the dtype of x."""
        # TODO 1. Call max_pool2d_forward; keep the cache in an attribute that begins with an underscore.
        raise NotImplementedError("Topic 13 pooling: MaxPool2d.forward is still to do")

    def backward(self, dout):
        """Return dx, in the dtype of x."""
        # TODO 1. Call max_pool2d_backward with the cache.
        raise NotImplementedError("Topic 13 pooling: MaxPool2d.backward is still to do")


class AvgPool2d(Layer):
    """Average pooling as a layer; it has no parameters.

    Parameters
    ----------
    kernel_size, stride, padding, count_include_pad : as in `avg_pool2d_forward`

    Examples
    --------
    >>> AvgPool2d((4, 3), stride=2)(np.zeros((5, 3, 8, 6), np.float32)).shape
    (5, 3, 3, 2)
    """

    def __init__(self, kernel_size, stride=None, padding=0, count_include_pad=True):
        # TODO 1. Remember the four settings.
        raise NotImplementedError("Topic 13 pooling: AvgPool2d.__init__ is still to do")

    def forward(self, x):
        """Return `avg_pool2d_forward`'s output for x, in the dtype of x."""
        # TODO 1. As MaxPool2d.forward, with avg_pool2d_forward and all four settings.
        raise NotImplementedError("Topic 13 pooling: AvgPool2d.forward is still to do")

    def backward(self, dout):
        """Return dx, in the dtype of x."""
        # TODO 1. Call avg_pool2d_backward with the cache.
        raise NotImplementedError("Topic 13 pooling: AvgPool2d.backward is still to do")


class GlobalAvgPool2d(Layer):
    """Global average pooling as a layer: (N, C, H, W) in, (N, C) out, no parameters.

    In front of a `Linear` it takes the place of `Flatten`; the dense layer then reads C numbers an image
    instead of C * H * W.

    Examples
    --------
    >>> GlobalAvgPool2d()(np.zeros((5, 3, 8, 6), np.float32)).shape
    (5, 3)
    """

    def forward(self, x):
        """Return `global_avg_pool2d_forward`'s output for x, in the dtype of x."""
        # TODO 1. As the other two layers; there is nothing to set.
        raise NotImplementedError("Topic 13 pooling: GlobalAvgPool2d.forward is still to do")

    def backward(self, dout):
        """Return dx, in the dtype of x."""
        # TODO 1. Call global_avg_pool2d_backward with the cache.
        raise NotImplementedError("Topic 13 pooling: GlobalAvgPool2d.backward is still to do")
