"""Topic 11: two-dimensional convolution as a sliding window, in explicit loops.

Letters, the same in every topic:
    N images, C (or I) input channels, O output channels, H and W pixels down and across,
    kh and kw the kernel's sides, sh and sw the stride, ph and pw the padding,
    H_out and W_out the output's sides.
"""

import numpy as np

from cnn.foundations import Flatten, Layer, Linear, Parameter, ReLU, Sequential, as_float, as_pair


def conv_output_size(size, kernel_size, stride=1, padding=0):
    """Count the positions of a window along one axis.

    Parameters
    ----------
    size, kernel_size : int, pixels
        Length of the axis; length of the window.
    stride, padding : int, pixels
        Step between windows; pixels added at each of the two ends.

    Returns
    -------
    positions : int
        (size + 2 * padding - kernel_size) // stride + 1.

    Raises
    ------
    ValueError
        If kernel_size or stride is below 1 or padding is negative (the message names it and has its
        number), or the window is larger than the padded axis (it has both lengths).

    References
    ----------
    Dumoulin and Visin 2016, arXiv:1603.07285, relationship 6.

    Examples
    --------
    >>> conv_output_size(7, kernel_size=3, stride=2)
    3
    """
    # region solution
    # 1. Refuse a kernel or a stride below 1 and a negative padding: ValueError that names it, with its number.
    # 2. Refuse a window larger than the padded axis: name both lengths and say what would help.
    # 3. Count the window's first position and every whole step that still fits behind it.
    if kernel_size < 1:
        raise ValueError(f"conv_output_size: kernel_size is {kernel_size}. Use kernel_size >= 1.")
    if stride < 1:
        raise ValueError(f"conv_output_size: stride is {stride}. Use stride >= 1.")
    if padding < 0:
        raise ValueError(f"conv_output_size: padding is {padding}. Use padding >= 0.")
    padded = size + 2 * padding
    if kernel_size > padded:
        raise ValueError(
            f"conv_output_size: a window of {kernel_size} does not fit an axis of {size} + 2 * {padding} = "
            f"{padded}. Use kernel_size <= {padded} or more padding."
        )
    return (padded - kernel_size) // stride + 1
    # endregion


def pad2d(x, padding, value=0.0):
    """Surround every channel of every image with a border of one value.

    Parameters
    ----------
    x : (N, C, H, W) array
        Images, channels first.
    padding : int or (int, int), pixels
        ph rows above and below, pw columns left and right.
    value : float
        What the border holds.

    Returns
    -------
    padded : (N, C, H + 2 * ph, W + 2 * pw) array, float dtype of x
        A new array, also for padding 0; x is unchanged.

    Raises
    ------
    ValueError
        If x is not 4-D (the message has x.shape) or a padding is negative (it says "padding", with the number).

    Examples
    --------
    >>> pad2d(np.ones((1, 1, 1, 2)), padding=(1, 0), value=7)[0, 0]
    array([[7., 7.],
           [1., 1.],
           [7., 7.]])
    """
    # region solution
    # 1. Make x a float array (as_float) and the padding a pair (as_pair); check the rank of x and the
    #    padding's sign.
    # 2. Make an array of the larger shape that holds `value` everywhere, in the dtype of x.
    # 3. Copy x into its middle.
    x = _images(x, "pad2d")
    ph, pw = as_pair(padding, "padding")
    if ph < 0 or pw < 0:
        raise ValueError(f"pad2d: padding is {(ph, pw)}. Use padding >= 0.")
    N, C, H, W = x.shape
    padded = np.full((N, C, H + 2 * ph, W + 2 * pw), value, x.dtype)
    padded[:, :, ph : ph + H, pw : pw + W] = x
    return padded
    # endregion


# region solution
def _images(x, caller):
    """Return x as a floating-point array, having checked that it is (N, C, H, W)."""
    x = as_float(x)
    if x.ndim != 4:
        raise ValueError(f"{caller}: x has shape {x.shape}, {x.ndim} axes. Give 4: (N, C, H, W).")
    return x


def _check_operands(x, weight, bias, caller):
    """Refuse a weight or a bias that does not go with x or with each other."""
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


def conv2d_forward(x, weight, bias=None, stride=1, padding=0):
    """Slide every kernel over every image and take the sum of products at each position.

    This is cross-correlation, as in all deep-learning libraries: the kernel is not flipped.

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
        out[n, o, i, j] = bias[o] + sum over c, u, v of
        padded[n, c, i * sh + u, j * sw + v] * weight[o, c, u, v];
        H_out = (H + 2 * ph - kh) // sh + 1, W_out likewise. A new array.
    cache : opaque
        What `conv2d_backward` needs.

    Raises
    ------
    ValueError
        If x or weight is not 4-D (the message has its shape), their channels differ (it has both numbers),
        the bias is not (O,) (it has the bias's shape and O), or conv_output_size refuses the window, the
        stride or the padding (it has what that says).

    References
    ----------
    LeCun et al. 1998, Gradient-based learning applied to document recognition, section II.

    Examples
    --------
    >>> x = np.array([[[[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]]])
    >>> out, cache = conv2d_forward(x, weight=np.ones((1, 1, 2, 2)))
    >>> out[0, 0]
    array([[22., 26.]])
    """
    # region solution
    # 1. Make x a float array and the weight one of the same dtype. Check shapes: x 4-D, weight
    #    (O, C, kh, kw) with the C of x, bias (O,) or None.
    # 2. Pad x with zeros; find H_out and W_out with conv_output_size.
    # 3. For every image, output channel, row and column: cut the window, multiply by the kernel, sum,
    #    add the bias.
    # 4. Keep for backward: the padded input, the weight, whether there was a bias, stride and padding.
    x = _images(x, "conv2d_forward")
    weight = np.asarray(weight, x.dtype)
    _check_operands(x, weight, bias, "conv2d_forward")
    (sh, sw), (ph, pw) = as_pair(stride, "stride"), as_pair(padding, "padding")
    N, _, H, W = x.shape
    O, _, kh, kw = weight.shape
    H_out, W_out = conv_output_size(H, kh, sh, ph), conv_output_size(W, kw, sw, pw)
    padded = pad2d(x, (ph, pw))
    out = np.zeros((N, O, H_out, W_out), x.dtype)
    for n in range(N):
        for o in range(O):
            for i in range(H_out):
                for j in range(W_out):
                    window = padded[n, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
                    out[n, o, i, j] = np.sum(window * weight[o])
            if bias is not None:
                out[n, o] += bias[o]
    return out, (padded, weight, bias is not None, (sh, sw), (ph, pw))
    # endregion


def conv2d_backward(dout, cache):
    """Send the gradient of a convolution's output back to its input, weight and bias.

    Parameters
    ----------
    dout : (N, O, H_out, W_out) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `conv2d_forward`; it can be used again.

    Returns
    -------
    dx : (N, C, H, W) array, dtype of x
        Every window adds dout * kernel to the pixels it read; the padding's share is cut off.
    dweight : (O, C, kh, kw) array, dtype of x
        The sum over images and positions of dout * window.
    dbias : (O,) array, dtype of x, or None
        dout summed over images and positions; None where there was no bias.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> out, cache = conv2d_forward(np.ones((1, 1, 1, 3)), np.array([[[[2.0, 5.0]]]]))
    >>> dx, dweight, dbias = conv2d_backward(np.array([[[[1.0, 10.0]]]]), cache)
    >>> dx[0, 0, 0], dweight[0, 0, 0], dbias
    (array([ 2., 25., 50.]), array([11., 11.]), None)
    """
    # region solution
    # 1. Unpack the cache; start dpadded and dweight at zeros; check the shape of dout.
    # 2. For every image, output channel and position, with g = dout[n, o, i, j]: the window's pixels get
    #    g * kernel, the kernel gets g * window. Add, never assign: windows overlap.
    # 3. Cut the padding off dpadded. The bias gets the sum of dout over N, H_out and W_out.
    padded, weight, has_bias, (sh, sw), (ph, pw) = cache
    N, _, H, W = padded.shape
    O, _, kh, kw = weight.shape
    H_out, W_out = conv_output_size(H, kh, sh), conv_output_size(W, kw, sw)
    if np.shape(dout) != (N, O, H_out, W_out):
        raise ValueError(
            f"conv2d_backward: dout has shape {np.shape(dout)}, the output {(N, O, H_out, W_out)}. "
            "Give the gradient of exactly that output."
        )
    dout = np.asarray(dout, padded.dtype)
    dpadded = np.zeros_like(padded)
    dweight = np.zeros_like(weight)
    for n in range(N):
        for o in range(O):
            for i in range(H_out):
                for j in range(W_out):
                    rows, columns = slice(i * sh, i * sh + kh), slice(j * sw, j * sw + kw)
                    dpadded[n, :, rows, columns] += dout[n, o, i, j] * weight[o]
                    dweight[o] += dout[n, o, i, j] * padded[n, :, rows, columns]
    dx = dpadded[:, :, ph : H - ph, pw : W - pw].copy()
    dbias = dout.sum(axis=(0, 2, 3)) if has_bias else None
    return dx, dweight, dbias
    # endregion


class Conv2d(Layer):
    """A convolutional layer: `conv2d_forward` and `conv2d_backward` with a weight of its own.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size, stride, padding : int or (int, int), pixels
        As in `conv2d_forward`.
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
        # 1. Draw the weight from rng (a fresh Generator for None), standard deviation sqrt(2 / fan_in).
        # 2. Wrap it in a Parameter; the bias is a Parameter of zeros, or None. Weight first.
        # 3. Remember stride and padding.
        rng = np.random.default_rng() if rng is None else rng
        kh, kw = as_pair(kernel_size, "kernel_size")
        deviation = np.sqrt(2 / (in_channels * kh * kw))
        self.weight = Parameter(rng.standard_normal((out_channels, in_channels, kh, kw)) * deviation)
        self.bias = Parameter(np.zeros(out_channels)) if bias else None
        self.stride, self.padding = stride, padding
        # endregion

    def forward(self, x):
        """Return `conv2d_forward`'s output for x, in the dtype of x."""
        # region solution
        # 1. Call conv2d_forward with the parameters' values; keep the cache in an attribute that
        #    begins with an underscore; return the output alone.
        bias = None if self.bias is None else self.bias.value
        out, self._cache = conv2d_forward(x, self.weight.value, bias, self.stride, self.padding)
        return out
        # endregion

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias."""
        # region solution
        # 1. Call conv2d_backward with the cache; add (+=) the gradients to .grad; return dx.
        dx, dweight, dbias = conv2d_backward(dout, self._cache)
        self.weight.grad += dweight
        if self.bias is not None:
            self.bias.grad += dbias
        return dx
        # endregion


def conv2d_cost(x_shape, out_channels, kernel_size, stride=1, padding=0, bias=True):
    """Count what a convolution costs, without running it.

    Parameters
    ----------
    x_shape : (N, C, H, W), ints
        Shape of the whole batch.
    out_channels : int
        O.
    kernel_size, stride, padding : int or (int, int), pixels
        As in `conv2d_forward`.
    bias : bool
        Whether there is one; it costs O parameters and no multiply-accumulate.

    Returns
    -------
    cost : dict
        "parameters": O * C * kh * kw, and O more with a bias; "macs": multiply-accumulates,
        N * O * H_out * W_out * C * kh * kw; "output_shape": (N, O, H_out, W_out); "output_bytes": of that
        output in float32. All but the shape are ints.

    Raises
    ------
    ValueError
        If x_shape is not four numbers (the message has x_shape) or a window does not fit (it has both
        lengths, as in conv_output_size).

    Examples
    --------
    >>> conv2d_cost((1, 3, 32, 32), out_channels=8, kernel_size=3, padding=1)
    {'parameters': 224, 'macs': 221184, 'output_shape': (1, 8, 32, 32), 'output_bytes': 32768}
    """
    # region solution
    # 1. Refuse an x_shape that is not four numbers; find the output shape with conv_output_size.
    # 2. One output number costs C * kh * kw multiply-accumulates; count the output numbers.
    if len(x_shape) != 4:
        raise ValueError(f"conv2d_cost: x_shape is {tuple(x_shape)}, {len(x_shape)} numbers. Give 4: (N, C, H, W).")
    N, C, H, W = x_shape
    kh, kw = as_pair(kernel_size, "kernel_size")
    (sh, sw), (ph, pw) = as_pair(stride, "stride"), as_pair(padding, "padding")
    output_shape = N, out_channels, conv_output_size(H, kh, sh, ph), conv_output_size(W, kw, sw, pw)
    numbers = N * out_channels * output_shape[2] * output_shape[3]
    return {
        "parameters": out_channels * (C * kh * kw + bool(bias)),
        "macs": numbers * C * kh * kw,
        "output_shape": output_shape,
        "output_bytes": 4 * numbers,
    }
    # endregion


def receptive_field(layers):
    """Return how many input pixels across one output pixel of a stack of layers sees.

    Parameters
    ----------
    layers : list of (kernel, stride), ints, pixels
        From the first layer to the last; convolutions and pooling alike.

    Returns
    -------
    pixels : int
        1 for no layers. A layer adds (kernel - 1) steps, each as wide as the product of the strides of the
        layers before it.

    Raises
    ------
    ValueError
        If a kernel or a stride is below 1; the message has the layer as (kernel, stride).

    References
    ----------
    Araujo, Norris and Sim 2019, Computing receptive fields of convolutional neural networks, Distill.

    Examples
    --------
    >>> receptive_field([(3, 1), (3, 1)])
    5
    """
    # region solution
    # 1. Walk through the layers with two numbers: pixels seen so far, and input pixels between two
    #    neighbours of the present map (1 at first).
    # 2. A layer widens the first by (kernel - 1) neighbours and multiplies the second by its stride.
    pixels, distance = 1, 1
    for index, (kernel, stride) in enumerate(layers):
        if kernel < 1 or stride < 1:
            raise ValueError(f"receptive_field: layer {index} is {(kernel, stride)}. Use kernel >= 1 and stride >= 1.")
        pixels += (kernel - 1) * distance
        distance *= stride
    return pixels
    # endregion


def simple_convnet(in_shape, num_classes, channels=8, rng=None):
    """Build the smallest network worth the name: one convolution, ReLU, and a dense layer.

    Parameters
    ----------
    in_shape : (C, H, W), ints
        One image.
    num_classes : int
        Outputs, one score a class.
    channels : int
        Output channels of the convolution (3x3, padding 1: height and width stay).
    rng : numpy.random.Generator or None
        Draws both weights, the convolution's first.

    Returns
    -------
    net : Sequential
        Conv2d, ReLU, Flatten, Linear; maps (N, C, H, W) to (N, num_classes).

    Examples
    --------
    >>> net = simple_convnet((3, 6, 5), num_classes=4, channels=2)
    >>> net(np.zeros((7, 3, 6, 5), np.float32)).shape
    (7, 4)
    """
    # region solution
    # 1. Stack the four layers in a Sequential; hand rng to both that draw.
    # 2. Count what Flatten gives: the dense layer reads channels * H * W numbers.
    C, H, W = in_shape
    rng = np.random.default_rng() if rng is None else rng
    return Sequential(
        Conv2d(C, channels, 3, padding=1, rng=rng),
        ReLU(),
        Flatten(),
        Linear(channels * H * W, num_classes, rng=rng),
    )
    # endregion
