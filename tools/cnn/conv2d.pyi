# Made from reference/conv2d.py by tools/generate.py, so that editors know cnn.conv2d.
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
    ...

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
    ...

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
    ...

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
    ...

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
        ...

    def forward(self, x):
        """Return `conv2d_forward`'s output for x, in the dtype of x."""
        ...

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias."""
        ...

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
    ...

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
    ...

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
    ...
