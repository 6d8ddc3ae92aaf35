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
    # region solution
    # 1. Check the rank of x; find H_out and W_out with conv_output_size.
    # 2. x.strides says how many bytes lie between neighbours on each axis. Find the same four numbers for
    #    the six axes of the result: what is one step of i, and what is one step of u?
    # 3. Make the view with as_strided (or sliding_window_view), not writeable.
    x = np.asarray(x)
    if x.ndim != 4:
        raise ValueError(f"sliding_windows: x has shape {x.shape}, {x.ndim} axes. Give 4: (N, C, H, W).")
    (kh, kw), (sh, sw) = as_pair(kernel_size, "kernel_size"), as_pair(stride, "stride")
    N, C, H, W = x.shape
    H_out, W_out = conv_output_size(H, kh, sh), conv_output_size(W, kw, sw)
    image, channel, row, column = x.strides
    return as_strided(
        x,
        (N, C, H_out, W_out, kh, kw),
        (image, channel, sh * row, sw * column, row, column),
        writeable=False,
    )
    # endregion


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
    # region solution
    # 1. Pad x with zeros and take its sliding windows.
    # 2. Order the axes as the result's rows (channel, kernel row, kernel column) and columns (output row,
    #    output column) want them.
    # 3. Copy them in that order; merge three axes into the rows and two into the columns.
    windows = sliding_windows(pad2d(x, padding), kernel_size, stride)
    N, C, H_out, W_out, kh, kw = windows.shape
    return windows.transpose(0, 1, 4, 5, 2, 3).copy().reshape(N, C * kh * kw, H_out * W_out)
    # endregion


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
    # region solution
    # 1. Find H_out and W_out for x_shape; refuse cols of any other shape than im2col would give.
    # 2. Split the rows of cols into channel, kernel row and kernel column, its columns into output row and
    #    output column.
    # 3. Start a padded image at zeros. For each (u, v): its numbers go, added, to a strided grid of pixels.
    # 4. Cut the padding off.
    cols = as_float(cols)
    if len(x_shape) != 4:
        raise ValueError(f"col2im: x_shape is {tuple(x_shape)}, {len(x_shape)} numbers. Give 4: (N, C, H, W).")
    (kh, kw), (sh, sw), (ph, pw) = _pairs(kernel_size, stride, padding)
    N, C, H, W = x_shape
    H_out, W_out = conv_output_size(H, kh, sh, ph), conv_output_size(W, kw, sw, pw)
    if cols.shape != (N, C * kh * kw, H_out * W_out):
        raise ValueError(
            f"col2im: cols has shape {cols.shape}, windows of {(kh, kw)} on x_shape {tuple(x_shape)} make "
            f"{(N, C * kh * kw, H_out * W_out)}. Give the settings cols was made with."
        )
    cols = cols.reshape(N, C, kh, kw, H_out, W_out)
    padded = np.zeros((N, C, H + 2 * ph, W + 2 * pw), cols.dtype)
    for u in range(kh):
        for v in range(kw):
            padded[:, :, u : u + sh * H_out : sh, v : v + sw * W_out : sw] += cols[:, :, u, v]
    return padded[:, :, ph : ph + H, pw : pw + W].copy()
    # endregion


# region solution
def _pairs(kernel_size, stride, padding):
    return as_pair(kernel_size, "kernel_size"), as_pair(stride, "stride"), as_pair(padding, "padding")


def _check_operands(x, weight, bias, caller):
    """Refuse operands whose shapes do not go together."""
    if x.ndim != 4:
        raise ValueError(f"{caller}: x has shape {x.shape}, {x.ndim} axes. Give 4: (N, C, H, W).")
    if weight.ndim != 4 or weight.shape[1] != x.shape[1]:
        raise ValueError(
            f"{caller}: weight has shape {weight.shape} and x {x.shape}. Give a weight (O, {x.shape[1]}, kh, kw)."
        )
    if bias is not None and np.shape(bias) != weight.shape[:1]:
        raise ValueError(
            f"{caller}: bias has shape {np.shape(bias)} for {weight.shape[0]} output channels. "
            f"Give a bias of shape ({weight.shape[0]},)."
        )


# endregion


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
    # region solution
    # 1. Check shapes, as in Topic 11; find H_out and W_out.
    # 2. Write the weight as a matrix, one kernel a row, its numbers in the order of im2col's rows.
    # 3. Work through the batch image by image, so that the columns stay in the processor's cache: the
    #    kernel matrix times the image's columns is the image's output. Add the bias, one number a row.
    # 4. Split the L positions into rows and columns. For backward keep x, not its columns: they are
    #    kh * kw times as large, and quicker to make again than to fetch.
    x = as_float(x)
    weight = np.asarray(weight, x.dtype)
    _check_operands(x, weight, bias, "conv2d_im2col_forward")
    (kh, kw), (sh, sw), (ph, pw) = settings = _pairs(weight.shape[2:], stride, padding)
    N, C, H, W = x.shape
    O = len(weight)
    H_out, W_out = conv_output_size(H, kh, sh, ph), conv_output_size(W, kw, sw, pw)
    kernels = weight.reshape(O, C * kh * kw)
    out = np.empty((N, O, H_out * W_out), x.dtype)
    for n in range(N):
        np.matmul(kernels, im2col(x[n : n + 1], *settings)[0], out=out[n])
    if bias is not None:
        out += np.asarray(bias, x.dtype)[:, np.newaxis]
    return out.reshape(N, O, H_out, W_out), (x, weight, bias is not None, settings, (H_out, W_out))
    # endregion


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
    # region solution
    # 1. Unpack the cache; refuse a dout of any other shape than the output's.
    # 2. Write dout with its two pixel axes merged: dout[n] is an (O, L) matrix.
    # 3. For every image, its columns once more: the kernel matrix's gradient gains dout[n] times their
    #    transpose.
    # 4. The columns' own gradient is the transposed kernel matrix times dout[n]; col2im makes dx[n] of it.
    # 5. Give dweight the weight's shape. The bias gets the sum of dout over N, H_out and W_out.
    x, weight, has_bias, settings, (H_out, W_out) = cache
    N, O = len(x), len(weight)
    if np.shape(dout) != (N, O, H_out, W_out):
        raise ValueError(
            f"conv2d_im2col_backward: dout has shape {np.shape(dout)}, the output {(N, O, H_out, W_out)}. "
            "Give the gradient of exactly that output."
        )
    dout = np.asarray(dout, x.dtype).reshape(N, O, H_out * W_out)
    kernels = weight.reshape(O, -1)
    dkernels, dx = np.zeros_like(kernels), np.empty(x.shape, x.dtype)
    for n in range(N):
        image = x[n : n + 1]
        dkernels += dout[n] @ im2col(image, *settings)[0].T
        dx[n] = col2im(kernels.T @ dout[n : n + 1], image.shape, *settings)[0]
    dbias = dout.sum(axis=(0, 2)) if has_bias else None
    return dx, dkernels.reshape(weight.shape), dbias
    # endregion


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
        # region solution
        # 1. Let Topic 11's layer draw the weight and make the bias: super().__init__.
        # 2. Remember stride and padding.
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias, rng)
        self.stride, self.padding = stride, padding
        # endregion

    def forward(self, x):
        """Return `conv2d_im2col_forward`'s output for x, in the dtype of x."""
        # region solution
        # 1. Call the fast forward with the parameters' values; keep the cache in an attribute that begins
        #    with an underscore; return the output alone.
        bias = None if self.bias is None else self.bias.value
        out, self._cache = conv2d_im2col_forward(x, self.weight.value, bias, self.stride, self.padding)
        return out
        # endregion

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias."""
        # region solution
        # 1. Call the fast backward with the cache; add (+=) the gradients to .grad; return dx.
        dx, dweight, dbias = conv2d_im2col_backward(dout, self._cache)
        self.weight.grad += dweight
        if self.bias is not None:
            self.bias.grad += dbias
        return dx
        # endregion


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
    # region solution
    # 1. Refuse an x_shape that is not four numbers; find H_out and W_out with conv_output_size.
    # 2. Multiply the three axes of the result, then by the bytes of a number.
    if len(x_shape) != 4:
        raise ValueError(f"im2col_bytes: x_shape is {tuple(x_shape)}, {len(x_shape)} numbers. Give 4: (N, C, H, W).")
    N, C, H, W = x_shape
    (kh, kw), (sh, sw), (ph, pw) = _pairs(kernel_size, stride, padding)
    H_out, W_out = conv_output_size(H, kh, sh, ph), conv_output_size(W, kw, sw, pw)
    return N * C * kh * kw * H_out * W_out * itemsize
    # endregion
