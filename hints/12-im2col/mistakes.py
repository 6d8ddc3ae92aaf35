"""Wrong turns learners take in Topic 12, and the probes that tell them apart."""

import numpy as np

from kata.mistakes import Mistake, probe
from kata.testing import count_bytecodes

MISTAKES = [
    # --- sliding_windows ---
    Mistake(
        name="windows_copied",
        exercise="sliding_windows",
        level=2,
        says="the windows are copied out one by one; with the right strides the image's own memory shows them all",
        twist={"        writeable=False,\n    )": "        writeable=False,\n    ).copy()"},
    ),
    Mistake(
        name="windows_writeable",
        exercise="sliding_windows",
        level=2,
        says="the view can be written to, though windows share their pixels: one write changes several of them",
        twist={"        writeable=False,\n    )": "    )"},
    ),
    Mistake(
        name="stride_inside_the_window",
        exercise="sliding_windows",
        level=2,
        says="the stride spreads the pixels inside a window; it is the step from one window to the next",
        twist={"sh * row, sw * column, row, column)": "row, column, sh * row, sw * column)"},
    ),
    Mistake(
        name="strides_of_a_fresh_array",
        exercise="sliding_windows",
        level=3,
        says="the byte steps are worked out from x.shape; a transposed or sliced x has others, see x.strides",
        twist={
            "    image, channel, row, column = x.strides": "    row, column = W * x.itemsize, x.itemsize\n"
            "    image, channel = C * H * row, H * row"
        },
    ),
    Mistake(
        name="pairs_read_across_first",
        exercise="sliding_windows",
        level=1,
        says="the pairs are read as (across, down); every pair here is (down, across), as H comes before W",
        twist={
            '    (kh, kw), (sh, sw) = as_pair(kernel_size, "kernel_size"), as_pair(stride, "stride")': (
                '    (kw, kh), (sw, sh) = as_pair(kernel_size, "kernel_size"), as_pair(stride, "stride")'
            )
        },
    ),
    Mistake(
        name="window_axes_before_positions",
        exercise="sliding_windows",
        level=1,
        says="the window's own axes come before the positions; here windows[n, c, i, j] is a window",
        twist={
            "        (N, C, H_out, W_out, kh, kw),\n": "        (N, C, kh, kw, H_out, W_out),\n",
            "sh * row, sw * column, row, column)": "row, column, sh * row, sw * column)",
        },
    ),
    Mistake(
        name="windows_unchecked",
        exercise="sliding_windows",
        level=2,
        says="a window larger than the image slips through; as_strided checks nothing, so ask conv_output_size first",
        twist={
            "H_out, W_out = conv_output_size(H, kh, sh), conv_output_size(W, kw, sw)\n    image": (
                "H_out, W_out = (H - max(kh, 1)) // max(sh, 1) + 1, (W - max(kw, 1)) // max(sw, 1) + 1\n"
                "    H_out, W_out = max(H_out, 0), max(W_out, 0)\n    image"
            )
        },
    ),
    Mistake(
        name="stride_pair_swapped",
        exercise="sliding_windows",
        level=1,
        says="the stride is read as (across, down); it is (down, across), as in a shape",
        twist={
            '    (kh, kw), (sh, sw) = as_pair(kernel_size, "kernel_size"),': (
                '    (kh, kw), (sw, sh) = as_pair(kernel_size, "kernel_size"),'
            )
        },
    ),
    # --- im2col ---
    Mistake(
        name="window_a_row",
        exercise="im2col",
        level=1,
        says="each window is a row, (N, L, C*kh*kw); in this layout each window is a column, (N, C*kh*kw, L)",
        twist={
            "windows.transpose(0, 1, 4, 5, 2, 3).copy().reshape(N, C * kh * kw, H_out * W_out)": (
                "windows.transpose(0, 2, 3, 1, 4, 5).copy().reshape(N, H_out * W_out, C * kh * kw)"
            )
        },
    ),
    Mistake(
        name="channel_last_rows",
        exercise="im2col",
        level=2,
        says="the rows run with the channel fastest; a weight is (O, C, kh, kw), so the channel must be slowest",
        twist={"transpose(0, 1, 4, 5, 2, 3)": "transpose(0, 4, 5, 1, 2, 3)"},
    ),
    Mistake(
        name="reshape_without_transpose",
        exercise="im2col",
        level=2,
        says="the windows are reshaped without a transpose; a reshape moves no number, so positions stay in the rows",
        twist={"windows.transpose(0, 1, 4, 5, 2, 3).copy()": "windows.copy()"},
    ),
    Mistake(
        name="position_major",
        exercise="im2col",
        level=2,
        says="window after window is written out and the shape then changed; each image's matrix needs a transpose",
        twist={"transpose(0, 1, 4, 5, 2, 3)": "transpose(0, 2, 3, 1, 4, 5)"},
    ),
    Mistake(
        name="positions_down_first",
        exercise="im2col",
        level=2,
        says="the columns run down the image first; column i * W_out + j runs along a row first",
        twist={"transpose(0, 1, 4, 5, 2, 3)": "transpose(0, 1, 4, 5, 3, 2)"},
    ),
    Mistake(
        name="kernel_sides_swapped",
        exercise="im2col",
        level=2,
        says="inside a channel the rows run down the window first; row u * kw + v runs along the window's rows",
        twist={"transpose(0, 1, 4, 5, 2, 3)": "transpose(0, 1, 5, 4, 2, 3)"},
    ),
    Mistake(
        name="images_side_by_side",
        exercise="im2col",
        level=1,
        says="the columns of all images stand side by side in one matrix; here every image keeps a matrix of its own",
        twist={
            "windows.transpose(0, 1, 4, 5, 2, 3).copy().reshape(N, C * kh * kw, H_out * W_out)": (
                "windows.transpose(1, 4, 5, 0, 2, 3).copy().reshape(C * kh * kw, N * H_out * W_out)"
            )
        },
    ),
    Mistake(
        name="padding_ignored",
        exercise="im2col",
        level=1,
        says="the padding is never added, so windows start at the first pixel",
        twist={"sliding_windows(pad2d(x, padding), kernel_size": "sliding_windows(as_float(x), kernel_size"},
    ),
    Mistake(
        name="reshape_trusted_to_copy",
        exercise="im2col",
        level=3,
        says="reshape is trusted to copy; with a 1x1 kernel nothing has to move, and it returns the read-only view",
        twist={"transpose(0, 1, 4, 5, 2, 3).copy()": "transpose(0, 1, 4, 5, 2, 3)"},
    ),
    Mistake(
        name="im2col_loops_over_positions",
        exercise="im2col",
        level=2,
        says="a Python loop cuts out one window after the other; the view of all windows can be copied by one call",
        twist={
            "return windows.transpose(0, 1, 4, 5, 2, 3).copy().reshape(N, C * kh * kw, H_out * W_out)": (
                "cols = np.empty((N, C * kh * kw, H_out * W_out), windows.dtype)\n"
                "    for i in range(H_out):\n"
                "        for j in range(W_out):\n"
                "            cols[:, :, i * W_out + j] = windows[:, :, i, j].reshape(N, C * kh * kw)\n"
                "    return cols"
            )
        },
    ),
    Mistake(
        name="rows_worked_out_by_reshape",
        exercise="im2col",
        level=3,
        says="-1 stands for a size in the reshape, which can't be worked out for an empty batch; write it out",
        twist={
            "reshape(N, C * kh * kw, H_out * W_out)\n    # endregion": "reshape(N, -1, H_out * W_out)\n    # endregion",
        },
    ),
    Mistake(
        name="columns_in_float64",
        exercise="im2col",
        level=3,
        says="the columns are float64 whatever x is; they have its dtype",
        twist={
            "sliding_windows(pad2d(x, padding), kernel": "sliding_windows(pad2d(x, padding).astype(np.float64), kernel",
        },
    ),
    # --- col2im ---
    Mistake(
        name="assigned_not_added",
        exercise="col2im",
        level=1,
        says="columns are assigned, not added, where windows overlap; the last window wins",
        twist={"sw * W_out : sw] += cols[:, :, u, v]": "sw * W_out : sw] = cols[:, :, u, v]"},
    ),
    Mistake(
        name="averaged_to_undo_im2col",
        exercise="col2im",
        level=1,
        says="the sum is divided by the number of windows over a pixel, to undo im2col; the adjoint only adds",
        twist={
            "    padded = np.zeros((N, C, H + 2 * ph, W + 2 * pw), cols.dtype)\n": (
                "    padded = np.zeros((N, C, H + 2 * ph, W + 2 * pw), cols.dtype)\n"
                "    counts = np.zeros_like(padded)\n"
            ),
            "sw * W_out : sw] += cols[:, :, u, v]\n": (
                "sw * W_out : sw] += cols[:, :, u, v]\n"
                "            counts[:, :, u : u + sh * H_out : sh, v : v + sw * W_out : sw] += 1\n"
                "    padded /= np.maximum(counts, 1)\n"
            ),
        },
    ),
    Mistake(
        name="wrong_end_cut_off",
        exercise="col2im",
        level=2,
        says="the image is taken from the padded one's upper left corner; it begins ph rows down and pw columns across",
        twist={"padded[:, :, ph : ph + H, pw : pw + W].copy()": "padded[:, :, :H, :W].copy()"},
    ),
    Mistake(
        name="padding_left_on",
        exercise="col2im",
        level=1,
        says="the padding is still around the result; x_shape is the image without it",
        twist={"padded[:, :, ph : ph + H, pw : pw + W].copy()": "padded"},
    ),
    Mistake(
        name="stride_forgotten",
        exercise="col2im",
        level=2,
        says="the windows are put back one pixel apart, whatever the stride",
        twist={"u : u + sh * H_out : sh, v : v + sw * W_out : sw]": "u : u + H_out, v : v + W_out]"},
    ),
    Mistake(
        name="rows_split_channel_last",
        exercise="col2im",
        level=2,
        says="the rows are split as (kh, kw, C); im2col writes the channel slowest, (C, kh, kw)",
        twist={
            "cols = cols.reshape(N, C, kh, kw, H_out, W_out)": (
                "cols = cols.reshape(N, kh, kw, C, H_out, W_out).transpose(0, 3, 1, 2, 4, 5)"
            )
        },
    ),
    Mistake(
        name="columns_split_down_first",
        exercise="col2im",
        level=2,
        says="the columns are split as (W_out, H_out); column i * W_out + j splits into (H_out, W_out)",
        twist={
            "cols = cols.reshape(N, C, kh, kw, H_out, W_out)": (
                "cols = cols.reshape(N, C, kh, kw, W_out, H_out).swapaxes(4, 5)"
            )
        },
    ),
    Mistake(
        name="only_the_size_checked",
        exercise="col2im",
        level=2,
        says="cols' shape, or all but its size, goes unchecked, so columns in another layout are rearranged in silence",
        twist={
            "if cols.shape != (N, C * kh * kw, H_out * W_out):": "if cols.size != N * C * kh * kw * H_out * W_out:",
        },
    ),
    Mistake(
        name="col2im_loops_over_positions",
        exercise="col2im",
        level=2,
        says="a Python loop puts back one window after the other; loop over the kernel's kh * kw pixels instead",
        twist={
            "    for u in range(kh):\n        for v in range(kw):\n            "
            "padded[:, :, u : u + sh * H_out : sh, v : v + sw * W_out : sw] += cols[:, :, u, v]": (
                "    for i in range(H_out):\n        for j in range(W_out):\n            "
                "padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw] += cols[..., i, j]"
            )
        },
    ),
    Mistake(
        name="stride_pair_swapped_in_col2im",
        exercise="col2im",
        level=1,
        says="the windows go back with the two strides exchanged; rows step by sh, columns by sw",
        twist={
            "u : u + sh * H_out : sh, v : v + sw * W_out : sw]": "u : u + sw * H_out : sw, v : v + sh * W_out : sh]",
        },
    ),
    Mistake(
        name="cut_to_minus_zero",
        exercise="col2im",
        level=3,
        says="the padding is cut off with ph:-ph, which is empty where ph is 0",
        twist={
            "padded[:, :, ph : ph + H, pw : pw + W].copy()": "padded[:, :, ph:-ph, pw:-pw].copy()",
        },
    ),
    Mistake(
        name="image_in_float64",
        exercise="col2im",
        level=3,
        says="the image starts as np.zeros without a dtype, so float32 columns come back as float64",
        twist={
            "W + 2 * pw), cols.dtype)": "W + 2 * pw))",
        },
    ),
    # --- conv2d_im2col_forward ---
    Mistake(
        name="weight_reshaped_not_transposed",
        exercise="conv2d_im2col_forward",
        level=2,
        says="reshape is used to transpose the weight, which cuts its kernels apart; (O, C*kh*kw) keeps each one a row",
        twist={"    kernels = weight.reshape(O, C * kh * kw)": "    kernels = weight.reshape(C * kh * kw, O).T"},
    ),
    Mistake(
        name="kernel_flipped",
        exercise="conv2d_im2col_forward",
        level=2,
        says="the kernel is flipped before the product; networks use it as it lies (cross-correlation)",
        twist={
            "    kernels = weight.reshape(O, C * kh * kw)": (
                "    kernels = weight[:, :, ::-1, ::-1].reshape(O, C * kh * kw)"
            )
        },
    ),
    Mistake(
        name="positions_split_across_first",
        exercise="conv2d_im2col_forward",
        level=2,
        says="the L positions are split as (W_out, H_out); position i * W_out + j splits into (H_out, W_out)",
        twist={
            "return out.reshape(N, O, H_out, W_out), (x,": "return out.reshape(N, O, W_out, H_out).swapaxes(2, 3), (x,"
        },
    ),
    Mistake(
        name="bias_left_out",
        exercise="conv2d_im2col_forward",
        level=1,
        says="the bias is never added to the product",
        twist={"        out += np.asarray(bias, x.dtype)[:, np.newaxis]": "        out += 0"},
    ),
    Mistake(
        name="bias_broadcasts",
        exercise="conv2d_im2col_forward",
        level=2,
        says="a bias of one number is spread over all channels; a bias is (O,), and nothing broadcasts",
        twist={
            "    if bias is not None and np.shape(bias) != weight.shape[:1]:": (
                "    if bias is not None and np.size(bias) not in (1, len(weight)):"
            ),
            "        out += np.asarray(bias, x.dtype)[:, np.newaxis]": (
                "        out += np.asarray(bias, x.dtype).reshape(-1, 1)"
            ),
        },
    ),
    Mistake(
        name="result_in_float64",
        exercise="conv2d_im2col_forward",
        level=2,
        says="the result is made without a dtype, so float32 images come out as float64",
        twist={
            "    out = np.empty((N, O, H_out * W_out), x.dtype)": "    out = np.empty((N, O, H_out * W_out))",
        },
    ),
    Mistake(
        name="forward_loops_over_channels",
        exercise="conv2d_im2col_forward",
        level=2,
        says="a Python loop takes one output channel after the other; all kernels together are one matrix product",
        twist={
            "        np.matmul(kernels, im2col(x[n : n + 1], *settings)[0], out=out[n])": (
                "        for o in range(O):\n            out[n, o] = kernels[o] @ im2col(x[n : n + 1], *settings)[0]"
            )
        },
    ),
    Mistake(
        name="bias_lying_down",
        exercise="conv2d_im2col_forward",
        level=2,
        says="the bias lies along the positions; (O,) has to stand up, (O, 1), to be one number a channel",
        twist={
            "np.asarray(bias, x.dtype)[:, np.newaxis]": "np.asarray(bias, x.dtype)",
        },
    ),
    # --- conv2d_im2col_backward ---
    Mistake(
        name="last_image_only",
        exercise="conv2d_im2col_backward",
        level=2,
        says="dweight holds the last image's share only; every image adds to it",
        twist={"        dkernels += dout[n] @": "        dkernels = dout[n] @"},
    ),
    Mistake(
        name="dweight_averaged",
        exercise="conv2d_im2col_backward",
        level=2,
        says="dweight is averaged over the batch; the loss does that, if anyone: here images are summed",
        twist={
            "    return dx, dkernels.reshape(weight.shape), dbias": (
                "    return dx, dkernels.reshape(weight.shape) / x.dtype.type(max(N, 1)), dbias"
            )
        },
    ),
    Mistake(
        name="dbias_averaged",
        exercise="conv2d_im2col_backward",
        level=2,
        says="dbias is a mean over images; it is the sum over images and positions",
        twist={"dbias = dout.sum(axis=(0, 2)) if": "dbias = dout.sum(axis=2).sum(axis=0) / x.dtype.type(max(N, 1)) if"},
    ),
    Mistake(
        name="dbias_without_bias",
        exercise="conv2d_im2col_backward",
        level=1,
        says="a bias that isn't there gets a gradient; None in, None out",
        twist={"dbias = dout.sum(axis=(0, 2)) if has_bias else None": "dbias = dout.sum(axis=(0, 2))"},
    ),
    Mistake(
        name="dout_read_down_first",
        exercise="conv2d_im2col_backward",
        level=2,
        says="dout's pixels are merged running down first; they must be in the columns' order, i * W_out + j",
        twist={
            "    dout = np.asarray(dout, x.dtype).reshape(N, O, H_out * W_out)": (
                "    dout = np.asarray(dout, x.dtype).swapaxes(2, 3).reshape(N, O, H_out * W_out)"
            )
        },
    ),
    Mistake(
        name="dx_written_over_x",
        exercise="conv2d_im2col_backward",
        level=2,
        says="dx is written over the cached images, so the caller's x and a second backward are spoilt",
        twist={
            "dx = np.zeros_like(kernels), np.empty(x.shape, x.dtype)": "dx = np.zeros_like(kernels), x",
        },
    ),
    Mistake(
        name="dout_only_counted",
        exercise="conv2d_im2col_backward",
        level=2,
        says="a dout of one channel is broadcast over all of them; only the output's own shape is right",
        twist={
            "    if np.shape(dout) != (N, O, H_out, W_out):": (
                "    if np.size(dout) == N * H_out * W_out:\n"
                "        dout = np.broadcast_to(dout, (N, O, H_out, W_out))\n"
                "    if np.size(dout) != N * O * H_out * W_out:"
            )
        },
    ),
    Mistake(
        name="gradients_in_dtype_of_dout",
        exercise="conv2d_im2col_backward",
        level=3,
        says="a float64 dout turns a float32 layer's gradients into float64; cast it to the dtype of x first",
        twist={
            "    dout = np.asarray(dout, x.dtype).reshape(": "    dout = np.asarray(dout).reshape(",
            "dkernels, dx = np.zeros_like(kernels), np.empty(x.shape, x.dtype)": (
                "dkernels, dx = np.zeros_like(kernels, dtype=dout.dtype), np.empty(x.shape, dout.dtype)"
            ),
        },
    ),
    Mistake(
        name="backward_loops_over_channels",
        exercise="conv2d_im2col_backward",
        level=2,
        says="a Python loop takes one output channel after the other; all of them together are one matrix product",
        twist={
            "        dkernels += dout[n] @ im2col(image, *settings)[0].T": (
                "        for o in range(O):\n            dkernels[o] += im2col(image, *settings)[0] @ dout[n, o]"
            )
        },
    ),
    Mistake(
        name="kernels_reshaped_not_transposed",
        exercise="conv2d_im2col_backward",
        level=2,
        says="reshape is used to transpose the kernel matrix, which cuts its rows apart; dcols needs its .T",
        twist={
            "kernels.T @ dout[n : n + 1]": "kernels.reshape(-1, O) @ dout[n : n + 1]",
        },
    ),
    Mistake(
        name="stride_one_in_backward",
        exercise="conv2d_im2col_backward",
        level=1,
        says="forward's stride is not used in backward; im2col and col2im need the settings of the output",
        twist={
            "has_bias, settings, (H_out, W_out) = cache": (
                "has_bias, (kernel, _, padding), (H_out, W_out) = cache\n    settings = kernel, 1, padding"
            )
        },
    ),
    Mistake(
        name="no_padding_in_backward",
        exercise="conv2d_im2col_backward",
        level=1,
        says="forward's padding is not used in backward; im2col and col2im need the settings of the output",
        twist={
            "has_bias, settings, (H_out, W_out) = cache": (
                "has_bias, (kernel, stride, _), (H_out, W_out) = cache\n    settings = kernel, stride, 0"
            )
        },
    ),
    Mistake(
        name="positions_worked_out_by_reshape",
        exercise="conv2d_im2col_backward",
        level=3,
        says="-1 stands for a size in dout's reshape, which can't be worked out for an empty batch; write it out",
        twist={
            "np.asarray(dout, x.dtype).reshape(N, O, H_out * W_out)": "np.asarray(dout, x.dtype).reshape(N, O, -1)",
        },
    ),
    Mistake(
        name="dout_unchecked",
        exercise="conv2d_im2col_backward",
        level=3,
        says="dout's shape is not compared with the output's, so exchanged sides are reshaped in silence",
        twist={
            "    if np.shape(dout) != (N, O, H_out, W_out):": "    if False:",
        },
    ),
    # --- Conv2d ---
    Mistake(
        name="layer_still_on_the_loops",
        exercise="Conv2d",
        level=1,
        says="the layer still runs the loops of Topic 11; its forward and backward must call the fast pair",
        twist={
            "self._cache = conv2d_im2col_forward(": "self._cache = conv2d.conv2d_forward(",
            "dbias = conv2d_im2col_backward(dout, self._cache)": "dbias = conv2d.conv2d_backward(dout, self._cache)",
        },
    ),
    Mistake(
        name="gradient_assigned",
        exercise="Conv2d",
        level=2,
        says="backward replaces the gradients; it adds to them, and the optimizer clears them",
        twist={
            "        self.weight.grad += dweight": "        self.weight.grad = dweight",
            "            self.bias.grad += dbias": "            self.bias.grad = dbias",
        },
    ),
    Mistake(
        name="padding_not_passed_on",
        exercise="Conv2d",
        level=1,
        says="the layer's padding never reaches the convolution",
        twist={"self.weight.value, bias, self.stride, self.padding)": "self.weight.value, bias, self.stride)"},
    ),
    Mistake(
        name="stride_not_passed_on",
        exercise="Conv2d",
        level=1,
        says="the layer's stride never reaches the convolution",
        twist={
            "self.weight.value, bias, self.stride, self.padding)": "self.weight.value, bias, padding=self.padding)",
        },
    ),
    Mistake(
        name="rng_not_passed_on",
        exercise="Conv2d",
        level=2,
        says="rng is not used to draw the weight, so the same seed gives another layer each time",
        twist={
            "super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias, rng)": (
                "super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias)"
            )
        },
    ),
    Mistake(
        name="bias_always_there",
        exercise="Conv2d",
        level=1,
        says="bias=False is not heeded: the layer has a bias all the same",
        twist={
            "super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias, rng)": (
                "super().__init__(in_channels, out_channels, kernel_size, stride, padding, True, rng)"
            )
        },
    ),
    Mistake(
        name="weight_gradient_assigned",
        exercise="Conv2d",
        level=2,
        says="backward replaces the weight's gradient and adds to the bias's; it adds to both",
        twist={
            "        self.weight.grad += dweight": "        self.weight.grad = dweight",
        },
    ),
    Mistake(
        name="bias_gradient_assigned",
        exercise="Conv2d",
        level=2,
        says="backward replaces the bias's gradient and adds to the weight's; it adds to both",
        twist={
            "            self.bias.grad += dbias": "            self.bias.grad = dbias",
        },
    ),
    # --- im2col_bytes ---
    Mistake(
        name="overlap_not_counted",
        exercise="im2col_bytes",
        level=1,
        says="one number a position is counted; each position holds a whole window of kh * kw",
        twist={"return N * C * kh * kw * H_out * W_out * itemsize": "return N * C * H_out * W_out * itemsize"},
    ),
    Mistake(
        name="position_a_pixel",
        exercise="im2col_bytes",
        level=1,
        says="a column is counted for every pixel of x; there are H_out * W_out positions",
        twist={"return N * C * kh * kw * H_out * W_out * itemsize": "return N * C * kh * kw * H * W * itemsize"},
    ),
    Mistake(
        name="one_image_counted",
        exercise="im2col_bytes",
        level=1,
        says="the columns of one image are counted, not of the whole batch",
        twist={"return N * C * kh * kw * H_out * W_out * itemsize": "return C * kh * kw * H_out * W_out * itemsize"},
    ),
    Mistake(
        name="numbers_not_bytes",
        exercise="im2col_bytes",
        level=1,
        says="numbers are counted, not bytes: itemsize is left out",
        twist={"return N * C * kh * kw * H_out * W_out * itemsize": "return N * C * kh * kw * H_out * W_out"},
    ),
    Mistake(
        name="four_bytes_whatever_the_number",
        exercise="im2col_bytes",
        level=1,
        says="every number is counted as 4 bytes; itemsize says how many it takes",
        twist={
            "return N * C * kh * kw * H_out * W_out * itemsize": "return N * C * kh * kw * H_out * W_out * 4",
        },
    ),
]


def grows(make_call):
    """Tell whether a call costs more Python for 40 more of something: make_call(extra) returns it."""
    return count_bytecodes(make_call(40)) - count_bytecodes(make_call(0)) > 40


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


def images(rng, *shape):
    """Standard normal images of the shape."""
    return rng.standard_normal(shape)


@probe("sliding_windows")
def windows_of_an_image(solution, rng):
    return solution.sliding_windows(images(rng, 2, 3, 7, 8), (3, 2), (2, 3))


@probe("sliding_windows")
def windows_of_a_transposed_image(solution, rng):
    return solution.sliding_windows(images(rng, 5, 6, 3, 2).T, (2, 3))


@probe("sliding_windows")
def whose_memory(solution, rng):
    x = images(rng, 1, 2, 5, 4)
    windows = solution.sliding_windows(x, (3, 2))
    return bool(np.shares_memory(windows, x)), windows.flags.writeable


@probe("sliding_windows")
def window_too_tall(solution, rng):
    return solution.sliding_windows(images(rng, 1, 2, 4, 6), (5, 2)).shape


@probe("sliding_windows")
def stride_of_nothing(solution, rng):
    return refused(lambda: solution.sliding_windows(images(rng, 1, 2, 4, 6), 2, stride=(1, 0)))


@probe("sliding_windows")
def windows_of_no_images(solution, rng):
    return solution.sliding_windows(np.zeros((0, 3, 5, 7)), (2, 3)).shape


@probe("im2col")
def columns_of_two_images(solution, rng):
    return solution.im2col(images(rng, 2, 3, 5, 7), (3, 2), (1, 2), (0, 1))


@probe("im2col")
def one_pixel_windows(solution, rng):
    x = images(rng, 2, 3, 4, 5)
    cols = solution.im2col(x, 1)
    return cols, cols.flags.writeable, bool(np.shares_memory(cols, x))


@probe("im2col")
def columns_of_no_images(solution, rng):
    return solution.im2col(np.zeros((0, 3, 5, 7)), (2, 3), padding=1).shape


@probe("im2col")
def dtype_of_columns(solution, rng):
    x = np.ones((1, 2, 3, 4))
    return {f"cols of {kind}": str(solution.im2col(x.astype(kind), 2).dtype) for kind in ("float32", "int64")}


@probe("im2col")
def python_a_column(solution, rng):
    return grows(lambda extra: lambda: solution.im2col(images(rng, 1, 2, 4, 5 + extra), 2))


@probe("col2im")
def columns_with_overlap(solution, rng):
    return solution.col2im(images(rng, 2, 18, 9), (2, 3, 6, 4), (3, 2), (2, 1), (1, 0))


@probe("col2im")
def columns_with_padding(solution, rng):
    return solution.col2im(images(rng, 2, 12, 24), (2, 3, 5, 3), 2, 1, (0, 2))


@probe("col2im")
def columns_transposed(solution, rng):
    return solution.col2im(images(rng, 2, 6, 12), (2, 3, 3, 4), 2)


@probe("col2im")
def images_of_no_columns(solution, rng):
    return solution.col2im(np.zeros((0, 18, 42)), (0, 3, 5, 7), (2, 3), padding=1).shape


@probe("col2im")
def dtype_of_the_image(solution, rng):
    cols = np.ones((2, 4, 6))
    return {
        f"x of {kind}": str(solution.col2im(cols.astype(kind), (2, 1, 3, 4), 2).dtype) for kind in ("float32", "int64")
    }


@probe("col2im")
def python_a_position(solution, rng):
    return grows(lambda extra: lambda: solution.col2im(images(rng, 1, 4, 4 + extra), (1, 1, 2, 5 + extra), 2))


def _operands(rng, dtype=np.float64):
    shapes = (2, 3, 7, 6), (4, 3, 3, 2), (4,)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


@probe("conv2d_im2col_forward")
def unequal_everything(solution, rng):
    return solution.conv2d_im2col_forward(*_operands(rng), stride=(2, 1), padding=(0, 1))[0]


@probe("conv2d_im2col_forward")
def single_precision(solution, rng):
    return {"dtype of out": str(solution.conv2d_im2col_forward(*_operands(rng, np.float32)[:2])[0].dtype)}


@probe("conv2d_im2col_forward")
def output_of_no_images(solution, rng):
    _, weight, bias = _operands(rng)
    return solution.conv2d_im2col_forward(np.zeros((0, 3, 7, 6)), weight, bias, padding=1)[0].shape


@probe("conv2d_im2col_forward")
def bias_of_one_number(solution, rng):
    x, weight, bias = _operands(rng)
    return solution.conv2d_im2col_forward(x, weight, bias[:1])[0]


@probe("conv2d_im2col_forward")
def python_an_output_channel(solution, rng):
    x = images(rng, 1, 2, 4, 5)
    weights = {extra: images(rng, 3 + extra, 2, 2, 2) for extra in (0, 40)}
    return grows(lambda extra: lambda: solution.conv2d_im2col_forward(x, weights[extra]))


NAMES = "dx", "dweight", "dbias"


def _backward(solution, rng, x, weight, bias, **settings):
    out, cache = solution.conv2d_im2col_forward(x, weight, bias, **settings)
    return solution.conv2d_im2col_backward(rng.standard_normal(out.shape), cache)


@probe("conv2d_im2col_backward")
def three_gradients(solution, rng):
    return dict(zip(NAMES, _backward(solution, rng, *_operands(rng), stride=(2, 1), padding=(0, 1)), strict=True))


@probe("conv2d_im2col_backward")
def gradients_with_padding(solution, rng):
    return dict(zip(NAMES, _backward(solution, rng, *_operands(rng), padding=(1, 2)), strict=True))


@probe("conv2d_im2col_backward")
def gradients_of_no_images(solution, rng):
    _, weight, bias = _operands(rng)
    gradients = _backward(solution, rng, np.zeros((0, 3, 7, 6)), weight, bias)
    return {f"shape of {name}": array.shape for name, array in zip(NAMES, gradients, strict=True)}


@probe("conv2d_im2col_backward")
def dout_with_its_sides_exchanged(solution, rng):
    out, cache = solution.conv2d_im2col_forward(*_operands(rng), padding=(0, 1))
    return refused(lambda: solution.conv2d_im2col_backward(rng.standard_normal(out.shape).swapaxes(2, 3), cache))


@probe("conv2d_im2col_backward")
def no_bias(solution, rng):
    return _backward(solution, rng, *_operands(rng)[:2], None)[2]


@probe("conv2d_im2col_backward")
def images_afterwards(solution, rng):
    x, weight, bias = _operands(rng)
    _backward(solution, rng, x, weight, bias)
    return x


@probe("conv2d_im2col_backward")
def single_precision_gradients(solution, rng):
    gradients = _backward(solution, rng, *_operands(rng, np.float32))
    return {f"dtype of {name}": str(array.dtype) for name, array in zip(NAMES, gradients, strict=True)}


@probe("conv2d_im2col_backward")
def dout_of_one_channel(solution, rng):
    _, cache = solution.conv2d_im2col_forward(*_operands(rng))
    return solution.conv2d_im2col_backward(rng.standard_normal((2, 1, 5, 5)), cache)


@probe("conv2d_im2col_backward")
def its_helpers(solution, rng):
    """What is wrong here is im2col's or col2im's mistake, and none of backward."""
    settings = (3, 2), (2, 1), (0, 1)
    return {
        "im2col": solution.im2col(images(rng, 1, 2, 7, 6), *settings),
        "col2im": solution.col2im(images(rng, 1, 12, 21), (1, 2, 7, 6), *settings),
        "im2col of no images": solution.im2col(np.zeros((0, 3, 5, 7)), 2).shape,
        "im2col of float32": str(solution.im2col(np.ones((1, 2, 3, 4), np.float32), 2).dtype),
    }


@probe("conv2d_im2col_backward")
def python_a_dout_channel(solution, rng):
    def make_call(extra):
        out, cache = solution.conv2d_im2col_forward(images(rng, 1, 2, 4, 5), images(rng, 3 + extra, 2, 2, 2))
        return lambda: solution.conv2d_im2col_backward(out, cache)

    return grows(make_call)


def _layer(solution, rng, **settings):
    layer = solution.Conv2d(3, 4, (3, 2), **settings)
    layer.weight.value[...] = rng.standard_normal((4, 3, 3, 2))
    return layer


@probe("Conv2d")
def layer_twice(solution, rng):
    layer = _layer(solution, rng, stride=(2, 1), padding=(0, 1))
    out, dx = None, None
    for _ in range(2):
        out = layer(images(rng, 2, 3, 7, 6))
        dx = layer.backward(rng.standard_normal(out.shape))
    return out, dx, layer.weight.grad, layer.bias.grad


@probe("Conv2d")
def layer_without_bias(solution, rng):
    return solution.Conv2d(3, 4, 2, bias=False).bias is None


@probe("Conv2d")
def same_seed(solution, rng):
    first, second = (solution.Conv2d(3, 4, 2, rng=np.random.default_rng(1)).weight.value for _ in range(2))
    return bool(np.array_equal(first, second))


@probe("Conv2d")
def python_a_pixel_and_a_channel(solution, rng):
    layer, layers = _layer(solution, rng), {extra: solution.Conv2d(3, 4 + extra, 2) for extra in (0, 40)}
    return (
        grows(lambda extra: lambda: layer(np.zeros((1, 3, 4, 5 + extra)))),
        grows(lambda extra: lambda: layers[extra](np.zeros((1, 3, 4, 5)))),
    )


@probe("im2col_bytes")
def bytes_of_columns(solution, rng):
    return [
        solution.im2col_bytes((2, 3, 7, 8), (3, 2), (2, 1), (0, 1)),
        solution.im2col_bytes((5, 2, 9, 6), 3, itemsize=8),
    ]
