"""Topic 16: layer, group and instance normalisation, one idea over three choices of axes.

Letters, the same in every topic:
    N images, C channels, H and W pixels down and across;
    G groups of C / G channels; m the number of values that share one mean and one variance;
    g the gradient of the normalised values, xhat, before weight and bias.
"""

import numpy as np

from cnn.foundations import Layer, Parameter, as_float


def layer_norm_forward(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Normalise the last axes of x: every index of the axes before them has a mean and a variance of its own.

    Parameters
    ----------
    x : (..., *normalized_shape) float array
        Any number of axes before the normalised ones, also none.
    normalized_shape : int or tuple of ints
        The sizes of the last axes, those that share a mean; an int means the last axis alone.
    weight, bias : normalized_shape float arrays or None
        Multiplies, and is added to, the normalised values; either may be given without the other.
    eps : float
        Added to the variance, under the root.

    Returns
    -------
    out : array, shape and dtype of x
        out[l, k] = (x[l, k] - mean[l]) / sqrt(variance[l] + eps) * weight[k] + bias[k], l any index of the
        leading axes, k of the normalised ones; variance[l] is the mean of (x[l, k] - mean[l])^2, divided by
        m, not m - 1.
        A new array; integers make float64; for a float16 x sums and squares are float32, out is float16.
    cache : opaque
        What `layer_norm_backward` needs.

    Raises
    ------
    ValueError
        If the last axes of x are not normalized_shape (the message has both), normalized_shape is empty or
        holds a size below 1, or weight or bias has another shape (the message has that and the right one).

    References
    ----------
    Ba, Kiros and Hinton 2016, arXiv:1607.06450.

    Examples
    --------
    >>> out, cache = layer_norm_forward(np.array([[1.0, 3.0, 5.0, 7.0], [20.0, 20.0, 20.0, 20.0]]), 4, eps=4.0)
    >>> out.round(3)
    array([[-1.   , -0.333,  0.333,  1.   ],
           [ 0.   ,  0.   ,  0.   ,  0.   ]])
    """
    # TODO 1. Make x floating-point and normalized_shape a tuple; compare it with the last axes of x; check weight
    #         and bias.
    # TODO 2. Name the axes that share a mean. Take their mean away, then average the squares of what is left.
    #         (From float16 go over to float32 first.) Keep the axes in the means, so that they line up with x.
    # TODO 3. Divide by the root of variance + eps. Groups will want steps 2 and 3 again: a helper that is told
    #         x, the axes and eps serves all three forward functions of this file.
    # TODO 4. Multiply by the weight, add the bias; return to the dtype of x.
    # TODO 5. Keep for backward: the normalised values, the root they were divided by, the weight, whether there
    #         was a bias, the axes, the dtype.
    raise NotImplementedError("Topic 16 normalization: layer_norm_forward is still to do")


def layer_norm_backward(dout, cache):
    """Send the gradient of a layer norm's output back to its input, weight and bias.

    Parameters
    ----------
    dout : float array, shape of the output
        Gradient of the loss by the output.
    cache : opaque
        The second result of `layer_norm_forward`; it can be used again.

    Returns
    -------
    dx : array, shape and dtype of x
        With g = dout * weight, means over the normalised axes, and xhat the normalised x:
        dx = (g - mean(g) - xhat * mean(g * xhat)) / sqrt(variance + eps).
    dweight : normalized_shape array or None, dtype of x
        dout * xhat summed over the leading axes; None where there was no weight.
    dbias : normalized_shape array or None, dtype of x
        dout summed over the leading axes; None where there was no bias.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> out, cache = layer_norm_forward(np.array([[1.0, 1.0, 5.0, 5.0]]), 4, weight=np.ones(4), eps=0.0)
    >>> dx, dweight, dbias = layer_norm_backward(np.array([[8.0, 0.0, 0.0, 0.0]]), cache)
    >>> dx, dweight, dbias
    (array([[ 2., -2.,  0.,  0.]]), array([-8.,  0.,  0.,  0.]), None)
    """
    # TODO 1. Unpack the cache; check the shape of dout.
    # TODO 2. Weight and bias: sum over the axes they do not have.
    # TODO 3. Multiply dout by the weight; only then take the two means, over the axes that shared one in forward.
    # TODO 4. Put the three terms together, again in a helper that is told the axes.
    raise NotImplementedError("Topic 16 normalization: layer_norm_backward is still to do")


def group_norm_forward(x, num_groups, weight=None, bias=None, eps=1e-5):
    """Normalise every image over groups of neighbouring channels.

    Parameters
    ----------
    x : (N, C, H, W) float array
        Images, channels first.
    num_groups : int
        G; the first C / G channels are the first group, and so on.
    weight, bias : (C,) float arrays or None
        One number a channel (not a group); either may be given without the other.
    eps : float
        Added to the variance, under the root.

    Returns
    -------
    out : (N, C, H, W) array, dtype of x
        out[n, c, i, j] = (x[n, c, i, j] - mean[n, k]) / sqrt(variance[n, k] + eps) * weight[c] + bias[c]
        with k = c // (C / G); mean and variance (divided by m) over the m = C / G * H * W values of group k
        in image n.
        A new array; integers make float64; for a float16 x sums and squares are float32, out is float16.
    cache : opaque
        What `group_norm_backward` needs.

    Raises
    ------
    ValueError
        If x is not 4-D, num_groups is below 1 or does not divide C, or weight or bias is not (C,); the
        message has both numbers.

    References
    ----------
    Wu and He 2018, arXiv:1803.08494.

    Examples
    --------
    >>> x = np.array([1.0, 5.0, 20.0, 80.0]).reshape(1, 4, 1, 1)
    >>> group_norm_forward(x, num_groups=2, eps=0.0)[0].ravel()
    array([-1.,  1., -1.,  1.])
    """
    # TODO 1. Check: x 4-D, num_groups divides C, weight and bias (C,) or None.
    # TODO 2. See the C axis as two, groups and channels within a group; name the axes that share a mean.
    # TODO 3. Normalise over them with the helper of layer_norm_forward; go back to (N, C, H, W).
    # TODO 4. Line weight and bias up with the channel axis; multiply, add; keep what backward needs.
    raise NotImplementedError("Topic 16 normalization: group_norm_forward is still to do")


def group_norm_backward(dout, cache):
    """Send the gradient of a group norm's output back to its input, weight and bias.

    Parameters
    ----------
    dout : (N, C, H, W) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `group_norm_forward`; it can be used again.

    Returns
    -------
    dx : (N, C, H, W) array, dtype of x
        The three terms of `layer_norm_backward`, means over the values of each group of each image.
    dweight : (C,) array or None, dtype of x
        dout * xhat summed over images and pixels; None where there was no weight.
    dbias : (C,) array or None, dtype of x
        dout summed over images and pixels; None where there was no bias.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> x = np.array([1.0, 1.0, 5.0, 5.0, 20.0, 80.0, 20.0, 80.0]).reshape(1, 4, 1, 2)
    >>> out, cache = group_norm_forward(x, num_groups=2, bias=np.zeros(4), eps=0.0)
    >>> dout = np.array([8.0, 0.0, 0.0, 0.0, 7.0, 7.0, 7.0, 7.0]).reshape(1, 4, 1, 2)
    >>> dx, dweight, dbias = group_norm_backward(dout, cache)
    >>> dx.ravel(), dweight, dbias
    (array([ 2., -2.,  0.,  0.,  0.,  0.,  0.,  0.]), None, array([ 8.,  0., 14., 14.]))
    """
    # TODO 1. Unpack the cache; check the shape of dout.
    # TODO 2. Weight and bias have one number a channel: sum over the three other axes.
    # TODO 3. Multiply dout by the weight, see it in groups as forward saw x, use the helper of layer_norm_backward.
    # TODO 4. Return dx in the shape of x.
    raise NotImplementedError("Topic 16 normalization: group_norm_backward is still to do")


def instance_norm_forward(x, weight=None, bias=None, eps=1e-5):
    """Normalise every channel of every image over its own pixels.

    Parameters
    ----------
    x : (N, C, H, W) float array
        Images, channels first, of at least two pixels.
    weight, bias : (C,) float arrays or None
        One number a channel; either may be given without the other.
    eps : float
        Added to the variance, under the root.

    Returns
    -------
    out : (N, C, H, W) array, dtype of x
        out[n, c, i, j] = (x[n, c, i, j] - mean[n, c]) / sqrt(variance[n, c] + eps) * weight[c] + bias[c];
        mean and variance (divided by m) over the m = H * W pixels of channel c in image n.
        A new array; integers make float64; for a float16 x sums and squares are float32, out is float16.
    cache : opaque
        What `instance_norm_backward` needs.

    Raises
    ------
    ValueError
        If x is not 4-D or has a single pixel a channel (the message has x.shape), or weight or bias is not
        (C,) (it has both shapes).

    References
    ----------
    Ulyanov, Vedaldi and Lempitsky 2016, arXiv:1607.08022.

    Examples
    --------
    >>> x = np.array([1.0, 5.0, 20.0, 80.0]).reshape(1, 2, 1, 2)
    >>> instance_norm_forward(x, eps=0.0)[0][0, :, 0]
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    # TODO 1. Check: x 4-D, more than one pixel, weight and bias (C,) or None.
    # TODO 2. Name the axes that share a mean; the helper does the rest.
    # TODO 3. Line weight and bias up with the channel axis; multiply, add; keep what backward needs.
    raise NotImplementedError("Topic 16 normalization: instance_norm_forward is still to do")


def instance_norm_backward(dout, cache):
    """Send the gradient of an instance norm's output back to its input, weight and bias.

    Parameters
    ----------
    dout : (N, C, H, W) float array
        Gradient of the loss by the output.
    cache : opaque
        The second result of `instance_norm_forward`; it can be used again.

    Returns
    -------
    dx : (N, C, H, W) array, dtype of x
        The three terms of `layer_norm_backward`, means over the pixels of each channel of each image.
    dweight : (C,) array or None, dtype of x
        dout * xhat summed over images and pixels; None where there was no weight.
    dbias : (C,) array or None, dtype of x
        dout summed over images and pixels; None where there was no bias.

    Raises
    ------
    ValueError
        If dout does not have the shape of the output; the message has both shapes.

    Examples
    --------
    >>> out, cache = instance_norm_forward(np.array([[[[1.0, 1.0, 5.0, 5.0]]]]), eps=0.0)
    >>> instance_norm_backward(np.array([[[[8.0, 0.0, 0.0, 0.0]]]]), cache)
    (array([[[[ 2., -2.,  0.,  0.]]]]), None, None)
    """
    # TODO 1. Unpack the cache; check the shape of dout.
    # TODO 2. Weight and bias: sum over images and pixels.
    # TODO 3. Input: dout times weight, then the helper of layer_norm_backward over forward's axes.
    raise NotImplementedError("Topic 16 normalization: instance_norm_backward is still to do")


class LayerNorm(Layer):
    """Layer norm with a weight and a bias of its own; the same in training and in evaluation.

    Parameters
    ----------
    normalized_shape : int or tuple of ints
        Sizes of the last axes, those that share a mean.
    eps : float
        Added to the variance.

    Attributes
    ----------
    weight : Parameter, normalized_shape
        Ones at first.
    bias : Parameter, normalized_shape
        Zeros at first.

    Raises
    ------
    ValueError
        If normalized_shape is empty or holds a size below 1.

    Examples
    --------
    >>> layer = LayerNorm((5, 7))
    >>> layer(np.zeros((2, 3, 5, 7), np.float32)).shape, layer.weight.value.shape
    ((2, 3, 5, 7), (5, 7))
    """

    def __init__(self, normalized_shape, eps=1e-5):
        # TODO 1. Make normalized_shape a tuple. Weight: a Parameter of ones; bias: of zeros; in this order.
        # TODO 2. Remember the shape and eps.
        raise NotImplementedError("Topic 16 normalization: LayerNorm.__init__ is still to do")

    def forward(self, x):
        """Return `layer_norm_forward`'s output for x, in the dtype of x."""
        # TODO 1. Call layer_norm_forward with the layer's own values, eps as well; keep the cache in an attribute
        #         that begins with an underscore; return the output alone.
        raise NotImplementedError("Topic 16 normalization: LayerNorm.forward is still to do")

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias."""
        # TODO 1. Call layer_norm_backward with the cache; add (+=) the gradients to .grad; return dx.
        raise NotImplementedError("Topic 16 normalization: LayerNorm.backward is still to do")


class GroupNorm(Layer):
    """Group norm with a weight and a bias of its own; the same in training and in evaluation.

    Parameters
    ----------
    num_groups, num_channels : int
        G, which divides C; and C.
    eps : float
        Added to the variance.

    Attributes
    ----------
    weight : Parameter (C,)
        Ones at first.
    bias : Parameter (C,)
        Zeros at first.

    Raises
    ------
    ValueError
        If num_groups is below 1 or does not divide num_channels, already when the layer is built; the
        message has both numbers.

    Examples
    --------
    >>> layer = GroupNorm(num_groups=2, num_channels=6)
    >>> layer(np.zeros((3, 6, 5, 7), np.float32)).shape, layer.weight.value.shape
    ((3, 6, 5, 7), (6,))
    """

    def __init__(self, num_groups, num_channels, eps=1e-5):
        # TODO 1. Refuse groups that do not divide the channels here, where the wrong number was written.
        # TODO 2. Weight and bias have one number a channel. Remember the number of groups and eps.
        raise NotImplementedError("Topic 16 normalization: GroupNorm.__init__ is still to do")

    def forward(self, x):
        """Return `group_norm_forward`'s output for x, in the dtype of x."""
        # TODO 1. Call group_norm_forward with the layer's own values; keep the cache; return the output alone.
        raise NotImplementedError("Topic 16 normalization: GroupNorm.forward is still to do")

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias."""
        # TODO 1. Call group_norm_backward with the cache; add (+=) the gradients to .grad; return dx.
        raise NotImplementedError("Topic 16 normalization: GroupNorm.backward is still to do")


class InstanceNorm2d(Layer):
    """Instance norm as a layer, without parameters unless asked; the same in training and in evaluation.

    Parameters
    ----------
    num_features : int
        C; an x with another number of channels is refused, also where there are no parameters.
    eps : float
        Added to the variance.
    affine : bool
        Whether there are a weight and a bias.

    Attributes
    ----------
    weight : Parameter (C,) or None
        Ones at first; None without affine.
    bias : Parameter (C,) or None
        Zeros at first; None without affine.

    Examples
    --------
    >>> layer = InstanceNorm2d(3)
    >>> layer(np.zeros((2, 3, 5, 7), np.float32)).shape, layer.parameters()
    ((2, 3, 5, 7), [])
    """

    def __init__(self, num_features, eps=1e-5, affine=False):
        # TODO 1. Weight and bias: Parameters of one number a channel, or both None. Remember C and eps.
        raise NotImplementedError("Topic 16 normalization: InstanceNorm2d.__init__ is still to do")

    def forward(self, x):
        """Return `instance_norm_forward`'s output for x, in the dtype of x.

        Raises
        ------
        ValueError
            If x is not (N, num_features, H, W); the message has x.shape and num_features.
        """
        # TODO 1. Refuse an x with another number of channels than the layer was built for.
        # TODO 2. Call instance_norm_forward with the parameters' values, or None; keep the cache; return the output
        #         alone.
        raise NotImplementedError("Topic 16 normalization: InstanceNorm2d.forward is still to do")

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias, where there are any."""
        # TODO 1. Call instance_norm_backward with the cache; where there are parameters, add their gradients to
        #         .grad; return dx.
        raise NotImplementedError("Topic 16 normalization: InstanceNorm2d.backward is still to do")
