# Made from reference/modern_conv.py by tools/generate.py, so that editors know cnn.modern_conv.
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
    ...

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
    ...

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
    ...

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
    ...

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
    ...

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
    ...

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
    ...

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
    ...

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
    ...

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

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, rng=None):
        ...

    def forward(self, x):
        """Return the convolution of x, in the dtype of x."""
        ...

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias."""
        ...

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
        ...

    def forward(self, x):
        """Return the output (N, O, H_out, W_out), in the dtype of x."""
        ...

    def backward(self, dout):
        """Return dx; add to the gradients of both steps' parameters."""
        ...

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
    ...
