# Made from reference/im2col.py by tools/generate.py, so that editors know cnn.im2col.
"""Topic 12: convolution as a matrix product, the windows of an image laid out as columns.

Letters, the same in every topic:
    N images, C (or I) input channels, O output channels, H and W pixels down and across,
    kh and kw the kernel's sides, sh and sw the stride, ph and pw the padding,
    H_out and W_out the output's sides, L = H_out * W_out the positions of the window.
"""
import numpy as np
from numpy.lib.stride_tricks import as_strided
from cnn import conv2d
from cnn.conv2d import conv_output_size, pad2d
from cnn.foundations import as_float, as_pair

def sliding_windows(x, kernel_size, stride=1):
    """Show every window of every image, without copying a pixel.

    Parameters
    ----------
    x : (N, C, H, W) array
        Images, channels first, in any memory layout.
    kernel_size, stride : int or (int, int), pixels
        Window sides; step between windows; (down, across).

    Returns
    -------
    windows : (N, C, H_out, W_out, kh, kw) array, dtype of x
        windows[n, c, i, j, u, v] = x[n, c, i * sh + u, j * sw + v]; H_out = (H - kh) // sh + 1, W_out
        likewise. A view of x that refuses to be written to: neighbouring windows share their pixels.

    Raises
    ------
    ValueError
        If x is not 4-D (the message has x.shape), a window does not fit (it has both lengths), or a kernel
        side or a stride is below 1 (it has the number).

    References
    ----------
    NumPy, numpy.lib.stride_tricks.

    Examples
    --------
    >>> x = np.array([[[[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]]])
    >>> sliding_windows(x, kernel_size=2)[0, 0, 0, 1]
    array([[ 1.,  2.],
           [11., 12.]])
    """
    ...

def im2col(x, kernel_size, stride=1, padding=0):
    """Copy every window of every image into a column of a matrix; `torch.nn.functional.unfold`.

    Parameters
    ----------
    x : (N, C, H, W) array
        Images, channels first.
    kernel_size, stride, padding : int or (int, int), pixels
        Window sides; step between windows; zeros added on each side; (down, across).

    Returns
    -------
    cols : (N, C * kh * kw, L) array, float dtype of x
        cols[n, c * kh * kw + u * kw + v, i * W_out + j] = padded[n, c, i * sh + u, j * sw + v];
        L = H_out * W_out, H_out = (H + 2 * ph - kh) // sh + 1, W_out likewise. A new array.

    Raises
    ------
    ValueError
        If x is not 4-D (the message has x.shape), a window does not fit (it has both lengths), or a kernel
        side or a stride is below 1 or a padding negative (it has the number).

    References
    ----------
    Chellapilla, Puri and Simard 2006, High performance convolutional neural networks for document
    processing, section 2.

    Examples
    --------
    >>> im2col(np.array([[[[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]]]), kernel_size=2)[0]
    array([[ 0.,  1.],
           [ 1.,  2.],
           [10., 11.],
           [11., 12.]])
    """
    ...

def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    """Add every column back to the pixels its window read; `torch.nn.functional.fold`.

    The adjoint of `im2col`, not its inverse: a pixel that k windows read receives k numbers, summed.

    Parameters
    ----------
    cols : (N, C * kh * kw, L) array
        One column a window, in the layout of `im2col`.
    x_shape : (N, C, H, W), ints
        Shape of the images, without padding.
    kernel_size, stride, padding : int or (int, int), pixels
        As in `im2col`.

    Returns
    -------
    x : (N, C, H, W) array, float dtype of cols
        x[n, c, h, w] = the sum of cols[n, c * kh * kw + u * kw + v, i * W_out + j] over all i, j, u, v with
        i * sh + u = h + ph and j * sw + v = w + pw. What falls on the padding is dropped. A new array.

    Raises
    ------
    ValueError
        If x_shape is not four numbers (the message has x_shape), a setting is one that `im2col` refuses (it
        has the same numbers), or cols has not the shape `im2col` gives for x_shape (it has both shapes).

    Examples
    --------
    >>> col2im(np.ones((1, 2, 3)), x_shape=(1, 1, 1, 4), kernel_size=(1, 2))[0, 0]
    array([[1., 2., 2., 1.]])
    """
    ...

def conv2d_im2col_forward(x, weight, bias=None, stride=1, padding=0):
    """Convolve as `conv2d_forward` of Topic 11 does, by one matrix product an image.

    Parameters
    ----------
    x : (N, C, H, W) float array
        Images, channels first.
    weight : (O, C, kh, kw) float array
        One kernel over all input channels for each output channel.
    bias : (O,) float array or None
        Added to every pixel of its output channel.
    stride, padding : int or (int, int), pixels
        Step between windows; zeros added on each side; (down, across).

    Returns
    -------
    out : (N, O, H_out, W_out) array, dtype of x
        out[n] = kernels @ im2col(x[n]) + bias, kernels being weight as an (O, C * kh * kw) matrix;
        H_out = (H + 2 * ph - kh) // sh + 1, W_out likewise. A new array.
    cache : opaque
        What `conv2d_im2col_backward` needs.

    Raises
    ------
    ValueError
        If x or weight is not 4-D (the message has its shape), their channels differ (it has both numbers),
        the bias is not (O,) (it has the bias's shape and O), or conv_output_size refuses the window, the
        stride or the padding (it has what that says).

    References
    ----------
    Chellapilla, Puri and Simard 2006, High performance convolutional neural networks for document
    processing, section 2.

    Examples
    --------
    >>> x = np.array([[[[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]]])
    >>> out, cache = conv2d_im2col_forward(x, weight=np.ones((1, 1, 2, 2)))
    >>> out[0, 0]
    array([[22., 26.]])
    """
    ...

def conv2d_im2col_backward(dout, cache):
    """Send the gradient of a convolution's output back, by two matrix products an image.

    Parameters
    ----------
    dout : (N, O, H_out, W_out) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `conv2d_im2col_forward`; it can be used again.

    Returns
    -------
    dx : (N, C, H, W) array, dtype of x
        dx[n] = col2im(kernels.T @ dout[n]), dout[n] as an (O, L) matrix.
    dweight : (O, C, kh, kw) array, dtype of x
        The sum over n of dout[n] @ im2col(x[n]).T.
    dbias : (O,) array, dtype of x, or None
        dout summed over images and positions; None where there was no bias.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> out, cache = conv2d_im2col_forward(np.ones((1, 1, 1, 3)), np.array([[[[2.0, 5.0]]]]))
    >>> dx, dweight, dbias = conv2d_im2col_backward(np.array([[[[1.0, 10.0]]]]), cache)
    >>> dx[0, 0, 0], dweight[0, 0, 0], dbias
    (array([ 2., 25., 50.]), array([11., 11.]), None)
    """
    ...

class Conv2d(conv2d.Conv2d):
    """The convolutional layer of Topic 11 on the fast pair; same parameters, same numbers.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size, stride, padding : int or (int, int), pixels
        As in `conv2d_im2col_forward`.
    bias : bool
        Without it, `.bias` is None.
    rng : numpy.random.Generator or None
        Draws the weight; None makes a fresh one.

    Attributes
    ----------
    weight : Parameter (O, C, kh, kw)
        Normal with standard deviation sqrt(2 / fan_in), fan_in = C * kh * kw.
    bias : Parameter (O,) or None
        Zeros at first.

    References
    ----------
    He et al. 2015, arXiv:1502.01852, equation 10 (the initialisation).

    Examples
    --------
    >>> layer = Conv2d(3, 5, kernel_size=(3, 2), padding=1)
    >>> layer(np.zeros((2, 3, 7, 8), np.float32)).shape
    (2, 5, 7, 9)
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True, rng=None):
        ...

    def forward(self, x):
        """Return `conv2d_im2col_forward`'s output for x, in the dtype of x."""
        ...

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias."""
        ...

def im2col_bytes(x_shape, kernel_size, stride=1, padding=0, itemsize=4):
    """Count the bytes of im2col's result, without making it.

    Parameters
    ----------
    x_shape : (N, C, H, W), ints
        Shape of the whole batch.
    kernel_size, stride, padding : int or (int, int), pixels
        As in `im2col`.
    itemsize : int, bytes
        Of one number: 4 for float32, 8 for float64.

    Returns
    -------
    size : int, bytes
        N * C * kh * kw * H_out * W_out * itemsize.

    Raises
    ------
    ValueError
        If x_shape is not four numbers (the message has x_shape) or a setting is one that `im2col` refuses
        (it has the same numbers).

    Examples
    --------
    >>> im2col_bytes((64, 64, 32, 32), kernel_size=3, padding=1)
    150994944
    """
    ...
