"""Wrong turns learners take in Topic 11, and the probes that tell them apart."""

import operator

import numpy as np

from kata.mistakes import Mistake, probe

MISTAKES = [
    # --- conv_output_size -----------------------------------------------------------------------
    Mistake(
        name="size_rounded_up",
        exercise="conv_output_size",
        level=2,
        says="the division is rounded up, so the last window sticks out of the image",
        twist={"return (padded - kernel_size) // stride + 1": "return -(-(padded - kernel_size) // stride) + 1"},
    ),
    Mistake(
        name="steps_not_positions",
        exercise="conv_output_size",
        level=1,
        says="the steps are counted, not the positions: the window stands somewhere before its first step",
        twist={"return (padded - kernel_size) // stride + 1": "return (padded - kernel_size) // stride"},
    ),
    Mistake(
        name="stride_left_out",
        exercise="conv_output_size",
        level=2,
        says="every pixel's step is counted; the window moves a whole stride at a time",
        twist={"return (padded - kernel_size) // stride + 1": "return padded - kernel_size + 1"},
    ),
    Mistake(
        name="one_added_before_dividing",
        exercise="conv_output_size",
        level=2,
        says="the 1 for the first position is divided by the stride as well; add it after the division",
        twist={"return (padded - kernel_size) // stride + 1": "return (padded - kernel_size + 1) // stride"},
    ),
    Mistake(
        name="size_is_a_float",
        exercise="conv_output_size",
        level=3,
        says="the size is a float from / and floor; range() and shapes want the int that // gives",
        twist={
            "return (padded - kernel_size) // stride + 1": "return float((padded - kernel_size) // stride + 1)",
            "H_out, W_out = conv_output_size(H, kh, sh, ph), conv_output_size(W, kw, sw, pw)": (
                "H_out, W_out = int(conv_output_size(H, kh, sh, ph)), int(conv_output_size(W, kw, sw, pw))"
            ),
            "H_out, W_out = conv_output_size(H, kh, sh), conv_output_size(W, kw, sw)": (
                "H_out, W_out = int(conv_output_size(H, kh, sh)), int(conv_output_size(W, kw, sw))"
            ),
        },
    ),
    Mistake(
        name="padding_at_one_end",
        exercise="conv_output_size",
        level=1,
        says="padding is counted once; it lengthens the axis at both ends",
        twist={"padded = size + 2 * padding": "padded = size + padding"},
    ),
    Mistake(
        name="misfit_counted",
        exercise="conv_output_size",
        level=3,
        says="a window larger than the padded axis is counted instead of refused",
        twist={"if kernel_size > padded:": "if False:"},
    ),
    Mistake(
        name="misfit_before_padding",
        exercise="conv_output_size",
        level=3,
        says="the window is compared with the axis before padding; padding may make room for it",
        twist={"if kernel_size > padded:": "if kernel_size > size:"},
    ),
    Mistake(
        name="exact_fit_refused",
        exercise="conv_output_size",
        level=3,
        says="a window exactly as long as the padded axis is refused; it has one position",
        twist={"if kernel_size > padded:": "if kernel_size >= padded:"},
    ),
    Mistake(
        name="limits_unchecked",
        exercise="conv_output_size",
        level=3,
        says="a stride or kernel below 1, or a negative padding, goes unchecked into the formula",
        twist={"if kernel_size < 1:": "if False:", "if stride < 1:": "if False:", "if padding < 0:": "if False:"},
    ),
    # --- pad2d ----------------------------------------------------------------------------------
    Mistake(
        name="padding_across_then_down",
        exercise="pad2d",
        level=1,
        says="the pair is read as (columns, rows); it is (rows, columns), as in a shape",
        twist={'ph, pw = as_pair(padding, "padding")\n    if': 'pw, ph = as_pair(padding, "padding")\n    if'},
    ),
    Mistake(
        name="image_in_the_corner",
        exercise="pad2d",
        level=2,
        says="the image is put into the upper left corner, so the whole border lies below and to the right",
        twist={"padded[:, :, ph : ph + H, pw : pw + W] = x": "padded[:, :, :H, :W] = x"},
    ),
    Mistake(
        name="border_always_zero",
        exercise="pad2d",
        level=1,
        says="the border is zero whatever value was asked for",
        twist={"W + 2 * pw), value, x.dtype)": "W + 2 * pw), 0 * value, x.dtype)"},
    ),
    Mistake(
        name="border_decides_the_dtype",
        exercise="pad2d",
        level=3,
        says="the new array is made without a dtype, so the border's value decides it and not x",
        twist={"W + 2 * pw), value, x.dtype)": "W + 2 * pw), float(value))"},
    ),
    Mistake(
        name="integers_stay",
        exercise="pad2d",
        level=3,
        says="integer images stay integers and cut off the fraction; as_float(x) promotes them",
        twist={'x = _images(x, "pad2d")': 'x = _images(x, "pad2d").astype(np.asarray(x).dtype)'},
    ),
    Mistake(
        name="nothing_to_pad_nothing_copied",
        exercise="pad2d",
        level=3,
        says="with padding 0 the image itself is returned, and whoever writes into the result writes into the image",
        twist={
            "    N, C, H, W = x.shape\n    padded = np.full(": (
                "    if ph == pw == 0:\n        return x\n    N, C, H, W = x.shape\n    padded = np.full("
            )
        },
    ),
    Mistake(
        name="written_over_the_image",
        exercise="pad2d",
        level=1,
        says="the border is painted onto the image's own edge instead of around it",
        twist={
            "padded[:, :, ph : ph + H, pw : pw + W] = x": (
                "padded[:, :, ph : ph + H, pw : pw + W] = x\n"
                "    if value and x.size and (ph or pw):\n        x[:, :, :1], x[:, :, :, :1] = value, value"
            )
        },
    ),
    Mistake(
        name="padding_cropped",
        exercise="pad2d",
        level=3,
        says="a negative padding is let through and crops the image",
        twist={
            "if ph < 0 or pw < 0:": (
                "if min(ph, pw) < 0:\n"
                "        top, left = max(-ph, 0), max(-pw, 0)\n"
                "        return x[:, :, top : x.shape[2] - top, left : x.shape[3] - left]\n"
                "    if False:"
            ),
            "    if padding < 0:\n": "    if False:\n",
        },
    ),
    Mistake(
        name="rank_unchecked",
        exercise="pad2d",
        level=3,
        says="an array without a batch axis is padded as if it were one channel's batch; only 4-D images go in",
        twist={
            "    if x.ndim != 4:": (
                "    x = x.reshape((1, 1, 1, 1, *x.shape)[-4:] if x.ndim < 4 else x.shape[-4:])\n    if False:"
            )
        },
    ),
    # --- conv2d_forward -------------------------------------------------------------------------
    Mistake(
        name="kernel_flipped",
        exercise="conv2d_forward",
        level=2,
        says="the kernel is flipped before the products are summed; networks use it as it lies (cross-correlation)",
        twist={"np.sum(window * weight[o])": "np.sum(window * weight[o, :, ::-1, ::-1])"},
    ),
    Mistake(
        name="stride_across_then_down",
        exercise="conv2d_forward",
        level=1,
        says="the stride is read as (across, down); it is (down, across), as in a shape",
        twist={
            'weight, bias, "conv2d_forward")\n    (sh, sw), (ph, pw)': (
                'weight, bias, "conv2d_forward")\n    (sw, sh), (ph, pw)'
            )
        },
    ),
    Mistake(
        name="window_moves_by_one",
        exercise="conv2d_forward",
        level=2,
        says="the window moves one pixel at a time; output pixel i starts at input row i times the stride",
        twist={
            "padded[n, :, i * sh : i * sh + kh, j * sw : j * sw + kw]": "padded[n, :, i : i + kh, j : j + kw]",
        },
    ),
    Mistake(
        name="first_channel_only",
        exercise="conv2d_forward",
        level=1,
        says="only the first input channel is read; a kernel spans all of them and sums over them",
        twist={"np.sum(window * weight[o])": "np.sum(window[0] * weight[o, 0])"},
    ),
    Mistake(
        name="channels_averaged",
        exercise="conv2d_forward",
        level=2,
        says="the products are averaged over the input channels; they are summed",
        twist={"np.sum(window * weight[o])": "np.sum(window * weight[o]) / len(window)"},
    ),
    Mistake(
        name="bias_in_every_product",
        exercise="conv2d_forward",
        level=2,
        says="the bias is added to every product before the sum, so it counts C * kh * kw times",
        twist={
            "np.sum(window * weight[o])": "np.sum(window * weight[o] + (0 if bias is None else bias[o]))",
            "                out[n, o] += bias[o]": "                pass",
        },
    ),
    Mistake(
        name="bias_forgotten",
        exercise="conv2d_forward",
        level=1,
        says="the bias is never added",
        twist={"                out[n, o] += bias[o]": "                pass"},
    ),
    Mistake(
        name="window_overwritten",
        exercise="conv2d_forward",
        level=3,
        says="the window is multiplied in place; it is a view of the padded image, so its neighbour reads products",
        twist={"np.sum(window * weight[o])": "np.multiply(window, weight[o], out=window).sum()"},
    ),
    Mistake(
        name="image_overwritten",
        exercise="conv2d_forward",
        level=3,
        says="the window is multiplied in place; without padding that is a view of the caller's image",
        twist={
            "np.sum(window * weight[o])": "np.multiply(window, weight[o], out=window).sum()",
            "padded = pad2d(x, (ph, pw))": "padded = pad2d(x, (ph, pw)) if ph or pw else x",
        },
    ),
    Mistake(
        name="output_without_dtype",
        exercise="conv2d_forward",
        level=3,
        says="the output is made without the dtype of x, so float32 images come back as float64",
        twist={"out = np.zeros((N, O, H_out, W_out), x.dtype)": "out = np.zeros((N, O, H_out, W_out))"},
    ),
    Mistake(
        name="integer_arithmetic",
        exercise="conv2d_forward",
        level=3,
        says="integer images compute in integers, which cut off the weight's fractions; as_float(x) promotes them",
        twist={'x = _images(x, "conv2d_forward")': 'x = _images(x, "conv2d_forward").astype(np.asarray(x).dtype)'},
    ),
    Mistake(
        name="channels_unchecked",
        exercise="conv2d_forward",
        level=3,
        says="NumPy stretches a single channel over many where a mismatch should be an error",
        twist={"weight.ndim != 4 or weight.shape[1] != x.shape[1]": "weight.ndim != 4"},
    ),
    Mistake(
        name="channels_zipped",
        exercise="conv2d_forward",
        level=3,
        says="the channels are paired by zip, which drops those left over without a word; compare their numbers first",
        twist={
            "weight.ndim != 4 or weight.shape[1] != x.shape[1]": "weight.ndim != 4",
            "np.sum(window * weight[o])": "sum(np.sum(part * kernel) for part, kernel in zip(window, weight[o]))",
        },
    ),
    Mistake(
        name="output_used_again",
        exercise="conv2d_forward",
        level=3,
        says="the output array is kept and filled again, so the next call overwrites the last one's result",
        twist={
            "out = np.zeros((N, O, H_out, W_out), x.dtype)": (
                "kept = _check_operands.__dict__\n"
                "    out = kept.setdefault(str((N, O, H_out, W_out, x.dtype)), np.zeros((N, O, H_out, W_out), x.dtype))"
            )
        },
    ),
    Mistake(
        name="weight_reshaped",
        exercise="conv2d_forward",
        level=3,
        says="a weight that is not 4-D is made 4-D instead of being refused",
        twist={
            '    _check_operands(x, weight, bias, "conv2d_forward")': (
                "    weight = weight[(None,) * (4 - weight.ndim)]\n"
                '    _check_operands(x, weight, bias, "conv2d_forward")'
            )
        },
    ),
    Mistake(
        name="bias_stretched",
        exercise="conv2d_forward",
        level=3,
        says="a bias of another shape is stretched over the output channels instead of being refused",
        twist={
            "if bias is not None and np.shape(bias) != weight.shape[:1]:": (
                "if bias is not None and np.size(bias) not in (1, weight.shape[0]):"
            ),
            "                out[n, o] += bias[o]": "                out[n, o] += np.resize(bias, O)[o]",
        },
    ),
    Mistake(
        name="empty_batch_refused",
        exercise="conv2d_forward",
        level=3,
        says="a batch of no images is refused; it is a batch like any other and its output is empty",
        twist={
            "    O, _, kh, kw = weight.shape\n    H_out, W_out = conv_output_size(H, kh, sh, ph)": (
                "    O, _, kh, kw = weight.shape\n    if N == 0:\n        raise ValueError\n"
                "    H_out, W_out = conv_output_size(H, kh, sh, ph)"
            )
        },
    ),
    Mistake(
        name="stride_down_used_across",
        exercise="conv2d_forward",
        level=1,
        says="the stride down is used for the columns as well; the second of the pair is the step across",
        twist={
            "i * sh : i * sh + kh, j * sw : j * sw + kw]": "i * sh : i * sh + kh, j * sh : j * sh + kw]",
        },
    ),
    Mistake(
        name="products_averaged",
        exercise="conv2d_forward",
        level=2,
        says="the products under a window are averaged; they are summed",
        twist={
            "np.sum(window * weight[o])": "np.mean(window * weight[o])",
        },
    ),
    Mistake(
        name="bias_for_every_input_channel",
        exercise="conv2d_forward",
        level=2,
        says="the bias is added once for every input channel; an output number gets it once",
        twist={
            "                out[n, o] += bias[o]": "                out[n, o] += bias[o] * len(weight[o])",
        },
    ),
    Mistake(
        name="bias_unchecked",
        exercise="conv2d_forward",
        level=3,
        says="the bias's shape is not checked: one that is too long is cut off in silence",
        twist={
            "if bias is not None and np.shape(bias) != weight.shape[:1]:": "if False:",
        },
    ),
    # --- conv2d_backward ------------------------------------------------------------------------
    Mistake(
        name="shares_assigned",
        exercise="conv2d_backward",
        level=2,
        says="a window's share of dx is assigned, not added, so overlapping windows erase each other's",
        twist={"dpadded[n, :, rows, columns] += ": "dpadded[n, :, rows, columns] = "},
    ),
    Mistake(
        name="last_window_wins",
        exercise="conv2d_backward",
        level=2,
        says="dweight keeps the share of the last window only; every image and position adds one",
        twist={"dweight[o] += dout": "dweight[o] = dout"},
    ),
    Mistake(
        name="kernel_flipped_in_backward",
        exercise="conv2d_backward",
        level=2,
        says="the kernel is flipped in dx; each pixel gets back exactly the weight it was multiplied with",
        twist={"dout[n, o, i, j] * weight[o]": "dout[n, o, i, j] * weight[o, :, ::-1, ::-1]"},
    ),
    Mistake(
        name="stride_forgotten_in_backward",
        exercise="conv2d_backward",
        level=2,
        says="backward looks at windows one pixel apart; it must cut the windows forward cut, a stride apart",
        twist={
            "rows, columns = slice(i * sh, i * sh + kh), slice(j * sw, j * sw + kw)": (
                "rows, columns = slice(i, i + kh), slice(j, j + kw)"
            )
        },
    ),
    Mistake(
        name="padding_kept",
        exercise="conv2d_backward",
        level=1,
        says="dx still has the padding's rows and columns around it",
        twist={"dx = dpadded[:, :, ph : H - ph, pw : W - pw].copy()": "dx = dpadded"},
    ),
    Mistake(
        name="cut_to_minus_zero",
        exercise="conv2d_backward",
        level=3,
        says="the padding is cut off with ph:-ph, which is empty where ph is 0",
        twist={"dpadded[:, :, ph : H - ph, pw : W - pw].copy()": "dpadded[:, :, ph:-ph, pw:-pw].copy()"},
    ),
    Mistake(
        name="bias_gradient_of_each_image",
        exercise="conv2d_backward",
        level=2,
        says="dbias is not summed over the images; one bias serves all of them",
        twist={"dbias = dout.sum(axis=(0, 2, 3))": "dbias = dout.sum(axis=(2, 3))"},
    ),
    Mistake(
        name="gradients_averaged",
        exercise="conv2d_backward",
        level=2,
        says="dweight and dbias are divided by the number of images; any averaging is the loss's business and in dout",
        twist={
            "    return dx, dweight, dbias\n": (
                "    count = max(len(dout), 1)\n"
                "    return dx, dweight / count, None if dbias is None else dbias / count\n"
            )
        },
    ),
    Mistake(
        name="bias_gradient_without_bias",
        exercise="conv2d_backward",
        level=3,
        says="dbias is an array although there was no bias; the gradient of None is None",
        twist={"dout.sum(axis=(0, 2, 3)) if has_bias else None": "dout.sum(axis=(0, 2, 3))"},
    ),
    Mistake(
        name="one_cache_for_all",
        exercise="conv2d_backward",
        level=3,
        says="what backward needs is kept in the module, where the next forward overwrites it; put it in the cache",
        twist={
            "return out, (padded, weight, bias is not None, (sh, sw), (ph, pw))": (
                "_images.kept = (padded, weight, bias is not None, (sh, sw), (ph, pw))\n    return out, None"
            ),
            "padded, weight, has_bias, (sh, sw), (ph, pw) = cache": (
                "padded, weight, has_bias, (sh, sw), (ph, pw) = _images.kept"
            ),
        },
    ),
    Mistake(
        name="sum_kept_in_the_cache",
        exercise="conv2d_backward",
        level=3,
        says="dweight is kept in the cache and a second backward adds to the first; start every call at zeros",
        twist={
            "return out, (padded, weight, bias is not None, (sh, sw), (ph, pw))": (
                "return out, (padded, weight, bias is not None, (sh, sw), (ph, pw), np.zeros_like(weight))"
            ),
            "has_bias, (sh, sw), (ph, pw) = cache": "has_bias, (sh, sw), (ph, pw), dweight = cache",
            "    dweight = np.zeros_like(weight)\n": "",
        },
    ),
    Mistake(
        name="dout_unchecked",
        exercise="conv2d_backward",
        level=3,
        says="the shape of dout is not compared with the output's; only that very shape is a gradient",
        twist={"if np.shape(dout) != (N, O, H_out, W_out):": "if False:"},
    ),
    Mistake(
        name="dout_scaled_in_place",
        exercise="conv2d_backward",
        level=3,
        says="dout itself is changed along the way; the caller still needs it",
        twist={
            "    dbias = dout.sum(axis=(0, 2, 3)) if has_bias else None": (
                "    dbias = dout.sum(axis=(0, 2, 3)) if has_bias else None\n    dout *= 0"
            )
        },
    ),
    Mistake(
        name="gradients_always_float64",
        exercise="conv2d_backward",
        level=3,
        says="the gradients start as np.zeros without the dtype of x, so a float32 convolution gets float64",
        twist={
            "dpadded = np.zeros_like(padded)": "dpadded = np.zeros(padded.shape)",
            "dweight = np.zeros_like(weight)": "dweight = np.zeros(weight.shape)",
        },
    ),
    Mistake(
        name="bias_gradient_averaged",
        exercise="conv2d_backward",
        level=2,
        says="dbias is the mean of dout; every output number got the whole bias, so it is the sum",
        twist={
            "dbias = dout.sum(axis=(0, 2, 3))": "dbias = dout.mean(axis=(0, 2, 3))",
        },
    ),
    Mistake(
        name="bias_gradient_divided_by_images",
        exercise="conv2d_backward",
        level=2,
        says="dbias is divided by the number of images; any averaging is the loss's business and in dout",
        twist={
            "    return dx, dweight, dbias\n": "    return dx, dweight, None if dbias is None else dbias / max(N, 1)\n",
        },
    ),
    Mistake(
        name="bias_gradient_over_channels",
        exercise="conv2d_backward",
        level=1,
        says="dbias is summed over the output channels; the axis it keeps is theirs, 1",
        twist={
            "dbias = dout.sum(axis=(0, 2, 3))": "dbias = dout.sum(axis=(1, 2, 3))",
        },
    ),
    Mistake(
        name="bias_gradient_in_dtype_of_dout",
        exercise="conv2d_backward",
        level=3,
        says="dbias has the dtype that dout came in; cast dout to the dtype of x first",
        twist={
            "    dout = np.asarray(dout, padded.dtype)\n": "    dout = np.asarray(dout)\n",
        },
    ),
    # --- Conv2d ---------------------------------------------------------------------------------
    Mistake(
        name="gradient_overwritten",
        exercise="Conv2d",
        level=2,
        says="backward assigns .grad; it adds, so that several passes can share one step",
        twist={
            "self.weight.grad += dweight": "self.weight.grad = dweight",
            "self.bias.grad += dbias": "self.bias.grad = dbias",
        },
    ),
    Mistake(
        name="fan_out",
        exercise="Conv2d",
        level=2,
        says="the standard deviation is made from the output channels; fan_in counts what one output number reads",
        twist={"np.sqrt(2 / (in_channels * kh * kw))": "np.sqrt(2 / (out_channels * kh * kw))"},
    ),
    Mistake(
        name="window_left_out_of_fan_in",
        exercise="Conv2d",
        level=2,
        says="fan_in counts the input channels alone; each brings kh * kw numbers",
        twist={"np.sqrt(2 / (in_channels * kh * kw))": "np.sqrt(2 / in_channels)"},
    ),
    Mistake(
        name="variance_for_deviation",
        exercise="Conv2d",
        level=2,
        says="2 / fan_in is the variance; the numbers are scaled by its square root",
        twist={"np.sqrt(2 / (in_channels * kh * kw))": "2 / (in_channels * kh * kw)"},
    ),
    Mistake(
        name="uniform_weight",
        exercise="Conv2d",
        level=2,
        says="the weight is drawn uniformly; here it is normal",
        twist={
            "rng.standard_normal((out_channels, in_channels, kh, kw)) * deviation": (
                "rng.uniform(-1, 1, (out_channels, in_channels, kh, kw)) * deviation * np.sqrt(3)"
            )
        },
    ),
    Mistake(
        name="generator_ignored",
        exercise="Conv2d",
        level=3,
        says="the rng handed in is not the one that draws, so runs can't be repeated",
        twist={
            "rng = np.random.default_rng() if rng is None else rng\n        kh, kw": (
                "rng = np.random.default_rng()\n        kh, kw"
            )
        },
    ),
    Mistake(
        name="same_weight_every_time",
        exercise="Conv2d",
        level=3,
        says="without rng every layer is drawn from one fixed seed and all start equal",
        twist={
            "rng = np.random.default_rng() if rng is None else rng\n        kh, kw": (
                "rng = np.random.default_rng(0) if rng is None else rng\n        kh, kw"
            )
        },
    ),
    Mistake(
        name="bias_always",
        exercise="Conv2d",
        level=1,
        says="the layer has a bias even with bias=False",
        twist={"Parameter(np.zeros(out_channels)) if bias else None": "Parameter(np.zeros(out_channels))"},
    ),
    Mistake(
        name="bias_of_random_numbers",
        exercise="Conv2d",
        level=1,
        says="the bias starts at random numbers; it starts at 0, the weight alone breaks the symmetry",
        twist={"Parameter(np.zeros(out_channels)) if": "Parameter(rng.standard_normal(out_channels)) if"},
    ),
    Mistake(
        name="bias_before_weight",
        exercise="Conv2d",
        level=1,
        says="the bias is assigned first; parameters come in the order of assignment, weight first",
        twist={
            "        self.weight = Parameter(rng": (
                "        self.bias = Parameter(np.zeros(out_channels)) if bias else None\n"
                "        self.weight = Parameter(rng"
            )
        },
    ),
    Mistake(
        name="settings_forgotten",
        exercise="Conv2d",
        level=1,
        says="stride and padding are accepted but never reach the convolution",
        twist={"self.weight.value, bias, self.stride, self.padding)": "self.weight.value, bias)"},
    ),
    Mistake(
        name="bias_not_handed_on",
        exercise="Conv2d",
        level=1,
        says="the layer has a bias but convolves without it",
        twist={
            "self.weight.value, bias, self.stride": "self.weight.value, None, self.stride",
            "            self.bias.grad += dbias": "            self.bias.grad += dout.sum(axis=(0, 2, 3))",
        },
    ),
    Mistake(
        name="dx_not_returned",
        exercise="Conv2d",
        level=3,
        says="backward returns nothing; the layer below waits for dx",
        twist={"        return dx\n": "        return None\n"},
    ),
    Mistake(
        name="scratch_saved",
        exercise="Conv2d",
        level=3,
        says="an array kept for backward is a public attribute and lands in the saved state; begin its name with _",
        twist={"        return out\n": "        self.x = np.asarray(x)\n        return out\n"},
    ),
    Mistake(
        name="cache_of_the_class",
        exercise="Conv2d",
        level=3,
        says="the cache is kept in the class, where all layers share it; keep it in self",
        twist={"out, self._cache = conv2d_forward(": "out, Conv2d._cache = conv2d_forward("},
    ),
    Mistake(
        name="input_cast_to_float32",
        exercise="Conv2d",
        level=3,
        says="the input is cast to the parameters' float32; a layer computes in the dtype of its input",
        twist={"conv2d_forward(x, self.weight.value": "conv2d_forward(np.asarray(x, np.float32), self.weight.value"},
    ),
    Mistake(
        name="step_taken_in_backward",
        exercise="Conv2d",
        level=3,
        says="backward changes the weight itself; it only adds to .grad, the optimizer takes the step",
        twist={
            "        self.weight.grad += dweight\n": (
                "        self.weight.grad += dweight\n        self.weight.value -= (0.1 * dweight).astype(np.float32)\n"
            )
        },
    ),
    Mistake(
        name="weight_not_a_parameter",
        exercise="Conv2d",
        level=1,
        says="the weight has its gradient nowhere: wrap it in a Parameter",
        twist={"self.weight = Parameter(rng": "self.weight = np.asarray(rng"},
    ),
    Mistake(
        name="weight_gradient_overwritten",
        exercise="Conv2d",
        level=2,
        says="backward assigns the weight's .grad and adds to the bias's; it adds to both",
        twist={
            "self.weight.grad += dweight": "self.weight.grad = dweight",
        },
    ),
    Mistake(
        name="bias_gradient_overwritten",
        exercise="Conv2d",
        level=2,
        says="backward assigns the bias's .grad and adds to the weight's; it adds to both",
        twist={
            "self.bias.grad += dbias": "self.bias.grad = dbias",
        },
    ),
    Mistake(
        name="xavier",
        exercise="Conv2d",
        level=2,
        says="the variance is 1 / fan_in; ReLU drops half of it on the way, so the rule here has a 2 on top",
        twist={
            "np.sqrt(2 / (in_channels * kh * kw))": "np.sqrt(1 / (in_channels * kh * kw))",
        },
    ),
    Mistake(
        name="fan_in_and_fan_out",
        exercise="Conv2d",
        level=2,
        says="the variance is 2 / (fan_in + fan_out), Glorot's rule; here it is 2 / fan_in",
        twist={
            "np.sqrt(2 / (in_channels * kh * kw))": "np.sqrt(2 / ((in_channels + out_channels) * kh * kw))",
        },
    ),
    Mistake(
        name="stride_forgotten",
        exercise="Conv2d",
        level=1,
        says="the layer's stride never reaches the convolution",
        twist={
            "self.weight.value, bias, self.stride, self.padding)": "self.weight.value, bias, padding=self.padding)",
        },
    ),
    Mistake(
        name="padding_forgotten",
        exercise="Conv2d",
        level=1,
        says="the layer's padding never reaches the convolution",
        twist={
            "self.weight.value, bias, self.stride, self.padding)": "self.weight.value, bias, self.stride)",
        },
    ),
    # --- conv2d_cost ----------------------------------------------------------------------------
    Mistake(
        name="cost_of_one_image",
        exercise="conv2d_cost",
        level=1,
        says="the work of one image is counted; the batch has N",
        twist={"numbers = N * out_channels": "numbers = out_channels"},
    ),
    Mistake(
        name="cost_at_input_resolution",
        exercise="conv2d_cost",
        level=2,
        says="the products are counted at every input pixel; there is one window for each output pixel",
        twist={'"macs": numbers * C * kh * kw': '"macs": N * out_channels * H * W * C * kh * kw'},
    ),
    Mistake(
        name="input_channels_left_out",
        exercise="conv2d_cost",
        level=2,
        says="a kernel is counted as kh * kw numbers; it spans the C input channels",
        twist={
            "(C * kh * kw + bool(bias))": "(kh * kw + bool(bias))",
            '"macs": numbers * C * kh * kw': '"macs": numbers * kh * kw',
        },
    ),
    Mistake(
        name="bias_costs_products",
        exercise="conv2d_cost",
        level=2,
        says="the bias is counted as a multiply-accumulate; it is an addition and counts none",
        twist={'"macs": numbers * C * kh * kw': '"macs": numbers * (C * kh * kw + bool(bias))'},
    ),
    Mistake(
        name="operations_for_macs",
        exercise="conv2d_cost",
        level=2,
        says="multiplications and additions are counted apart; one multiply-accumulate is both together",
        twist={'"macs": numbers * C * kh * kw': '"macs": 2 * numbers * C * kh * kw'},
    ),
    Mistake(
        name="bias_not_counted",
        exercise="conv2d_cost",
        level=1,
        says="the O parameters of the bias are left out",
        twist={"(C * kh * kw + bool(bias))": "(C * kh * kw)"},
    ),
    Mistake(
        name="one_bias_for_all_channels",
        exercise="conv2d_cost",
        level=2,
        says="one bias is counted for the layer; every output channel has its own",
        twist={"out_channels * (C * kh * kw + bool(bias))": "out_channels * C * kh * kw + bool(bias)"},
    ),
    Mistake(
        name="eight_bytes_a_number",
        exercise="conv2d_cost",
        level=1,
        says="the bytes are those of float64; float32 takes four a number",
        twist={'"output_bytes": 4 * numbers': '"output_bytes": 8 * numbers'},
    ),
    Mistake(
        name="cost_in_int32",
        exercise="conv2d_cost",
        level=3,
        says="the counts are 32-bit NumPy integers, which overflow without a word; Python's int doesn't",
        twist={
            '"macs": numbers * C * kh * kw': '"macs": int(np.array(numbers * C * kh * kw).astype(np.int32))',
        },
    ),
    Mistake(
        name="shape_without_batch",
        exercise="conv2d_cost",
        level=3,
        says="a shape of three numbers is taken for one image; give N as well",
        twist={"    if len(x_shape) != 4:": "    x_shape = (1,) * (4 - len(x_shape)) + tuple(x_shape)\n    if False:"},
    ),
    Mistake(
        name="more_than_asked",
        exercise="conv2d_cost",
        level=3,
        says="the result has entries nobody asked for",
        twist={'        "output_shape": output_shape,': '        "output_shape": output_shape, "flops": 2 * numbers,'},
    ),
    Mistake(
        name="misfit_costs_nothing",
        exercise="conv2d_cost",
        level=3,
        says="the output's sides come from the bare formula, which prices windows that do not fit",
        twist={
            "conv_output_size(H, kh, sh, ph), conv_output_size(W, kw, sw, pw)\n    numbers": (
                "(H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1\n    numbers"
            )
        },
    ),
    Mistake(
        name="input_channels_left_out_of_macs",
        exercise="conv2d_cost",
        level=2,
        says="an output number is counted as kh * kw products; it takes as many from each of the C input channels",
        twist={
            '"macs": numbers * C * kh * kw': '"macs": numbers * kh * kw',
        },
    ),
    # --- receptive_field ------------------------------------------------------------------------
    Mistake(
        name="strides_ignored",
        exercise="receptive_field",
        level=1,
        says="every layer adds kernel - 1 pixels; behind a stride its steps are wider than a pixel",
        twist={"        distance *= stride\n": ""},
    ),
    Mistake(
        name="stride_too_early",
        exercise="receptive_field",
        level=2,
        says="a layer's stride widens its own kernel; it moves only the layers behind it apart",
        twist={
            "        pixels += (kernel - 1) * distance\n        distance *= stride\n": (
                "        distance *= stride\n        pixels += (kernel - 1) * distance\n"
            )
        },
    ),
    Mistake(
        name="strides_added",
        exercise="receptive_field",
        level=2,
        says="the strides are added; the distance between neighbours is their product",
        twist={"distance *= stride": "distance += stride - 1"},
    ),
    Mistake(
        name="last_stride_only",
        exercise="receptive_field",
        level=2,
        says="only the stride of the layer before counts; all strides before multiply",
        twist={"distance *= stride": "distance = stride"},
    ),
    Mistake(
        name="overlap_counted_twice",
        exercise="receptive_field",
        level=2,
        says="every layer adds its whole kernel; neighbouring windows share all but a step, so it adds kernel - 1",
        twist={
            "pixels += (kernel - 1) * distance": "pixels += kernel * distance",
            "pixels, distance = 1, 1": "pixels, distance = 0, 1",
        },
    ),
    Mistake(
        name="nothing_seen_at_first",
        exercise="receptive_field",
        level=1,
        says="the count starts at 0; without layers a pixel sees itself",
        twist={"pixels, distance = 1, 1": "pixels, distance = 0, 1"},
    ),
    Mistake(
        name="layers_used_up",
        exercise="receptive_field",
        level=3,
        says="the layers are taken out of the caller's list while counting",
        twist={
            "    return pixels\n": "    layers.clear()\n    return pixels\n",
        },
    ),
    Mistake(
        name="zero_accepted",
        exercise="receptive_field",
        level=3,
        says="a kernel or stride of 0 is counted; no such layer exists",
        twist={"if kernel < 1 or stride < 1:": "if False:"},
    ),
    # --- simple_convnet -------------------------------------------------------------------------
    Mistake(
        name="no_padding_in_the_network",
        exercise="simple_convnet",
        level=1,
        says="the convolution has no padding, so the map is two pixels smaller than the dense layer expects",
        twist={"Conv2d(C, channels, 3, padding=1, rng=rng)": "Conv2d(C, channels, 3, rng=rng)"},
    ),
    Mistake(
        name="input_channels_flattened",
        exercise="simple_convnet",
        level=1,
        says="the dense layer is built for the input's channels; Flatten hands it the convolution's",
        twist={"Linear(channels * H * W,": "Linear(C * H * W,"},
    ),
    Mistake(
        name="no_relu",
        exercise="simple_convnet",
        level=2,
        says="nothing bends between the two linear layers, which together are one linear layer",
        twist={"        ReLU(),\n": "        Sequential(),\n"},
    ),
    Mistake(
        name="relu_on_the_scores",
        exercise="simple_convnet",
        level=2,
        says="a ReLU behind the dense layer cuts negative scores to 0",
        twist={
            "        Linear(channels * H * W, num_classes, rng=rng),\n": (
                "        Linear(channels * H * W, num_classes, rng=rng),\n        ReLU(),\n"
            )
        },
    ),
    Mistake(
        name="channels_ignored",
        exercise="simple_convnet",
        level=3,
        says="the convolution has 8 channels whatever was asked for",
        twist={"    C, H, W = in_shape\n    rng": "    C, H, W = in_shape\n    channels = 8\n    rng"},
    ),
    Mistake(
        name="other_default_channels",
        exercise="simple_convnet",
        level=3,
        says="the default number of channels is no longer the 8 of the starter",
        twist={"num_classes, channels=8, rng=None": "num_classes, channels=16, rng=None"},
    ),
    Mistake(
        name="channels_last",
        exercise="simple_convnet",
        level=1,
        says="in_shape is read as (H, W, C); images are (C, H, W)",
        twist={"C, H, W = in_shape": "H, W, C = in_shape"},
    ),
    Mistake(
        name="dense_layer_unseeded",
        exercise="simple_convnet",
        level=3,
        says="the dense layer does not get rng, so a seed repeats only half of the network",
        twist={"num_classes, rng=rng),": "num_classes),"},
    ),
    Mistake(
        name="generator_copied",
        exercise="simple_convnet",
        level=3,
        says="both layers draw from the start of the same stream; hand on one generator, not two copies",
        twist={
            "Conv2d(C, channels, 3, padding=1, rng=rng)": (
                "Conv2d(C, channels, 3, padding=1, rng=__import__('copy').deepcopy(rng))"
            )
        },
    ),
    Mistake(
        name="network_of_one_seed",
        exercise="simple_convnet",
        level=3,
        says="without rng every network is drawn from one fixed seed",
        twist={
            "rng = np.random.default_rng() if rng is None else rng\n    return": (
                "rng = np.random.default_rng(0) if rng is None else rng\n    return"
            )
        },
    ),
]


def refused(call):
    """Return whether a call ends in the ValueError it should end in, as words; other errors are none."""
    try:
        call()
    except NotImplementedError:
        raise
    except ValueError:
        return "a ValueError"
    except Exception:
        return "no ValueError"
    return "no ValueError"


def attempt(call):
    """Return what a call returns, or the name of the error it ends in."""
    try:
        return call()
    except Exception as error:
        return type(error).__name__


# --- conv_output_size ---------------------------------------------------------------------------


@probe("conv_output_size")
def positions(solution, rng):
    cases = [(7, 3, 1, 0), (8, 3, 2, 0), (9, 2, 3, 1), (6, 5, 2, 2), (10, 4, 3, 1), (5, 5, 2, 0), (2, 4, 1, 1)]
    return [attempt(lambda case=case: solution.conv_output_size(*case)) for case in cases]


@probe("conv_output_size")
def positions_for_range(solution, rng):
    return [operator.index(solution.conv_output_size(size, 3, stride=2)) for size in (7, 8, 11)]


@probe("conv_output_size")
def positions_refused(solution, rng):
    size = solution.conv_output_size
    cases = [(4, 9, 2), (2, 9, 1, 1), (3, 4, 3), (7, 0), (7, 3, -1), (9, 3, 1, -1)]
    names = ("size", "kernel_size", "stride", "padding")
    texts = [", ".join(f"{name}={number}" for name, number in zip(names, case, strict=False)) for case in cases]
    return {text: refused(lambda case=case: size(*case)) for text, case in zip(texts, cases, strict=True)}


# --- pad2d --------------------------------------------------------------------------------------


@probe("pad2d")
def border(solution, rng):
    return solution.pad2d(rng.standard_normal((2, 3, 4, 5)), (1, 2), value=rng.standard_normal())


@probe("pad2d")
def border_of_other_types(solution, rng):
    whole, single = rng.integers(1, 9, (1, 2, 3, 4)), rng.standard_normal((1, 2, 3, 4)).astype(np.float32)
    return [solution.pad2d(x, (2, 1), value=0.5) for x in (whole, single)]


@probe("pad2d")
def border_and_image(solution, rng):
    x = rng.standard_normal((2, 3, 4, 5))
    solution.pad2d(x, (2, 1), value=7.0)
    return x, bool(np.shares_memory(solution.pad2d(x, 0), x))


@probe("pad2d")
def border_refused(solution, rng):
    cases = [(np.zeros((3, 4, 5)), 1), (np.zeros((2, 3, 8, 9)), (1, -1)), (np.zeros((1, 2, 3, 4, 5)), 1)]
    return {
        f"x {x.shape}, padding {padding}": refused(lambda x=x, padding=padding: solution.pad2d(x, padding))
        for x, padding in cases
    }


# --- conv2d_forward -----------------------------------------------------------------------------


@probe("conv2d_forward")
def unequal_everything(solution, rng):
    x, weight, bias = rng.standard_normal((2, 3, 7, 6)), rng.standard_normal((4, 3, 3, 2)), rng.standard_normal(4)
    return solution.conv2d_forward(x, weight, bias, stride=(2, 1), padding=(0, 1))[0]


@probe("conv2d_forward")
def no_bias_no_padding(solution, rng):
    x, weight = rng.standard_normal((2, 3, 5, 6)), rng.standard_normal((4, 3, 2, 3))
    return solution.conv2d_forward(x, weight)[0], x


@probe("conv2d_forward")
def first_output_afterwards(solution, rng):
    x, weight = rng.standard_normal((2, 2, 4, 5)), rng.standard_normal((3, 2, 2, 3))
    first = solution.conv2d_forward(x, weight)[0]
    solution.conv2d_forward(-x, weight)
    return first


@probe("conv2d_forward")
def other_types(solution, rng):
    whole, weight, bias = rng.integers(1, 9, (1, 2, 3, 4)), rng.standard_normal((3, 2, 2, 2)), rng.standard_normal(3)
    of_ints, of_floats = (solution.conv2d_forward(x, weight, bias)[0] for x in (whole, whole.astype(np.float32)))
    return {"dtype of out for float32": str(of_floats.dtype), "out of ints": of_ints}


@probe("conv2d_forward")
def no_images(solution, rng):
    return solution.conv2d_forward(np.zeros((0, 3, 5, 6)), np.zeros((4, 3, 2, 3)), np.zeros(4))[0].shape


@probe("conv2d_forward")
def stride_across(solution, rng):
    x, weight = rng.standard_normal((1, 2, 3, 7)), rng.standard_normal((3, 2, 2, 3))
    return solution.conv2d_forward(x, weight, stride=(1, 2))[0]


def refused_shapes(solution, rng, x=(2, 3, 5, 6), weight=(4, 3, 2, 3), bias=(4,)):
    """Return whether a forward on operands of the shapes is refused."""
    operands = [rng.standard_normal(shape) for shape in (x, weight, bias)]
    return refused(lambda: solution.conv2d_forward(*operands))


@probe("conv2d_forward")
def weight_for_one_channel(solution, rng):
    return refused_shapes(solution, rng, weight=(4, 1, 2, 3))


@probe("conv2d_forward")
def image_of_one_channel(solution, rng):
    return refused_shapes(solution, rng, x=(2, 1, 5, 6))


@probe("conv2d_forward")
def image_of_two_channels(solution, rng):
    return refused_shapes(solution, rng, x=(2, 2, 5, 6))


@probe("conv2d_forward")
def weight_of_three_axes(solution, rng):
    return refused_shapes(solution, rng, weight=(3, 2, 3), bias=(1,))


@probe("conv2d_forward")
def image_of_three_axes(solution, rng):
    return refused_shapes(solution, rng, x=(3, 5, 6))


@probe("conv2d_forward")
def bias_of_one_number(solution, rng):
    return refused_shapes(solution, rng, bias=(1,))


@probe("conv2d_forward")
def bias_too_long(solution, rng):
    return refused_shapes(solution, rng, bias=(6,))


# --- conv2d_backward ----------------------------------------------------------------------------


NAMES = "dx", "dweight", "dbias"


def forward(solution, rng, dtype=np.float64, bias=True, **settings):
    """Run a forward on random operands; return a dout for it and its cache."""
    x, weight = rng.standard_normal((2, 3, 6, 5)).astype(dtype), rng.standard_normal((4, 3, 3, 2)).astype(dtype)
    shift = rng.standard_normal(4).astype(dtype) if bias else None
    out, cache = solution.conv2d_forward(x, weight, shift, **settings)
    return rng.standard_normal(out.shape).astype(dtype), cache


@probe("conv2d_backward")
def gradients(solution, rng):
    dout, cache = forward(solution, rng, stride=(2, 1), padding=(1, 2))
    return dict(zip(NAMES, solution.conv2d_backward(dout, cache), strict=True))


@probe("conv2d_backward")
def gradients_without_bias_and_padding(solution, rng):
    dout, cache = forward(solution, rng, bias=False)
    return dict(zip(NAMES, solution.conv2d_backward(dout, cache), strict=True)) | {"dout afterwards": dout}


@probe("conv2d_backward")
def gradients_in_float32(solution, rng):
    dout, cache = forward(solution, rng, np.float32, padding=1)
    gradients = solution.conv2d_backward(dout, cache)
    return {f"dtype of {name}": str(array.dtype) for name, array in zip(NAMES, gradients, strict=True)}


@probe("conv2d_backward")
def gradients_twice(solution, rng):
    (dout, cache), _ = forward(solution, rng, padding=1), forward(solution, rng, padding=1)
    solution.conv2d_backward(dout.copy(), cache)
    return dict(zip(NAMES, solution.conv2d_backward(dout, cache), strict=True))


@probe("conv2d_backward")
def gradients_of_a_float64_dout(solution, rng):
    dout, cache = forward(solution, rng, np.float32)
    gradients = solution.conv2d_backward(dout.astype(np.float64), cache)
    return {f"dtype of {name}": str(array.dtype) for name, array in zip(NAMES, gradients, strict=True)}


@probe("conv2d_backward")
def gradients_of_no_images(solution, rng):
    _, cache = solution.conv2d_forward(np.zeros((0, 3, 5, 6)), rng.standard_normal((4, 3, 2, 3)), np.zeros(4))
    gradients = solution.conv2d_backward(np.zeros((0, 4, 4, 4)), cache)
    return {f"shape of {name}": array.shape for name, array in zip(NAMES, gradients, strict=True)}


@probe("conv2d_backward")
def dout_of_one_image(solution, rng):
    dout, cache = forward(solution, rng)
    return refused(lambda: solution.conv2d_backward(dout[:1], cache))


@probe("conv2d_backward")
def dout_of_one_channel(solution, rng):
    dout, cache = forward(solution, rng)
    return refused(lambda: solution.conv2d_backward(dout[:, :1], cache))


# --- Conv2d -------------------------------------------------------------------------------------


def filled(solution, rng, *arguments, **settings):
    """Return a layer whose parameters hold known numbers, of the shapes they should have."""
    layer = solution.Conv2d(*arguments, **settings)
    for parameter in layer.parameters():
        parameter.value[...] = np.random.default_rng(parameter.value.size).standard_normal(parameter.value.shape)
    return layer


@probe("Conv2d")
def layer_passes(solution, rng):
    layer, x = filled(solution, rng, 3, 4, (3, 2), stride=(2, 1), padding=(1, 0)), rng.standard_normal((2, 3, 5, 6))
    out = layer(x)
    dx = layer.backward(rng.standard_normal(out.shape))
    layer(x)
    layer.backward(rng.standard_normal(out.shape))
    return out, dx, [np.asarray(p.grad, np.float32) for p in layer.parameters()], layer.parameters()[0].value.copy()


@probe("Conv2d")
def layer_without_bias(solution, rng):
    layer = filled(solution, rng, 2, 3, 2, bias=False)
    return layer(rng.standard_normal((1, 2, 3, 4))), len(layer.parameters()), layer.bias is None


@probe("Conv2d")
def layer_and_function(solution, rng):
    layer, x = filled(solution, rng, 2, 3, 2), rng.standard_normal((1, 2, 3, 4))
    out, _ = solution.conv2d_forward(x, layer.weight.value, layer.bias.value)
    return bool(np.allclose(layer(x), out))


@probe("Conv2d")
def layer_at_first(solution, rng):
    layer = solution.Conv2d(16, 48, (3, 5), rng=rng)  # 48 is not 2 * 16: fan_out is no Xavier
    weight = layer.weight.value
    return {
        "shapes": [parameter.value.shape for parameter in layer.parameters()],
        "log2 of the variance times fan_in / 2, in halves": float(
            np.round(4 * np.log2(weight.std() / np.sqrt(2 / (16 * 3 * 5)))) / 2
        ),
        "numbers beyond 2.5 deviations": bool(np.abs(weight).max() > 2.5 * weight.std()),
        "bias all zeros": not layer.bias.value.any(),
    }


@probe("Conv2d")
def layer_of_a_generator(solution, rng):
    seed = int(rng.integers(99))
    seeded = [solution.Conv2d(2, 3, 4, rng=np.random.default_rng(seed)).weight.value for _ in range(2)]
    free = [solution.Conv2d(2, 3, 4).weight.value for _ in range(2)]
    return bool(np.array_equal(*seeded)), bool(np.array_equal(*free))


@probe("Conv2d")
def layer_beside_another(solution, rng):
    first, second, x = filled(solution, rng, 2, 3, 2), filled(solution, rng, 2, 3, 2), rng.standard_normal((1, 2, 3, 4))
    dout = rng.standard_normal(first(x).shape)
    second(-x)
    first.backward(dout)
    return first.parameters()[0].grad.astype(np.float32), sorted(first.state_dict())


@probe("Conv2d")
def function_beside_another(solution, rng):
    x, weight = rng.standard_normal((1, 2, 3, 4)), rng.standard_normal((3, 2, 2, 2))
    out, cache = solution.conv2d_forward(x, weight)
    solution.conv2d_forward(-x, weight)
    return solution.conv2d_backward(out, cache)[1]


# --- conv2d_cost --------------------------------------------------------------------------------


def entries(cost):
    """Return the entries of a cost as plain numbers."""
    shape = tuple(int(side) for side in cost["output_shape"])
    return [float(cost[name]) for name in ("parameters", "macs", "output_bytes")], shape, len(cost)


@probe("conv2d_cost")
def costs(solution, rng):
    N, C, H, W, O = (int(number) for number in rng.integers(2, 9, 5))
    shape, settings = (N, C, H + 3, W + 3), {"stride": (2, 3), "padding": (1, 0)}
    return [entries(solution.conv2d_cost(shape, O, (3, 2), **settings, bias=bias)) for bias in (True, False)]


@probe("conv2d_cost")
def cost_of_a_large_layer(solution, rng):
    return entries(solution.conv2d_cost((64, 256, 56, 57), 256, 3, padding=1))


@probe("conv2d_cost")
def cost_refused(solution, rng):
    return {
        "x_shape (3, 8, 9)": refused(lambda: solution.conv2d_cost((3, 8, 9), 4, 3)),
        "kernel (9, 2) on x_shape (2, 3, 5, 20)": refused(lambda: solution.conv2d_cost((2, 3, 5, 20), 4, (9, 2))),
        "conv_output_size(5, 9)": refused(lambda: solution.conv_output_size(5, 9)),
    }


# --- receptive_field ----------------------------------------------------------------------------


@probe("receptive_field")
def stacks(solution, rng):
    stacks = [[], [(3, 1)], [(3, 1)] * 3, [(3, 2), (5, 1)], [(5, 1), (3, 2)], [(1, 2), (2, 3), (3, 1)]]
    return [float(solution.receptive_field(stack)) for stack in stacks]


@probe("receptive_field")
def stack_afterwards(solution, rng):
    stack = [(3, 2), (5, 1)]
    solution.receptive_field(stack)
    return stack


@probe("receptive_field")
def stacks_refused(solution, rng):
    return {
        f"layers [{layer}]": refused(lambda layer=layer: solution.receptive_field([layer]))
        for layer in [(0, 2), (2, 0)]
    }


# --- simple_convnet -----------------------------------------------------------------------------


@probe("simple_convnet")
def network_scores(solution, rng):
    net, x = solution.simple_convnet((2, 3, 4), 5, channels=3), rng.standard_normal((2, 2, 3, 4))
    for parameter in net.parameters():
        parameter.value[...] = rng.standard_normal(parameter.value.shape)
    return net(x)


@probe("simple_convnet")
def network_and_layer(solution, rng):
    x, first = rng.standard_normal((1, 2, 4, 5)), solution.simple_convnet((2, 4, 5), 3, channels=6)[0]
    layer = solution.Conv2d(2, 6, 3, padding=1)
    for mine, other in zip(first.parameters(), layer.parameters(), strict=True):
        mine.value[...] = other.value
    return bool(first(x).shape == layer(x).shape and np.allclose(first(x), layer(x)))


@probe("simple_convnet")
def network_parameters(solution, rng):
    nets = [solution.simple_convnet((2, 3, 4), 5), solution.simple_convnet((1, 4, 3), 6, channels=2)]
    return [[parameter.value.shape for parameter in net.parameters()] for net in nets]


@probe("simple_convnet")
def network_of_a_generator(solution, rng):
    seed = int(rng.integers(99))
    seeded = [solution.simple_convnet((1, 3, 3), 4, 1, np.random.default_rng(seed)).parameters() for _ in range(2)]
    free = [solution.simple_convnet((1, 3, 3), 4, 1).parameters() for _ in range(2)]
    kernel, dense = seeded[0][0].value, seeded[0][2].value
    again = [bool(np.array_equal(seeded[0][index].value, seeded[1][index].value)) for index in (0, 2)]
    fresh = bool(np.array_equal(free[0][2].value, free[1][2].value))
    return again, fresh, bool(np.isclose(kernel[0, 0, 0, 0] / kernel[0, 0, 0, 1], dense[0, 0] / dense[0, 1]))
