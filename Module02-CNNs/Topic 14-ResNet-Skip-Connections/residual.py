"""Topic 14: batch normalisation, residual blocks, and the ResNet of CIFAR.

Letters, the same in every topic:
    N images, C channels, H and W pixels down and across, M = N * H * W values of one channel,
    K classes. "Per channel" means one number for each of the C channels, over N, H and W.
"""

import numpy as np

from cnn.foundations import Layer, Linear, Parameter, ReLU, Sequential, as_float, as_pair
from cnn.im2col import Conv2d
from cnn.pooling import GlobalAvgPool2d


def batch_norm_forward(x, weight, bias, running_mean, running_var, training, momentum=0.1, eps=1e-5):
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
    # TODO 1. Check the shapes, and refuse what has no statistics: one value per channel in training, a
    #         running statistic that is None in evaluation. Do it before anything is updated.
    # TODO 2. Choose the mean: the batch's per channel, or the running one. Subtract it.
    # TODO 3. Choose the variance: the mean square of what step 2 left, or the running one.
    # TODO 4. In training, update the running statistics in place; correct the variance by M / (M - 1) there,
    #         and only there. An empty batch has nothing to say.
    # TODO 5. Divide by the square root of variance + eps, then scale and shift where there is something to.
    # TODO 6. Keep for backward: the normalised x, 1 / sqrt(variance + eps), the weight, whether there was a
    #         bias, and which mode it was.
    raise NotImplementedError("Topic 14 residual: batch_norm_forward is still to do")


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
    # TODO 1. Unpack the cache; check the shape of dout.
    # TODO 2. Sum dout, and dout times the normalised x, per channel: the shift's and the scale's gradients.
    # TODO 3. In evaluation x passed through a fixed straight line: dx is dout times its slope.
    # TODO 4. In training x moved the mean and the variance as well. From dout take its mean, and the normalised
    #         x times the mean of the products of step 2; then multiply by the slope.
    raise NotImplementedError("Topic 14 residual: batch_norm_backward is still to do")


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

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        # TODO 1. Two Parameters, weight and bias; two plain float32 arrays, running_mean and running_var.
        # TODO 2. Remember eps and momentum.
        raise NotImplementedError("Topic 14 residual: BatchNorm2d.__init__ is still to do")

    def forward(self, x):
        """Return `batch_norm_forward`'s output for x, in the mode `.training` says."""
        # TODO 1. Call batch_norm_forward with the values of both parameters, both buffers and the mode; keep the
        #         cache in an attribute that begins with an underscore; return the output alone.
        raise NotImplementedError("Topic 14 residual: BatchNorm2d.forward is still to do")

    def backward(self, dout):
        """Return dx, in the dtype of x; add to the gradients of weight and bias."""
        # TODO 1. Call batch_norm_backward with the cache; add (+=) the gradients to .grad; return dx.
        raise NotImplementedError("Topic 14 residual: BatchNorm2d.backward is still to do")


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

    def __init__(self, in_channels, out_channels, stride=1, shortcut="projection", rng=None):
        # TODO 1. Make the branch: conv1 with the stride, bn1, a ReLU, conv2, bn2. One rng for all that draw.
        # TODO 2. Make the shortcut last. Nothing where the shape stays; else what the name says. An unknown name is a
        #         ValueError, whatever the shapes. Option A deserves a small private Layer of its own.
        # TODO 3. Make the ReLU that follows the sum.
        raise NotImplementedError("Topic 14 residual: BasicBlock.__init__ is still to do")

    def forward(self, x):
        """Return relu(branch(x) + shortcut(x)), (N, out_channels, H_out, W_out), H_out = (H - 1) // sh + 1."""
        # TODO 1. Send x through the branch and, separately, through the shortcut.
        # TODO 2. Add the two into a new array; apply the last ReLU to the sum.
        raise NotImplementedError("Topic 14 residual: BasicBlock.forward is still to do")

    def backward(self, dout):
        """Return dx, what arrives through branch and shortcut, in the dtype of x; add to the gradients of both."""
        # TODO 1. Take dout back through the last ReLU: that is the gradient of both terms of the sum.
        # TODO 2. Take it back through the branch, last layer first, and, separately, through the shortcut.
        # TODO 3. x was used twice: add the two gradients.
        raise NotImplementedError("Topic 14 residual: BasicBlock.backward is still to do")


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
        # TODO 1. Make the branch, three convolutions and three batch norms with a ReLU in each gap; only the 3x3 has
        #         padding, and the stride.
        # TODO 2. Make the shortcut as in BasicBlock: the shape that counts is that of the result.
        raise NotImplementedError("Topic 14 residual: Bottleneck.__init__ is still to do")

    def forward(self, x):
        """Return relu(branch(x) + shortcut(x)), (N, width * expansion, H_out, W_out), H_out = (H - 1) // sh + 1."""
        # TODO 1. As in BasicBlock, with one more convolution in the branch.
        raise NotImplementedError("Topic 14 residual: Bottleneck.forward is still to do")

    def backward(self, dout):
        """Return dx, what arrives through branch and shortcut, in the dtype of x; add to the gradients of both."""
        # TODO 1. As in BasicBlock: the last ReLU, then both ways, then the sum.
        raise NotImplementedError("Topic 14 residual: Bottleneck.backward is still to do")


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

    def __init__(
        self, blocks_per_stage, widths=(16, 32, 64), num_classes=10, in_channels=3, shortcut="projection", rng=None
    ):
        # TODO 1. Refuse lists of different lengths: name both.
        # TODO 2. Make the stem: conv1, bn1, a ReLU.
        # TODO 3. Make the stages, each a Sequential of blocks, all in one Sequential. A stage's first block takes the
        #         channels of the stage before and, from the second stage on, stride 2.
        # TODO 4. Make the pooling layer and the dense layer, fc. One rng for all that draw.
        raise NotImplementedError("Topic 14 residual: ResNet.__init__ is still to do")

    def forward(self, x):
        """Return the scores of x (N, in_channels, H, W): (N, K), in the dtype of x."""
        # TODO 1. Stem, stages, pool, fc.
        raise NotImplementedError("Topic 14 residual: ResNet.forward is still to do")

    def backward(self, dout):
        """Return dx, in the dtype of x, for dout (N, K); add to every parameter's gradient."""
        # TODO 1. The same layers, last first.
        raise NotImplementedError("Topic 14 residual: ResNet.backward is still to do")
