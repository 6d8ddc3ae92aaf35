"""Wrong turns learners take in Topic 15, and the probes that tell them apart."""

import numpy as np

from kata.mistakes import Mistake, probe

MISTAKES = [
    Mistake(
        name="dilation_counted_as_holes",
        exercise="conv2d_forward",
        level=2,
        says="dilation is taken for the number of holes between two taps; it is the step, and 1 leaves no hole",
        twist={
            'dilation = as_pair(dilation, "dilation")\n    reach =': (
                'dilation = tuple(d + 1 for d in as_pair(dilation, "dilation"))\n    reach ='
            )
        },
    ),
    Mistake(
        name="dilation_across_first",
        exercise="conv2d_forward",
        level=1,
        says="the dilation pair is read as (across, down); all pairs are (down, across)",
        twist={
            'dilation = as_pair(dilation, "dilation")\n    reach =': (
                'dilation = as_pair(dilation, "dilation")[::-1]\n    reach ='
            )
        },
    ),
    Mistake(
        name="channels_dealt_in_turn",
        exercise="conv2d_forward",
        level=2,
        says="channels are dealt to the groups in turn, c % groups; a group is a run of neighbouring channels",
        twist={
            "    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(N": (
                "    dealt = np.argsort(np.arange(C) % groups, kind='stable')\n"
                "    return windows[:, dealt].transpose(0, 1, 4, 5, 2, 3).reshape(N"
            )
        },
    ),
    Mistake(
        name="outputs_interleaved",
        exercise="conv2d_forward",
        level=3,
        says="the outputs of the groups are interleaved; all of the first group's outputs come first",
        twist={
            "    return out.reshape(N, len(weight), H_out, W_out)\n": (
                "    return out.swapaxes(1, 2).reshape(N, len(weight), H_out, W_out)\n"
            )
        },
    ),
    Mistake(
        name="bias_of_one_number",
        exercise="conv2d_forward",
        level=1,
        says="a bias of one number is stretched over all output channels; nothing broadcasts here",
        twist={"np.shape(bias) != out.shape[1:2]:": "np.shape(bias) not in (out.shape[1:2], (1,)):"},
    ),
    Mistake(
        name="stride_across_first",
        exercise="conv2d_forward",
        level=1,
        says="the stride pair is read as (across, down); all pairs are (down, across)",
        twist={
            '    stride, padding = as_pair(stride, "stride"), as_pair(padding, "padding")\n'
            '    dilation = as_pair(dilation, "dilation")\n': (
                '    stride, padding = as_pair(stride, "stride")[::-1], as_pair(padding, "padding")\n'
                '    dilation = as_pair(dilation, "dilation")\n'
            ),
        },
    ),
    Mistake(
        name="kernel_flipped",
        exercise="conv2d_forward",
        level=2,
        says="the kernel is flipped before it slides, as in mathematics; networks slide it as it is",
        twist={
            "_correlate(padded, weight, stride, dilation, groups), bias, ": (
                "_correlate(padded, weight[:, :, ::-1, ::-1], stride, dilation, groups), bias, "
            ),
        },
    ),
    Mistake(
        name="dtype_of_the_weight",
        exercise="conv2d_forward",
        level=1,
        says="a float64 weight turns a float32 x into a float64 output; the dtype of x decides",
        twist={
            '    x, weight = _operands(x, weight, "conv2d_forward")\n': (
                '    given = np.asarray(weight).dtype\n    x, weight = _operands(x, weight, "conv2d_forward")\n'
            ),
            "return out, (padded, weight, bias is not None, out_size, stride, padding, dilation, groups)": (
                "out = out.astype(np.result_type(out, given))\n"
                "    return out, (padded, weight, bias is not None, out_size, stride, padding, dilation, groups)"
            ),
        },
    ),
    Mistake(
        name="overlaps_assigned",
        exercise="conv2d_backward",
        level=2,
        says="shares are assigned, not added, where several taps read one pixel; `+=` on lists of indices assigns too",
        twist={
            "dpadded = _spread(dout, weight, padded.shape, stride, dilation, groups)": (
                "per_group = dout.reshape(len(dout), groups, len(weight) // groups, *out_size)\n"
                "    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])\n"
                "    dpadded = np.zeros_like(padded)\n"
                "    for u, v in np.ndindex(*weight.shape[2:]):\n"
                "        read = np.einsum('ngohw,goc->ngchw', per_group, kernels[..., u, v])\n"
                "        rows = _taps(u * dilation[0], stride[0], out_size[0])\n"
                "        columns = _taps(v * dilation[1], stride[1], out_size[1])\n"
                "        dpadded[:, :, rows, columns] = read.reshape(len(dout), padded.shape[1], *out_size)"
            )
        },
    ),
    Mistake(
        name="last_window_only",
        exercise="conv2d_backward",
        level=2,
        says="`map[index] += shares` with lists of indices keeps a pixel's last share alone; np.add.at keeps all",
        twist={
            "dpadded = _spread(dout, weight, padded.shape, stride, dilation, groups)": (
                "per_group = dout.reshape(len(dout), groups, len(weight) // groups, *out_size)\n"
                "    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])\n"
                "    shares = np.einsum('ngohw,gocuv->ngchwuv', per_group, kernels)\n"
                "    shares = shares.reshape(*padded.shape[:2], *out_size, *weight.shape[2:])\n"
                "    i, j, u, v = np.indices(shares.shape[2:])\n"
                "    dpadded = np.zeros_like(padded)\n"
                "    dpadded[:, :, i * stride[0] + u * dilation[0], j * stride[1] + v * dilation[1]] += shares"
            )
        },
    ),
    Mistake(
        name="holes_forgotten",
        exercise="conv2d_backward",
        level=2,
        says="dx is added where a kernel without holes would have read; tap u lies u * dh rows down",
        twist={
            "_taps(u * dh, sh, H_out), _taps(v * dw, sw, W_out)": "_taps(u, sh, H_out), _taps(v, sw, W_out)",
        },
    ),
    Mistake(
        name="dweight_averaged",
        exercise="conv2d_backward",
        level=2,
        says="dweight is averaged over the images; the gradient of a sum is a sum",
        twist={"groups).swapaxes(2, 3)).sum(axis=0)": "groups).swapaxes(2, 3)).mean(axis=0)"},
    ),
    Mistake(
        name="border_kept",
        exercise="conv2d_backward",
        level=1,
        says="dx still has the border of padding; x had none",
        twist={"return _crop(dpadded, padding), dweight,": "return dpadded, dweight,"},
    ),
    Mistake(
        name="minus_padding_as_the_end",
        exercise="conv2d_backward",
        level=1,
        says="the padding is cut off with [p : -p], which is empty for p = 0; count the end from the size",
        twist={
            "return _crop(dpadded, padding), dweight, _bias": (
                "(ph, pw) = padding\n    return dpadded[:, :, ph:-ph, pw:-pw].copy(), dweight, _bias"
            ),
        },
    ),
    Mistake(
        name="dbias_averaged",
        exercise="conv2d_backward",
        level=2,
        says="dbias is averaged over the images; the gradient of a sum is a sum",
        twist={
            "return _crop(dpadded, padding), dweight, _bias_gradient(dout, has_bias)": (
                "return _crop(dpadded, padding), dweight, _bias_gradient(dout / max(1, len(dout)), has_bias)"
            ),
        },
    ),
    Mistake(
        name="dtype_of_dout",
        exercise="conv2d_backward",
        level=3,
        says="the dtype of dout decides that of the gradients; x decides",
        twist={
            'dout = _gradient(dout, (len(padded), len(weight), *out_size), padded.dtype, "conv2d_backward")': (
                'dout = _gradient(dout, (len(padded), len(weight), *out_size), None, "conv2d_backward")'
            ),
        },
    ),
    Mistake(
        name="dout_unchecked",
        exercise="conv2d_backward",
        level=1,
        says="dout is reshaped, not checked, so height and width can be exchanged unnoticed",
        twist={
            "    if np.shape(dout) != shape:": "    if np.size(dout) != np.prod(shape):",
            "    return np.asarray(dout, dtype)\n": "    return np.asarray(dout, dtype).reshape(shape)\n",
        },
    ),
    Mistake(
        name="a_hole_behind_every_tap",
        exercise="effective_kernel_size",
        level=2,
        says="every tap is counted with the gap behind it; the last one has none",
        twist={"reach = dh * (kh - 1) + 1, dw * (kw - 1) + 1": "reach = dh * kh, dw * kw"},
    ),
    Mistake(
        name="step_counted_as_holes",
        exercise="effective_kernel_size",
        level=2,
        says="dilation d is taken for d holes between two taps; there are d - 1",
        twist={"reach = dh * (kh - 1) + 1, dw * (kw - 1) + 1": "reach = kh + dh * (kh - 1), kw + dw * (kw - 1)"},
    ),
    Mistake(
        name="always_a_pair",
        exercise="effective_kernel_size",
        level=1,
        says="two ints give a pair; they describe both axes at once and give one int",
        twist={
            "return reach[0] if np.isscalar(kernel_size) and np.isscalar(dilation) else reach": "return reach",
        },
    ),
    Mistake(
        name="dilation_zero_allowed",
        exercise="effective_kernel_size",
        level=1,
        says="dilation 0 is let through; all taps would read one pixel",
        twist={"if min(dh, dw) < 1:": "if min(dh, dw) < 0:"},
    ),
    Mistake(
        name="kernels_dealt_in_turn",
        exercise="depthwise_conv2d_forward",
        level=2,
        says="kernel o is given to channel o % C; the m kernels of a channel lie together, channel o // m",
        twist={
            "    return weight.reshape(C, O // C * kh, kw)": (
                "    return weight.reshape(O // C, C, kh, kw).swapaxes(0, 1).reshape(C, O // C * kh, kw)"
            ),
            '_add_bias(out.reshape(N, O, H_out, W_out), bias, "depthwise': (
                '_add_bias(out.swapaxes(1, 2).reshape(N, O, H_out, W_out), bias, "depthwise'
            ),
        },
    ),
    Mistake(
        name="outputs_by_kernel",
        exercise="depthwise_conv2d_forward",
        level=3,
        says="the axes of channels and multiplier are merged the wrong way round: output c * m + j is wanted",
        twist={
            '_add_bias(out.reshape(N, O, H_out, W_out), bias, "depthwise': (
                '_add_bias(out.swapaxes(1, 2).reshape(N, O, H_out, W_out), bias, "depthwise'
            ),
        },
    ),
    Mistake(
        name="rows_not_dilated",
        exercise="depthwise_conv2d_forward",
        level=2,
        says="the kernel's rows are read one pixel apart; the dilation counts down as well as across",
        twist={
            "out[piece] += partial[:, :, :, u, _taps(u * dilation[0], stride[0], H_out)]": (
                "out[piece] += partial[:, :, :, u, _taps(u, stride[0], H_out)]"
            )
        },
    ),
    Mistake(
        name="one_kernel_for_all",
        exercise="depthwise_conv2d_forward",
        level=1,
        says="a single kernel is shared by all channels; depthwise means one of its own for each",
        twist={
            "    if one != 1 or 0 in (C, O) or O % C:": (
                "    if O == 1:\n        weight, O = np.repeat(weight, C, axis=0), C\n"
                "    if one != 1 or 0 in (C, O) or O % C:"
            )
        },
    ),
    Mistake(
        name="depthwise_dtype_of_the_weight",
        exercise="depthwise_conv2d_forward",
        level=1,
        says="a float64 weight turns a float32 x into a float64 output; the dtype of x decides",
        twist={
            '    x, weight = _operands(x, weight, "depthwise_conv2d_forward")\n': (
                "    given = np.asarray(weight).dtype\n"
                '    x, weight = _operands(x, weight, "depthwise_conv2d_forward")\n'
            ),
            'bias, "depthwise_conv2d_forward")\n': (
                'bias, "depthwise_conv2d_forward")\n    out = out.astype(np.result_type(out, given))\n'
            ),
        },
    ),
    Mistake(
        name="channels_not_compared",
        exercise="depthwise_conv2d_forward",
        level=1,
        says="nothing compares the number of kernels with the channels of x; it has to be a multiple of C",
        twist={
            "    if one != 1 or 0 in (C, O) or O % C:": ("    if one != 1:"),
        },
    ),
    Mistake(
        name="taps_assigned",
        exercise="depthwise_conv2d_backward",
        level=2,
        says="dx is assigned tap by tap; every tap that read a pixel adds to its gradient",
        twist={
            "dpadded[piece, ..., _taps(v * dilation[1], stride[1], W_out)] += dshifted[:, :, v]": (
                "dpadded[piece, ..., _taps(v * dilation[1], stride[1], W_out)] = dshifted[:, :, v]"
            )
        },
    ),
    Mistake(
        name="depthwise_dweight_averaged",
        exercise="depthwise_conv2d_backward",
        level=2,
        says="dweight is averaged over the images; the gradient of a sum is a sum",
        twist={"(dpartial @ shifted.swapaxes(2, 3)).sum(axis=0)": "(dpartial @ shifted.swapaxes(2, 3)).mean(axis=0)"},
    ),
    Mistake(
        name="first_kernel_only",
        exercise="depthwise_conv2d_backward",
        level=2,
        says="dx comes from the first kernel of each channel alone; all its m kernels read the channel",
        twist={
            "dshifted = (kernels.swapaxes(1, 2) @ dpartial).reshape(": (
                "dshifted = (kernels[:, :kh].swapaxes(1, 2) @ dpartial[:, :, :kh]).reshape("
            ),
        },
    ),
    Mistake(
        name="depthwise_dtype_of_dout",
        exercise="depthwise_conv2d_backward",
        level=3,
        says="the dtype of dout decides that of the gradients; x decides",
        twist={
            'dout = _gradient(dout, (N, O, H_out, W_out), padded.dtype, "depthwise_conv2d_backward")': (
                'dout = _gradient(dout, (N, O, H_out, W_out), None, "depthwise_conv2d_backward")\n'
                "    padded = padded.astype(dout.dtype)"
            ),
        },
    ),
    Mistake(
        name="multiplier_averaged",
        exercise="depthwise_conv2d_backward",
        level=3,
        says="dx is averaged over a channel's m kernels; all m outputs came from that channel, so they add",
        twist={
            "dshifted = (kernels.swapaxes(1, 2) @ dpartial).reshape(": (
                "dshifted = (kernels.swapaxes(1, 2) @ dpartial / (O // C)).reshape("
            )
        },
    ),
    Mistake(
        name="rows_reshaped_not_transposed",
        exercise="pointwise_conv2d_forward",
        level=2,
        says="x is reshaped to (H * W, I), which mixes pixels with channels; reshape does not move an axis",
        twist={
            "    out = weight[:, :, 0, 0] @ x.reshape(N, I, H * W)": (
                "    out = (x.reshape(N, H * W, I) @ weight[:, :, 0, 0].T).swapaxes(1, 2)"
            )
        },
    ),
    Mistake(
        name="weight_decides_the_dtype",
        exercise="pointwise_conv2d_forward",
        level=1,
        says="a float64 weight turns a float32 x into a float64 output; the dtype of x decides",
        twist={"weight = np.asarray(weight, x.dtype)": "weight = np.asarray(weight)"},
    ),
    Mistake(
        name="weight_not_transposed",
        exercise="pointwise_conv2d_backward",
        level=2,
        says="dx multiplies by the weight as it is; the way back from outputs to inputs is its transpose",
        twist={"dx = weight[:, :, 0, 0].T @ flat": "dx = weight[:, :, 0, 0] @ flat"},
    ),
    Mistake(
        name="pixels_averaged",
        exercise="pointwise_conv2d_backward",
        level=2,
        says="dweight is averaged over the pixels; it is their sum",
        twist={"axes=((0, 2), (0, 2)))": "axes=((0, 2), (0, 2))) / (H * W)"},
    ),
    Mistake(
        name="pointwise_dtype_of_dout",
        exercise="pointwise_conv2d_backward",
        level=3,
        says="the dtype of dout decides that of the gradients; x decides",
        twist={
            'dout = _gradient(dout, (N, O, H, W), x.dtype, "pointwise_conv2d_backward")': (
                'dout = _gradient(dout, (N, O, H, W), None, "pointwise_conv2d_backward")'
            ),
        },
    ),
    Mistake(
        name="first_image_only",
        exercise="pointwise_conv2d_backward",
        level=3,
        says="dweight takes the first image alone; the weight served all of them",
        twist={
            "np.tensordot(flat, x.reshape(N, I, H * W), axes": (
                "np.tensordot(flat[:1], x.reshape(N, I, H * W)[:1], axes"
            ),
        },
    ),
    Mistake(
        name="outputs_first_in_the_weight",
        exercise="conv_transpose2d_forward",
        level=1,
        says="the weight is read as (O, I, kh, kw); the transposed convolution's is (I, O, kh, kw)",
        twist={
            'weight = _operands(x, weight, "conv_transpose2d_forward")': (
                'weight = _operands(x, weight, "conv_transpose2d_forward")\n    weight = weight.swapaxes(0, 1)'
            )
        },
    ),
    Mistake(
        name="kernel_painted_upside_down",
        exercise="conv_transpose2d_forward",
        level=2,
        says="the kernel is painted upside down: whoever slides it over a stretched map has to flip it first",
        twist={"full = _spread(x, weight, (len(x)": "full = _spread(x, weight[:, :, ::-1, ::-1], (len(x)"},
    ),
    Mistake(
        name="paint_covers_paint",
        exercise="conv_transpose2d_forward",
        level=2,
        says="where windows overlap the later one covers the earlier; what they paint adds up",
        twist={
            "full = _spread(x, weight, (len(x), weight.shape[1], *size), stride, (1, 1), groups=1)": (
                "full = np.zeros((len(x), weight.shape[1], *size), x.dtype)\n"
                "    for u, v in np.ndindex(*weight.shape[2:]):\n"
                "        rows, columns = _taps(u, stride[0], x.shape[2]), _taps(v, stride[1], x.shape[3])\n"
                "        full[:, :, rows, columns] = np.einsum('ncij,co->noij', x, weight[:, :, u, v])"
            )
        },
    ),
    Mistake(
        name="padding_added",
        exercise="conv_transpose2d_forward",
        level=2,
        says="padding is put around the output; in the adjoint it is cut off",
        twist={"out = _add_bias(_crop(full, padding)": "out = _add_bias(pad2d(full, padding)"},
    ),
    Mistake(
        name="output_padding_left_blank",
        exercise="conv_transpose2d_forward",
        level=3,
        says="the rows that output_padding keeps are left at 0; the last windows may have painted there",
        twist={
            "    out = _add_bias(_crop(full, padding)": (
                "    (ph, pw), (eh, ew) = padding, as_pair(output_padding)\n"
                "    full[:, :, full.shape[2] - ph - eh :] = 0\n"
                "    full[:, :, :, full.shape[3] - pw - ew :] = 0\n"
                "    out = _add_bias(_crop(full, padding)"
            )
        },
    ),
    Mistake(
        name="transposed_dtype_of_the_weight",
        exercise="conv_transpose2d_forward",
        level=1,
        says="a float64 weight turns a float32 x into a float64 output; the dtype of x decides",
        twist={
            '    x, weight = _operands(x, weight, "conv_transpose2d_forward")\n': (
                "    given = np.asarray(weight).dtype\n"
                '    x, weight = _operands(x, weight, "conv_transpose2d_forward")\n'
            ),
            'bias, "conv_transpose2d_forward")\n': (
                'bias, "conv_transpose2d_forward")\n    out = out.astype(np.result_type(out, given))\n'
            ),
        },
    ),
    Mistake(
        name="output_padding_at_the_top",
        exercise="conv_transpose2d_forward",
        level=2,
        says="output_padding adds blank rows at the top and left; it keeps rows at the bottom, columns at the right",
        twist={
            "    out = _add_bias(_crop(full, padding)": (
                "    (eh, ew) = as_pair(output_padding)\n"
                "    full = _crop(full[:, :, : full.shape[2] - eh, : full.shape[3] - ew], padding)\n"
                "    full = np.pad(full, [(0, 0), (0, 0), (eh, 0), (ew, 0)])\n"
                "    out = _add_bias(_crop(full, (0, 0))"
            ),
        },
    ),
    Mistake(
        name="size_times_stride",
        exercise="conv_transpose2d_forward",
        level=1,
        says="the output is taken to have H * stride rows; without padding it has (H - 1) * stride + kernel",
        twist={
            "    out = _add_bias(_crop(full, padding)": (
                "    H, W = x.shape[2] * stride[0], x.shape[3] * stride[1]\n"
                "    full = np.pad(_crop(full, padding), [(0, 0), (0, 0), (0, H), (0, W)])[:, :, :H, :W]\n"
                "    out = _add_bias(_crop(full, (0, 0))"
            ),
        },
    ),
    Mistake(
        name="output_padding_reaches_the_stride",
        exercise="conv_transpose2d_forward",
        level=1,
        says="an output_padding as large as the stride is let through; the convolution back would find one pixel more",
        twist={"if not 0 <= extra < s:": "if not 0 <= extra <= s:"},
    ),
    Mistake(
        name="dweight_outputs_first",
        exercise="conv_transpose2d_backward",
        level=3,
        says="dweight comes as (O, I, kh, kw); it has the shape of the weight, (I, O, kh, kw)",
        twist={
            "dweight = _weigh(padded, x, weight.shape, stride, (1, 1), groups=1)": (
                "dweight = _weigh(padded, x, weight.shape, stride, (1, 1), groups=1).swapaxes(0, 1)"
            )
        },
    ),
    Mistake(
        name="padding_not_put_back",
        exercise="conv_transpose2d_backward",
        level=1,
        says="the kernel slides over dout as it came; the border that forward cut off comes back first, as zeros",
        twist={
            "dx = _correlate(padded, weight, stride": ("dx = _correlate(dout, weight, stride"),
        },
    ),
    Mistake(
        name="transposed_dtype_of_dout",
        exercise="conv_transpose2d_backward",
        level=3,
        says="the dtype of dout decides that of the gradients; x decides",
        twist={
            'dout = _gradient(dout, out_shape, x.dtype, "conv_transpose2d_backward")': (
                'dout = _gradient(dout, out_shape, None, "conv_transpose2d_backward")\n    x = x.astype(dout.dtype)'
            ),
        },
    ),
    Mistake(
        name="dx_flipped",
        exercise="conv_transpose2d_backward",
        level=2,
        says="the kernel is flipped for dx; a pixel asks the window it painted, in the order it painted",
        twist={"dx = _correlate(padded, weight, stride": "dx = _correlate(padded, weight[:, :, ::-1, ::-1], stride"},
    ),
    Mistake(
        name="fan_in_of_all_groups",
        exercise="Conv2d",
        level=2,
        says="fan_in counts the channels of all groups; an output number sums over those of its own",
        twist={"np.sqrt(2 / np.prod(shape[1:]))": "np.sqrt(2 / (in_channels * np.prod(shape[2:])))"},
    ),
    Mistake(
        name="gradient_overwritten",
        exercise="Conv2d",
        level=2,
        says="backward replaces .grad; it adds to it, so that several backwards sum",
        twist={"self.weight.grad += dweight": "self.weight.grad[...] = dweight"},
    ),
    Mistake(
        name="layer_forgets_dilation",
        exercise="Conv2d",
        level=1,
        says="the layer takes dilation but does not hand it to the convolution",
        twist={"settings = self.stride, self.padding, self.dilation": "settings = self.stride, self.padding, (1, 1)"},
    ),
    Mistake(
        name="groups_found_wanting_too_late",
        exercise="Conv2d",
        level=3,
        says="a layer whose groups don't divide its channels can be built; the constructor should refuse it",
        twist={'        _check_groups(in_channels, out_channels, groups, "Conv2d")\n': ""},
    ),
    Mistake(
        name="depthwise_layer_takes_fewer_channels",
        exercise="Conv2d",
        level=1,
        says="a depthwise layer for 6 channels accepts an x of 3, as if the multiplier were 2",
        twist={"weight.shape[1] == 1 and np.shape(x)[1:2] == (self.groups,):": "weight.shape[1] == 1:"},
    ),
    Mistake(
        name="depthwise_step_has_a_bias",
        exercise="DepthwiseSeparableConv2d",
        level=1,
        says="the depthwise step has a bias too; the pointwise step's makes it superfluous",
        twist={'"groups": in_channels, "bias": False}': '"groups": in_channels, "bias": bias}'},
    ),
    Mistake(
        name="activation_in_between",
        exercise="DepthwiseSeparableConv2d",
        level=1,
        says="there is a ReLU between the two steps; this layer is linear, as the convolution it replaces",
        twist={
            "return self.pointwise(self.depthwise(x))": "return self.pointwise(np.maximum(self.depthwise(x), 0))",
        },
    ),
    Mistake(
        name="stride_in_both_steps",
        exercise="DepthwiseSeparableConv2d",
        level=2,
        says="both steps stride; the map shrinks once, in the depthwise step",
        twist={
            "self.pointwise = Conv2d(in_channels, out_channels, 1, bias=bias": (
                "self.pointwise = Conv2d(in_channels, out_channels, 1, stride=stride, bias=bias"
            )
        },
    ),
    Mistake(
        name="pointwise_step_left_out",
        exercise="separable_cost_ratio",
        level=2,
        says="only the depthwise step is counted; the pointwise one costs 1 / (kh * kw) of the full convolution",
        twist={"return 1 / out_channels + 1 / (kh * kw)": "return 1 / out_channels"},
    ),
    Mistake(
        name="kernel_side_for_its_area",
        exercise="separable_cost_ratio",
        level=2,
        says="a kernel's side is counted for its area: kh * kw taps, not kh",
        twist={"return 1 / out_channels + 1 / (kh * kw)": "return 1 / out_channels + 1 / kh"},
    ),
    Mistake(
        name="how_many_times_cheaper",
        exercise="separable_cost_ratio",
        level=1,
        says="the ratio is upside down: it is the part that remains, not the factor saved",
        twist={"return 1 / out_channels + 1 / (kh * kw)": "return 1 / (1 / out_channels + 1 / (kh * kw))"},
    ),
]


UNREADY = "the values come first"


def _slow_conv(x, weight, groups=1):
    """The definition without padding and with stride 1, in float64."""
    O, part, kh, kw = weight.shape
    H_out, W_out = x.shape[2] - kh + 1, x.shape[3] - kw + 1
    out = np.zeros((len(x), O, H_out, W_out))
    for o, c, u, v in np.ndindex(*weight.shape):
        out[:, o] += x[:, o // (O // groups) * part + c, u : u + H_out, v : v + W_out] * weight[o, c, u, v]
    return out


def _slow_gradients(x, weight, dout, groups=1):
    """(dx, dweight, dbias) of `_slow_conv` and a bias."""
    (O, part, _, _), (H_out, W_out) = weight.shape, dout.shape[2:]
    dx, dweight = np.zeros(x.shape), np.zeros(weight.shape)
    for o, c, u, v in np.ndindex(*weight.shape):
        read = np.index_exp[:, o // (O // groups) * part + c, u : u + H_out, v : v + W_out]
        dx[read] += dout[:, o] * weight[o, c, u, v]
        dweight[o, c, u, v] = np.sum(dout[:, o] * x[read])
    return dx, dweight, dout.sum(axis=(0, 2, 3))


def _named(gradients):
    return dict(zip(("dx", "dweight", "dbias"), gradients, strict=True))


def _shapes(layer):
    return [parameter.value.shape for parameter in layer.parameters()]


def _near(array, expected):
    return np.shape(array) == expected.shape and bool(np.allclose(array, expected, rtol=0, atol=1e-3))


def _dtypes(arrays, expected, *names):
    """The dtypes of arrays that hold the right numbers: first the values, then the rest."""
    if not all(_near(array, right) for array, right in zip(arrays, expected, strict=True)):
        return UNREADY
    return {f"{name} dtype": str(array.dtype) for name, array in zip(names, arrays, strict=True)}


def _gradient_dtypes(gradients, expected):
    return _dtypes(gradients, expected, "dx", "dweight", "dbias")


def _of_no_images(gradients):
    dx, dweight, dbias = gradients
    zeros = not (np.any(dweight) or np.any(dbias))
    return {"dx": dx.shape, "dweight": dweight.shape, "dbias": dbias.shape, "zeros": zeros}


def _refusal(call, *numbers):
    """Whether bad input is met with a ValueError that holds the numbers."""
    try:
        call()
    except ValueError as error:
        return "refused, with both numbers" if all(str(n) in str(error) for n in numbers) else "not refused"
    except (IndexError, TypeError):
        pass
    return "not refused"


@probe("conv2d_forward")
def grouped_and_dilated(solution, rng):
    x, weight, bias = rng.standard_normal((2, 6, 11, 12)), rng.standard_normal((9, 2, 3, 2)), rng.standard_normal(9)
    settings = {"stride": (2, 1), "padding": (0, 1), "dilation": (2, 3), "groups": 3}
    return solution.conv2d_forward(x, weight, bias, **settings)[0]


@probe("conv2d_forward")
def plain(solution, rng):
    return solution.conv2d_forward(rng.standard_normal((2, 3, 7, 8)), rng.standard_normal((4, 3, 2, 3)), stride=2)[0]


@probe("conv2d_forward")
def short_bias(solution, rng):
    return solution.conv2d_forward(rng.standard_normal((2, 3, 5, 4)), np.ones((4, 3, 2, 1)), np.ones(1))[0]


@probe("conv2d_forward")
def conv_of_float32(solution, rng):
    x, weight, bias = (
        rng.standard_normal((2, 4, 5, 6), np.float32),
        rng.standard_normal((6, 2, 3, 2)),
        rng.standard_normal(6),
    )
    out, _ = solution.conv2d_forward(x, weight, bias, groups=2)
    return _dtypes([out], [_slow_conv(x, weight, 2) + bias[:, None, None]], "out")


@probe("conv2d_forward")
def conv_of_integers(solution, rng):
    x, weight = rng.integers(-9, 9, (2, 4, 5, 6)), rng.integers(-9, 9, (6, 2, 3, 2)) / 2
    out, _ = solution.conv2d_forward(x, weight, groups=2)
    if _near(out, _slow_conv(x, weight.astype(int), 2)):
        return out
    return _dtypes([out], [_slow_conv(x, weight, 2)], "out")


@probe("conv2d_forward")
def conv_of_no_images(solution, rng):
    x, weight = rng.standard_normal((2, 4, 5, 6)), rng.standard_normal((6, 2, 3, 2))
    if not _near(solution.conv2d_forward(x, weight, groups=2)[0], _slow_conv(x, weight, 2)):
        return UNREADY
    return solution.conv2d_forward(x[:0], weight, groups=2)[0].shape


@probe("conv2d_backward")
def grouped_and_dilated_back(solution, rng):
    x, weight, bias = rng.standard_normal((2, 6, 11, 12)), rng.standard_normal((9, 2, 3, 2)), rng.standard_normal(9)
    settings = {"stride": (2, 1), "padding": (1, 2), "dilation": (2, 3), "groups": 3}
    out, cache = solution.conv2d_forward(x, weight, bias, **settings)
    return _named(solution.conv2d_backward(rng.standard_normal(out.shape), cache))


@probe("conv2d_backward")
def exchanged_sides(solution, rng):
    out, cache = solution.conv2d_forward(rng.standard_normal((2, 3, 5, 7)), rng.standard_normal((4, 3, 2, 3)))
    return solution.conv2d_backward(rng.standard_normal(out.shape).transpose(0, 1, 3, 2), cache)


@probe("conv2d_backward")
def no_border_back(solution, rng):
    out, cache = solution.conv2d_forward(rng.standard_normal((2, 3, 5, 7)), rng.standard_normal((4, 3, 2, 3)))
    return {"dx shape": solution.conv2d_backward(rng.standard_normal(out.shape), cache)[0].shape}


@probe("conv2d_backward")
def conv_back_of_float32(solution, rng):
    x, weight, dout = (
        rng.standard_normal((2, 4, 5, 6), np.float32),
        rng.standard_normal((6, 2, 3, 2)),
        rng.standard_normal((2, 6, 3, 5)),
    )
    _, cache = solution.conv2d_forward(x, weight, np.zeros(6), groups=2)
    return _gradient_dtypes(solution.conv2d_backward(dout, cache), _slow_gradients(x, weight, dout, 2))


@probe("conv2d_backward")
def conv_back_of_no_images(solution, rng):
    x, weight, dout = (
        rng.standard_normal((2, 4, 5, 6)),
        rng.standard_normal((6, 2, 3, 2)),
        rng.standard_normal((2, 6, 3, 5)),
    )
    (_, cache), (_, empty) = (solution.conv2d_forward(a, weight, np.zeros(6), groups=2) for a in (x, x[:0]))
    if not all(map(_near, solution.conv2d_backward(dout, cache), _slow_gradients(x, weight, dout, 2))):
        return UNREADY
    return _of_no_images(solution.conv2d_backward(dout[:0], empty))


@probe("effective_kernel_size")
def reaches(solution, rng):
    return [solution.effective_kernel_size(k, d) for k, d in [(3, 2), (5, 3), (1, 4), (4, 1), ((3, 2), (1, 5))]]


@probe("effective_kernel_size")
def no_step(solution, rng):
    return solution.effective_kernel_size((3, 2), (1, 0))


@probe("depthwise_conv2d_forward")
def uneven_depthwise(solution, rng):
    x, weight, bias = rng.standard_normal((2, 3, 11, 12)), rng.standard_normal((6, 1, 3, 2)), rng.standard_normal(6)
    return solution.depthwise_conv2d_forward(x, weight, bias, stride=(2, 1), padding=(0, 1), dilation=(2, 3))[0]


@probe("depthwise_conv2d_forward")
def lonely_kernel(solution, rng):
    return solution.depthwise_conv2d_forward(rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((1, 1, 2, 3)))[0]


@probe("depthwise_conv2d_forward")
def kernels_left_over(solution, rng):
    x, weight = rng.standard_normal((2, 3, 7, 8)), rng.standard_normal((5, 1, 2, 2))
    return {"5 kernels for 3 channels": _refusal(lambda: solution.depthwise_conv2d_forward(x, weight), 5, 3)}


@probe("depthwise_conv2d_forward")
def depthwise_of_float32(solution, rng):
    x, weight, bias = (
        rng.standard_normal((2, 3, 5, 6), np.float32),
        rng.standard_normal((6, 1, 3, 2)),
        rng.standard_normal(6),
    )
    out, _ = solution.depthwise_conv2d_forward(x, weight, bias)
    return _dtypes([out], [_slow_conv(x, weight, 3) + bias[:, None, None]], "out")


@probe("depthwise_conv2d_forward")
def depthwise_of_integers(solution, rng):
    x, weight = rng.integers(-9, 9, (2, 3, 5, 6)), rng.integers(-9, 9, (6, 1, 3, 2)) / 2
    out, _ = solution.depthwise_conv2d_forward(x, weight)
    if _near(out, _slow_conv(x, weight.astype(int), 3)):
        return out
    return _dtypes([out], [_slow_conv(x, weight, 3)], "out")


@probe("depthwise_conv2d_forward")
def depthwise_of_no_images(solution, rng):
    x, weight = rng.standard_normal((2, 3, 5, 6)), rng.standard_normal((6, 1, 3, 2))
    if not _near(solution.depthwise_conv2d_forward(x, weight)[0], _slow_conv(x, weight, 3)):
        return UNREADY
    return solution.depthwise_conv2d_forward(x[:0], weight)[0].shape


@probe("depthwise_conv2d_backward")
def uneven_depthwise_back(solution, rng):
    x, weight, bias = rng.standard_normal((2, 3, 11, 12)), rng.standard_normal((6, 1, 3, 2)), rng.standard_normal(6)
    out, cache = solution.depthwise_conv2d_forward(x, weight, bias, stride=(2, 1), padding=(1, 2), dilation=(2, 3))
    return _named(solution.depthwise_conv2d_backward(rng.standard_normal(out.shape), cache))


@probe("depthwise_conv2d_backward")
def depthwise_back_of_float32(solution, rng):
    x, weight, dout = (
        rng.standard_normal((2, 3, 5, 6), np.float32),
        rng.standard_normal((6, 1, 3, 2)),
        rng.standard_normal((2, 6, 3, 5)),
    )
    _, cache = solution.depthwise_conv2d_forward(x, weight, np.zeros(6))
    return _gradient_dtypes(solution.depthwise_conv2d_backward(dout, cache), _slow_gradients(x, weight, dout, 3))


@probe("depthwise_conv2d_backward")
def depthwise_back_of_no_images(solution, rng):
    x, weight, dout = (
        rng.standard_normal((2, 3, 5, 6)),
        rng.standard_normal((6, 1, 3, 2)),
        rng.standard_normal((2, 6, 3, 5)),
    )
    (_, cache), (_, empty) = (solution.depthwise_conv2d_forward(a, weight, np.zeros(6)) for a in (x, x[:0]))
    if not all(map(_near, solution.depthwise_conv2d_backward(dout, cache), _slow_gradients(x, weight, dout, 3))):
        return UNREADY
    return _of_no_images(solution.depthwise_conv2d_backward(dout[:0], empty))


@probe("pointwise_conv2d_forward")
def mixed_channels(solution, rng):
    x, weight, bias = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((6, 3, 1, 1)), rng.standard_normal(6)
    return solution.pointwise_conv2d_forward(x, weight, bias)[0]


@probe("pointwise_conv2d_forward")
def mixed_dtypes(solution, rng):
    x = rng.standard_normal((2, 3, 5, 4)).astype(np.float32)
    return solution.pointwise_conv2d_forward(x, rng.standard_normal((6, 3, 1, 1)))[0]


@probe("pointwise_conv2d_forward")
def pointwise_of_float32(solution, rng):
    x, weight, bias = (
        rng.standard_normal((2, 3, 5, 4), np.float32),
        rng.standard_normal((6, 3, 1, 1)),
        rng.standard_normal(6),
    )
    out, _ = solution.pointwise_conv2d_forward(x, weight, bias)
    return _dtypes([out], [_slow_conv(x, weight) + bias[:, None, None]], "out")


@probe("pointwise_conv2d_forward")
def pointwise_of_integers(solution, rng):
    x, weight = rng.integers(-9, 9, (2, 3, 5, 4)), rng.integers(-9, 9, (6, 3, 1, 1)) / 2
    out, _ = solution.pointwise_conv2d_forward(x, weight)
    if _near(out, _slow_conv(x, weight.astype(int))):
        return out
    return _dtypes([out], [_slow_conv(x, weight)], "out")


@probe("pointwise_conv2d_forward")
def pointwise_of_no_images(solution, rng):
    x, weight = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((6, 3, 1, 1))
    if not _near(solution.pointwise_conv2d_forward(x, weight)[0], _slow_conv(x, weight)):
        return UNREADY
    return solution.pointwise_conv2d_forward(x[:0], weight)[0].shape


@probe("pointwise_conv2d_backward")
def mixed_channels_back(solution, rng):
    x, weight, bias = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((3, 3, 1, 1)), rng.standard_normal(3)
    out, cache = solution.pointwise_conv2d_forward(x, weight, bias)
    return _named(solution.pointwise_conv2d_backward(rng.standard_normal(out.shape), cache))


@probe("pointwise_conv2d_backward")
def pointwise_back_of_float32(solution, rng):
    x, weight, dout = (
        rng.standard_normal((2, 3, 5, 4), np.float32),
        rng.standard_normal((6, 3, 1, 1)),
        rng.standard_normal((2, 6, 5, 4)),
    )
    _, cache = solution.pointwise_conv2d_forward(x, weight, np.zeros(6))
    return _gradient_dtypes(solution.pointwise_conv2d_backward(dout, cache), _slow_gradients(x, weight, dout))


@probe("pointwise_conv2d_backward")
def pointwise_back_of_no_images(solution, rng):
    x, weight, dout = (
        rng.standard_normal((2, 3, 5, 4)),
        rng.standard_normal((6, 3, 1, 1)),
        rng.standard_normal((2, 6, 5, 4)),
    )
    (_, cache), (_, empty) = (solution.pointwise_conv2d_forward(a, weight, np.zeros(6)) for a in (x, x[:0]))
    if not all(map(_near, solution.pointwise_conv2d_backward(dout, cache), _slow_gradients(x, weight, dout))):
        return UNREADY
    return _of_no_images(solution.pointwise_conv2d_backward(dout[:0], empty))


@probe("conv_transpose2d_forward")
def painted(solution, rng):
    x, weight, bias = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((3, 3, 4, 5)), rng.standard_normal(3)
    return solution.conv_transpose2d_forward(x, weight, bias, stride=(3, 2), padding=(1, 2), output_padding=(2, 1))[0]


@probe("conv_transpose2d_forward")
def too_much_kept(solution, rng):
    x, weight = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((3, 3, 4, 5))
    return solution.conv_transpose2d_forward(x, weight, stride=2, output_padding=2)[0]


@probe("conv_transpose2d_forward")
def transposed_of_float32(solution, rng):
    x, weight, bias = rng.standard_normal((2, 3, 5, 4), np.float32), rng.standard_normal((3, 2, 2, 3)), np.ones(2)
    out, _ = solution.conv_transpose2d_forward(x, weight, bias)
    return _dtypes([out], [_slow_transposed(x, weight) + 1], "out")


@probe("conv_transpose2d_forward")
def transposed_of_integers(solution, rng):
    x, weight = rng.integers(-9, 9, (2, 3, 5, 4)), rng.integers(-9, 9, (3, 2, 2, 3)) / 2
    out, _ = solution.conv_transpose2d_forward(x, weight)
    if _near(out, _slow_transposed(x, weight.astype(int))):
        return out
    return _dtypes([out], [_slow_transposed(x, weight)], "out")


@probe("conv_transpose2d_forward")
def transposed_of_no_images(solution, rng):
    x, weight = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((3, 2, 2, 3))
    if not _near(solution.conv_transpose2d_forward(x, weight)[0], _slow_transposed(x, weight)):
        return UNREADY
    return solution.conv_transpose2d_forward(x[:0], weight)[0].shape


def _slow_transposed(x, weight):
    """Without padding and with stride 1: the gradient of the convolution from a map of the output's size."""
    (N, _, H, W), (_, O, kh, kw) = x.shape, weight.shape
    return _slow_gradients(np.zeros((N, O, H + kh - 1, W + kw - 1)), weight, x)[0]


@probe("conv_transpose2d_backward")
def painted_back(solution, rng):
    x, weight, bias = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((3, 6, 4, 5)), rng.standard_normal(6)
    settings = {"stride": (3, 2), "padding": (1, 2), "output_padding": (2, 1)}
    out, cache = solution.conv_transpose2d_forward(x, weight, bias, **settings)
    return _named(solution.conv_transpose2d_backward(rng.standard_normal(out.shape), cache))


@probe("conv_transpose2d_backward")
def transposed_back_of_float32(solution, rng):
    x, weight, dout = (rng.standard_normal(shape) for shape in ((2, 3, 5, 4), (3, 2, 2, 3), (2, 2, 6, 6)))
    _, cache = solution.conv_transpose2d_forward(x.astype(np.float32), weight, np.zeros(2))
    return _gradient_dtypes(solution.conv_transpose2d_backward(dout, cache), _transposed_back(x, weight, dout))


@probe("conv_transpose2d_backward")
def transposed_back_of_no_images(solution, rng):
    x, weight, dout = (rng.standard_normal(shape) for shape in ((2, 3, 5, 4), (3, 2, 2, 3), (2, 2, 6, 6)))
    (_, cache), (_, empty) = (solution.conv_transpose2d_forward(a, weight, np.zeros(2)) for a in (x, x[:0]))
    if not all(map(_near, solution.conv_transpose2d_backward(dout, cache), _transposed_back(x, weight, dout))):
        return UNREADY
    return _of_no_images(solution.conv_transpose2d_backward(dout[:0], empty))


def _transposed_back(x, weight, dout):
    return _slow_conv(dout, weight), _slow_gradients(dout, weight, x)[1], dout.sum(axis=(0, 2, 3))


@probe("Conv2d")
def layer_twice(solution, rng):
    layer = solution.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(2, 1), dilation=(2, 3), groups=2).astype(np.float64)
    for parameter in layer.parameters():
        parameter.value = rng.standard_normal(parameter.value.shape)
    x = rng.standard_normal((3, 4, 7, 8))
    out = layer(x)
    dout = rng.standard_normal(out.shape)
    first = layer.backward(dout)
    layer(x)
    layer.backward(dout)
    grads = [parameter.grad for parameter in layer.parameters()]
    return {"shapes": _shapes(layer), "out": out, "dx": first, "gradients": grads}


@probe("Conv2d")
def spread_of_the_weight(solution, rng):
    weight = solution.Conv2d(60, 90, 3, groups=3, rng=rng).weight.value
    return {"weight": weight.shape, "std / sqrt(2 / fan_in)": round(float(np.std(weight) / np.sqrt(2 / (20 * 9))), 1)}


@probe("Conv2d")
def channels_left_over(solution, rng):
    return solution.Conv2d(6, 8, 3, groups=4).weight.value.shape


@probe("Conv2d")
def half_the_channels(solution, rng):
    return solution.Conv2d(6, 6, 2, groups=6)(rng.standard_normal((2, 3, 5, 4))).shape


@probe("DepthwiseSeparableConv2d")
def both_steps(solution, rng):
    layer = solution.DepthwiseSeparableConv2d(3, 4, (3, 2), stride=(2, 1), padding=(0, 1)).astype(np.float64)
    for parameter in layer.parameters():
        parameter.value = rng.standard_normal(parameter.value.shape)
    out = layer(rng.standard_normal((2, 3, 9, 8)))
    dx = layer.backward(rng.standard_normal(out.shape))
    grads = [parameter.grad for parameter in layer.parameters()]
    return {"shapes": _shapes(layer), "out": out, "dx": dx, "gradients": grads}


@probe("separable_cost_ratio")
def ratios(solution, rng):
    return [solution.separable_cost_ratio(out, kernel) for out, kernel in [(64, 3), (7, (5, 2)), (1, 1), (256, 7)]]
