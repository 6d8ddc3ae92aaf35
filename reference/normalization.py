"""Topic 16: layer, group and instance normalisation, one idea over three choices of axes.

Letters, the same in every topic:
    N images, C channels, H and W pixels down and across;
    G groups of C / G channels; m the number of values that share one mean and one variance;
    g the gradient of the normalised values, xhat, before weight and bias.
"""

import numpy as np

from cnn.foundations import Layer, Parameter, as_float


# region solution
def _normalize(x, axes, eps):
    """Return x with mean 0 and variance 1 over `axes`, and the factor 1 / sqrt(variance + eps) that did it.

    The mean is taken away before anything is squared: where it is large and the spread small,
    E[x^2] - E[x]^2 is the difference of two nearly equal numbers, and float32 keeps little of it.
    """
    x = x.astype(np.promote_types(x.dtype, np.float32), copy=False)  # a float16 sum overflows at 65504
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = np.square(centred).mean(axis=axes, keepdims=True)
    scale = 1 / np.sqrt(variance + eps)
    return centred * scale, scale


def _normalize_backward(g, xhat, scale, axes):
    """Return the gradient of `_normalize`'s input.

    A value reaches the loss by three ways: itself, the mean it shares, the variance it shares.
    """
    through_mean = g.mean(axis=axes, keepdims=True)
    through_variance = xhat * (g * xhat).mean(axis=axes, keepdims=True)
    return scale * (g - through_mean - through_variance)


def _affine(xhat, weight, bias):
    """Return xhat * weight + bias in an array of its own; either may be None."""
    out = xhat.copy() if weight is None else xhat * weight
    return out if bias is None else out + bias


def _affine_backward(dout, xhat, weight, has_bias, axes):
    """Return the gradients (g, dweight, dbias) of `_affine`; `axes` are those that weight and bias lack."""
    g = dout if weight is None else dout * weight
    dweight = None if weight is None else (dout * xhat).sum(axis=axes)
    dbias = dout.sum(axis=axes) if has_bias else None
    return g, dweight, dbias


def _operand(value, shape, dtype):
    """Return a weight or bias in the computation's dtype, in a shape that lines up with x; None stays None."""
    return None if value is None else np.asarray(value, dtype).reshape(shape)


def _results(dtype, *arrays):
    """Return the arrays in the dtype of x; None stays None."""
    return tuple(None if array is None else array.astype(dtype, copy=False) for array in arrays)


def _as_shape(normalized_shape, caller):
    """Return an int or a sequence of ints as a tuple with at least one axis, none empty."""
    shape = tuple(normalized_shape) if np.iterable(normalized_shape) else (normalized_shape,)
    if not shape or min(shape) < 1:
        raise ValueError(f"{caller}: normalized_shape is {normalized_shape!r}. Give one axis or more, each >= 1.")
    return shape


def _images(x, caller):
    """Return x as a floating-point array, having checked that it is (N, C, H, W)."""
    x = as_float(x)
    if x.ndim != 4:
        raise ValueError(f"{caller}: x has shape {x.shape}, {x.ndim} axes. Give 4: (N, C, H, W).")
    return x


def _check_groups(channels, num_groups, caller):
    """Refuse a number of groups that does not divide the channels."""
    if num_groups < 1:
        raise ValueError(f"{caller}: num_groups is {num_groups}. Use num_groups >= 1.")
    if channels % num_groups:
        raise ValueError(
            f"{caller}: {channels} channels do not make {num_groups} equal groups. "
            f"Use a num_groups that divides {channels}."
        )


def _check_affine(weight, bias, shape, caller):
    """Refuse a weight or a bias of any other shape: nothing broadcasts."""
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and np.shape(value) != shape:
            raise ValueError(f"{caller}: {name} has shape {np.shape(value)}. Give one of shape {shape}.")


def _upstream(dout, shape, dtype, caller):
    """Return dout in the computation's dtype, having checked that it has the output's shape."""
    if np.shape(dout) != shape:
        raise ValueError(
            f"{caller}: dout has shape {np.shape(dout)}, the output {shape}. Give the gradient of exactly that output."
        )
    return np.asarray(dout, dtype)


# endregion


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
    # region solution
    # 1. Make x floating-point and normalized_shape a tuple; compare it with the last axes of x; check weight
    #    and bias.
    # 2. Name the axes that share a mean. Take their mean away, then average the squares of what is left.
    #    (From float16 go over to float32 first.) Keep the axes in the means, so that they line up with x.
    # 3. Divide by the root of variance + eps. Groups will want steps 2 and 3 again: a helper that is told
    #    x, the axes and eps serves all three forward functions of this file.
    # 4. Multiply by the weight, add the bias; return to the dtype of x.
    # 5. Keep for backward: the normalised values, the root they were divided by, the weight, whether there
    #    was a bias, the axes, the dtype.
    x = as_float(x)
    shape = _as_shape(normalized_shape, "layer_norm_forward")
    if x.shape[-len(shape) :] != shape:
        raise ValueError(
            f"layer_norm_forward: x has shape {x.shape}, normalized_shape is {shape}. "
            f"Give an x whose last {len(shape)} axes are {shape}."
        )
    _check_affine(weight, bias, shape, "layer_norm_forward")
    axes = tuple(range(x.ndim - len(shape), x.ndim))
    xhat, scale = _normalize(x, axes, eps)
    weight, bias = _operand(weight, shape, xhat.dtype), _operand(bias, shape, xhat.dtype)
    (out,) = _results(x.dtype, _affine(xhat, weight, bias))
    return out, (xhat, scale, weight, bias is not None, axes, x.dtype)
    # endregion


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
    # region solution
    # 1. Unpack the cache; check the shape of dout.
    # 2. Weight and bias: sum over the axes they do not have.
    # 3. Multiply dout by the weight; only then take the two means, over the axes that shared one in forward.
    # 4. Put the three terms together, again in a helper that is told the axes.
    xhat, scale, weight, has_bias, axes, dtype = cache
    dout = _upstream(dout, xhat.shape, xhat.dtype, "layer_norm_backward")
    leading = tuple(range(xhat.ndim - len(axes)))
    g, dweight, dbias = _affine_backward(dout, xhat, weight, has_bias, leading)
    dx = _normalize_backward(g, xhat, scale, axes)
    return _results(dtype, dx, dweight, dbias)
    # endregion


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
    # region solution
    # 1. Check: x 4-D, num_groups divides C, weight and bias (C,) or None.
    # 2. See the C axis as two, groups and channels within a group; name the axes that share a mean.
    # 3. Normalise over them with the helper of layer_norm_forward; go back to (N, C, H, W).
    # 4. Line weight and bias up with the channel axis; multiply, add; keep what backward needs.
    x = _images(x, "group_norm_forward")
    N, C, H, W = x.shape
    _check_groups(C, num_groups, "group_norm_forward")
    _check_affine(weight, bias, (C,), "group_norm_forward")
    grouped = x.reshape(N, num_groups, C // num_groups, H, W)
    xhat, scale = _normalize(grouped, (2, 3, 4), eps)
    weight, bias = _operand(weight, (C, 1, 1), xhat.dtype), _operand(bias, (C, 1, 1), xhat.dtype)
    (out,) = _results(x.dtype, _affine(xhat.reshape(x.shape), weight, bias))
    return out, (xhat, scale, weight, bias is not None, x.shape, x.dtype)
    # endregion


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
    # region solution
    # 1. Unpack the cache; check the shape of dout.
    # 2. Weight and bias have one number a channel: sum over the three other axes.
    # 3. Multiply dout by the weight, see it in groups as forward saw x, use the helper of layer_norm_backward.
    # 4. Return dx in the shape of x.
    xhat, scale, weight, has_bias, shape, dtype = cache
    dout = _upstream(dout, shape, xhat.dtype, "group_norm_backward")
    g, dweight, dbias = _affine_backward(dout, xhat.reshape(shape), weight, has_bias, (0, 2, 3))
    dx = _normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4)).reshape(shape)
    return _results(dtype, dx, dweight, dbias)
    # endregion


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
    # region solution
    # 1. Check: x 4-D, more than one pixel, weight and bias (C,) or None.
    # 2. Name the axes that share a mean; the helper does the rest.
    # 3. Line weight and bias up with the channel axis; multiply, add; keep what backward needs.
    x = _images(x, "instance_norm_forward")
    C, H, W = x.shape[1:]
    if H * W < 2:
        raise ValueError(
            f"instance_norm_forward: x has shape {x.shape}, {H * W} pixel a channel, and a value less its own "
            "mean is always 0. Give 2 pixels or more, or share the mean among channels: group_norm_forward."
        )
    _check_affine(weight, bias, (C,), "instance_norm_forward")
    xhat, scale = _normalize(x, (2, 3), eps)
    weight, bias = _operand(weight, (C, 1, 1), xhat.dtype), _operand(bias, (C, 1, 1), xhat.dtype)
    (out,) = _results(x.dtype, _affine(xhat, weight, bias))
    return out, (xhat, scale, weight, bias is not None, x.dtype)
    # endregion


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
    # region solution
    # 1. Unpack the cache; check the shape of dout.
    # 2. Weight and bias: sum over images and pixels.
    # 3. Input: dout times weight, then the helper of layer_norm_backward over forward's axes.
    xhat, scale, weight, has_bias, dtype = cache
    dout = _upstream(dout, xhat.shape, xhat.dtype, "instance_norm_backward")
    g, dweight, dbias = _affine_backward(dout, xhat, weight, has_bias, (0, 2, 3))
    dx = _normalize_backward(g, xhat, scale, (2, 3))
    return _results(dtype, dx, dweight, dbias)
    # endregion


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
        # region solution
        # 1. Make normalized_shape a tuple. Weight: a Parameter of ones; bias: of zeros; in this order.
        # 2. Remember the shape and eps.
        self.normalized_shape, self.eps = _as_shape(normalized_shape, "LayerNorm"), eps
        self.weight = Parameter(np.ones(self.normalized_shape))
        self.bias = Parameter(np.zeros(self.normalized_shape))
        # endregion

    def forward(self, x):
        """Return `layer_norm_forward`'s output for x, in the dtype of x."""
        # region solution
        # 1. Call layer_norm_forward with the layer's own values, eps as well; keep the cache in an attribute
        #    that begins with an underscore; return the output alone.
        weight, bias = self.weight.value, self.bias.value
        out, self._cache = layer_norm_forward(x, self.normalized_shape, weight, bias, self.eps)
        return out
        # endregion

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias."""
        # region solution
        # 1. Call layer_norm_backward with the cache; add (+=) the gradients to .grad; return dx.
        dx, dweight, dbias = layer_norm_backward(dout, self._cache)
        self.weight.grad += dweight
        self.bias.grad += dbias
        return dx
        # endregion


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
        # region solution
        # 1. Refuse groups that do not divide the channels here, where the wrong number was written.
        # 2. Weight and bias have one number a channel. Remember the number of groups and eps.
        _check_groups(num_channels, num_groups, "GroupNorm")
        self.num_groups, self.eps = num_groups, eps
        self.weight = Parameter(np.ones(num_channels))
        self.bias = Parameter(np.zeros(num_channels))
        # endregion

    def forward(self, x):
        """Return `group_norm_forward`'s output for x, in the dtype of x."""
        # region solution
        # 1. Call group_norm_forward with the layer's own values; keep the cache; return the output alone.
        out, self._cache = group_norm_forward(x, self.num_groups, self.weight.value, self.bias.value, self.eps)
        return out
        # endregion

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias."""
        # region solution
        # 1. Call group_norm_backward with the cache; add (+=) the gradients to .grad; return dx.
        dx, dweight, dbias = group_norm_backward(dout, self._cache)
        self.weight.grad += dweight
        self.bias.grad += dbias
        return dx
        # endregion


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
        # region solution
        # 1. Weight and bias: Parameters of one number a channel, or both None. Remember C and eps.
        self.num_features, self.eps = num_features, eps
        self.weight = Parameter(np.ones(num_features)) if affine else None
        self.bias = Parameter(np.zeros(num_features)) if affine else None
        # endregion

    def forward(self, x):
        """Return `instance_norm_forward`'s output for x, in the dtype of x.

        Raises
        ------
        ValueError
            If x is not (N, num_features, H, W); the message has x.shape and num_features.
        """
        # region solution
        # 1. Refuse an x with another number of channels than the layer was built for.
        # 2. Call instance_norm_forward with the parameters' values, or None; keep the cache; return the output
        #    alone.
        if np.ndim(x) != 4 or np.shape(x)[1] != self.num_features:
            raise ValueError(
                f"InstanceNorm2d: x has shape {np.shape(x)}, the layer reads (N, {self.num_features}, H, W). "
                "Build the layer for the channels of x."
            )
        weight, bias = (self.weight.value, self.bias.value) if self.weight is not None else (None, None)
        out, self._cache = instance_norm_forward(x, weight, bias, self.eps)
        return out
        # endregion

    def backward(self, dout):
        """Return dx; add to the gradients of weight and bias, where there are any."""
        # region solution
        # 1. Call instance_norm_backward with the cache; where there are parameters, add their gradients to
        #    .grad; return dx.
        dx, dweight, dbias = instance_norm_backward(dout, self._cache)
        if self.weight is not None:
            self.weight.grad += dweight
            self.bias.grad += dbias
        return dx
        # endregion
