"""Wrong turns learners take in Topic 16, and the probes that tell them apart.

What is computed is looked at first. Only where it is right do the probes go on to dtypes, refusals and
borrowed memory, so that a solution with one thing wrong is recognised before all its details are finished.
"""

import warnings

import numpy as np

from kata.mistakes import Mistake, probe
from kata.testing import count_bytecodes

MISTAKES = [
    # --- layer_norm_forward -----------------------------------------------------------------------
    Mistake(
        name="layer_over_leading_axes",
        exercise="layer_norm_forward",
        level=1,
        says="the mean runs over the rows of the batch, as in batch norm; it stays within a row, over the last axes",
        twist={"axes = tuple(range(x.ndim - len(shape), x.ndim))": "axes = tuple(range(x.ndim - len(shape)))"},
    ),
    Mistake(
        name="layer_over_everything",
        exercise="layer_norm_forward",
        level=1,
        says="one mean for the whole array; every index of the leading axes has a mean of its own",
        twist={"axes = tuple(range(x.ndim - len(shape), x.ndim))": "axes = tuple(range(x.ndim))"},
    ),
    Mistake(
        name="layer_over_last_axis_only",
        exercise="layer_norm_forward",
        level=2,
        says="only the last axis shares a mean, although normalized_shape names several axes",
        twist={"axes = tuple(range(x.ndim - len(shape), x.ndim))": "axes = (x.ndim - 1,)"},
    ),
    Mistake(
        name="variance_over_m_minus_1",
        exercise="layer_norm_forward",
        level=2,
        says="the variance is divided by m - 1, as an estimate from a sample; a normalisation divides by all m",
        twist={
            "variance = np.square(centred).mean(axis=axes, keepdims=True)": (
                "variance = centred.var(axis=axes, ddof=1, keepdims=True)"
            )
        },
    ),
    Mistake(
        name="eps_beside_the_root",
        exercise="layer_norm_forward",
        level=2,
        says="eps is added to the standard deviation; it belongs to the variance, under the root",
        twist={"scale = 1 / np.sqrt(variance + eps)": "scale = 1 / (np.sqrt(variance) + eps)"},
    ),
    Mistake(
        name="root_forgotten",
        exercise="layer_norm_forward",
        level=2,
        says="the values are divided by the variance; divide by its root, the standard deviation",
        twist={"scale = 1 / np.sqrt(variance + eps)": "scale = 1 / (variance + eps)"},
    ),
    Mistake(
        name="bias_before_weight",
        exercise="layer_norm_forward",
        level=2,
        says="the bias is added before the weight multiplies; the weight scales the normalised values alone",
        twist={
            "(out,) = _results(x.dtype, _affine(xhat, weight, bias))\n"
            "    return out, (xhat, scale, weight, bias is not None, axes, x.dtype)\n": (
                "(out,) = _results(x.dtype, _affine(xhat if bias is None else xhat + bias, weight, None))\n"
                "    return out, (xhat, scale, weight, bias is not None, axes, x.dtype)\n"
            )
        },
    ),
    Mistake(
        name="bias_needs_a_weight",
        exercise="layer_norm_forward",
        level=2,
        says="a bias without a weight is ignored; each of the two may be given alone",
        twist={
            "    return out if bias is None else out + bias\n": (
                "    return out if bias is None or weight is None else out + bias\n"
            )
        },
    ),
    Mistake(
        name="variance_from_squares_in_float32",
        exercise="layer_norm_forward",
        level=2,
        says="the variance is E[x^2] - E[x]^2 in float32, which a large mean drowns; take the mean away first",
        twist={
            "variance = np.square(centred).mean(axis=axes, keepdims=True)": (
                "variance = np.square(x).mean(axis=axes, keepdims=True) - np.square(x.mean(axis=axes, keepdims=True))"
            )
        },
    ),
    Mistake(
        name="squares_in_float16",
        exercise="layer_norm_forward",
        level=3,
        says="squares of a float16 x are taken in float16, which ends at 65504; compute in float32, then go back",
        twist={
            "    xhat, scale = _normalize(x, axes, eps)\n": (
                "    centred = x - x.mean(axis=axes, keepdims=True)\n"
                "    scale = 1 / np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + eps)\n"
                "    xhat = centred * scale\n"
            )
        },
    ),
    Mistake(
        name="integers_stay_integers",
        exercise="layer_norm_forward",
        level=2,
        says="the result of an integer x is cut down to integers; integers are promoted to float64",
        twist={"x = as_float(x)\n    shape = _as_shape": "x = np.asarray(x)\n    shape = _as_shape"},
    ),
    Mistake(
        name="x_centred_in_place",
        exercise="layer_norm_forward",
        level=2,
        says="the mean is taken away from x itself, so the caller's array changes",
        twist={
            "centred = x - x.mean(axis=axes, keepdims=True)": (
                "centred = np.subtract(x, x.mean(axis=axes, keepdims=True), out=x)"
            )
        },
    ),
    Mistake(
        name="normalized_shape_counts_axes",
        exercise="layer_norm_forward",
        level=2,
        says="normalized_shape only counts axes; its sizes are never compared with those of x",
        twist={"if x.shape[-len(shape) :] != shape:": "if x.ndim < len(shape):"},
    ),
    Mistake(
        name="rank_below_normalized_shape",
        exercise="layer_norm_forward",
        level=2,
        says="an x with fewer axes than normalized_shape is compared over the axes it has and slips through",
        twist={"if x.shape[-len(shape) :] != shape:": "if x.shape[-len(shape) :] != shape[-x.ndim :]:"},
    ),
    Mistake(
        name="layer_weight_broadcasts",
        exercise="layer_norm_forward",
        level=2,
        says="a weight or bias of another shape is broadcast; only normalized_shape itself is right",
        twist={
            '    _check_affine(weight, bias, shape, "layer_norm_forward")\n': "",
            "weight, bias = _operand(weight, shape, xhat.dtype), _operand(bias, shape, xhat.dtype)": (
                "weight, bias = (None if value is None else np.asarray(value, xhat.dtype) for value in (weight, bias))"
            ),
        },
    ),
    Mistake(
        name="nothing_to_normalise_accepted",
        exercise="layer_norm_forward",
        level=1,
        says="a normalized_shape with an axis of length 0 is accepted, where there is nothing to take a mean of",
        twist={"if not shape or min(shape) < 1:": "if False:"},
    ),
    Mistake(
        name="loop_over_rows",
        exercise="layer_norm_forward",
        level=2,
        says="a Python loop normalises row after row; one mean with keepdims does all rows in one call",
        twist={
            "    xhat, scale = _normalize(x, axes, eps)\n": (
                "    rows = [_normalize(row, tuple(range(len(shape))), eps) for row in x.reshape(-1, *shape)]\n"
                "    xhat = np.array([row[0] for row in rows]).reshape(x.shape)\n"
                "    scale = np.array([row[1] for row in rows]).reshape(x.shape[: -len(shape)] + (1,) * len(shape))\n"
            )
        },
    ),
    # --- layer_norm_backward ----------------------------------------------------------------------
    Mistake(
        name="statistics_held_constant",
        exercise="layer_norm_backward",
        level=1,
        says="mean and variance are treated as constants; both move when a value moves",
        twist={"return scale * (g - through_mean - through_variance)": "return scale * g"},
    ),
    Mistake(
        name="variance_held_constant",
        exercise="layer_norm_backward",
        level=2,
        says="the path through the variance is missing: xhat times the mean of g * xhat",
        twist={
            "    dx = _normalize_backward(g, xhat, scale, axes)\n": (
                "    dx = scale * (g - g.mean(axis=axes, keepdims=True))\n"
            )
        },
    ),
    Mistake(
        name="mean_held_constant",
        exercise="layer_norm_backward",
        level=2,
        says="the path through the mean is missing: the mean of g",
        twist={"return scale * (g - through_mean - through_variance)": "return scale * (g - through_variance)"},
    ),
    Mistake(
        name="layer_weight_after_the_means",
        exercise="layer_norm_backward",
        level=2,
        says="the weight multiplies dx at the end; it belongs to g, before the two means are taken",
        twist={
            "dx = _normalize_backward(g, xhat, scale, axes)": (
                "dx = _normalize_backward(dout, xhat, scale, axes) * (1 if weight is None else weight)"
            )
        },
    ),
    Mistake(
        name="dweight_from_g",
        exercise="layer_norm_backward",
        level=2,
        says="the weight's gradient is made with g = dout * weight; the weight's own slope is dout * xhat",
        twist={
            "    dx = _normalize_backward(g, xhat, scale, axes)\n": (
                "    dweight = None if weight is None else (g * xhat).sum(axis=leading)\n"
                "    dx = _normalize_backward(g, xhat, scale, axes)\n"
            )
        },
    ),
    Mistake(
        name="dweight_from_x",
        exercise="layer_norm_backward",
        level=2,
        says="the weight's gradient is made with x; the weight multiplies xhat, the normalised x: dout * xhat",
        twist={
            "return out, (xhat, scale, weight, bias is not None, axes, x.dtype)": (
                "return out, (xhat, scale, weight, bias is not None, axes, x.dtype, x)"
            ),
            "    xhat, scale, weight, has_bias, axes, dtype = cache\n": (
                "    xhat, scale, weight, has_bias, axes, dtype, x = cache\n"
            ),
            "    dx = _normalize_backward(g, xhat, scale, axes)\n": (
                "    dweight = None if weight is None else (dout * x).sum(axis=leading)\n"
                "    dx = _normalize_backward(g, xhat, scale, axes)\n"
            ),
        },
    ),
    Mistake(
        name="only_the_first_axis_summed",
        exercise="layer_norm_backward",
        level=2,
        says="the gradients of weight and bias are summed over the first axis alone; every leading axis reused them",
        twist={
            "leading = tuple(range(xhat.ndim - len(axes)))": "leading = tuple(range(min(1, xhat.ndim - len(axes))))"
        },
    ),
    Mistake(
        name="bias_gradient_without_a_bias",
        exercise="layer_norm_backward",
        level=1,
        says="a gradient comes back for a bias that was None; it is None then",
        twist={"dbias = dout.sum(axis=axes) if has_bias else None": "dbias = dout.sum(axis=axes)"},
    ),
    Mistake(
        name="weight_gradient_without_a_weight",
        exercise="layer_norm_backward",
        level=1,
        says="a gradient comes back for a weight that was None; it is None then",
        twist={"dweight = None if weight is None else (dout * xhat)": "dweight = (dout * xhat)"},
    ),
    Mistake(
        name="layer_dout_broadcasts",
        exercise="layer_norm_backward",
        level=2,
        says="a dout of another shape is broadcast; only the gradient of exactly that output makes sense",
        twist={
            'dout = _upstream(dout, xhat.shape, xhat.dtype, "layer_norm_backward")': (
                "dout = np.array(np.broadcast_to(np.asarray(dout, xhat.dtype), xhat.shape))"
            )
        },
    ),
    Mistake(
        name="dtype_of_dout",
        exercise="layer_norm_backward",
        level=3,
        says="the dtype of dout decides that of the gradients; x decides",
        twist={
            "    dx = _normalize_backward(g, xhat, scale, axes)\n    return _results(dtype, dx, dweight, dbias)": (
                "    dx = _normalize_backward(g, xhat, scale, axes)\n    return _results(g.dtype, dx, dweight, dbias)"
            ),
            'dout = _upstream(dout, xhat.shape, xhat.dtype, "layer_norm_backward")': (
                'dout = _upstream(dout, xhat.shape, None, "layer_norm_backward")'
            ),
        },
    ),
    Mistake(
        name="dbias_is_dout",
        exercise="layer_norm_backward",
        level=3,
        says="where there is nothing to sum, dbias is dout itself; it needs memory of its own",
        twist={
            "dbias = dout.sum(axis=axes) if has_bias else None": (
                "dbias = (dout.sum(axis=axes) if axes else dout) if has_bias else None"
            )
        },
    ),
    Mistake(
        name="layer_dout_in_place",
        exercise="layer_norm_backward",
        level=2,
        says="the weight is multiplied into dout itself, so the caller's array changes",
        twist={
            "    dx = _normalize_backward(g, xhat, scale, axes)\n": (
                "    g = dout if weight is None else np.multiply(dout, weight, out=dout)\n"
                "    dx = _normalize_backward(g, xhat, scale, axes)\n"
            )
        },
    ),
    Mistake(
        name="loop_over_rows_backward",
        exercise="layer_norm_backward",
        level=2,
        says="a Python loop takes the two means row after row; one call with keepdims takes those of all rows",
        twist={
            "    dx = _normalize_backward(g, xhat, scale, axes)\n": (
                "    shape = xhat.shape[len(leading) :]\n"
                "    triples = zip(*(array.reshape(-1, *array.shape[len(leading) :]) for array in (g, xhat, scale)))\n"
                "    rows = [_normalize_backward(*triple, tuple(range(len(shape)))) for triple in triples]\n"
                "    dx = np.array(rows).reshape(xhat.shape)\n"
            )
        },
    ),
    # --- group_norm_forward -----------------------------------------------------------------------
    Mistake(
        name="every_gth_channel",
        exercise="group_norm_forward",
        level=1,
        says="every G-th channel makes a group; a group is a run of neighbouring channels",
        twist={
            "grouped = x.reshape(N, num_groups, C // num_groups, H, W)": (
                "grouped = x.reshape(N, C // num_groups, num_groups, H, W).swapaxes(1, 2)"
            ),
            "_affine(xhat.reshape(x.shape), weight, bias)": (
                "_affine(xhat.swapaxes(1, 2).reshape(x.shape), weight, bias)"
            ),
        },
    ),
    Mistake(
        name="num_groups_is_channels_per_group",
        exercise="group_norm_forward",
        level=1,
        says="num_groups is taken for the channels in a group; it is how many groups there are",
        twist={
            "grouped = x.reshape(N, num_groups, C // num_groups, H, W)": (
                "grouped = x.reshape(N, C // num_groups, num_groups, H, W)"
            )
        },
    ),
    Mistake(
        name="each_channel_for_itself",
        exercise="group_norm_forward",
        level=2,
        says="every channel of a group keeps a mean of its own, as in instance norm; they share one",
        twist={"_normalize(grouped, (2, 3, 4), eps)": "_normalize(grouped, (3, 4), eps)"},
    ),
    Mistake(
        name="each_pixel_for_itself",
        exercise="group_norm_forward",
        level=2,
        says="the mean runs over a group's channels at one pixel; all pixels of the group share it",
        twist={"_normalize(grouped, (2, 3, 4), eps)": "_normalize(grouped, (2,), eps)"},
    ),
    Mistake(
        name="group_over_the_batch",
        exercise="group_norm_forward",
        level=1,
        says="the images of the batch share a mean, as in batch norm; every image has its own",
        twist={"_normalize(grouped, (2, 3, 4), eps)": "_normalize(grouped, (0, 2, 3, 4), eps)"},
    ),
    Mistake(
        name="group_weight_along_the_columns",
        exercise="group_norm_forward",
        level=2,
        says="the (C,) weight lines up with the last axis, the columns; give it two axes more to line up with C",
        twist={
            "    xhat, scale = _normalize(grouped, (2, 3, 4), eps)\n"
            "    weight, bias = _operand(weight, (C, 1, 1), xhat.dtype), _operand(bias, (C, 1, 1), xhat.dtype)\n": (
                "    xhat, scale = _normalize(grouped, (2, 3, 4), eps)\n"
                "    weight, bias = _operand(weight, (C,), xhat.dtype), _operand(bias, (C,), xhat.dtype)\n"
            )
        },
    ),
    Mistake(
        name="one_weight_a_group",
        exercise="group_norm_forward",
        level=1,
        says="weight and bias are expected for each group; there is one of each for every channel",
        twist={
            '_check_affine(weight, bias, (C,), "group_norm_forward")': (
                '_check_affine(weight, bias, (num_groups,), "group_norm_forward")\n'
                "    weight, bias = (None if v is None else np.repeat(v, C // num_groups) for v in (weight, bias))"
            )
        },
    ),
    Mistake(
        name="groups_not_checked",
        exercise="group_norm_forward",
        level=2,
        says="groups that do not divide the channels get as far as the reshape, whose error names neither number",
        twist={'    _check_groups(C, num_groups, "group_norm_forward")\n': ""},
    ),
    Mistake(
        name="group_rank_not_checked",
        exercise="group_norm_forward",
        level=3,
        says="an x of another rank fails where its shape is unpacked; the error does not say what was given",
        twist={'x = _images(x, "group_norm_forward")': "x = as_float(x)"},
    ),
    Mistake(
        name="loop_over_groups",
        exercise="group_norm_forward",
        level=2,
        says="a Python loop normalises group after group; with the groups on an axis of their own one call does all",
        twist={
            "    xhat, scale = _normalize(grouped, (2, 3, 4), eps)\n": (
                "    parts = [_normalize(grouped[:, k], (1, 2, 3), eps) for k in range(num_groups)]\n"
                "    xhat, scale = (np.stack([part[i] for part in parts], axis=1) for i in (0, 1))\n"
            )
        },
    ),
    Mistake(
        name="group_float32_for_all",
        exercise="group_norm_forward",
        level=3,
        says="everything is computed in float32; float64 in, float64 out",
        twist={"_normalize(grouped, (2, 3, 4), eps)": "_normalize(grouped.astype(np.float32), (2, 3, 4), eps)"},
    ),
    Mistake(
        name="group_bias_before_weight",
        exercise="group_norm_forward",
        level=2,
        says="the bias is added before the weight multiplies; the weight scales the normalised values alone",
        twist={
            "_affine(xhat.reshape(x.shape), weight, bias)": (
                "_affine(xhat.reshape(x.shape) + (0 if bias is None else bias), weight, None)"
            ),
        },
    ),
    Mistake(
        name="group_squares_in_float16",
        exercise="group_norm_forward",
        level=3,
        says="squares of a float16 x are taken in float16, which ends at 65504; compute in float32, then go back",
        twist={
            "    xhat, scale = _normalize(grouped, (2, 3, 4), eps)\n": (
                "    centred = grouped - grouped.mean(axis=(2, 3, 4), keepdims=True)\n"
                "    scale = 1 / np.sqrt(np.square(centred).mean(axis=(2, 3, 4), keepdims=True) + eps)\n"
                "    xhat = centred * scale\n"
            ),
        },
    ),
    Mistake(
        name="weight_of_the_group",
        exercise="group_norm_forward",
        level=2,
        says="channel c takes the weight of its group, weight[c // width]; every channel has its own, weight[c]",
        twist={
            '    _check_affine(weight, bias, (C,), "group_norm_forward")\n': (
                '    _check_affine(weight, bias, (C,), "group_norm_forward")\n'
                "    groups = np.arange(C) // (C // num_groups)\n"
                "    weight, bias = (None if v is None else np.asarray(v)[groups] for v in (weight, bias))\n"
            ),
        },
    ),
    # --- group_norm_backward ----------------------------------------------------------------------
    Mistake(
        name="group_means_over_the_image",
        exercise="group_norm_backward",
        level=2,
        says="the means of the gradient run over all channels of the image; they stay within each group",
        twist={
            "_normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4))": (
                "_normalize_backward(g.reshape(xhat.shape), xhat, scale, (1, 2, 3, 4))"
            )
        },
    ),
    Mistake(
        name="group_means_over_one_channel",
        exercise="group_norm_backward",
        level=2,
        says="the means of the gradient run over one channel; forward shared the mean among the group's channels",
        twist={
            "_normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4))": (
                "_normalize_backward(g.reshape(xhat.shape), xhat, scale, (3, 4))"
            )
        },
    ),
    Mistake(
        name="group_weight_after_the_means",
        exercise="group_norm_backward",
        level=2,
        says="the weight multiplies dx at the end; a group's channels differ in weight, so it comes before the means",
        twist={
            "dx = _normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4)).reshape(shape)": (
                "dx = _normalize_backward(dout.reshape(xhat.shape), xhat, scale, (2, 3, 4)).reshape(shape)\n"
                "    dx = dx if weight is None else dx * weight"
            )
        },
    ),
    Mistake(
        name="dx_left_in_groups",
        exercise="group_norm_backward",
        level=1,
        says="dx comes back with the five axes of the groups; it has the shape of x",
        twist={"xhat, scale, (2, 3, 4)).reshape(shape)": "xhat, scale, (2, 3, 4))"},
    ),
    Mistake(
        name="images_not_summed",
        exercise="group_norm_backward",
        level=2,
        says="the gradients of weight and bias are summed over pixels only; all images used the same weight",
        twist={
            "_affine_backward(dout, xhat.reshape(shape), weight, has_bias, (0, 2, 3))": (
                "_affine_backward(dout, xhat.reshape(shape), weight, has_bias, (2, 3))"
            )
        },
    ),
    Mistake(
        name="cache_used_up",
        exercise="group_norm_backward",
        level=3,
        says="the cached normalised values are changed in place, so a second backward gives other numbers",
        twist={
            "dx = _normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4)).reshape(shape)": (
                "dx = _normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4)).reshape(shape)\n"
                "    xhat *= (g.reshape(xhat.shape) * xhat).mean(axis=(2, 3, 4), keepdims=True)"
            )
        },
    ),
    Mistake(
        name="group_dout_reshaped",
        exercise="group_norm_backward",
        level=2,
        says="a dout with the right number of values is reshaped, whatever its axes were; its shape is not compared",
        twist={
            'dout = _upstream(dout, shape, xhat.dtype, "group_norm_backward")': (
                "dout = np.asarray(dout, xhat.dtype).reshape(shape)"
            )
        },
    ),
    Mistake(
        name="group_variance_held_constant",
        exercise="group_norm_backward",
        level=2,
        says="the path through the variance is missing: xhat times the mean of g * xhat",
        twist={
            "    dx = _normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4)).reshape(shape)\n": (
                "    dx = g.reshape(xhat.shape)\n"
                "    dx = (scale * (dx - dx.mean(axis=(2, 3, 4), keepdims=True))).reshape(shape)\n"
            ),
        },
    ),
    Mistake(
        name="group_dweight_averaged",
        exercise="group_norm_backward",
        level=2,
        says="the gradients of weight and bias are averaged over the images; they are sums",
        twist={
            "_affine_backward(dout, xhat.reshape(shape), weight, has_bias, (0, 2, 3))\n": (
                "_affine_backward(dout, xhat.reshape(shape), weight, has_bias, (0, 2, 3))\n"
                "    dweight, dbias = (None if v is None else v / max(1, len(dout)) for v in (dweight, dbias))\n"
            ),
        },
    ),
    Mistake(
        name="group_dweight_from_g",
        exercise="group_norm_backward",
        level=2,
        says="the weight is in its own gradient: dout * weight was taken where dout * xhat alone is the weight's slope",
        twist={
            "    dx = _normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4)).reshape(shape)\n": (
                "    dweight = None if weight is None else (g * xhat.reshape(shape)).sum(axis=(0, 2, 3))\n"
                "    dx = _normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4)).reshape(shape)\n"
            ),
        },
    ),
    Mistake(
        name="group_dtype_of_dout",
        exercise="group_norm_backward",
        level=3,
        says="the dtype of dout decides that of the gradients; x decides",
        twist={
            'dout = _upstream(dout, shape, xhat.dtype, "group_norm_backward")': (
                'dout = _upstream(dout, shape, None, "group_norm_backward")'
            ),
            "    dx = _normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4)).reshape(shape)\n"
            "    return _results(dtype, dx, dweight, dbias)": (
                "    dx = _normalize_backward(g.reshape(xhat.shape), xhat, scale, (2, 3, 4)).reshape(shape)\n"
                "    return _results(g.dtype, dx, dweight, dbias)"
            ),
        },
    ),
    # --- instance_norm_forward --------------------------------------------------------------------
    Mistake(
        name="instance_over_the_batch",
        exercise="instance_norm_forward",
        level=1,
        says="the images of the batch share a mean: that is batch norm; here every image's channel has its own",
        twist={"_normalize(x, (2, 3), eps)": "_normalize(x, (0, 2, 3), eps)"},
    ),
    Mistake(
        name="instance_over_channels",
        exercise="instance_norm_forward",
        level=1,
        says="the channels of an image share a mean: that is layer norm; here every channel has its own",
        twist={"_normalize(x, (2, 3), eps)": "_normalize(x, (1, 2, 3), eps)"},
    ),
    Mistake(
        name="instance_over_rows",
        exercise="instance_norm_forward",
        level=2,
        says="every row of pixels has a mean of its own; the whole H by W map shares one",
        twist={"_normalize(x, (2, 3), eps)": "_normalize(x, (3,), eps)"},
    ),
    Mistake(
        name="instance_weight_along_the_columns",
        exercise="instance_norm_forward",
        level=2,
        says="the (C,) weight lines up with the last axis, the columns; give it two axes more to line up with C",
        twist={
            "    xhat, scale = _normalize(x, (2, 3), eps)\n"
            "    weight, bias = _operand(weight, (C, 1, 1), xhat.dtype), _operand(bias, (C, 1, 1), xhat.dtype)\n": (
                "    xhat, scale = _normalize(x, (2, 3), eps)\n"
                "    weight, bias = _operand(weight, (C,), xhat.dtype), _operand(bias, (C,), xhat.dtype)\n"
            )
        },
    ),
    Mistake(
        name="single_pixel_accepted",
        exercise="instance_norm_forward",
        level=1,
        says="a map of one pixel is accepted; its value less its own mean is always 0, so the layer would erase it",
        twist={"if H * W < 2:": "if H * W < 1:"},
    ),
    Mistake(
        name="instance_rank_not_checked",
        exercise="instance_norm_forward",
        level=1,
        says="an x of another rank fails where its shape is unpacked; the error does not say what was given",
        twist={'x = _images(x, "instance_norm_forward")': "x = as_float(x)"},
    ),
    Mistake(
        name="instance_weight_not_checked",
        exercise="instance_norm_forward",
        level=2,
        says="a weight or bias that is not (C,) is broadcast, or fails without a word about shapes",
        twist={
            '    _check_affine(weight, bias, (C,), "instance_norm_forward")\n': "",
            "    xhat, scale = _normalize(x, (2, 3), eps)\n"
            "    weight, bias = _operand(weight, (C, 1, 1), xhat.dtype), _operand(bias, (C, 1, 1), xhat.dtype)\n": (
                "    xhat, scale = _normalize(x, (2, 3), eps)\n"
                "    weight, bias = _operand(weight, (-1, 1, 1), xhat.dtype), _operand(bias, (-1, 1, 1), xhat.dtype)\n"
            ),
        },
    ),
    Mistake(
        name="instance_bias_before_weight",
        exercise="instance_norm_forward",
        level=2,
        says="the bias is added before the weight multiplies; the weight scales the normalised values alone",
        twist={
            "(out,) = _results(x.dtype, _affine(xhat, weight, bias))\n"
            "    return out, (xhat, scale, weight, bias is not None, x.dtype)\n": (
                "(out,) = _results(x.dtype, _affine(xhat if bias is None else xhat + bias, weight, None))\n"
                "    return out, (xhat, scale, weight, bias is not None, x.dtype)\n"
            ),
        },
    ),
    Mistake(
        name="instance_squares_in_float16",
        exercise="instance_norm_forward",
        level=3,
        says="squares of a float16 x are taken in float16, which ends at 65504; compute in float32, then go back",
        twist={
            "    xhat, scale = _normalize(x, (2, 3), eps)\n": (
                "    centred = x - x.mean(axis=(2, 3), keepdims=True)\n"
                "    scale = 1 / np.sqrt(np.square(centred).mean(axis=(2, 3), keepdims=True) + eps)\n"
                "    xhat = centred * scale\n"
            ),
        },
    ),
    # --- instance_norm_backward -------------------------------------------------------------------
    Mistake(
        name="dweight_averaged",
        exercise="instance_norm_backward",
        level=2,
        says="the gradients of weight and bias are averaged over the images; they are sums",
        twist={
            "g, dweight, dbias = _affine_backward(dout, xhat, weight, has_bias, (0, 2, 3))": (
                "g, dweight, dbias = _affine_backward(dout, xhat, weight, has_bias, (0, 2, 3))\n"
                "    dweight, dbias = (None if v is None else v / max(1, len(dout)) for v in (dweight, dbias))"
            )
        },
    ),
    Mistake(
        name="instance_means_over_the_batch",
        exercise="instance_norm_backward",
        level=2,
        says="the means of the gradient run over the batch too; forward shared nothing between images",
        twist={
            "_normalize_backward(g, xhat, scale, (2, 3))": "_normalize_backward(g, xhat, scale, (0, 2, 3))",
        },
    ),
    Mistake(
        name="weight_left_out_of_dx",
        exercise="instance_norm_backward",
        level=2,
        says="dx is made from dout; the weight stands between the normalised values and the output",
        twist={
            "_normalize_backward(g, xhat, scale, (2, 3))": "_normalize_backward(dout, xhat, scale, (2, 3))",
        },
    ),
    Mistake(
        name="dout_multiplied_in_place",
        exercise="instance_norm_backward",
        level=2,
        says="the weight is multiplied into dout itself, so the caller's array changes",
        twist={
            "dx = _normalize_backward(g, xhat, scale, (2, 3))": (
                "g = dout if weight is None else np.multiply(dout, weight, out=dout)\n"
                "    dx = _normalize_backward(g, xhat, scale, (2, 3))"
            )
        },
    ),
    Mistake(
        name="instance_dout_broadcasts",
        exercise="instance_norm_backward",
        level=2,
        says="a dout of fewer images is broadcast over the batch; only the gradient of exactly that output makes sense",
        twist={
            'dout = _upstream(dout, xhat.shape, xhat.dtype, "instance_norm_backward")': (
                "dout = np.array(np.broadcast_to(np.asarray(dout, xhat.dtype), xhat.shape))"
            )
        },
    ),
    Mistake(
        name="instance_variance_held_constant",
        exercise="instance_norm_backward",
        level=2,
        says="the path through the variance is missing: xhat times the mean of g * xhat",
        twist={
            "    dx = _normalize_backward(g, xhat, scale, (2, 3))\n": (
                "    dx = scale * (g - g.mean(axis=(2, 3), keepdims=True))\n"
            ),
        },
    ),
    Mistake(
        name="instance_dtype_of_dout",
        exercise="instance_norm_backward",
        level=3,
        says="the dtype of dout decides that of the gradients; x decides",
        twist={
            'dout = _upstream(dout, xhat.shape, xhat.dtype, "instance_norm_backward")': (
                'dout = _upstream(dout, xhat.shape, None, "instance_norm_backward")'
            ),
            "    dx = _normalize_backward(g, xhat, scale, (2, 3))\n    return _results(dtype, dx, dweight, dbias)": (
                "    dx = _normalize_backward(g, xhat, scale, (2, 3))\n    return _results(g.dtype, dx, dweight, dbias)"
            ),
        },
    ),
    # --- LayerNorm --------------------------------------------------------------------------------
    Mistake(
        name="layer_weight_starts_at_zero",
        exercise="LayerNorm",
        level=1,
        says="the weight starts at 0, which erases the input; a weight that changes nothing is 1",
        twist={
            "self.weight = Parameter(np.ones(self.normalized_shape))": (
                "self.weight = Parameter(np.zeros(self.normalized_shape))"
            )
        },
    ),
    Mistake(
        name="layer_eps_not_passed",
        exercise="LayerNorm",
        level=2,
        says="forward uses the default eps; the layer's own is forgotten",
        twist={
            "layer_norm_forward(x, self.normalized_shape, weight, bias, self.eps)": (
                "layer_norm_forward(x, self.normalized_shape, weight, bias)"
            )
        },
    ),
    Mistake(
        name="layer_gradients_overwritten",
        exercise="LayerNorm",
        level=2,
        says="backward assigns the gradients; they are added to what .grad holds",
        twist={
            "layer_norm_backward(dout, self._cache)\n"
            "        self.weight.grad += dweight\n"
            "        self.bias.grad += dbias\n": (
                "layer_norm_backward(dout, self._cache)\n"
                "        self.weight.grad[...] = dweight\n"
                "        self.bias.grad[...] = dbias\n"
            )
        },
    ),
    Mistake(
        name="bias_assigned_first",
        exercise="LayerNorm",
        level=1,
        says="the bias is assigned before the weight; parameters and saved state keep that order: weight first",
        twist={
            "        self.weight = Parameter(np.ones(self.normalized_shape))\n"
            "        self.bias = Parameter(np.zeros(self.normalized_shape))\n": (
                "        self.bias = Parameter(np.zeros(self.normalized_shape))\n"
                "        self.weight = Parameter(np.ones(self.normalized_shape))\n"
            )
        },
    ),
    Mistake(
        name="layer_computes_in_float32",
        exercise="LayerNorm",
        level=3,
        says="x is converted to the float32 of the parameters; a layer computes in the dtype of its input",
        twist={
            "layer_norm_forward(x, self.normalized_shape, weight, bias, self.eps)": (
                "layer_norm_forward(np.float32(x), self.normalized_shape, weight, bias, self.eps)"
            )
        },
    ),
    # --- GroupNorm --------------------------------------------------------------------------------
    Mistake(
        name="layer_with_one_weight_a_group",
        exercise="GroupNorm",
        level=1,
        says="the layer's weight and bias have one number a group; they need one for every channel",
        twist={
            "self.weight = Parameter(np.ones(num_channels))": "self.weight = Parameter(np.ones(num_groups))",
            "self.bias = Parameter(np.zeros(num_channels))": "self.bias = Parameter(np.zeros(num_groups))",
        },
    ),
    Mistake(
        name="groups_checked_too_late",
        exercise="GroupNorm",
        level=2,
        says="groups that do not divide the channels pass until the first forward; refuse them when the layer is built",
        twist={'        _check_groups(num_channels, num_groups, "GroupNorm")\n': ""},
    ),
    Mistake(
        name="group_gradients_overwritten",
        exercise="GroupNorm",
        level=2,
        says="backward assigns the gradients; they are added to what .grad holds",
        twist={
            "group_norm_backward(dout, self._cache)\n"
            "        self.weight.grad += dweight\n"
            "        self.bias.grad += dbias\n": (
                "group_norm_backward(dout, self._cache)\n"
                "        self.weight.grad[...] = dweight\n"
                "        self.bias.grad[...] = dbias\n"
            )
        },
    ),
    Mistake(
        name="group_eps_not_passed",
        exercise="GroupNorm",
        level=2,
        says="forward uses the default eps; the layer's own is forgotten",
        twist={
            "group_norm_forward(x, self.num_groups, self.weight.value, self.bias.value, self.eps)": (
                "group_norm_forward(x, self.num_groups, self.weight.value, self.bias.value)"
            )
        },
    ),
    # --- InstanceNorm2d ---------------------------------------------------------------------------
    Mistake(
        name="affine_by_default",
        exercise="InstanceNorm2d",
        level=1,
        says="the layer has a weight and a bias unasked; instance norm has them only with affine=True",
        twist={
            "def __init__(self, num_features, eps=1e-5, affine=False):": (
                "def __init__(self, num_features, eps=1e-5, affine=True):"
            )
        },
    ),
    Mistake(
        name="channels_not_checked",
        exercise="InstanceNorm2d",
        level=1,
        says="without a weight nothing notices another number of channels; the layer compares it with num_features",
        twist={"if np.ndim(x) != 4 or np.shape(x)[1] != self.num_features:": "if np.ndim(x) != 4:"},
    ),
    Mistake(
        name="running_statistics_in_eval",
        exercise="InstanceNorm2d",
        level=1,
        says="eval mode uses running statistics, as in batch norm; every image brings its own, always",
        twist={
            "        self.num_features, self.eps = num_features, eps\n": (
                "        self.num_features, self.eps = num_features, eps\n"
                "        self.running_mean = np.zeros(num_features, np.float32)\n"
                "        self.running_var = np.ones(num_features, np.float32)\n"
            ),
            "        out, self._cache = instance_norm_forward(x, weight, bias, self.eps)\n": (
                "        if not self.training:\n"
                "            mean, variance = self.running_mean[:, None, None], self.running_var[:, None, None]\n"
                "            return ((x - mean) / np.sqrt(variance + self.eps)).astype(x.dtype)\n"
                "        self.running_mean += 0.1 * (x.mean(axis=(0, 2, 3)) - self.running_mean)\n"
                "        self.running_var += 0.1 * (x.var(axis=(0, 2, 3)) - self.running_var)\n"
                "        out, self._cache = instance_norm_forward(x, weight, bias, self.eps)\n"
            ),
        },
    ),
    Mistake(
        name="gradients_without_parameters",
        exercise="InstanceNorm2d",
        level=2,
        says="backward adds to parameters that a layer without affine does not have",
        twist={
            "        if self.weight is not None:\n"
            "            self.weight.grad += dweight\n"
            "            self.bias.grad += dbias\n": (
                "        self.weight.grad += dweight\n        self.bias.grad += dbias\n"
            )
        },
    ),
    Mistake(
        name="instance_gradients_overwritten",
        exercise="InstanceNorm2d",
        level=2,
        says="backward assigns the gradients; they are added to what .grad holds",
        twist={
            "            self.weight.grad += dweight\n            self.bias.grad += dbias\n": (
                "            self.weight.grad[...] = dweight\n            self.bias.grad[...] = dbias\n"
            )
        },
    ),
]


# --- what the probes have in common ---------------------------------------------------------------

UNREADY = "the values come first"


def _plain(x, axes, eps):
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + eps)


def _named(gradients):
    return dict(zip(("dx", "dweight", "dbias"), gradients, strict=True))


def _near(array, expected, tolerance=1e-9):
    return np.shape(array) == np.shape(expected) and bool(np.allclose(array, expected, rtol=0, atol=tolerance))


def _attempt(call):
    """What the call returns or raises: one failing detail hides no other."""
    try:
        return call()
    except Exception as error:
        return error


def _refusal(call, *numbers):
    """How bad input is met."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call()
    except ValueError as error:
        return "refused" if all(str(number) in str(error) for number in numbers) else "refused without the numbers"
    except Exception as error:
        return error
    return "accepted"


def _right_gradients(dout, x, weight, sets, shared, eps):
    """(dx, dweight, dbias) of `sets` sets of neighbouring values; `shared` are the axes that weight and bias lack."""
    values, g = x.reshape(sets, -1), (dout * weight).reshape(sets, -1)
    xhat = _plain(values, 1, eps)
    dx = g - g.mean(axis=1, keepdims=True) - xhat * (g * xhat).mean(axis=1, keepdims=True)
    dx /= np.sqrt(values.var(axis=1, keepdims=True) + eps)
    return dx.reshape(x.shape), (dout * xhat.reshape(x.shape)).sum(axis=shared), dout.sum(axis=shared)


def _dtypes(arrays, expected, *names):
    """The dtypes of arrays that hold the right numbers."""
    if not all(_near(array, right, 1e-3) for array, right in zip(arrays, expected, strict=True)):
        return UNREADY
    return {f"{name} dtype": str(array.dtype) for name, array in zip(names, arrays, strict=True)}


def _gradient_dtypes(gradients, expected):
    return _dtypes(gradients, expected, "dx", "dweight", "dbias")


def _of_nothing(gradients):
    dx, dweight, dbias = gradients
    return {"dx shape": np.shape(dx), "dweight": np.float64(dweight).tolist(), "dbias": np.float64(dbias).tolist()}


def _touched(call, *arrays):
    before = [array.copy() for array in arrays]
    call()
    return [not np.array_equal(array, copy) for array, copy in zip(arrays, before, strict=True)]


def _loops(make_call, small, large):
    """Whether the bytecodes of a call grow with its size."""
    return count_bytecodes(make_call(large)) - count_bytecodes(make_call(small)) > large - small


def _keeps_spread(forward, x):
    """Whether a float32 or float16 x of one set a row is normalised as it is in float64."""
    wide = x.astype(np.float64)
    out = forward(x)[0]
    axes = tuple(range(1, x.ndim))
    return out.dtype == x.dtype and _near(out.astype(np.float64), _plain(wide, axes, 1e-5), 0.05)


# --- layer_norm_forward ---------------------------------------------------------------------------


@probe("layer_norm_forward")
def layer_forward_values(solution, rng):
    x, weight, bias = 2 + 3 * rng.standard_normal((2, 3, 5)), rng.standard_normal((3, 5)), rng.standard_normal((3, 5))
    return solution.layer_norm_forward(x, (3, 5), weight, bias, eps=0.3)[0]


@probe("layer_norm_forward")
def layer_forward_details(solution, rng):
    forward = solution.layer_norm_forward
    x, weight = 2 + 3 * rng.standard_normal((2, 3, 5)), rng.standard_normal((3, 5))
    if not _near(forward(x, (3, 5), weight, weight, 0.3)[0], _plain(x, (1, 2), 0.3) * weight + weight):
        return UNREADY
    large = (3000 + rng.standard_normal((3, 60))).astype(np.float32)
    half = (2000 * rng.standard_normal((3, 40))).astype(np.float16)
    return {
        "bias alone": _attempt(lambda: forward(x, (3, 5), None, weight)[0]),
        "large mean": _attempt(lambda: _keeps_spread(lambda x: forward(x, 60), large)),
        "float16": _attempt(lambda: _keeps_spread(lambda x: forward(x, 40), half)),
        "x changed": _attempt(lambda: _touched(lambda: forward(x, 5), x)),
        "other sizes": _refusal(lambda: forward(x, (3, 7)), 5, 7),
        "fewer axes": _refusal(lambda: forward(x[0, 0], (3, 5)), (5,), (3, 5)),
        "weight broadcasts": _refusal(lambda: forward(x, (3, 5), weight[0]), (5,), (3, 5)),
        "empty rows": _refusal(lambda: forward(np.zeros((2, 0)), 0), 0),
        "loops": _attempt(lambda: _loops(lambda rows: lambda: forward(np.ones((rows, 3)), 3), 2, 42)),
    }


@probe("layer_norm_forward")
def layer_forward_of_float32(solution, rng):
    x, weight, bias = rng.standard_normal((4, 5), np.float32), rng.standard_normal(5), rng.standard_normal(5)
    out, _ = solution.layer_norm_forward(x, 5, weight, bias, eps=0.3)
    return _dtypes([out], [_plain(x, 1, 0.3) * weight + bias], "out")


@probe("layer_norm_forward")
def layer_forward_of_integers(solution, rng):
    x = np.arange(20).reshape(4, 5) ** 2
    out, _ = solution.layer_norm_forward(x, 5, eps=0.3)
    if _near(out, np.trunc(_plain(x, 1, 0.3))) or _near(out, _plain(x, 1, 0.3)):
        return out
    return UNREADY


@probe("layer_norm_forward")
def layer_forward_of_no_rows(solution, rng):
    x, weight, bias = rng.standard_normal((4, 5)), rng.standard_normal(5), rng.standard_normal(5)
    if not _near(solution.layer_norm_forward(x, 5, weight, bias, 0.3)[0], _plain(x, 1, 0.3) * weight + bias):
        return UNREADY
    return solution.layer_norm_forward(x[:0], 5, weight, bias, 0.3)[0]


# --- layer_norm_backward --------------------------------------------------------------------------


@probe("layer_norm_backward")
def layer_backward_values(solution, rng):
    x, weight, bias = 2 + 3 * rng.standard_normal((2, 3, 5)), rng.standard_normal(5), rng.standard_normal(5)
    _, cache = solution.layer_norm_forward(x, 5, weight, bias, eps=0.3)
    return _named(solution.layer_norm_backward(rng.standard_normal((2, 3, 5)), cache))


@probe("layer_norm_backward")
def layer_backward_details(solution, rng):
    forward, backward = solution.layer_norm_forward, solution.layer_norm_backward
    x, weight, dout = rng.standard_normal((4, 5)), rng.standard_normal(5), rng.standard_normal((4, 5))
    gradients = backward(dout, forward(x, 5, weight, weight, 0.3)[1])
    if not all(map(_near, gradients, _right_gradients(dout, x, weight, 4, 0, 0.3))):
        return UNREADY
    return {
        "without a bias": _attempt(lambda: backward(dout, forward(x, 5, weight)[1])[2]),
        "without a weight": _attempt(lambda: backward(dout, forward(x, 5, None, weight)[1])[1]),
        "one row": _attempt(lambda: np.shares_memory(backward(dout[0], forward(x[0], 5, None, weight)[1])[2], dout)),
        "fewer rows": _refusal(lambda: backward(dout[:1], forward(x, 5, weight)[1]), (1, 5), (4, 5)),
        "dout changed": _attempt(lambda: _touched(lambda: backward(dout, forward(x, 5, weight)[1]), dout)),
        "loops": _attempt(lambda: _loops(lambda rows: _one_backward(solution, np.ones((rows, 3))), 2, 42)),
    }


@probe("layer_norm_backward")
def layer_backward_of_float32(solution, rng):
    x, dout = rng.standard_normal((4, 5), np.float32), rng.standard_normal((4, 5))
    weight = rng.standard_normal(5)
    _, cache = solution.layer_norm_forward(x, 5, weight, weight, 0.3)
    return _gradient_dtypes(solution.layer_norm_backward(dout, cache), _right_gradients(dout, x, weight, 4, 0, 0.3))


@probe("layer_norm_backward")
def layer_backward_of_no_rows(solution, rng):
    forward, backward = solution.layer_norm_forward, solution.layer_norm_backward
    x, dout, weight = rng.standard_normal((4, 2)), rng.standard_normal((4, 2)), rng.standard_normal(2)
    gradients = backward(dout, forward(x, 2, weight, weight, 0.3)[1])
    if not all(map(_near, gradients, _right_gradients(dout, x, weight, 4, 0, 0.3))):
        return UNREADY
    return _of_nothing(backward(dout[:0], forward(x[:0], 2, weight, weight, 0.3)[1]))


def _one_backward(solution, x):
    _, cache = solution.layer_norm_forward(x, 3)
    return lambda: solution.layer_norm_backward(x, cache)


# --- group_norm_forward ---------------------------------------------------------------------------


@probe("group_norm_forward")
def group_forward_values(solution, rng):
    x, weight, bias = 2 + 3 * rng.standard_normal((2, 6, 3, 5)), rng.standard_normal(6), rng.standard_normal(6)
    return solution.group_norm_forward(x, 3, weight, bias, eps=0.3)[0]


@probe("group_norm_forward")
def group_forward_as_many_columns(solution, rng):
    x, weight = 2 + 3 * rng.standard_normal((2, 6, 3, 6)), rng.standard_normal(6)
    return solution.group_norm_forward(x, 2, weight, -weight, eps=0.3)[0]


@probe("group_norm_forward")
def group_forward_details(solution, rng):
    forward, x = solution.group_norm_forward, rng.standard_normal((2, 6, 3, 5))
    if not _near(forward(x, 3)[0], _right_groups(x, 3, 1e-5), 1e-4):
        return UNREADY
    half = (2000 * rng.standard_normal((2, 2, 3, 5))).astype(np.float16)
    return {
        "four groups": _refusal(lambda: forward(x, 4), 6, 4),
        "three axes": _refusal(lambda: forward(x[0], 3), (6, 3, 5)),
        "loops": _attempt(lambda: _loops(lambda G: lambda: forward(np.ones((2, 84, 1, 2)), G), 2, 42)),
        "float16": _attempt(lambda: _keeps_spread(lambda x: forward(x, 1), half)),
    }


def _right_groups(x, groups, eps):
    return _plain(x.reshape(len(x), groups, -1), 2, eps).reshape(x.shape)


@probe("group_norm_forward")
def group_forward_of_float32(solution, rng):
    x = rng.standard_normal((2, 6, 3, 5), np.float32)
    out, _ = solution.group_norm_forward(x, 3, np.ones(6), np.zeros(6), eps=0.3)
    return _dtypes([out], [_right_groups(x, 3, 0.3)], "out")


@probe("group_norm_forward")
def group_forward_of_float64(solution, rng):
    x = rng.standard_normal((2, 6, 3, 5))
    out, _ = solution.group_norm_forward(x, 3, eps=0.3)
    return _dtypes([out], [_right_groups(x, 3, 0.3)], "out")


@probe("group_norm_forward")
def group_forward_of_integers(solution, rng):
    x = np.arange(90).reshape(1, 6, 3, 5) % 11
    out, _ = solution.group_norm_forward(x, 3, eps=0.3)
    return out if _near(out, np.trunc(_right_groups(x, 3, 0.3))) else _dtypes([out], [_right_groups(x, 3, 0.3)], "out")


@probe("group_norm_forward")
def group_forward_of_no_images(solution, rng):
    x = rng.standard_normal((2, 6, 3, 5))
    if not _near(solution.group_norm_forward(x, 3, eps=0.3)[0], _right_groups(x, 3, 0.3), 1e-4):
        return UNREADY
    return solution.group_norm_forward(x[:0], 3, eps=0.3)[0].shape


# --- group_norm_backward --------------------------------------------------------------------------


@probe("group_norm_backward")
def group_backward_values(solution, rng):
    x, weight, bias = 2 + 3 * rng.standard_normal((2, 6, 3, 5)), rng.standard_normal(6), rng.standard_normal(6)
    _, cache = solution.group_norm_forward(x, 3, weight, bias, eps=0.3)
    return _named(solution.group_norm_backward(rng.standard_normal((2, 6, 3, 5)), cache))


@probe("group_norm_backward")
def group_backward_details(solution, rng):
    forward, backward = solution.group_norm_forward, solution.group_norm_backward
    x, dout = rng.standard_normal((2, 6, 3, 5)), rng.standard_normal((2, 6, 3, 5))
    _, cache = forward(x, 3)
    first, second = backward(dout, cache)[0], backward(dout, cache)[0]
    if first.shape != x.shape:
        return UNREADY
    return {
        "twice": _near(first, second),
        "other axes": _refusal(lambda: backward(dout.reshape(2, 6, 5, 3), forward(x, 3)[1]), (2, 6, 5, 3)),
    }


@probe("group_norm_backward")
def group_backward_of_float32(solution, rng):
    x, dout = rng.standard_normal((2, 6, 3, 5), np.float32), rng.standard_normal((2, 6, 3, 5))
    weight = rng.standard_normal(6)
    _, cache = solution.group_norm_forward(x, 3, weight, weight, eps=0.3)
    expected = _right_gradients(dout, x, weight[:, None, None], 6, (0, 2, 3), 0.3)
    return _gradient_dtypes(solution.group_norm_backward(dout, cache), expected)


@probe("group_norm_backward")
def group_backward_of_no_images(solution, rng):
    forward, backward, weight = solution.group_norm_forward, solution.group_norm_backward, rng.standard_normal(2)
    x, dout = rng.standard_normal((3, 2, 3, 5)), rng.standard_normal((3, 2, 3, 5))
    gradients = backward(dout, forward(x, 1, weight, weight, 0.3)[1])
    expected = _right_gradients(dout, x, weight[:, None, None], 3, (0, 2, 3), 0.3)
    if not all(map(_near, gradients, expected)):
        return UNREADY
    return _of_nothing(backward(dout[:0], forward(x[:0], 1, weight, weight, 0.3)[1]))


# --- instance_norm_forward ------------------------------------------------------------------------


@probe("instance_norm_forward")
def instance_forward_values(solution, rng):
    x, weight, bias = 2 + 3 * rng.standard_normal((2, 4, 3, 5)), rng.standard_normal(4), rng.standard_normal(4)
    return solution.instance_norm_forward(x, weight, bias, eps=0.3)[0]


@probe("instance_norm_forward")
def instance_forward_as_many_columns(solution, rng):
    x, weight = 2 + 3 * rng.standard_normal((2, 4, 3, 4)), rng.standard_normal(4)
    return solution.instance_norm_forward(x, weight, -weight, eps=0.3)[0]


@probe("instance_norm_forward")
def instance_forward_details(solution, rng):
    forward, x, weight = solution.instance_norm_forward, rng.standard_normal((2, 4, 3, 5)), rng.standard_normal(5)
    if not _near(forward(x)[0], _plain(x, (2, 3), 1e-5)):
        return UNREADY
    half = (2000 * rng.standard_normal((2, 2, 3, 5))).astype(np.float16)
    return {
        "one pixel": _refusal(lambda: forward(x[:, :, :1, :1]), (2, 4, 1, 1)),
        "three axes": _refusal(lambda: forward(x[0]), (4, 3, 5)),
        "weights": [_refusal(lambda w=w: forward(x, w), w.shape, (4,)) for w in (weight[:1], weight)],
        "float16": _attempt(lambda: _keeps_spread_of_maps(forward, half)),
    }


def _keeps_spread_of_maps(forward, x):
    out = forward(x)[0]
    return out.dtype == x.dtype and _near(out.astype(np.float64), _plain(x.astype(np.float64), (2, 3), 1e-5), 0.05)


@probe("instance_norm_forward")
def instance_forward_of_float32(solution, rng):
    x, weight, bias = rng.standard_normal((2, 4, 3, 5), np.float32), rng.standard_normal(4), rng.standard_normal(4)
    out, _ = solution.instance_norm_forward(x, weight, bias, eps=0.3)
    return _dtypes([out], [_plain(x, (2, 3), 0.3) * weight[:, None, None] + bias[:, None, None]], "out")


@probe("instance_norm_forward")
def instance_forward_of_integers(solution, rng):
    x = np.arange(60).reshape(1, 4, 3, 5) % 11
    out, _ = solution.instance_norm_forward(x, eps=0.3)
    expected = _plain(x, (2, 3), 0.3)
    return out if _near(out, np.trunc(expected)) else _dtypes([out], [expected], "out")


@probe("instance_norm_forward")
def instance_forward_of_no_images(solution, rng):
    x = rng.standard_normal((2, 4, 3, 5))
    if not _near(solution.instance_norm_forward(x, eps=0.3)[0], _plain(x, (2, 3), 0.3)):
        return UNREADY
    return solution.instance_norm_forward(x[:0], eps=0.3)[0].shape


# --- instance_norm_backward -----------------------------------------------------------------------


@probe("instance_norm_backward")
def instance_backward_values(solution, rng):
    x, weight, bias = 2 + 3 * rng.standard_normal((2, 4, 3, 5)), rng.standard_normal(4), rng.standard_normal(4)
    _, cache = solution.instance_norm_forward(x, weight, bias, eps=0.3)
    return _named(solution.instance_norm_backward(rng.standard_normal((2, 4, 3, 5)), cache))


@probe("instance_norm_backward")
def instance_backward_details(solution, rng):
    forward, backward = solution.instance_norm_forward, solution.instance_norm_backward
    x, weight, dout = rng.standard_normal((2, 4, 3, 5)), rng.standard_normal(4), rng.standard_normal((2, 4, 3, 5))
    return {
        "dout changed": _attempt(lambda: _touched(lambda: backward(dout, forward(x, weight)[1]), dout)),
        "one image": _refusal(lambda: backward(dout[:1], forward(x)[1]), (1, 4, 3, 5), (2, 4, 3, 5)),
    }


@probe("instance_norm_backward")
def instance_backward_of_float32(solution, rng):
    x, dout = rng.standard_normal((2, 4, 3, 5), np.float32), rng.standard_normal((2, 4, 3, 5))
    weight = rng.standard_normal(4)
    _, cache = solution.instance_norm_forward(x, weight, weight, eps=0.3)
    expected = _right_gradients(dout, x, weight[:, None, None], 8, (0, 2, 3), 0.3)
    return _gradient_dtypes(solution.instance_norm_backward(dout, cache), expected)


@probe("instance_norm_backward")
def instance_backward_of_no_images(solution, rng):
    forward, backward, weight = solution.instance_norm_forward, solution.instance_norm_backward, rng.standard_normal(2)
    x, dout = rng.standard_normal((3, 2, 3, 5)), rng.standard_normal((3, 2, 3, 5))
    gradients = backward(dout, forward(x, weight, weight, 0.3)[1])
    expected = _right_gradients(dout, x, weight[:, None, None], 6, (0, 2, 3), 0.3)
    if not all(map(_near, gradients, expected)):
        return UNREADY
    return _of_nothing(backward(dout[:0], forward(x[:0], weight, weight, 0.3)[1]))


# --- the layers -----------------------------------------------------------------------------------


def _state(layer):
    state = layer.state_dict()
    return {"names": list(state), "shapes": [array.shape for array in state.values()], **state}


def _filled(layer, rng):
    """Give the parameters values of our own."""
    for parameter in (layer.weight, layer.bias):
        parameter.value[...] = rng.standard_normal(parameter.value.shape)
    return layer


def _after_two_backwards(layer, x, dout):
    out = layer(x)
    layer.backward(dout)
    dx = layer.backward(dout)
    grads = np.float32(layer.weight.grad), np.float32(layer.bias.grad)
    return {"out": out, "dx": dx, "weight.grad": grads[0], "bias.grad": grads[1]}


@probe("LayerNorm")
def layer_norm_layer(solution, rng):
    x, dout = rng.standard_normal((2, 3, 5)), rng.standard_normal((2, 3, 5))
    fresh, layer = solution.LayerNorm((3, 5)), _filled(solution.LayerNorm((3, 5), eps=0.3), rng)
    return {"state": _state(fresh), **_after_two_backwards(layer, x, dout)}


@probe("GroupNorm")
def fresh_group_norm_layer(solution, rng):
    return _state(solution.GroupNorm(3, 6))


@probe("GroupNorm")
def group_norm_layer(solution, rng):
    x, dout = rng.standard_normal((3, 6, 3, 5)), rng.standard_normal((3, 6, 3, 5))
    return _after_two_backwards(_filled(solution.GroupNorm(3, 6, eps=0.3), rng), x, dout)


@probe("GroupNorm")
def group_norm_of_four_groups(solution, rng):
    return _refusal(lambda: solution.GroupNorm(4, 10), 4, 10)


@probe("InstanceNorm2d")
def instance_norm_layer(solution, rng):
    x, dout, layer = rng.standard_normal((2, 4, 3, 5)), rng.standard_normal((2, 4, 3, 5)), solution.InstanceNorm2d(4)
    out = layer(x)
    return {
        "state": _state(layer),
        "out": out,
        "dx": _attempt(lambda: layer.backward(dout)),
        "in eval": layer.eval()(x + 1),
    }


@probe("InstanceNorm2d")
def instance_norm_layer_with_affine(solution, rng):
    x, dout = rng.standard_normal((3, 4, 2, 5)), rng.standard_normal((3, 4, 2, 5))
    layer = _filled(solution.InstanceNorm2d(4, eps=0.3, affine=True), rng)
    return _after_two_backwards(layer, x, dout)


@probe("InstanceNorm2d")
def instance_norm_of_other_channels(solution, rng):
    return _refusal(lambda: solution.InstanceNorm2d(3)(rng.standard_normal((2, 5, 3, 4))), 3, 5)
