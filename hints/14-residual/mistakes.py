"""Wrong turns learners take in Topic 14, and the probes that tell them apart."""

import numpy as np

from kata.mistakes import Mistake, probe

CHANNELS_ALONE = "if in_channels == out_channels:"
STRIDE_ALONE = 'if as_pair(stride, "stride") == (1, 1):'

MISTAKES = [
    Mistake(
        name="normalised_with_unbiased_variance",
        exercise="batch_norm_forward",
        level=2,
        says="the batch is divided by the unbiased deviation; M - 1 belongs in running_var alone",
        twist={
            "inv_std = 1 / np.sqrt(var + eps)": "var = var * (count / max(1, count - 1)) if training else var\n"
            "    inv_std = 1 / np.sqrt(var + eps)"
        },
    ),
    Mistake(
        name="biased_variance_remembered",
        exercise="batch_norm_forward",
        level=2,
        says="running_var remembers the batch's variance as it is; an estimate for all images is larger by M / (M - 1)",
        twist={
            "_remember(running_var, var * (count / (count - 1)), momentum)": "_remember(running_var, var, momentum)"
        },
    ),
    Mistake(
        name="momentum_on_the_wrong_side",
        exercise="batch_norm_forward",
        level=1,
        says="momentum is taken as the share of the old running statistic; here it is the share of the new one",
        twist={
            "running *= 1 - momentum": "running *= momentum",
            "running += momentum * new": "running += (1 - momentum) * new",
        },
    ),
    Mistake(
        name="running_statistics_rebound",
        exercise="batch_norm_forward",
        level=2,
        says="the running statistics are given a new array under the same name; the caller's array never hears of it",
        twist={
            "running *= 1 - momentum": "running = running * (1 - momentum)",
            "running += momentum * new": "running = running + momentum * new",
        },
    ),
    Mistake(
        name="evaluation_uses_the_batch",
        exercise="batch_norm_forward",
        level=1,
        says="evaluation normalises with the batch's own statistics, as training does",
        twist={
            "/ count if training else np.asarray(running_mean, x.dtype)": "/ count",
            "/ count if training else np.asarray(running_var, x.dtype)": "/ count",
        },
    ),
    Mistake(
        name="evaluation_updates",
        exercise="batch_norm_forward",
        level=1,
        says="the running statistics move in evaluation too; what is tested must not teach",
        twist={
            "if training and x.size:": "if x.size:",
            "_remember(running_mean, mean, momentum)": "_remember(running_mean, x.mean(axis=(0, 2, 3)), momentum)",
            "var * (count / (count - 1))": "x.var(axis=(0, 2, 3)) * (count / max(1, count - 1))",
        },
    ),
    Mistake(
        name="eps_outside_the_root",
        exercise="batch_norm_forward",
        level=2,
        says="eps is added to the deviation instead of to the variance under the root",
        twist={"1 / np.sqrt(var + eps)": "1 / (np.sqrt(var) + eps)"},
    ),
    Mistake(
        name="one_pass_variance",
        exercise="batch_norm_forward",
        level=3,
        says="the variance is mean of squares minus square of mean; far from zero float32 loses the difference",
        twist={
            "_dot(x_hat, x_hat) / count": "np.maximum(_dot(x, x) / count - mean**2, 0)",
        },
    ),
    Mistake(
        name="statistics_of_each_image",
        exercise="batch_norm_forward",
        level=1,
        says="each image is normalised by its own mean and variance; batch norm takes them over the images together",
        twist={
            "x_hat *= inv_std[:, None, None]": "x_hat *= inv_std[:, None, None]\n"
            "    if training:\n"
            "        x_hat = x - x.mean(axis=(2, 3), keepdims=True)\n"
            "        x_hat /= np.sqrt(np.square(x_hat).mean(axis=(2, 3), keepdims=True) + eps)"
        },
    ),
    Mistake(
        name="statistics_of_each_image_remembered",
        exercise="batch_norm_forward",
        level=1,
        says="mean and variance are taken over H and W alone, one for each image; the running statistics, one "
        "number a channel, can't take them in",
        twist={
            "mean = x.sum(axis=(0, 2, 3)) / count if training": "mean = x.mean(axis=(2, 3)) if training",
            "x_hat = x - mean[:, None, None]": "x_hat = x - mean[..., None, None]",
            "_dot(x_hat, x_hat) / count if training": "np.square(x_hat).mean(axis=(2, 3)) if training",
            "x_hat *= inv_std[:, None, None]": "x_hat *= inv_std[..., None, None]",
        },
    ),
    Mistake(
        name="statistics_of_each_pixel",
        exercise="batch_norm_forward",
        level=1,
        says="mean and variance are taken over the images alone (axis=0), one for each pixel; a channel has one of "
        "each, over images, rows and columns",
        twist={
            "mean = x.sum(axis=(0, 2, 3)) / count if training": "mean = x.mean(axis=0) if training",
            "x_hat = x - mean[:, None, None]": "x_hat = x - (mean if training else mean[:, None, None])",
            "_dot(x_hat, x_hat) / count if training": "np.square(x_hat).mean(axis=0) if training",
            "x_hat *= inv_std[:, None, None]": "x_hat *= inv_std if training else inv_std[:, None, None]",
        },
    ),
    Mistake(
        name="evaluation_updates_first",
        exercise="batch_norm_forward",
        level=1,
        says="in evaluation the running statistics are moved by the batch and then used; what is tested must not teach",
        twist={
            "    mean = x.sum(axis=(0, 2, 3)) / count if training": "    if not training and x.size:\n"
            "        _remember(running_mean, x.mean(axis=(0, 2, 3)), momentum)\n"
            "        _remember(running_var, x.var(axis=(0, 2, 3)) * (count / max(1, count - 1)), momentum)\n"
            "    mean = x.sum(axis=(0, 2, 3)) / count if training"
        },
    ),
    Mistake(
        name="update_outside_the_branch",
        exercise="batch_norm_forward",
        level=1,
        says="the update stands behind both modes, so evaluation, which remembers nothing, moves running_var too",
        twist={"if training and x.size:": "if x.size:", "(count / (count - 1))": "(count / max(1, count - 1))"},
    ),
    Mistake(
        name="empty_batch_remembered",
        exercise="batch_norm_forward",
        level=3,
        says="an empty batch moves the running statistics, by the mean of nothing; it has nothing to say",
        twist={
            "if training and x.size:": "if training:",
            "mean = x.sum(axis=(0, 2, 3)) / count if training": "mean = x.mean(axis=(0, 2, 3)) if training",
            "(count / (count - 1))": "(count / max(1, count - 1))",
        },
    ),
    Mistake(
        name="empty_batch_refused",
        exercise="batch_norm_forward",
        level=3,
        says="an empty batch is refused with the single value; no images give an empty result",
        twist={"if training and _values_per_channel(x) == 1:": "if training and _values_per_channel(x) <= 1:"},
    ),
    Mistake(
        name="weight_cast_to_integers",
        exercise="batch_norm_forward",
        level=2,
        says="integer images stay integers, and weight and bias are cast to them; as_float makes them float64 first",
        twist={"    x = as_float(x)\n": "    x = np.asarray(x)\n"},
    ),
    Mistake(
        name="single_value_accepted",
        exercise="batch_norm_forward",
        level=1,
        says="one value per channel is normalised to 0 instead of refused; a single value has no variance",
        twist={
            "if training and _values_per_channel(x) == 1:": "if training and _values_per_channel(x) < 0:",
            "(count / (count - 1))": "(count / max(1, count - 1))",
        },
    ),
    Mistake(
        name="vectors_broadcast",
        exercise="batch_norm_forward",
        level=1,
        says="a weight or bias of one number is spread over all channels by broadcasting; it is a wrong shape",
        twist={"np.shape(vector) != (channels,):": "np.shape(vector) not in [(channels,), (1,)]:"},
    ),
    Mistake(
        name="updated_before_refused",
        exercise="batch_norm_forward",
        level=3,
        says="the running mean is updated before the shape of running_var is checked, so a refused call leaves a trace",
        twist={
            "    _check_vectors(x, vectors)\n": "    if training and np.shape(running_mean) == x.shape[1:2]:\n"
            "        _remember(running_mean, x.mean(axis=(0, 2, 3)), momentum)\n"
            "    _check_vectors(x, vectors)\n",
            "        _remember(running_mean, mean, momentum)\n": "",
        },
    ),
    Mistake(
        name="eps_forgotten",
        exercise="batch_norm_forward",
        level=1,
        says="eps is left out, so a channel of one value divides by 0",
        twist={"1 / np.sqrt(var + eps)": "1 / np.sqrt(var)"},
    ),
    Mistake(
        name="x_centred_in_place",
        exercise="batch_norm_forward",
        level=1,
        says="the mean is subtracted from x itself; only the running statistics may be changed",
        twist={"x_hat = x - mean[:, None, None]": "x_hat = x\n    x_hat -= mean[:, None, None]"},
    ),
    Mistake(
        name="statistics_make_float64",
        exercise="batch_norm_forward",
        level=3,
        says="float64 statistics turn a float32 result into float64; cast them to the dtype of x",
        twist={"x_hat = x - mean[:, None, None]": "x_hat = x - mean.astype(np.float64)[:, None, None]"},
    ),
    Mistake(
        name="result_is_the_cache",
        exercise="batch_norm_forward",
        level=3,
        says="without a scale the result is the very array kept for backward; whoever changes it changes the gradient",
        twist={"out = x_hat.copy() if weight is None": "out = x_hat if weight is None"},
    ),
    Mistake(
        name="evaluation_of_nothing",
        exercise="batch_norm_forward",
        level=1,
        says="evaluation accepts None for the running statistics, and the result is NaN",
        twist={"if not training and (running_mean is None or running_var is None):": "if False:"},
    ),
    Mistake(
        name="statistics_as_constants",
        exercise="batch_norm_backward",
        level=1,
        says="in training the gradient takes mean and variance for constants; every x moved both",
        twist={"inv_std * weight\n    if training:": "inv_std * weight\n    if False:"},
    ),
    Mistake(
        name="mean_path_forgotten",
        exercise="batch_norm_backward",
        level=2,
        says="the way through the mean is missing: dout's own mean has to be taken off",
        twist={"        dx -= (dbias / count)[:, None, None]\n": ""},
    ),
    Mistake(
        name="variance_path_forgotten",
        exercise="batch_norm_backward",
        level=2,
        says="the way through the variance is missing: x_hat times the mean of dout * x_hat has to be taken off",
        twist={"dx = x_hat * (-dweight / count)[:, None, None]": "dx = np.zeros_like(x_hat)"},
    ),
    Mistake(
        name="sums_for_means",
        exercise="batch_norm_backward",
        level=2,
        says="sums over the channel are taken off where means belong; divide by M",
        twist={
            "dx = x_hat * (-dweight / count)[:, None, None]": "dx = x_hat * (-dweight)[:, None, None]",
            "dx -= (dbias / count)[:, None, None]": "dx -= dbias[:, None, None]",
        },
    ),
    Mistake(
        name="evaluation_like_training",
        exercise="batch_norm_backward",
        level=1,
        says="the three terms are used in evaluation too, where the statistics are constants and one factor is all",
        twist={"inv_std * weight\n    if training:": "inv_std * weight\n    if True:"},
    ),
    Mistake(
        name="scale_left_out_of_dx",
        exercise="batch_norm_backward",
        level=2,
        says="weight does not reach dx; the gradient of the normalised x is dout * weight",
        twist={"slope = inv_std if weight is None else inv_std * weight": "slope = inv_std"},
    ),
    Mistake(
        name="dweight_from_centred_x",
        exercise="batch_norm_backward",
        level=2,
        says="dweight multiplies dout with the centred x; the scale stood behind the normalised one",
        twist={
            "return dx, None if weight is None else dweight, dbias": "dweight = dweight / inv_std\n"
            "    return dx, None if weight is None else dweight, dbias"
        },
    ),
    Mistake(
        name="zeros_for_none",
        exercise="batch_norm_backward",
        level=1,
        says="a gradient is given where there was no weight or bias; it is None then",
        twist={
            "return dx, None if weight is None else dweight, dbias if has_bias else None": "return dx, dweight, dbias"
        },
    ),
    Mistake(
        name="dout_broadcasts",
        exercise="batch_norm_backward",
        level=1,
        says="a dout of another shape is spread by broadcasting instead of refused",
        twist={
            "if np.shape(dout) != x_hat.shape:": "dout = np.broadcast_to(np.asarray(dout), x_hat.shape)\n"
            "    if np.shape(dout) != x_hat.shape:"
        },
    ),
    Mistake(
        name="cache_used_up",
        exercise="batch_norm_backward",
        level=3,
        says="backward writes into the cached x_hat, so a second backward starts from something else",
        twist={"dx = x_hat * (-dweight / count)": "dx = x_hat\n        dx *= (-dweight / count)"},
    ),
    Mistake(
        name="dtype_of_dout",
        exercise="batch_norm_backward",
        level=3,
        says="the gradients take the dtype of dout; they have that of x",
        twist={"dout = np.asarray(dout, x_hat.dtype)": "dout = np.asarray(dout)"},
    ),
    Mistake(
        name="dbias_of_dout",
        exercise="batch_norm_backward",
        level=3,
        says="dbias alone takes the dtype of dout, because only the products with x_hat were cast; all have that of x",
        twist={"dbias, dweight = dout.sum(axis=(0, 2, 3))": "dbias, dweight = np.asarray(given).sum(axis=(0, 2, 3))"}
        | {"dout = np.asarray(dout, x_hat.dtype)": "given, dout = dout, np.asarray(dout, x_hat.dtype)"},
    ),
    Mistake(
        name="buffers_hidden",
        exercise="BatchNorm2d",
        level=2,
        says="the running statistics are kept under a name with an underscore, so no state_dict saves them",
        twist={
            "self.running_mean = np.zeros": "self._running_mean = np.zeros",
            "self.running_var = np.ones": "self._running_var = np.ones",
            "self.running_mean,": "self._running_mean,",
            "self.running_var,": "self._running_var,",
        },
    ),
    Mistake(
        name="buffers_as_parameters",
        exercise="BatchNorm2d",
        level=2,
        says="the running statistics are Parameters, so an optimiser would move them",
        twist={
            "np.zeros(num_features, np.float32)": "Parameter(np.zeros(num_features))",
            "np.ones(num_features, np.float32)": "Parameter(np.ones(num_features))",
            "self.running_mean,": "self.running_mean.value,",
            "self.running_var,": "self.running_var.value,",
        },
    ),
    Mistake(
        name="mode_ignored",
        exercise="BatchNorm2d",
        level=1,
        says="the layer always trains; eval() sets .training to False and nobody asks",
        twist={"            self.training,\n": "            True,\n"},
    ),
    Mistake(
        name="layer_always_evaluates",
        exercise="BatchNorm2d",
        level=1,
        says="the layer evaluates in training too, with the running statistics; .training says which mode it is",
        twist={"            self.training,\n": "            False,\n"},
    ),
    Mistake(
        name="gradient_assigned",
        exercise="BatchNorm2d",
        level=1,
        says="backward overwrites .grad; gradients add up until someone clears them",
        twist={
            "self.weight.grad += dweight": "self.weight.grad[...] = dweight",
            "self.bias.grad += dbias": "self.bias.grad[...] = dbias",
        },
    ),
    Mistake(
        name="settings_not_passed_on",
        exercise="BatchNorm2d",
        level=1,
        says="eps and momentum are remembered but not handed to batch_norm_forward",
        twist={"            self.momentum,\n            self.eps,\n": ""},
    ),
    Mistake(
        name="variance_starts_at_zero",
        exercise="BatchNorm2d",
        level=1,
        says="running_var starts at 0; before any training a variance of 1 leaves x as it is",
        twist={"self.running_var = np.ones(": "self.running_var = np.zeros("},
    ),
    Mistake(
        name="buffers_in_float64",
        exercise="BatchNorm2d",
        level=2,
        says="the running statistics are float64 arrays, NumPy's default; the layer's state is float32",
        twist={
            "self.running_mean = np.zeros(num_features, np.float32)": "self.running_mean = np.zeros(num_features)",
            "self.running_var = np.ones(num_features, np.float32)": "self.running_var = np.ones(num_features)",
        },
    ),
    Mistake(
        name="relu_before_the_sum",
        exercise="BasicBlock",
        level=1,
        says="the last ReLU is applied to the branch before the sum; then no block could ever make anything smaller",
        twist={
            "return self.relu2(branch + self.shortcut(x))": "return self.relu2(branch) + self.shortcut(x)",
            """        dout = self.relu2.backward(dout)
        branch = [self.conv1, self.bn1, self.relu1, self.conv2, self.bn2]
""": """        branch = [self.conv1, self.bn1, self.relu1, self.conv2, self.bn2, self.relu2]
""",
        },
    ),
    Mistake(
        name="no_relu_after_the_sum",
        exercise="BasicBlock",
        level=1,
        says="the sum leaves the block without a ReLU",
        twist={
            "return self.relu2(branch + self.shortcut(x))": "return branch + self.shortcut(x)",
            "        dout = self.relu2.backward(dout)\n": "",
        },
    ),
    Mistake(
        name="shortcut_gradient_forgotten",
        exercise="BasicBlock",
        level=1,
        says="backward goes through the branch alone; x was used twice, so two gradients arrive",
        twist={
            """self.conv2, self.bn2]
        return _backward_through(branch, dout) + self.shortcut.backward(dout)""": """self.conv2, self.bn2]
        return _backward_through(branch, dout)""",
        },
    ),
    Mistake(
        name="shortcut_gradient_past_the_relu",
        exercise="BasicBlock",
        level=2,
        says="the shortcut gets dout as it came; the ReLU after the sum stops it on both ways where that was 0",
        twist={
            """        dout = self.relu2.backward(dout)
        branch = [self.conv1, self.bn1, self.relu1, self.conv2, self.bn2]
""": """        branch = [self.conv1, self.bn1, self.relu1, self.conv2, self.bn2, self.relu2]
""",
        },
    ),
    Mistake(
        name="one_relu_for_two_places",
        exercise="BasicBlock",
        level=2,
        says="one ReLU object stands in the branch and after the sum; the second forward overwrites the first mask",
        twist={
            "return self.relu2(branch + self.shortcut(x))": "return self.relu1(branch + self.shortcut(x))",
            """        dout = self.relu2.backward(dout)
        branch = [self.conv1, self.bn1, self.relu1, self.conv2, self.bn2]
""": """        dout = self.relu1.backward(dout)
        branch = [self.conv1, self.bn1, self.relu1, self.conv2, self.bn2]
""",
        },
    ),
    Mistake(
        name="projection_without_stride",
        exercise="BasicBlock",
        level=1,
        says="the projection has no stride, so its result is larger than the branch's; it takes the steps of conv1",
        twist={
            "return Sequential(_bare_conv(in_channels, out_channels, 1, stride, rng), ": "return "
            "Sequential(_bare_conv(in_channels, out_channels, 1, 1, rng), "
        },
    ),
    Mistake(
        name="projection_by_channels_alone",
        exercise="BasicBlock",
        level=1,
        says="only the channels decide whether the shortcut changes the shape; a stride changes it too",
        twist={'if in_channels == out_channels and as_pair(stride, "stride") == (1, 1):': CHANNELS_ALONE},
    ),
    Mistake(
        name="projection_by_stride_alone",
        exercise="BasicBlock",
        level=1,
        says="only the stride decides whether the shortcut changes the shape; other channels change it too",
        twist={'if in_channels == out_channels and as_pair(stride, "stride") == (1, 1):': STRIDE_ALONE},
    ),
    Mistake(
        name="projection_everywhere",
        exercise="BasicBlock",
        level=1,
        says="a projection stands in every block; where the shape stays, x itself is added",
        twist={'if in_channels == out_channels and as_pair(stride, "stride") == (1, 1):': "if False:"},
    ),
    Mistake(
        name="projection_without_norm",
        exercise="BasicBlock",
        level=2,
        says="the projection is a convolution alone; a batch norm follows it, as every convolution here",
        twist={
            "out_channels, 1, stride, rng), BatchNorm2d(out_channels))": "out_channels, 1, stride, rng))",
        },
    ),
    Mistake(
        name="convolutions_with_bias",
        exercise="BasicBlock",
        level=1,
        says="the convolutions have a bias, which the batch norm behind them takes off again",
        twist={"padding=kernel_size // 2, bias=False, rng=rng)": "padding=kernel_size // 2, rng=rng)"},
    ),
    Mistake(
        name="stride_in_the_second_convolution",
        exercise="BasicBlock",
        level=2,
        says="the stride stands in conv2; conv1 takes it, so that both convolutions save the work",
        twist={
            "_bare_conv(in_channels, out_channels, 3, stride, rng)": "_bare_conv(in_channels, out_channels, 3, 1, rng)",
            "(out_channels, out_channels, 3, 1, rng)": "(out_channels, out_channels, 3, stride, rng)",
        },
    ),
    Mistake(
        name="new_channels_on_both_sides",
        exercise="BasicBlock",
        level=2,
        says="the zero channels are shared out before and after the old ones; all of them come after",
        twist={
            "out[:, : x.shape[1]] = kept": "first = (self.out_channels - x.shape[1]) // 2\n"
            "        out[:, first : first + x.shape[1]] = kept",
            "dx[:, :, ::sh, ::sw] = dout[:, : self._shape[1]]": "first = (self.out_channels - self._shape[1]) // 2\n"
            "        dx[:, :, ::sh, ::sw] = dout[:, first : first + self._shape[1]]",
        },
    ),
    Mistake(
        name="new_channels_first",
        exercise="BasicBlock",
        level=2,
        says="the zero channels stand before the old ones; they come after",
        twist={
            "out[:, : x.shape[1]] = kept": "out[:, self.out_channels - x.shape[1] :] = kept",
            "dout[:, : self._shape[1]]": "dout[:, self.out_channels - self._shape[1] :]",
        },
    ),
    Mistake(
        name="unknown_shortcut_ignored",
        exercise="BasicBlock",
        level=1,
        says="the shortcut's name is looked at only where the shape changes, so a typing error passes in silence",
        twist={
            """    if kind not in ("projection", "pad"):
        raise ValueError(f'{caller}: shortcut is {kind!r}. Use "projection" or "pad".')
    if in_channels == out_channels and as_pair(stride, "stride") == (1, 1):
        return Sequential()
""": """    if in_channels == out_channels and as_pair(stride, "stride") == (1, 1):
        return Sequential()
    if kind not in ("projection", "pad"):
        raise ValueError(f'{caller}: shortcut is {kind!r}. Use "projection" or "pad".')
"""
        },
    ),
    Mistake(
        name="padding_to_fewer_accepted",
        exercise="BasicBlock",
        level=3,
        says="option A is built for fewer channels than come in, which no padding can make",
        twist={"if out_channels < in_channels:": "if False:"},
    ),
    Mistake(
        name="first_norm_used_twice",
        exercise="BasicBlock",
        level=2,
        says="bn1 stands behind both convolutions; each needs a batch norm of its own",
        twist={"self.bn2(self.conv2(self.relu1": "self.bn1(self.conv2(self.relu1"},
    ),
    Mistake(
        name="generator_not_shared",
        exercise="BasicBlock",
        level=1,
        says="rng is not handed to every convolution; the others draw from a generator nobody can repeat",
        twist={"(out_channels, out_channels, 3, 1, rng)": "(out_channels, out_channels, 3, 1, None)"},
    ),
    Mistake(
        name="stride_in_the_first_1x1",
        exercise="Bottleneck",
        level=1,
        says="the stride stands in the first 1x1, which leaves three of four pixels unread; it belongs in the 3x3",
        twist={
            "_bare_conv(in_channels, width, 1, 1, rng)": "_bare_conv(in_channels, width, 1, stride, rng)",
            "self.conv2 = _bare_conv(width, width, 3, stride, rng)": "self.conv2 = _bare_conv(width, width, 3, 1, rng)",
        },
    ),
    Mistake(
        name="width_taken_for_the_result",
        exercise="Bottleneck",
        level=1,
        says="width is taken for the channels of the result, which are width * expansion; it is the narrow middle's",
        twist={"out_channels = width * expansion": "out_channels, width = width, max(1, width // expansion)"},
    ),
    Mistake(
        name="expansion_always_four",
        exercise="Bottleneck",
        level=1,
        says="the factor 4 is written into the block; expansion says it",
        twist={"out_channels = width * expansion": "out_channels = width * 4"},
    ),
    Mistake(
        name="middle_relu_missing",
        exercise="Bottleneck",
        level=2,
        says="there is no ReLU between the 3x3 and the last 1x1; two linear steps in a row are one",
        twist={
            "branch = self.relu2(self.bn2(self.conv2(branch)))": "branch = self.bn2(self.conv2(branch))",
            "self.conv2, self.bn2, self.relu2, self.conv3, self.bn3,": "self.conv2, self.bn2, self.conv3, self.bn3,",
        },
    ),
    Mistake(
        name="one_relu_for_three_places",
        exercise="Bottleneck",
        level=3,
        says="one ReLU object stands in all three places; every forward overwrites the mask of the one before",
        twist={
            "branch = self.relu2(self.bn2(self.conv2(branch)))": "branch = self.relu1(self.bn2(self.conv2(branch)))",
            "return self.relu3(branch + self.shortcut(x))": "return self.relu1(branch + self.shortcut(x))",
            "dout = self.relu3.backward(dout)": "dout = self.relu1.backward(dout)",
            "self.relu2, self.conv3, self.bn3,": "self.relu1, self.conv3, self.bn3,",
        },
    ),
    Mistake(
        name="bottleneck_relu_before_the_sum",
        exercise="Bottleneck",
        level=1,
        says="the last ReLU is applied to the branch before the sum",
        twist={
            "return self.relu3(branch + self.shortcut(x))": "return self.relu3(branch) + self.shortcut(x)",
            "        dout = self.relu3.backward(dout)\n": "",
            "self.relu2, self.conv3, self.bn3,": "self.relu2, self.conv3, self.bn3, self.relu3,",
        },
    ),
    Mistake(
        name="bottleneck_shortcut_gradient_forgotten",
        exercise="Bottleneck",
        level=1,
        says="backward goes through the branch alone; x was used twice, so two gradients arrive",
        twist={
            """        ]  # fmt: skip
        return _backward_through(branch, dout) + self.shortcut.backward(dout)""": """        ]
        return _backward_through(branch, dout)"""
        },
    ),
    Mistake(
        name="projection_by_width",
        exercise="Bottleneck",
        level=2,
        says="in_channels is compared with width to see whether the shape stays; the channels of the result count",
        twist={
            '_make_shortcut(in_channels, out_channels, stride, "projection", rng, "Bottleneck")': """(
            Sequential()
            if in_channels == width and as_pair(stride) == (1, 1)
            else Sequential(_bare_conv(in_channels, out_channels, 1, stride, rng), BatchNorm2d(out_channels))
        )""",
        },
    ),
    Mistake(
        name="bottleneck_generator_not_shared",
        exercise="Bottleneck",
        level=1,
        says="rng is not handed to every convolution; the others draw from a generator nobody can repeat",
        twist={"_bare_conv(width, width, 3, stride, rng)": "_bare_conv(width, width, 3, stride, None)"},
    ),
    Mistake(
        name="first_stage_strided",
        exercise="ResNet",
        level=2,
        says="the first stage has stride 2 as well; only the later ones halve the image",
        twist={"stride = 1 if index == 0 else 2": "stride = 2"},
    ),
    Mistake(
        name="every_block_strided",
        exercise="ResNet",
        level=2,
        says="every block of a later stage halves the image; only the first block of a stage does",
        twist={"BasicBlock(width, width, 1, shortcut, rng)": "BasicBlock(width, width, stride, shortcut, rng)"},
    ),
    Mistake(
        name="one_block_too_many",
        exercise="ResNet",
        level=1,
        says="the block that changes the shape is added to blocks_per_stage; it is one of them",
        twist={"for _ in range(blocks - 1)]": "for _ in range(blocks)]"},
    ),
    Mistake(
        name="stem_without_relu",
        exercise="ResNet",
        level=1,
        says="the stem ends at its batch norm; a ReLU follows before the first block",
        twist={
            "self.relu1(self.bn1(self.conv1(x))))))": "self.bn1(self.conv1(x)))))",
            "self.relu1, self.stages, self.pool, self.fc]": "self.stages, self.pool, self.fc]",
        },
    ),
    Mistake(
        name="shortcut_not_passed_on",
        exercise="ResNet",
        level=1,
        says="the kind of shortcut is not handed to the blocks, which take their default",
        twist={
            "BasicBlock(channels, width, stride, shortcut, rng)": "BasicBlock(channels, width, stride, rng=rng)",
            "BasicBlock(width, width, 1, shortcut, rng)": "BasicBlock(width, width, 1, rng=rng)",
        },
    ),
    Mistake(
        name="generator_not_passed_on",
        exercise="ResNet",
        level=1,
        says="rng is not handed to the blocks; each makes a generator of its own and no run can be repeated",
        twist={
            "BasicBlock(channels, width, stride, shortcut, rng)": "BasicBlock(channels, width, stride, shortcut)",
            "BasicBlock(width, width, 1, shortcut, rng)": "BasicBlock(width, width, 1, shortcut)",
        },
    ),
    Mistake(
        name="dense_layer_without_rng",
        exercise="ResNet",
        level=1,
        says="rng is not handed to the dense layer, which draws from a generator nobody can repeat",
        twist={"Linear(channels, num_classes, rng=rng)": "Linear(channels, num_classes)"},
    ),
    Mistake(
        name="dense_layer_reads_64",
        exercise="ResNet",
        level=3,
        says="the dense layer reads 64 numbers, right for the default widths alone; it reads the last stage's channels",
        twist={"Linear(channels, num_classes, rng=rng)": "Linear(64, num_classes, rng=rng)"},
    ),
    Mistake(
        name="one_block_repeated",
        exercise="ResNet",
        level=2,
        says="one block object stands several times in a stage; each place needs a block of its own",
        twist={" for _ in range(blocks - 1)]": "] * (blocks - 1)"},
    ),
    Mistake(
        name="stages_in_a_list",
        exercise="ResNet",
        level=1,
        says="the stages lie in a plain list, where Layer does not look: no parameters, no modes, no state",
        twist={
            "self.stages = Sequential(*stages)": "self.stages = stages",
            "self.fc(self.pool(self.stages(": "self.fc(self.pool(Sequential(*self.stages)(",
            "self.relu1, self.stages, self.pool": "self.relu1, Sequential(*self.stages), self.pool",
        },
    ),
    Mistake(
        name="lengths_not_compared",
        exercise="ResNet",
        level=1,
        says="blocks_per_stage and widths of different lengths are cut to the shorter one in silence",
        twist={
            "if len(blocks_per_stage) != len(widths):": "if False:",
            "zip(blocks_per_stage, widths, strict=True)": "zip(blocks_per_stage, widths, strict=False)",
        },
    ),
    Mistake(
        name="images_always_rgb",
        exercise="ResNet",
        level=1,
        says="the stem is built for 3 channels whatever in_channels says",
        twist={"_bare_conv(in_channels, widths[0], 3, 1, rng)": "_bare_conv(3, widths[0], 3, 1, rng)"},
    ),
]


class Results(dict):
    """Results by name; shown by their names alone where they are shown whole."""

    def __repr__(self):
        return f"results ({', '.join(self)})"


def refused(call, *numbers):
    """What becomes of a call that ought to be refused: whether it is a ValueError, and one with the numbers."""
    try:
        call()
    except ValueError as error:
        named = all(str(number) in str(error) for number in numbers)
        return "ValueError" if named else "a ValueError that lacks the numbers"
    except Exception as error:
        return type(error).__name__
    return "accepted"


def dtype(array):
    """The name of an array's dtype."""
    return str(np.asarray(array).dtype)


def images(rng):
    """Two images of three channels, and for each channel a scale, a shift, a running mean and a running variance."""
    x = 2 * rng.standard_normal((2, 3, 2, 4)) + 1
    return x, *rng.standard_normal((3, 3)), rng.uniform(0.5, 2, 3)


def filled(layer, rng):
    """Return the layer in float64 with random parameters and running statistics."""
    state = layer.astype(np.float64).state_dict()
    for name, array in sorted(state.items()):
        state[name] = rng.standard_normal(array.shape)
        if name.endswith("running_var"):
            state[name] = 0.5 + np.abs(state[name])
    layer.load_state_dict(state)
    return layer


def both_ways(layer, x, rng):
    """Return the output, dx, and the sum of every parameter's gradient in their order, for a random dout."""
    out = layer(x)
    dx = layer.backward(rng.standard_normal(out.shape))
    sums = [np.sum(parameter.grad) for parameter in layer.parameters()]
    return Results({"out": out, "dx": dx, "number of parameters": len(sums), "sum of a .grad": sums})


def nothing_both_ways(layer, channels):
    """Return the shapes of output and dx for a batch without images."""
    out = layer(np.zeros((0, channels, 5, 6), np.float32))
    return {"out shape": np.shape(out), "dx shape": np.shape(layer.backward(np.zeros(np.shape(out), np.float32)))}


def unrepeatable(make):
    """Return the names of the state's arrays that a second layer made so does not share with the first."""
    one, two = make().state_dict(), make().state_dict()
    return {"arrays that a generator of equal seed draws differently": [n for n in one if np.any(one[n] != two[n])]}


@probe("batch_norm_forward")
def training(solution, rng):
    x, weight, bias, _, _ = images(rng)
    return solution.batch_norm_forward(x, weight, bias, None, None, True, eps=0.01)[0]


@probe("batch_norm_forward")
def what_training_remembers(solution, rng):
    x, _, _, mean, var = images(rng)
    solution.batch_norm_forward(x, None, None, mean, var, True, momentum=0.3)
    return Results(running_mean=mean, running_var=var)


@probe("batch_norm_forward")
def x_after_training(solution, rng):
    x, weight, bias, _, _ = images(rng)
    before = x.copy()
    solution.batch_norm_forward(x, weight, bias, None, None, True)
    return {"x unchanged": bool(np.array_equal(x, before))}


@probe("batch_norm_forward")
def evaluation(solution, rng):
    return solution.batch_norm_forward(*images(rng), False, momentum=0.3, eps=0.01)[0]


@probe("batch_norm_forward")
def what_evaluation_remembers(solution, rng):
    x, _, _, mean, var = images(rng)
    solution.batch_norm_forward(x, None, None, mean, var, False, momentum=0.3)
    return Results(running_mean=mean, running_var=var)


@probe("batch_norm_forward")
def a_constant_channel(solution, rng):
    out, _ = solution.batch_norm_forward(np.full((2, 1, 3, 4), 7.0), None, None, None, None, True)
    return {"out is finite": bool(np.all(np.isfinite(out)))}


@probe("batch_norm_forward")
def far_from_zero(solution, rng):
    x = (100000 + rng.integers(-3, 4, (3, 2, 4, 5))).astype(np.float32)
    out, _ = solution.batch_norm_forward(x, None, None, None, None, True)
    return {"the spread of out is about 1": bool(0.5 < np.std(out, dtype=np.float64) < 1.5)}


@probe("batch_norm_forward")
def float32_images(solution, rng):
    x, weight, bias, mean, var = images(rng)
    return {"out dtype": dtype(solution.batch_norm_forward(x.astype(np.float32), weight, bias, mean, var, True)[0])}


@probe("batch_norm_forward")
def whole_images(solution, rng):
    _, weight, bias, _, _ = images(rng)
    return solution.batch_norm_forward(rng.integers(-9, 10, (2, 3, 2, 4)), weight, bias, None, None, True)[0]


@probe("batch_norm_forward")
def an_empty_batch(solution, rng):
    _, weight, bias, mean, var = images(rng)
    before = mean.copy()
    out, _ = solution.batch_norm_forward(np.zeros((0, 3, 4, 5)), weight, bias, mean, var, True)
    return {"out shape": np.shape(out), "running_mean unchanged": bool(np.array_equal(mean, before))}


@probe("batch_norm_forward")
def result_overwritten(solution, rng):
    x, dout = rng.standard_normal((2, 2, 3, 2, 4))
    (out, cache), (_, other) = (solution.batch_norm_forward(x, None, None, None, None, True) for _ in range(2))
    out[:] = 1
    try:
        one, two = (solution.batch_norm_backward(dout, kept)[0] for kept in (cache, other))
        same = np.allclose(one, two)
    except Exception:
        same = True  # a fault of backward's
    return {"dx is the same after out was overwritten": bool(same)}


@probe("batch_norm_forward")
def a_single_value(solution, rng):
    return refused(lambda: solution.batch_norm_forward(np.zeros((1, 3, 1, 1)), None, None, None, None, True))


@probe("batch_norm_forward")
def a_scale_of_one_number(solution, rng):
    x, _, bias, _, _ = images(rng)
    return refused(lambda: solution.batch_norm_forward(x, np.ones(1), bias, None, None, True))


@probe("batch_norm_forward")
def evaluation_without_statistics(solution, rng):
    return refused(lambda: solution.batch_norm_forward(images(rng)[0], None, None, None, None, False))


@probe("batch_norm_forward")
def an_image_without_a_batch(solution, rng):
    return refused(lambda: solution.batch_norm_forward(np.zeros((3, 4, 5)), None, None, None, None, True))


@probe("batch_norm_forward")
def what_a_refused_call_remembers(solution, rng):
    x, _, _, mean, _ = images(rng)
    before = mean.copy()
    refused(lambda: solution.batch_norm_forward(x, None, None, mean, np.ones(2), True))
    return {"running_mean unchanged": bool(np.array_equal(mean, before))}


def gradients(solution, x, dout, *arguments):
    """Return the three gradients by name."""
    _, cache = solution.batch_norm_forward(x, *arguments)
    return Results(zip(("dx", "dweight", "dbias"), solution.batch_norm_backward(dout, cache), strict=True))


@probe("batch_norm_backward")
def training_gradients(solution, rng):
    x, weight, bias, _, _ = images(rng)
    return gradients(solution, x, rng.standard_normal(x.shape), weight, bias, None, None, True)


@probe("batch_norm_backward")
def evaluation_gradients(solution, rng):
    x, *vectors = images(rng)
    return gradients(solution, x, rng.standard_normal(x.shape), *vectors, False)


@probe("batch_norm_backward")
def dtypes_of_float32_images(solution, rng):
    x, weight, bias, _, _ = images(rng)
    dout = rng.standard_normal(x.shape)
    found = gradients(solution, x.astype(np.float32), dout, weight, bias, None, None, True)
    return {f"{name} dtype": dtype(array) for name, array in found.items()}


@probe("batch_norm_backward")
def dtypes_of_float32_images_and_gradients(solution, rng):
    x, dout = rng.standard_normal((2, 2, 3, 2, 4)).astype(np.float32)
    found = gradients(solution, x, dout, np.ones(3, np.float32), np.zeros(3, np.float32), None, None, True)
    return {f"{name} dtype": dtype(array) for name, array in found.items()}


@probe("batch_norm_backward")
def dtypes_of_whole_images(solution, rng):
    x, dout = rng.integers(-9, 10, (2, 3, 2, 4)), rng.standard_normal((2, 3, 2, 4))
    found = gradients(solution, x, dout, np.ones(3), np.zeros(3), None, None, True)
    return {f"{name} dtype": dtype(array) for name, array in found.items()}


@probe("batch_norm_backward")
def gradients_of_an_empty_batch(solution, rng):
    x = np.zeros((0, 3, 4, 5))
    return gradients(solution, x, x, np.ones(3), np.zeros(3), None, None, True)


@probe("batch_norm_backward")
def cache_used_again(solution, rng):
    x, weight, bias, _, _ = images(rng)
    _, cache = solution.batch_norm_forward(x, weight, bias, None, None, True)
    first, second = (solution.batch_norm_backward(x, cache)[0].copy() for _ in range(2))
    return {"dx is the same the second time": bool(np.allclose(first, second))}


@probe("batch_norm_backward")
def without_scale_and_shift(solution, rng):
    x = images(rng)[0]
    found = gradients(solution, x, rng.standard_normal(x.shape), None, None, None, None, True)
    return {"dweight is None": found["dweight"] is None, "dbias is None": found["dbias"] is None}


@probe("batch_norm_backward")
def a_dout_that_broadcasts(solution, rng):
    x = images(rng)[0]
    _, cache = solution.batch_norm_forward(x, None, None, None, None, True)
    return refused(lambda: solution.batch_norm_backward(np.ones((1, 3, 2, 4)), cache), "1, 3, 2, 4", "2, 3, 2, 4")


@probe("BatchNorm2d")
def a_new_layer(solution, rng):
    return Results(solution.BatchNorm2d(3).state_dict())


@probe("BatchNorm2d")
def trained_arrays(solution, rng):
    return {"number of parameters": len(solution.BatchNorm2d(3).parameters())}


@probe("BatchNorm2d")
def out_in_training(solution, rng):
    return solution.BatchNorm2d(3, eps=0.5, momentum=0.3)(images(rng)[0])


@probe("BatchNorm2d")
def state_after_training(solution, rng):
    layer = solution.BatchNorm2d(3, eps=0.5, momentum=0.3)
    layer(images(rng)[0])
    return Results({name: array.astype(np.float32) for name, array in layer.state_dict().items()})


@probe("BatchNorm2d")
def out_in_evaluation(solution, rng):
    layer = solution.BatchNorm2d(3, eps=0.5).eval()
    return Results({"out in evaluation": layer(images(rng)[0])})


@probe("BatchNorm2d")
def state_after_evaluation(solution, rng):
    layer = solution.BatchNorm2d(3).eval()
    layer(images(rng)[0])
    return Results({name: array.astype(np.float32) for name, array in layer.state_dict().items()})


@probe("BatchNorm2d")
def two_backwards(solution, rng):
    layer, x = solution.BatchNorm2d(3), images(rng)[0]
    for _ in range(2):
        layer(x)
        layer.backward(rng.standard_normal(x.shape))
    return Results({"weight.grad": np.float32(layer.weight.grad), "bias.grad": np.float32(layer.bias.grad)})


@probe("BasicBlock")
def identity_block(solution, rng):
    return both_ways(filled(solution.BasicBlock(3, 3), rng), rng.standard_normal((2, 3, 5, 4)), rng)


@probe("BasicBlock")
def shapes_of_a_projection_block(solution, rng):
    return {"shapes of the state": sorted(map(np.shape, solution.BasicBlock(2, 3, stride=2).state_dict().values()))}


@probe("BasicBlock")
def projection_block(solution, rng):
    block = filled(solution.BasicBlock(2, 3, stride=2), rng)
    return both_ways(block, rng.standard_normal((2, 2, 5, 6)), rng)


@probe("BasicBlock")
def stride_alone(solution, rng):
    return filled(solution.BasicBlock(3, 3, stride=2), rng)(rng.standard_normal((2, 3, 5, 6)))


@probe("BasicBlock")
def channels_alone(solution, rng):
    return filled(solution.BasicBlock(2, 3), rng)(rng.standard_normal((2, 2, 5, 6)))


@probe("BasicBlock")
def padded_block(solution, rng):
    block = filled(solution.BasicBlock(2, 5, stride=2, shortcut="pad"), rng)
    return both_ways(block, rng.standard_normal((2, 2, 5, 6)), rng)


@probe("BasicBlock")
def no_images_through_a_block(solution, rng):
    return nothing_both_ways(solution.BasicBlock(2, 3, stride=2, shortcut="pad"), 2)


@probe("BasicBlock")
def unknown_name_without_need(solution, rng):
    return refused(lambda: solution.BasicBlock(3, 3, shortcut="none"))


@probe("BasicBlock")
def unknown_name(solution, rng):
    return refused(lambda: solution.BasicBlock(3, 4, shortcut="none"))


@probe("BasicBlock")
def padding_to_fewer(solution, rng):
    return refused(lambda: solution.BasicBlock(5, 3, shortcut="pad"))


@probe("BasicBlock")
def drawn_twice_by_a_block(solution, rng):
    return unrepeatable(lambda: solution.BasicBlock(2, 3, rng=np.random.default_rng(1)))


@probe("Bottleneck")
def shapes_of_a_bottleneck(solution, rng):
    state = solution.Bottleneck(6, 3, expansion=2).state_dict()
    return {"shapes of the state": sorted(map(np.shape, state.values()))}


@probe("Bottleneck")
def identity_bottleneck(solution, rng):
    return both_ways(filled(solution.Bottleneck(6, 3, expansion=2), rng), rng.standard_normal((2, 6, 5, 4)), rng)


@probe("Bottleneck")
def strided_bottleneck(solution, rng):
    return both_ways(filled(solution.Bottleneck(3, 2, 2, expansion=3), rng), rng.standard_normal((2, 3, 5, 6)), rng)


@probe("Bottleneck")
def as_wide_as_its_middle(solution, rng):
    return filled(solution.Bottleneck(3, 3, expansion=2), rng)(rng.standard_normal((2, 3, 4, 5)))


@probe("Bottleneck")
def no_images_through_a_bottleneck(solution, rng):
    return nothing_both_ways(solution.Bottleneck(3, 2, expansion=3), 3)


@probe("Bottleneck")
def drawn_twice_by_a_bottleneck(solution, rng):
    return unrepeatable(lambda: solution.Bottleneck(2, 3, rng=np.random.default_rng(1)))


@probe("ResNet")
def shapes_of_a_network(solution, rng):
    state = solution.ResNet([1, 3], (2, 3), num_classes=4).state_dict()
    return {"shapes of the state": sorted(map(np.shape, state.values()))}


@probe("ResNet")
def network_with_projections(solution, rng):
    net = filled(solution.ResNet([1, 3], (2, 3), num_classes=4, rng=np.random.default_rng(8)), rng)
    return both_ways(net, rng.standard_normal((2, 3, 7, 8)), rng)


@probe("ResNet")
def network_with_padding(solution, rng):
    net = solution.ResNet([1, 2], (2, 3), 4, in_channels=2, shortcut="pad", rng=np.random.default_rng(9))
    return both_ways(filled(net, rng), rng.standard_normal((2, 2, 7, 8)), rng)


@probe("ResNet")
def no_images_through_a_network(solution, rng):
    return nothing_both_ways(solution.ResNet([1, 1], (2, 3)), 3)


@probe("ResNet")
def drawn_twice(solution, rng):
    return unrepeatable(lambda: solution.ResNet([1, 2], (2, 3), rng=np.random.default_rng(1)))


@probe("ResNet")
def stages_without_width(solution, rng):
    return refused(lambda: solution.ResNet([1, 1], (2, 3, 4)))
