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
    # region solution
    # 1. Check the shapes, and refuse what has no statistics: one value per channel in training, a
    #    running statistic that is None in evaluation. Do it before anything is updated.
    # 2. Choose the mean: the batch's per channel, or the running one. Subtract it.
    # 3. Choose the variance: the mean square of what step 2 left, or the running one.
    # 4. In training, update the running statistics in place; correct the variance by M / (M - 1) there,
    #    and only there. An empty batch has nothing to say.
    # 5. Divide by the square root of variance + eps, then scale and shift where there is something to.
    # 6. Keep for backward: the normalised x, 1 / sqrt(variance + eps), the weight, whether there was a
    #    bias, and which mode it was.
    x = as_float(x)
    if x.ndim != 4:
        raise ValueError(f"batch_norm_forward: x has shape {x.shape}, {x.ndim} axes. Give 4: (N, C, H, W).")
    vectors = {"weight": weight, "bias": bias, "running_mean": running_mean, "running_var": running_var}
    _check_vectors(x, vectors)
    _check_statistics(x, running_mean, running_var, training)
    count = max(1, _values_per_channel(x))
    mean = x.sum(axis=(0, 2, 3)) / count if training else np.asarray(running_mean, x.dtype)
    x_hat = x - mean[:, None, None]
    var = _dot(x_hat, x_hat) / count if training else np.asarray(running_var, x.dtype)
    if training and x.size:
        _remember(running_mean, mean, momentum)
        _remember(running_var, var * (count / (count - 1)), momentum)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat *= inv_std[:, None, None]
    weight = None if weight is None else np.asarray(weight, x.dtype)
    out = x_hat.copy() if weight is None else x_hat * weight[:, None, None]
    if bias is not None:
        out += np.asarray(bias, x.dtype)[:, None, None]
    return out, (x_hat, inv_std, weight, bias is not None, training)
    # endregion


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
    # region solution
    # 1. Unpack the cache; check the shape of dout.
    # 2. Sum dout, and dout times the normalised x, per channel: the shift's and the scale's gradients.
    # 3. In evaluation x passed through a fixed straight line: dx is dout times its slope.
    # 4. In training x moved the mean and the variance as well. From dout take its mean, and the normalised
    #    x times the mean of the products of step 2; then multiply by the slope.
    x_hat, inv_std, weight, has_bias, training = cache
    if np.shape(dout) != x_hat.shape:
        raise ValueError(
            f"batch_norm_backward: dout has shape {np.shape(dout)}, the output {x_hat.shape}. "
            "Give the gradient of exactly that output."
        )
    dout = np.asarray(dout, x_hat.dtype)
    dbias, dweight = dout.sum(axis=(0, 2, 3)), _dot(dout, x_hat)
    slope = inv_std if weight is None else inv_std * weight
    if training:
        count = max(1, _values_per_channel(x_hat))
        dx = x_hat * (-dweight / count)[:, None, None]
        dx += dout
        dx -= (dbias / count)[:, None, None]
        dx *= slope[:, None, None]
    else:
        dx = dout * slope[:, None, None]
    return dx, None if weight is None else dweight, dbias if has_bias else None
    # endregion


# region solution
def _check_vectors(x, vectors):
    """Refuse a scale, a shift or a statistic that is not one number per channel of x."""
    channels = x.shape[1]
    for name, vector in vectors.items():
        if vector is not None and np.shape(vector) != (channels,):
            raise ValueError(
                f"batch_norm_forward: {name} has shape {np.shape(vector)} and x {x.shape}, {channels} channels. "
                f"Give {name} the shape ({channels},)."
            )


def _check_statistics(x, running_mean, running_var, training):
    """Refuse a batch that has no variance, and an evaluation without statistics."""
    if training and _values_per_channel(x) == 1:
        raise ValueError(
            f"batch_norm_forward: x has shape {x.shape}, 1 value per channel, and one value has no variance. "
            "Train on more images or pixels, or evaluate with training=False."
        )
    if not training and (running_mean is None or running_var is None):
        raise ValueError(
            f"batch_norm_forward: training is {training} and x has shape {x.shape}, but running_mean or "
            f"running_var is None. Give both, of shape ({x.shape[1]},), or use training=True."
        )


def _values_per_channel(x):
    """Return M = N * H * W."""
    N, _, H, W = x.shape
    return N * H * W


def _dot(a, b):
    """Return the sum of a * b per channel, without an array of the products."""
    return np.einsum("nchw,nchw->c", a, b)


def _remember(running, new, momentum):
    """Move a running statistic towards the new one, in place; None remembers nothing."""
    if running is not None:
        running *= 1 - momentum
        running += momentum * new


# endregion


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
        # region solution
        # 1. Two Parameters, weight and bias; two plain float32 arrays, running_mean and running_var.
        # 2. Remember eps and momentum.
        self.weight = Parameter(np.ones(num_features))
        self.bias = Parameter(np.zeros(num_features))
        self.running_mean = np.zeros(num_features, np.float32)
        self.running_var = np.ones(num_features, np.float32)
        self.eps, self.momentum = eps, momentum
        # endregion

    def forward(self, x):
        """Return `batch_norm_forward`'s output for x, in the mode `.training` says."""
        # region solution
        # 1. Call batch_norm_forward with the values of both parameters, both buffers and the mode; keep the
        #    cache in an attribute that begins with an underscore; return the output alone.
        out, self._cache = batch_norm_forward(
            x,
            self.weight.value,
            self.bias.value,
            self.running_mean,
            self.running_var,
            self.training,
            self.momentum,
            self.eps,
        )
        return out
        # endregion

    def backward(self, dout):
        """Return dx, in the dtype of x; add to the gradients of weight and bias."""
        # region solution
        # 1. Call batch_norm_backward with the cache; add (+=) the gradients to .grad; return dx.
        dx, dweight, dbias = batch_norm_backward(dout, self._cache)
        self.weight.grad += dweight
        self.bias.grad += dbias
        return dx
        # endregion


# region solution
class _Pad(Layer):
    """Option A: every stride-th pixel, and zero channels after the old ones up to `out_channels`."""

    def __init__(self, out_channels, stride):
        self.out_channels, self.stride = out_channels, as_pair(stride, "stride")

    def forward(self, x):
        self._shape = x.shape
        sh, sw = self.stride
        kept = x[:, :, ::sh, ::sw]
        out = np.zeros((len(x), self.out_channels, *kept.shape[2:]), x.dtype)
        out[:, : x.shape[1]] = kept
        return out

    def backward(self, dout):
        sh, sw = self.stride
        dx = np.zeros(self._shape, dout.dtype)
        dx[:, :, ::sh, ::sw] = dout[:, : self._shape[1]]
        return dx


def _make_shortcut(in_channels, out_channels, stride, kind, rng, caller):
    """Return the layer x takes around the branch; an empty Sequential where the shape stays."""
    if kind not in ("projection", "pad"):
        raise ValueError(f'{caller}: shortcut is {kind!r}. Use "projection" or "pad".')
    if in_channels == out_channels and as_pair(stride, "stride") == (1, 1):
        return Sequential()
    if kind == "projection":
        return Sequential(_bare_conv(in_channels, out_channels, 1, stride, rng), BatchNorm2d(out_channels))
    if out_channels < in_channels:
        raise ValueError(
            f"{caller}: padding can't turn {in_channels} channels into {out_channels}. "
            f'Use out_channels >= {in_channels}, or shortcut="projection".'
        )
    return _Pad(out_channels, stride)


def _bare_conv(in_channels, out_channels, kernel_size, stride, rng):
    """Return a convolution that keeps the size at stride 1, without the bias a batch norm would cancel."""
    return Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False, rng=rng)


def _backward_through(layers, dout):
    """Return the gradient of the first layer's input, the layers given in forward order."""
    for layer in reversed(layers):
        dout = layer.backward(dout)
    return dout


# endregion


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
        # region solution
        # 1. Make the branch: conv1 with the stride, bn1, a ReLU, conv2, bn2. One rng for all that draw.
        # 2. Make the shortcut last. Nothing where the shape stays; else what the name says. An unknown name is a
        #    ValueError, whatever the shapes. Option A deserves a small private Layer of its own.
        # 3. Make the ReLU that follows the sum.
        rng = np.random.default_rng() if rng is None else rng
        self.conv1 = _bare_conv(in_channels, out_channels, 3, stride, rng)
        self.bn1 = BatchNorm2d(out_channels)
        self.relu1 = ReLU()
        self.conv2 = _bare_conv(out_channels, out_channels, 3, 1, rng)
        self.bn2 = BatchNorm2d(out_channels)
        self.shortcut = _make_shortcut(in_channels, out_channels, stride, shortcut, rng, "BasicBlock")
        self.relu2 = ReLU()
        # endregion

    def forward(self, x):
        """Return relu(branch(x) + shortcut(x)), (N, out_channels, H_out, W_out), H_out = (H - 1) // sh + 1."""
        # region solution
        # 1. Send x through the branch and, separately, through the shortcut.
        # 2. Add the two into a new array; apply the last ReLU to the sum.
        branch = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(branch + self.shortcut(x))
        # endregion

    def backward(self, dout):
        """Return dx, what arrives through branch and shortcut, in the dtype of x; add to the gradients of both."""
        # region solution
        # 1. Take dout back through the last ReLU: that is the gradient of both terms of the sum.
        # 2. Take it back through the branch, last layer first, and, separately, through the shortcut.
        # 3. x was used twice: add the two gradients.
        dout = self.relu2.backward(dout)
        branch = [self.conv1, self.bn1, self.relu1, self.conv2, self.bn2]
        return _backward_through(branch, dout) + self.shortcut.backward(dout)
        # endregion


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
        # region solution
        # 1. Make the branch, three convolutions and three batch norms with a ReLU in each gap; only the 3x3 has
        #    padding, and the stride.
        # 2. Make the shortcut as in BasicBlock: the shape that counts is that of the result.
        rng = np.random.default_rng() if rng is None else rng
        out_channels = width * expansion
        self.conv1 = _bare_conv(in_channels, width, 1, 1, rng)
        self.bn1 = BatchNorm2d(width)
        self.relu1 = ReLU()
        self.conv2 = _bare_conv(width, width, 3, stride, rng)
        self.bn2 = BatchNorm2d(width)
        self.relu2 = ReLU()
        self.conv3 = _bare_conv(width, out_channels, 1, 1, rng)
        self.bn3 = BatchNorm2d(out_channels)
        self.shortcut = _make_shortcut(in_channels, out_channels, stride, "projection", rng, "Bottleneck")
        self.relu3 = ReLU()
        # endregion

    def forward(self, x):
        """Return relu(branch(x) + shortcut(x)), (N, width * expansion, H_out, W_out), H_out = (H - 1) // sh + 1."""
        # region solution
        # 1. As in BasicBlock, with one more convolution in the branch.
        branch = self.relu1(self.bn1(self.conv1(x)))
        branch = self.relu2(self.bn2(self.conv2(branch)))
        branch = self.bn3(self.conv3(branch))
        return self.relu3(branch + self.shortcut(x))
        # endregion

    def backward(self, dout):
        """Return dx, what arrives through branch and shortcut, in the dtype of x; add to the gradients of both."""
        # region solution
        # 1. As in BasicBlock: the last ReLU, then both ways, then the sum.
        dout = self.relu3.backward(dout)
        branch = [
            self.conv1, self.bn1, self.relu1, self.conv2, self.bn2, self.relu2, self.conv3, self.bn3,
        ]  # fmt: skip
        return _backward_through(branch, dout) + self.shortcut.backward(dout)
        # endregion


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
        # region solution
        # 1. Refuse lists of different lengths: name both.
        # 2. Make the stem: conv1, bn1, a ReLU.
        # 3. Make the stages, each a Sequential of blocks, all in one Sequential. A stage's first block takes the
        #    channels of the stage before and, from the second stage on, stride 2.
        # 4. Make the pooling layer and the dense layer, fc. One rng for all that draw.
        if len(blocks_per_stage) != len(widths):
            raise ValueError(
                f"ResNet: blocks_per_stage {tuple(blocks_per_stage)} names {len(blocks_per_stage)} stages, "
                f"widths {tuple(widths)} {len(widths)}. Give one width for each stage."
            )
        rng = np.random.default_rng() if rng is None else rng
        self.conv1 = _bare_conv(in_channels, widths[0], 3, 1, rng)
        self.bn1 = BatchNorm2d(widths[0])
        self.relu1 = ReLU()
        stages, channels = [], widths[0]
        for index, (blocks, width) in enumerate(zip(blocks_per_stage, widths, strict=True)):
            stride = 1 if index == 0 else 2
            first = BasicBlock(channels, width, stride, shortcut, rng)
            others = [BasicBlock(width, width, 1, shortcut, rng) for _ in range(blocks - 1)]
            stages.append(Sequential(first, *others))
            channels = width
        self.stages = Sequential(*stages)
        self.pool = GlobalAvgPool2d()
        self.fc = Linear(channels, num_classes, rng=rng)
        # endregion

    def forward(self, x):
        """Return the scores of x (N, in_channels, H, W): (N, K), in the dtype of x."""
        # region solution
        # 1. Stem, stages, pool, fc.
        return self.fc(self.pool(self.stages(self.relu1(self.bn1(self.conv1(x))))))
        # endregion

    def backward(self, dout):
        """Return dx, in the dtype of x, for dout (N, K); add to every parameter's gradient."""
        # region solution
        # 1. The same layers, last first.
        return _backward_through([self.conv1, self.bn1, self.relu1, self.stages, self.pool, self.fc], dout)
        # endregion
