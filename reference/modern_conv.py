"""Topic 15: the convolutions of modern networks, and what each of them saves.

Letters, the same in every topic:
    N images, C (or I) input channels, O output channels, H and W pixels down and across,
    kh and kw the kernel's sides, sh and sw the stride, ph and pw the padding,
    H_out and W_out the output's sides.
New in this topic:
    dh and dw the dilation, m the channel multiplier (output channels for each input channel).
"""

import numpy as np

from cnn.conv2d import conv_output_size, pad2d
from cnn.foundations import Layer, Parameter, as_float, as_pair
from cnn.im2col import sliding_windows


# region solution
def _operands(x, weight, caller):
    """Return x and weight as 4-D arrays of one float dtype, that of x."""
    x = as_float(x)
    weight = np.asarray(weight, x.dtype)
    if x.ndim != 4:
        raise ValueError(f"{caller}: x has shape {x.shape}, {x.ndim} axes. Give 4: (N, C, H, W).")
    if weight.ndim != 4:
        raise ValueError(f"{caller}: weight has shape {weight.shape}, {weight.ndim} axes. Give 4.")
    return x, weight


def _refuse_weight(x, weight, asked, caller):
    raise ValueError(f"{caller}: weight has shape {weight.shape} and x {x.shape}. Give a weight {asked}.")


def _check_groups(C, O, groups, caller):
    """Refuse groups that do not cut both input and output channels into equal parts."""
    if groups < 1:
        raise ValueError(f"{caller}: groups is {groups}. Use groups >= 1.")
    for side, channels in (("input", C), ("output", O)):
        if channels % groups:
            raise ValueError(
                f"{caller}: {channels} {side} channels do not divide into {groups} groups. "
                "Use a number of groups that divides both channel counts."
            )


def _placement(x, weight, stride, padding, dilation):
    """Return (H_out, W_out), and the three settings as pairs."""
    stride, padding = as_pair(stride, "stride"), as_pair(padding, "padding")
    dilation = as_pair(dilation, "dilation")
    reach = effective_kernel_size(weight.shape[2:], dilation)
    return tuple(map(conv_output_size, x.shape[2:], reach, stride, padding)), stride, padding, dilation


def _add_bias(out, bias, caller):
    """Add one number to each output channel, in place; return the output."""
    if bias is not None:
        if np.shape(bias) != out.shape[1:2]:
            raise ValueError(
                f"{caller}: bias has shape {np.shape(bias)} for {out.shape[1]} output channels. "
                f"Give a bias of shape ({out.shape[1]},)."
            )
        out += np.asarray(bias, out.dtype)[:, None, None]
    return out


def _gradient(dout, shape, dtype, caller):
    """Return dout in the given dtype, having checked that it has the output's shape."""
    if np.shape(dout) != shape:
        raise ValueError(
            f"{caller}: dout has shape {np.shape(dout)}, the output {shape}. Give the gradient of exactly that output."
        )
    return np.asarray(dout, dtype)


def _bias_gradient(dout, has_bias):
    return dout.sum(axis=(0, 2, 3)) if has_bias else None


def _crop(padded, padding):
    """Return a copy of the map without its border."""
    (ph, pw), (H, W) = padding, padded.shape[2:]
    return padded[:, :, ph : H - ph, pw : W - pw].copy()


def _pieces(N, numbers):
    """Cut a batch into slices of some 2**17 numbers, which stay in the cache; an image has `numbers`."""
    step = max(1, 2**17 // max(1, numbers))
    return [slice(n, n + step) for n in range(0, N, step)]


def _taps(start, stride, count):
    """The rows (or columns) that one kernel row (or column) reads: `count` of them, one stride apart."""
    return slice(start, start + stride * count, stride)


# The three sums of a convolution. All see the output channels as (groups, O / groups) and the kernels as
# one matrix a group, (O / groups, K) with K = C / groups * kh * kw.


def _correlate(padded, weight, stride, dilation, groups):
    """Sum over the kernel: the output."""
    windows = _windows(padded, weight.shape[2:], stride, dilation)
    N, C, H_out, W_out, kh, kw = windows.shape
    out = np.empty((N, groups, len(weight) // groups, H_out * W_out), padded.dtype)
    for piece in _pieces(N, C * kh * kw * H_out * W_out):
        np.matmul(_matrices(weight, groups), _columns(windows[piece], groups), out=out[piece])
    return out.reshape(N, len(weight), H_out, W_out)


def _spread(dout, weight, padded_shape, stride, dilation, groups):
    """Sum over the windows that read a pixel: the gradient of the padded input."""
    (N, O, H_out, W_out), C, (_, _, kh, kw) = dout.shape, padded_shape[1], weight.shape
    (sh, sw), (dh, dw) = stride, dilation
    grouped = dout.reshape(N, groups, O // groups, H_out * W_out)
    dpadded = np.zeros(padded_shape, dout.dtype)
    for piece in _pieces(N, C * kh * kw * H_out * W_out):
        dcolumns = _matrices(weight, groups).swapaxes(1, 2) @ grouped[piece]
        dwindows = dcolumns.reshape(len(dcolumns), C, kh, kw, H_out, W_out)
        for u, v in np.ndindex(kh, kw):
            rows, columns = _taps(u * dh, sh, H_out), _taps(v * dw, sw, W_out)
            dpadded[piece, :, rows, columns] += dwindows[:, :, u, v]
    return dpadded


def _weigh(padded, dout, weight_shape, stride, dilation, groups):
    """Sum over images and positions: the gradient of the weight."""
    windows = _windows(padded, weight_shape[2:], stride, dilation)
    N, C, H_out, W_out, kh, kw = windows.shape
    O = weight_shape[0]
    grouped = dout.reshape(N, groups, O // groups, H_out * W_out)
    dmatrices = np.zeros((groups, O // groups, C // groups * kh * kw), dout.dtype)
    for piece in _pieces(N, C * kh * kw * H_out * W_out):
        dmatrices += (grouped[piece] @ _columns(windows[piece], groups).swapaxes(2, 3)).sum(axis=0)
    return dmatrices.reshape(weight_shape)


def _windows(padded, kernel_size, stride, dilation):
    """Every window as a view: that of the effective kernel, of which each d-th pixel is kept."""
    dh, dw = dilation
    return sliding_windows(padded, effective_kernel_size(kernel_size, dilation), stride)[..., ::dh, ::dw]


def _columns(windows, groups):
    """Copy windows (N, C, H_out, W_out, kh, kw) into columns (N, groups, K, H_out * W_out)."""
    N, C, H_out, W_out, kh, kw = windows.shape
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(N, groups, C // groups * kh * kw, H_out * W_out)


def _matrices(weight, groups):
    O, C, kh, kw = weight.shape
    return weight.reshape(groups, O // groups, C * kh * kw)


# endregion


def conv2d_forward(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide kernels with holes over channels in groups: the convolution of all libraries.

    Dilation d puts d - 1 unread pixels between neighbouring taps of the kernel. Groups cut input and
    output channels into equal parts in their order; a part of the output reads its part of the input only.

    Parameters
    ----------
    x : (N, C, H, W) float array
        Images, channels first.
    weight : (O, C / groups, kh, kw) float array
        For each output channel one kernel over the input channels of its group.
    bias : (O,) float array or None
        Added to every pixel of its output channel.
    stride, padding, dilation : int or (int, int), pixels
        Step between windows; zeros added on each side; step between taps; (down, across).
    groups : int
        Number of groups; it divides C and O.

    Returns
    -------
    out : (N, O, H_out, W_out) array, dtype of x
        out[n, o, i, j] = bias[o] + sum over c, u, v of
        padded[n, first + c, i * sh + u * dh, j * sw + v * dw] * weight[o, c, u, v], with c from 0 to
        C / groups - 1 and first = (o // (O / groups)) * (C / groups), the first channel of o's group;
        H_out = (H + 2 * ph - (dh * (kh - 1) + 1)) // sh + 1, W_out likewise. A new array.
    cache : opaque
        What `conv2d_backward` needs.

    Raises
    ------
    ValueError
        If x or weight is not 4-D, C or O does not divide into groups, the weight is not
        (O, C / groups, kh, kw), the bias is not (O,), the dilated window does not fit, stride < 1, padding < 0,
        dilation < 1 or groups < 1; the message has both numbers.

    References
    ----------
    Yu and Koltun 2016, arXiv:1511.07122 (dilation); Xie et al. 2017, arXiv:1611.05431 (groups).

    Examples
    --------
    >>> x = np.array([[[[0.0, 1.0, 2.0, 3.0, 4.0]]]])
    >>> out, cache = conv2d_forward(x, weight=np.array([[[[1.0, 10.0]]]]), dilation=(1, 3))
    >>> out[0, 0]
    array([[30., 41.]])
    """
    # region solution
    # 1. Check shapes: x and weight 4-D, groups divide C and O, the weight has C / groups input channels.
    # 2. Under dilation a kernel side of k reaches over d * (k - 1) + 1 pixels. Find H_out and W_out with that
    #    reach and conv_output_size; pad x.
    # 3. View the padded input as windows of that reach, then keep each d-th pixel of a window: a view still.
    # 4. Copy the windows into columns, (N, groups, C / groups * kh * kw, H_out * W_out): Topic 12's im2col with
    #    its channel axis cut in groups. See the weight as one matrix a group. One matmul does all groups.
    # 5. Give the result its output shape, add the bias, keep what backward needs.
    x, weight = _operands(x, weight, "conv2d_forward")
    _check_groups(x.shape[1], len(weight), groups, "conv2d_forward")
    if weight.shape[1] != x.shape[1] // groups:
        _refuse_weight(x, weight, f"(O, {x.shape[1] // groups}, kh, kw) for {groups} groups", "conv2d_forward")
    out_size, stride, padding, dilation = _placement(x, weight, stride, padding, dilation)
    padded = pad2d(x, padding)
    out = _add_bias(_correlate(padded, weight, stride, dilation, groups), bias, "conv2d_forward")
    return out, (padded, weight, bias is not None, out_size, stride, padding, dilation, groups)
    # endregion


def conv2d_backward(dout, cache):
    """Send the gradient of a grouped, dilated convolution back to its input, weight and bias.

    Parameters
    ----------
    dout : (N, O, H_out, W_out) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `conv2d_forward`; it can be used again.

    Returns
    -------
    dx : (N, C, H, W) array, dtype of x
        Every window adds dout * kernel to the pixels it read, in the channels of its group; pixels in
        the kernel's holes get nothing from it.
    dweight : (O, C / groups, kh, kw) array, dtype of x
        The sum over images and positions of dout * the pixels read.
    dbias : (O,) array or None, dtype of x
        dout summed over images and positions; None where there was no bias.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> out, cache = conv2d_forward(np.ones((1, 1, 1, 5)), np.array([[[[2.0, 3.0]]]]), dilation=(1, 3))
    >>> dx, dweight, dbias = conv2d_backward(np.array([[[[1.0, 10.0]]]]), cache)
    >>> dx[0, 0, 0], dweight[0, 0, 0], dbias
    (array([ 2., 20.,  0.,  3., 30.]), array([11., 11.]), None)
    """
    # region solution
    # 1. Check the shape of dout; see it as (N, groups, O / groups, H_out * W_out).
    # 2. dweight: dout times the transposed columns, group by group in one matmul, summed over images.
    # 3. The columns' gradient: the transposed kernels times dout. Add it into a padded map of zeros, one
    #    kernel tap (u, v) at a time: a tap reads the rows u * dh, u * dh + sh, ...; columns likewise.
    # 4. Cut the padding off. The bias gets the sum of dout over N, H_out and W_out.
    padded, weight, has_bias, out_size, stride, padding, dilation, groups = cache
    dout = _gradient(dout, (len(padded), len(weight), *out_size), padded.dtype, "conv2d_backward")
    dpadded = _spread(dout, weight, padded.shape, stride, dilation, groups)
    dweight = _weigh(padded, dout, weight.shape, stride, dilation, groups)
    return _crop(dpadded, padding), dweight, _bias_gradient(dout, has_bias)
    # endregion


def effective_kernel_size(kernel_size, dilation):
    """Return how many pixels a dilated kernel reaches over, holes included.

    It takes the kernel's place in every formula about sizes: `conv_output_size`, and `receptive_field`.

    Parameters
    ----------
    kernel_size, dilation : int or (int, int), pixels
        Taps along an axis; step between them.

    Returns
    -------
    reach : int, or (int, int) where either argument is a pair
        dilation * (kernel_size - 1) + 1.

    Raises
    ------
    ValueError
        If kernel_size or dilation is below 1; the message has the number.

    Examples
    --------
    >>> effective_kernel_size(3, dilation=4)
    9
    >>> effective_kernel_size((3, 1), dilation=2)
    (5, 1)
    >>> from cnn.conv2d import receptive_field
    >>> receptive_field([(effective_kernel_size(3, dilation), 1) for dilation in (1, 2, 4)])
    15
    """
    # region solution
    # 1. See both as pairs; refuse numbers below 1.
    # 2. Count the gaps between taps: each is one dilation wide. The last tap is a pixel too.
    # 3. Two ints in, one int out; otherwise the pair.
    (kh, kw), (dh, dw) = as_pair(kernel_size, "kernel_size"), as_pair(dilation, "dilation")
    if min(kh, kw) < 1:
        raise ValueError(f"effective_kernel_size: kernel_size is {kernel_size}. Use kernel_size >= 1.")
    if min(dh, dw) < 1:
        raise ValueError(f"effective_kernel_size: dilation is {dilation}. Use dilation >= 1; 1 leaves no holes.")
    reach = dh * (kh - 1) + 1, dw * (kw - 1) + 1
    return reach[0] if np.isscalar(kernel_size) and np.isscalar(dilation) else reach
    # endregion


# region solution

# A depthwise kernel has kh * kw numbers and nothing to share them with: as a matrix product by columns it
# copies kh * kw numbers for every one it makes. Copying the shifts across alone, and adding the shifts down
# afterwards, copies kw. For one image and channel, with K (m * kh, kw) its m kernels:
#
#     shifted  (kw, H * W_out)        shifted[v, r, j] = padded[r, j * sw + v * dw]
#     partial  (m * kh, H * W_out)    partial = K @ shifted: each kernel row on every map row
#     out      (m, H_out * W_out)     out[j, i] = sum over u of partial[j, u, i * sh + u * dh]


def _shift(padded, out_size, kw, stride, dilation):
    """Return (N, C, kw, H * W_out): the map as each kernel column reads it."""
    (N, C, H, _), W_out = padded.shape, out_size[1]
    shifted = np.empty((N, C, kw, H, W_out), padded.dtype)
    for v in range(kw):
        shifted[:, :, v] = padded[..., _taps(v * dilation[1], stride[1], W_out)]
    return shifted.reshape(N, C, kw, H * W_out)


def _row_kernels(weight, C):
    """Return the kernels as (C, m * kh, kw), one matrix a channel."""
    O, _, kh, kw = weight.shape
    return weight.reshape(C, O // C * kh, kw)


# endregion


def depthwise_conv2d_forward(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """Give every channel kernels of its own: `conv2d_forward` with as many groups as channels.

    Parameters
    ----------
    x : (N, C, H, W) float array
        Images, channels first.
    weight : (C * m, 1, kh, kw) float array
        m kernels for each channel; m is the channel multiplier.
    bias : (C * m,) float array or None
        Added to every pixel of its output channel.
    stride, padding, dilation : int or (int, int), pixels
        As in `conv2d_forward`.

    Returns
    -------
    out : (N, C * m, H_out, W_out) array, dtype of x
        out[n, c * m + k] is channel c of image n under kernel c * m + k, for k from 0 to m - 1;
        H_out = (H + 2 * ph - (dh * (kh - 1) + 1)) // sh + 1, W_out likewise. A new array.
    cache : opaque
        What `depthwise_conv2d_backward` needs.

    Raises
    ------
    ValueError
        If x or weight is not 4-D, the weight is not (C * m, 1, kh, kw), the bias is not (C * m,), the dilated
        window does not fit, stride < 1, padding < 0 or dilation < 1; the message has both numbers.

    References
    ----------
    Howard et al. 2017, arXiv:1704.04861, section 3.1; Chollet 2017, arXiv:1610.02357.

    Examples
    --------
    >>> x = np.array([[[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]]])
    >>> out, cache = depthwise_conv2d_forward(x, weight=np.array([[[[1.0, 1.0]]], [[[10.0, 0.0]]]]))
    >>> out[0, :, 0]
    array([[ 3.,  5.],
           [40., 50.]])
    """
    # region solution
    # 1. Check shapes: the weight is (C * m, 1, kh, kw) with the C of x.
    # 2. Find the dilated reach, H_out and W_out; pad x.
    # 3. Make room for (N, C, m, H_out, W_out). For every kernel tap (u, v) take the rows and columns of the
    #    padded map that this tap reads, all images and channels at once, times the tap's C * m numbers; add.
    #    (Faster: loop over v alone, let a matmul sum over v for all kernel rows, then loop over u and add.)
    # 4. Merge C and m into one axis, add the bias, keep what backward needs.
    x, weight = _operands(x, weight, "depthwise_conv2d_forward")
    (N, C, _, _), (O, one, kh, kw) = x.shape, weight.shape
    if one != 1 or 0 in (C, O) or O % C:
        _refuse_weight(x, weight, f"({C} * m, 1, kh, kw), m whole", "depthwise_conv2d_forward")
    out_size, stride, padding, dilation = _placement(x, weight, stride, padding, dilation)
    padded = pad2d(x, padding)
    H, (H_out, W_out) = padded.shape[2], out_size
    out = np.zeros((N, C, O // C, H_out, W_out), x.dtype)
    for piece in _pieces(N, C * kw * H * W_out):
        partial = _row_kernels(weight, C) @ _shift(padded[piece], out_size, kw, stride, dilation)
        partial = partial.reshape(len(partial), C, O // C, kh, H, W_out)
        for u in range(kh):
            out[piece] += partial[:, :, :, u, _taps(u * dilation[0], stride[0], H_out)]
    out = _add_bias(out.reshape(N, O, H_out, W_out), bias, "depthwise_conv2d_forward")
    return out, (padded, weight, bias is not None, out_size, stride, padding, dilation)
    # endregion


def depthwise_conv2d_backward(dout, cache):
    """Send the gradient of a depthwise convolution back to its input, weight and bias.

    Parameters
    ----------
    dout : (N, C * m, H_out, W_out) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `depthwise_conv2d_forward`; it can be used again.

    Returns
    -------
    dx : (N, C, H, W) array, dtype of x
        A channel gathers the gradients of its own m output channels.
    dweight : (C * m, 1, kh, kw) array, dtype of x
        For each tap the sum over images and positions of dout * the pixel it read.
    dbias : (C * m,) array or None, dtype of x
        dout summed over images and positions; None where there was no bias.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> weight = np.array([[[[1.0, 2.0]]], [[[10.0, 0.0]]]])
    >>> out, cache = depthwise_conv2d_forward(np.ones((1, 1, 1, 3)), weight)
    >>> dx, dweight, dbias = depthwise_conv2d_backward(np.array([[[[1.0, 0.0]], [[0.0, 1.0]]]]), cache)
    >>> dx[0, 0, 0]
    array([ 1., 12.,  0.])
    """
    # region solution
    # 1. Check the shape of dout; see it as (N, C, m, H_out, W_out).
    # 2. For every tap (u, v), with the pixels it read: dweight[:, :, u, v] is the sum over images and
    #    positions of dout * pixels, a number for each channel and j.
    # 3. The same pixels' gradient grows by the sum over j of dout * that tap's numbers. Add, never assign.
    #    (Faster: the two loops and the matmul of forward, backwards: over u, matmul, over v.)
    # 4. Cut the padding off; the bias gets the sum of dout over N, H_out and W_out.
    padded, weight, has_bias, out_size, stride, padding, dilation = cache
    (N, C, H, _), (O, _, kh, kw), (H_out, W_out) = padded.shape, weight.shape, out_size
    dout = _gradient(dout, (N, O, H_out, W_out), padded.dtype, "depthwise_conv2d_backward")
    per_channel = dout.reshape(N, C, O // C, H_out, W_out)
    kernels, dkernels = _row_kernels(weight, C), np.zeros((C, O // C * kh, kw), padded.dtype)
    dpadded = np.zeros_like(padded)
    for piece in _pieces(N, C * kw * H * W_out):
        shifted = _shift(padded[piece], out_size, kw, stride, dilation)
        dpartial = np.zeros((len(shifted), C, O // C, kh, H, W_out), padded.dtype)
        for u in range(kh):
            dpartial[:, :, :, u, _taps(u * dilation[0], stride[0], H_out)] = per_channel[piece]
        dpartial = dpartial.reshape(len(shifted), C, O // C * kh, H * W_out)
        dkernels += (dpartial @ shifted.swapaxes(2, 3)).sum(axis=0)
        dshifted = (kernels.swapaxes(1, 2) @ dpartial).reshape(len(shifted), C, kw, H, W_out)
        for v in range(kw):
            dpadded[piece, ..., _taps(v * dilation[1], stride[1], W_out)] += dshifted[:, :, v]
    return _crop(dpadded, padding), dkernels.reshape(weight.shape), _bias_gradient(dout, has_bias)
    # endregion


def pointwise_conv2d_forward(x, weight, bias=None):
    """Mix the channels of every pixel: a convolution with 1x1 kernels, a matrix product.

    Parameters
    ----------
    x : (N, I, H, W) float array
        Images, channels first.
    weight : (O, I, 1, 1) float array
        The matrix from input to output channels, in a kernel's shape.
    bias : (O,) float array or None
        Added to every pixel of its output channel.

    Returns
    -------
    out : (N, O, H, W) array, dtype of x
        out[n, o, i, j] = bias[o] + sum over c of weight[o, c, 0, 0] * x[n, c, i, j]. A new array.
    cache : opaque
        What `pointwise_conv2d_backward` needs.

    Raises
    ------
    ValueError
        If x or weight is not 4-D, the weight is not (O, I, 1, 1) or the bias not (O,); the message has both
        shapes.

    References
    ----------
    Lin, Chen and Yan 2014, arXiv:1312.4400, section 3.1.

    Examples
    --------
    >>> x = np.array([[[[1.0, 2.0]], [[30.0, 40.0]]]])
    >>> out, cache = pointwise_conv2d_forward(x, weight=np.array([[1.0, 1.0], [0.0, 2.0]]).reshape(2, 2, 1, 1))
    >>> out[0, :, 0]
    array([[31., 42.],
           [60., 80.]])
    """
    # region solution
    # 1. Check shapes: the weight is (O, I, 1, 1) with the I of x.
    # 2. See x as (N, I, H * W) and the weight as (O, I): one matrix product for each image, all in one call.
    # 3. Give the result its output shape, add the bias, keep what backward needs.
    x, weight = _operands(x, weight, "pointwise_conv2d_forward")
    N, I, H, W = x.shape
    if weight.shape[1:] != (I, 1, 1):
        _refuse_weight(x, weight, f"(O, {I}, 1, 1)", "pointwise_conv2d_forward")
    out = weight[:, :, 0, 0] @ x.reshape(N, I, H * W)
    out = _add_bias(out.reshape(N, len(weight), H, W), bias, "pointwise_conv2d_forward")
    return out, (x, weight, bias is not None)
    # endregion


def pointwise_conv2d_backward(dout, cache):
    """Send the gradient of a pointwise convolution back to its input, weight and bias.

    Parameters
    ----------
    dout : (N, O, H, W) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `pointwise_conv2d_forward`; it can be used again.

    Returns
    -------
    dx : (N, I, H, W) array, dtype of x
        The transposed matrix times dout, at every pixel.
    dweight : (O, I, 1, 1) array, dtype of x
        The sum over images and pixels of dout[o] * x[c].
    dbias : (O,) array or None, dtype of x
        dout summed over images and pixels; None where there was no bias.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> out, cache = pointwise_conv2d_forward(np.array([[[[1.0, 2.0]]]]), np.array([[[[5.0]]]]))
    >>> dx, dweight, dbias = pointwise_conv2d_backward(np.array([[[[1.0, 10.0]]]]), cache)
    >>> dx[0, 0], dweight
    (array([[ 5., 50.]]), array([[[[21.]]]]))
    """
    # region solution
    # 1. Check the shape of dout; see dout and x as (N, channels, H * W).
    # 2. dx is the transposed weight times dout; dweight is dout times the transposed x, summed over images.
    # 3. Give them the shapes of x and weight; the bias gets the sum of dout over N, H and W.
    x, weight, has_bias = cache
    (N, I, H, W), O = x.shape, len(weight)
    dout = _gradient(dout, (N, O, H, W), x.dtype, "pointwise_conv2d_backward")
    flat = dout.reshape(N, O, H * W)
    dx = weight[:, :, 0, 0].T @ flat
    dweight = np.tensordot(flat, x.reshape(N, I, H * W), axes=((0, 2), (0, 2)))
    return dx.reshape(x.shape), dweight.reshape(weight.shape), _bias_gradient(dout, has_bias)
    # endregion


def conv_transpose2d_forward(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    """Paint a kernel for every pixel: the adjoint of a convolution, which makes maps larger.

    What `conv2d_backward` does to dout, done to x: pixel (i, j) adds x * kernel to the window that begins at
    (i * sh, j * sw) of a larger map, whose border of `padding` pixels is then cut off.

    Parameters
    ----------
    x : (N, I, H, W) float array
        Images, channels first.
    weight : (I, O, kh, kw) float array
        For each input channel one kernel over all output channels: the shape of the weight of the
        convolution from O to I channels whose adjoint this is.
    bias : (O,) float array or None
        Added to every pixel of its output channel.
    stride, padding : int or (int, int), pixels
        Step between painted windows; pixels cut off on each side; (down, across).
    output_padding : int or (int, int), pixels
        Rows kept more at the bottom, columns at the right; below the stride. A stride-s convolution maps s
        sizes to one; this chooses among them.

    Returns
    -------
    out : (N, O, H_out, W_out) array, dtype of x
        out[n, o, r, q] = bias[o] + sum over c, u, v, i, j with i * sh + u = r + ph and j * sw + v = q + pw of
        x[n, c, i, j] * weight[c, o, u, v]; H_out = (H - 1) * sh - 2 * ph + kh + output_padding, W_out likewise.
        A new array.
    cache : opaque
        What `conv_transpose2d_backward` needs.

    Raises
    ------
    ValueError
        If x or weight is not 4-D, the weight is not (I, O, kh, kw), the bias is not (O,), stride < 1,
        padding < 0, output_padding < 0 or >= stride, or nothing is left of the output; the message has both
        numbers.

    References
    ----------
    Zeiler et al. 2010, Deconvolutional networks; Dumoulin and Visin 2016, arXiv:1603.07285, chapter 4.

    Examples
    --------
    >>> x = np.array([[[[1.0, 10.0]]]])
    >>> out, cache = conv_transpose2d_forward(x, weight=np.array([[[[1.0, 2.0, 3.0]]]]), stride=(1, 2))
    >>> out[0, 0]
    array([[ 1.,  2., 13., 20., 30.]])
    """
    # region solution
    # 1. Check shapes, and that output_padding lies between 0 and stride - 1 on each axis.
    # 2. The map before cutting has (H - 1) * sh + kh + output_padding rows; columns likewise.
    # 3. This is the input gradient of a convolution with x in the place of dout: kernels times x, added
    #    into that map one tap at a time.
    # 4. Cut `padding` off each side, add the bias, keep what backward needs.
    x, weight = _operands(x, weight, "conv_transpose2d_forward")
    if weight.shape[0] != x.shape[1]:
        _refuse_weight(x, weight, f"({x.shape[1]}, O, kh, kw)", "conv_transpose2d_forward")
    stride, padding = as_pair(stride, "stride"), as_pair(padding, "padding")
    size = _transposed_size(x.shape[2:], weight.shape[2:], stride, padding, as_pair(output_padding, "output_padding"))
    full = _spread(x, weight, (len(x), weight.shape[1], *size), stride, (1, 1), groups=1)
    out = _add_bias(_crop(full, padding), bias, "conv_transpose2d_forward")
    return out, (x, weight, bias is not None, out.shape, stride, padding)
    # endregion


# region solution
def _transposed_size(size, kernel_size, stride, padding, output_padding):
    """Return both sides of a transposed convolution's map, border included, having checked the settings."""
    caller, sides = "conv_transpose2d_forward", []
    for pixels, k, s, p, extra in zip(size, kernel_size, stride, padding, output_padding, strict=True):
        if k < 1 or s < 1 or p < 0:
            raise ValueError(
                f"{caller}: kernel {k}, stride {s}, padding {p}. Use kernel and stride >= 1, padding >= 0."
            )
        if not 0 <= extra < s:
            raise ValueError(f"{caller}: output_padding is {extra}, stride {s}. Use 0 <= output_padding < stride.")
        side = (pixels - 1) * s + k + extra
        if pixels < 1 or side - 2 * p < 1:
            raise ValueError(f"{caller}: padding {p} leaves {side - 2 * p} of {side} pixels. Use less padding.")
        sides.append(side)
    return sides


# endregion


def conv_transpose2d_backward(dout, cache):
    """Send the gradient of a transposed convolution back to its input, weight and bias.

    Parameters
    ----------
    dout : (N, O, H_out, W_out) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `conv_transpose2d_forward`; it can be used again.

    Returns
    -------
    dx : (N, I, H, W) array, dtype of x
        The ordinary convolution of dout with the same weight, stride and padding.
    dweight : (I, O, kh, kw) array, dtype of x
        The weight gradient of that convolution, with x in the place of its dout.
    dbias : (O,) array or None, dtype of x
        dout summed over images and positions; None where there was no bias.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> x, weight = np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0, 3.0]]]])
    >>> out, cache = conv_transpose2d_forward(x, weight, stride=(1, 2))
    >>> dx, dweight, dbias = conv_transpose2d_backward(np.array([[[[1.0, 0.0, 0.0, 0.0, 5.0]]]]), cache)
    >>> dx[0, 0, 0], dweight[0, 0, 0]
    (array([ 1., 15.]), array([ 1.,  0., 50.]))
    """
    # region solution
    # 1. Check the shape of dout; pad it with the zeros that forward cut off.
    # 2. dx: each input pixel painted one window, so its gradient is the kernel's sum over that window.
    # 3. dweight: what a convolution's weight gradient is, x and dout in exchanged places.
    # 4. The bias gets the sum of dout over N, H_out and W_out.
    x, weight, has_bias, out_shape, stride, padding = cache
    dout = _gradient(dout, out_shape, x.dtype, "conv_transpose2d_backward")
    padded = pad2d(dout, padding)
    dx = _correlate(padded, weight, stride, (1, 1), groups=1)
    dweight = _weigh(padded, x, weight.shape, stride, (1, 1), groups=1)
    return dx, dweight, _bias_gradient(dout, has_bias)
    # endregion


class Conv2d(Layer):
    """The convolutional layer of Topic 12 with dilation and groups.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O; groups divides both.
    kernel_size, stride, padding, dilation : int or (int, int), pixels
        As in `conv2d_forward`.
    groups : int
        As in `conv2d_forward`; groups = in_channels is a depthwise layer.
    bias : bool
        Without it, `.bias` is None.
    rng : numpy.random.Generator or None
        Draws the weight; None makes a fresh one.

    Attributes
    ----------
    weight : Parameter (O, C / groups, kh, kw)
        Normal with standard deviation sqrt(2 / fan_in), fan_in = C / groups * kh * kw.
    bias : Parameter (O,) or None
        Zeros at first.

    Raises
    ------
    ValueError
        If C or O does not divide into groups; the message has both numbers.

    References
    ----------
    He et al. 2015, arXiv:1502.01852, equation 10 (the initialisation).

    Examples
    --------
    >>> layer = Conv2d(6, 9, kernel_size=3, padding=2, dilation=2, groups=3)
    >>> layer.weight.value.shape
    (9, 2, 3, 3)
    >>> layer(np.zeros((2, 6, 7, 8), np.float32)).shape
    (2, 9, 7, 8)
    """

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, rng=None
    ):
        # region solution
        # 1. Refuse groups that do not divide both channel counts.
        # 2. fan_in is the number of inputs one output number sums over: a group's channels times the kernel.
        # 3. Draw the weight, wrap it; the bias is a Parameter of zeros or None. Remember the settings.
        _check_groups(in_channels, out_channels, groups, "Conv2d")
        rng = np.random.default_rng() if rng is None else rng
        shape = out_channels, in_channels // groups, *as_pair(kernel_size, "kernel_size")
        deviation = np.sqrt(2 / np.prod(shape[1:]))
        self.weight = Parameter(rng.standard_normal(shape) * deviation)
        self.bias = Parameter(np.zeros(out_channels)) if bias else None
        self.stride, self.padding = as_pair(stride, "stride"), as_pair(padding, "padding")
        self.dilation, self.groups = as_pair(dilation, "dilation"), groups
        # endregion

    def forward(self, x):
        """Return the convolution of x, in the dtype of x."""
        # region solution
        # 1. Call conv2d_forward with the parameters' values; keep the cache in an attribute that
        #    begins with an underscore; return the output alone.
        # 2. Where a faster pair computes the same (depthwise, pointwise), use that; remember which.
        weight, bias = self.weight.value, None if self.bias is None else self.bias.value
        settings = self.stride, self.padding, self.dilation
        if weight.shape[1] == 1 and np.shape(x)[1:2] == (self.groups,):
            out, self._cache = depthwise_conv2d_forward(x, weight, bias, *settings)
            self._backward = depthwise_conv2d_backward
        elif weight.shape[2:] == (1, 1) and (*settings[:2], self.groups) == ((1, 1), (0, 0), 1):
            out, self._cache = pointwise_conv2d_forward(x, weight, bias)
            self._backward = pointwise_conv2d_backward
        else:
            out, self._cache = conv2d_forward(x, weight, bias, *settings, self.groups)
            self._backward = conv2d_backward
        return out
        # endregion

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias."""
        # region solution
        # 1. Call the backward of the pair that forward used; add (+=) the gradients to .grad; return dx.
        dx, dweight, dbias = self._backward(dout, self._cache)
        self.weight.grad += dweight
        if self.bias is not None:
            self.bias.grad += dbias
        return dx
        # endregion


class DepthwiseSeparableConv2d(Layer):
    """A convolution in two steps: each channel filtered alone, then all channels mixed at each pixel.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size, stride, padding : int or (int, int), pixels
        Of the depthwise step.
    bias : bool
        Whether the pointwise step has one; the depthwise step has none.
    rng : numpy.random.Generator or None
        Draws both weights, the depthwise one first.

    Attributes
    ----------
    depthwise : Conv2d
        Weight (C, 1, kh, kw), fan_in kh * kw.
    pointwise : Conv2d
        Weight (O, C, 1, 1), fan_in C; bias (O,) or None.

    References
    ----------
    Howard et al. 2017, arXiv:1704.04861, section 3.1.

    Examples
    --------
    >>> layer = DepthwiseSeparableConv2d(3, 8, stride=2)
    >>> {name: value.shape for name, value in layer.state_dict().items()}
    {'depthwise.weight': (3, 1, 3, 3), 'pointwise.weight': (8, 3, 1, 1), 'pointwise.bias': (8,)}
    >>> layer(np.zeros((2, 3, 7, 6), np.float32)).shape
    (2, 8, 4, 3)
    """

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, bias=True, rng=None):
        # region solution
        # 1. Make two layers and assign them in the order of forward; hand rng to both.
        # 2. The first has as many groups as channels and no bias; the second is 1x1 and keeps the map's size.
        rng = np.random.default_rng() if rng is None else rng
        settings = {"stride": stride, "padding": padding, "groups": in_channels, "bias": False}
        self.depthwise = Conv2d(in_channels, in_channels, kernel_size, **settings, rng=rng)
        self.pointwise = Conv2d(in_channels, out_channels, 1, bias=bias, rng=rng)
        # endregion

    def forward(self, x):
        """Return the output (N, O, H_out, W_out), in the dtype of x."""
        # region solution
        # 1. One step after the other; nothing in between.
        return self.pointwise(self.depthwise(x))
        # endregion

    def backward(self, dout):
        """Return dx; add to the gradients of both steps' parameters."""
        # region solution
        # 1. The last step of forward is the first of backward.
        return self.depthwise.backward(self.pointwise.backward(dout))
        # endregion


def separable_cost_ratio(out_channels, kernel_size):
    """Return what a depthwise separable convolution costs, in parts of the full convolution it replaces.

    Counted in multiply-accumulates, or in weights: the ratio is the same, whatever C, H and W.

    Parameters
    ----------
    out_channels : int
        O.
    kernel_size : int or (int, int), pixels
        kh and kw.

    Returns
    -------
    ratio : float
        1 / O + 1 / (kh * kw).

    Raises
    ------
    ValueError
        If out_channels or kernel_size is below 1; the message has the number.

    References
    ----------
    Howard et al. 2017, arXiv:1704.04861, section 3.1.

    Examples
    --------
    >>> separable_cost_ratio(out_channels=9, kernel_size=3)
    0.2222222222222222
    """
    # region solution
    # 1. One output pixel of the full convolution: C * kh * kw multiply-accumulates for each of O channels.
    # 2. The two steps: kh * kw for each of C channels, then C for each of O channels.
    # 3. Divide; C cancels.
    kh, kw = as_pair(kernel_size, "kernel_size")
    if min(out_channels, kh, kw) < 1:
        raise ValueError(
            f"separable_cost_ratio: out_channels is {out_channels}, kernel_size {kernel_size}. Use numbers >= 1."
        )
    return 1 / out_channels + 1 / (kh * kw)
    # endregion
