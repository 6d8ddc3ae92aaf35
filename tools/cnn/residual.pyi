# Made from reference/residual.py by tools/generate.py, so that editors know cnn.residual.
"""Topic 14: batch normalisation, residual blocks, and the ResNet of CIFAR.

Letters, the same in every topic:
    N images, C channels, H and W pixels down and across, M = N * H * W values of one channel,
    K classes. "Per channel" means one number for each of the C channels, over N, H and W.
"""
import numpy as np
from cnn.foundations import Layer, Linear, Parameter, ReLU, Sequential, as_float, as_pair
from cnn.im2col import Conv2d
from cnn.pooling import GlobalAvgPool2d

def batch_norm_forward(x, weight, bias, running_mean, running_var, training, momentum=0.1, eps=1e-05):
    """Give every channel mean 0 and variance 1, then a scale and a shift of its own.

    Parameters
    ----------
    x : (N, C, H, W) float array
        Images, channels first.
    weight, bias : (C,) float array or None
        Scale and shift of each channel; None leaves that step out.
    running_mean, running_var : (C,) float array or None
        The statistics evaluation uses. Training updates them in place, the only arguments that are:
        running = (1 - momentum) * running + momentum * new, where the new variance is the unbiased one
        (divided by M - 1). None, in training only: nothing is remembered.
    training : bool
        True normalises with the mean and the biased variance (divided by M) of this batch; False with
        running_mean and running_var, which stay as they are.
    momentum : float
        The share of the new statistics in the running ones.
    eps : float
        Added to the variance under the root.

    Returns
    -------
    out : (N, C, H, W) array, dtype of x
        out[n, c, i, j] = (x[n, c, i, j] - mean[c]) / sqrt(var[c] + eps) * weight[c] + bias[c].
        A new array. An empty batch gives an empty result and leaves the running statistics alone.
    cache : opaque
        What `batch_norm_backward` needs.

    Raises
    ------
    ValueError
        If x is not 4-D, weight, bias or a running statistic is not (C,), training sees a single value
        per channel, or evaluation is given None for a running statistic; the message has the shapes.
        Nothing is updated then.

    References
    ----------
    Ioffe and Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 6.0]).reshape(2, 1, 1, 2)          # mean 3, variance 14 / 4
    >>> mean, var = np.zeros(1), np.ones(1)
    >>> out, cache = batch_norm_forward(x, np.array([2.0]), np.array([5.0]), mean, var, training=True)
    >>> out.ravel().round(3)
    array([2.862, 3.931, 5.   , 8.207])
    >>> mean, var.round(4)                               # 0.1 * 3, 0.9 * 1 + 0.1 * 14 / 3
    (array([0.3]), array([1.3667]))
    """
    ...

def batch_norm_backward(dout, cache):
    """Send the gradient of a batch normalisation's output back to its input, scale and shift.

    Parameters
    ----------
    dout : (N, C, H, W) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `batch_norm_forward`; it can be used again.

    Returns
    -------
    dx : (N, C, H, W) array, dtype of x
        In training, with x_hat the normalised x and means taken per channel:
        weight / sqrt(var + eps) * (dout - mean(dout) - x_hat * mean(dout * x_hat)).
        In evaluation the statistics are constants: weight / sqrt(running_var + eps) * dout.
    dweight, dbias : (C,) array, dtype of x, or None
        The sums of dout * x_hat and of dout per channel; None where the argument was None.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    References
    ----------
    Ioffe and Szegedy 2015, arXiv:1502.03167, section 3.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 6.0]).reshape(2, 1, 1, 2)
    >>> out, cache = batch_norm_forward(x, np.array([2.0]), None, None, None, training=True)
    >>> dx, dweight, dbias = batch_norm_backward(np.array([1.0, 0.0, 0.0, 0.0]).reshape(x.shape), cache)
    >>> dx.ravel().round(3), dweight.round(3), dbias
    (array([ 0.496, -0.42 , -0.267,  0.191]), array([-1.069]), None)
    """
    ...

class BatchNorm2d(Layer):
    """Batch normalisation with a scale, a shift and running statistics of its own.

    Parameters
    ----------
    num_features : int
        C.
    eps, momentum : float
        As in `batch_norm_forward`.

    Attributes
    ----------
    weight, bias : Parameter (C,)
        Ones and zeros at first.
    running_mean, running_var : (C,) float32 arrays
        Buffers, not parameters: zeros and ones at first, updated by every forward in training mode,
        used in evaluation mode. In this order after weight and bias.

    References
    ----------
    Ioffe and Szegedy 2015, arXiv:1502.03167.

    Examples
    --------
    >>> layer = BatchNorm2d(3)
    >>> layer(np.ones((2, 3, 5, 7), np.float32)).shape
    (2, 3, 5, 7)
    >>> list(layer.state_dict()), layer.running_mean
    (['weight', 'bias', 'running_mean', 'running_var'], array([0.1, 0.1, 0.1], dtype=float32))
    """

    def __init__(self, num_features, eps=1e-05, momentum=0.1):
        ...

    def forward(self, x):
        """Return `batch_norm_forward`'s output for x, in the mode `.training` says."""
        ...

    def backward(self, dout):
        """Return dx, in the dtype of x; add to the gradients of weight and bias."""
        ...

class BasicBlock(Layer):
    """Two 3x3 convolutions and a shortcut around both: relu(branch(x) + shortcut(x)).

    The branch is conv1, bn1, ReLU, conv2, bn2. Where the shape stays (stride 1, equal channels) the shortcut is
    x itself; where it changes, the shortcut changes it too.

    Parameters
    ----------
    in_channels, out_channels : int
        Of x and of the result; both convolutions give out_channels.
    stride : int or (int, int), pixels
        Step of conv1 and of the shortcut; conv2 has stride 1.
    shortcut : "projection" or "pad"
        What to do where the shape changes. "projection": a 1x1 convolution of this stride, then batch norm.
        "pad" (option A, no parameters): every stride-th row and column from the first, the old channels first
        and zero channels after them.
    rng : numpy.random.Generator or None
        Draws conv1's weight, conv2's, then the projection's; None makes a fresh one.

    Attributes
    ----------
    conv1, bn1, conv2, bn2 : Conv2d (3x3, padding 1, no bias) and BatchNorm2d
    shortcut : Layer
        A projection holds the 1x1 Conv2d (no bias) first, the BatchNorm2d second.

    Raises
    ------
    ValueError
        If shortcut is another name (the message has it), or "pad" is to give fewer channels than come in (it
        has both numbers).

    References
    ----------
    He et al. 2015, arXiv:1512.03385, figure 2 and section 3.3.

    Examples
    --------
    >>> block = BasicBlock(3, 5, stride=2)
    >>> block(np.zeros((2, 3, 7, 8), np.float32)).shape
    (2, 5, 4, 4)
    >>> len(block.parameters()), len(BasicBlock(3, 5, stride=2, shortcut="pad").parameters())
    (9, 6)
    """

    def __init__(self, in_channels, out_channels, stride=1, shortcut='projection', rng=None):
        ...

    def forward(self, x):
        """Return relu(branch(x) + shortcut(x)), (N, out_channels, H_out, W_out), H_out = (H - 1) // sh + 1."""
        ...

    def backward(self, dout):
        """Return dx, what arrives through branch and shortcut, in the dtype of x; add to the gradients of both."""
        ...

class Bottleneck(Layer):
    """1x1 down to `width` channels, 3x3 there, 1x1 up again, and a shortcut around all three.

    The branch is conv1, bn1, ReLU, conv2, bn2, ReLU, conv3, bn3; the result relu(branch(x) + shortcut(x)).

    Parameters
    ----------
    in_channels : int
        Of x.
    width : int
        Channels of the 3x3 convolution.
    stride : int or (int, int), pixels
        Step of the 3x3 convolution and of the shortcut.
    expansion : int
        The result has width * expansion channels.
    rng : numpy.random.Generator or None
        Draws conv1's weight, conv2's, conv3's, then the projection's; None makes a fresh one.

    Attributes
    ----------
    conv1, bn1, conv2, bn2, conv3, bn3 : Conv2d (no bias) and BatchNorm2d
    shortcut : Layer
        x itself where the shape stays; else a projection, the 1x1 Conv2d (no bias) first, the BatchNorm2d second.

    References
    ----------
    He et al. 2015, arXiv:1512.03385, figure 5; the stride stands in the 3x3 as in Goyal et al. 2017,
    arXiv:1706.02677, section 5.1.

    Examples
    --------
    >>> block = Bottleneck(8, width=3, stride=2)
    >>> block(np.zeros((2, 8, 7, 5), np.float32)).shape
    (2, 12, 4, 3)
    >>> [p.value.shape for p in block.parameters() if p.value.ndim == 4]
    [(3, 8, 1, 1), (3, 3, 3, 3), (12, 3, 1, 1), (12, 8, 1, 1)]
    """

    def __init__(self, in_channels, width, stride=1, expansion=4, rng=None):
        ...

    def forward(self, x):
        """Return relu(branch(x) + shortcut(x)), (N, width * expansion, H_out, W_out), H_out = (H - 1) // sh + 1."""
        ...

    def backward(self, dout):
        """Return dx, what arrives through branch and shortcut, in the dtype of x; add to the gradients of both."""
        ...

class ResNet(Layer):
    """The residual network of the CIFAR experiments: stem, stages of basic blocks, average, dense layer.

    The stem is a 3x3 convolution, batch norm and ReLU. Stage s has blocks_per_stage[s] blocks of widths[s]
    channels; the first block of every stage but the first has stride 2. Then the mean over all pixels and a
    dense layer. Three stages of n blocks are 6n + 2 layers with weights: ResNet([3, 3, 3]) is ResNet-20.

    Parameters
    ----------
    blocks_per_stage : list of int
        How many blocks each stage has.
    widths : list of int
        Channels of each stage; the stem has widths[0].
    num_classes : int
        K.
    in_channels : int
        Channels of the images.
    shortcut : "projection" or "pad"
        As in `BasicBlock`; the paper's CIFAR networks use "pad".
    rng : numpy.random.Generator or None
        Draws every weight, from the stem to the dense layer; None makes a fresh one.

    Attributes
    ----------
    conv1, bn1 : the stem's Conv2d (3x3, padding 1, no bias) and BatchNorm2d
    stages : Sequential of one Sequential a stage, of BasicBlock
    fc : Linear

    Raises
    ------
    ValueError
        If blocks_per_stage and widths differ in length (the message has both), or shortcut is another name.

    References
    ----------
    He et al. 2015, arXiv:1512.03385, section 4.2.

    Examples
    --------
    >>> net = ResNet([1, 2], widths=(4, 6), num_classes=5)
    >>> net(np.zeros((2, 3, 9, 7), np.float32)).shape
    (2, 5)
    >>> sum(parameter.value.size for parameter in ResNet([3, 3, 3], shortcut="pad").parameters())
    269722
    """

    def __init__(self, blocks_per_stage, widths=(16, 32, 64), num_classes=10, in_channels=3, shortcut='projection', rng=None):
        ...

    def forward(self, x):
        """Return the scores of x (N, in_channels, H, W): (N, K), in the dtype of x."""
        ...

    def backward(self, dout):
        """Return dx, in the dtype of x, for dout (N, K); add to every parameter's gradient."""
        ...
