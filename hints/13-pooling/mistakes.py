"""Wrong turns learners take in Topic 13, and the probes that tell them apart."""

import numpy as np

from kata.mistakes import Mistake, probe

ADD = "np.add.at(dx, (plane + winner).ravel(), np.asarray(dout, dtype).ravel())"
CUT = "return dpadded[:, :, ph : ph + H, pw : pw + W].copy()"
SHARE = "share = (np.asarray(dout, dtype) / count).astype(dtype, copy=False)"
SPREAD = "dx[...] = np.asarray(dout, dtype)[:, :, None, None] / (H * W)"
HALF = "if padding[0] > half[0] or padding[1] > half[1]:"
MAX_RETURN = "return out, (x.shape, x.dtype, winner)"
MAX_CACHE = "shape, dtype, winner = cache"
KEPT = "self.stride, self.padding)\n        "
DROPPED = "self._cache = max_pool2d_forward(x, self.kernel_size, self.stride)"
FLIPPED = "(self, kernel_size, stride=None, padding=0, count_include_pad=False"
GLOBAL = "= global_avg_pool2d_forward(x)\n        "


def ties(weight, equal="(cell == out)"):
    """The twist of a backward that compares the window with its maximum: every pixel that ties is a winner."""
    return {
        MAX_RETURN: "return out, (x.shape, x.dtype, winner, cells, out, kernel, stride, padding)",
        MAX_CACHE: "shape, dtype, winner, cells, out, (kh, kw), (sh, sw), (ph, pw) = cache",
        f"{ADD}\n    return dx.reshape(shape)": f"""dx = np.zeros((N, C, H + 2 * ph, W + 2 * pw), dtype)
    tied = sum({equal} for cell in cells)
    for number, cell in enumerate(cells):
        u, v = divmod(number, kw)
        share = np.where({equal}, np.asarray(dout, dtype), 0) {weight}
        dx[:, :, u : u + sh * out.shape[2] : sh, v : v + sw * out.shape[3] : sw] += share.astype(dtype)
    return dx[:, :, ph : ph + H, pw : pw + W].copy()""",
    }


def unequal_loop(sign):
    """The twist of a forward that keeps the best so far, a cell replacing it by a comparison and nothing else."""
    return {
        "np.maximum(out, cell, out=out)": f"np.copyto(out, cell, where=cell {sign} out)",
    }


NAN_TOO = "((cell == out) | (np.isnan(cell) & np.isnan(out)))"

MISTAKES = [
    # --- max_pool2d_forward
    Mistake(
        name="max_padded_with_zeros",
        exercise="max_pool2d_forward",
        level=1,
        says="the padding is zero, as for a convolution, and beats every negative pixel; padding must never win",
        twist={"pad2d(x, padding, -np.inf)": "pad2d(x, padding)"},
    ),
    Mistake(
        name="max_stride_one",
        exercise="max_pool2d_forward",
        level=2,
        says="a stride of None is taken for 1, as in a convolution; in pooling it means the window's own sides",
        twist={"stride = kernel if stride is None": "stride = (1, 1) if stride is None"},
    ),
    Mistake(
        name="max_stride_of_the_height",
        exercise="max_pool2d_forward",
        level=2,
        says="a stride of None takes the window's height on both axes; across it is the window's width",
        twist={"stride = kernel if stride is None": "stride = (kernel[0], kernel[0]) if stride is None"},
    ),
    Mistake(
        name="max_windows_always_tile",
        exercise="max_pool2d_forward",
        level=2,
        says="the windows tile the image whatever the stride, as a reshape into blocks makes them; they may overlap",
        twist={'stride = kernel if stride is None else as_pair(stride, "stride")': "stride = kernel"},
    ),
    Mistake(
        name="max_size_rounded_up",
        exercise="max_pool2d_forward",
        level=1,
        says="a last window that sticks out of the image is kept: the output size is rounded up, not down",
        twist={
            "cells = _cells(pad2d(x, padding, -np.inf), kernel, stride)": "more = (0, 0), (0, 0), (0, stride[0] - 1), "
            "(0, stride[1] - 1)\n    padded = np.pad(pad2d(x, padding, -np.inf), more, constant_values=-np.inf)\n"
            "    cells = _cells(padded, kernel, stride)\n    sizes = cells[0].shape[2:]",
        },
    ),
    Mistake(
        name="max_nan_loses",
        exercise="max_pool2d_forward",
        level=3,
        says="a NaN is passed over, because it is larger than nothing; it should win, so that a fault stays visible",
        twist={"np.maximum(out, cell, out=out)": "np.fmax(out, cell, out=out)"},
    ),
    Mistake(
        name="max_nan_loses_a_comparison",
        exercise="max_pool2d_forward",
        level=3,
        says="a cell replaces the best so far only where it compares as larger; a NaN never does, and is lost "
        "unless it came first",
        twist=unequal_loop(">"),
    ),
    Mistake(
        name="max_stride_swapped",
        exercise="max_pool2d_forward",
        level=2,
        says="the stride's pair is read as (across, down); the order is down, then across",
        twist={'else as_pair(stride, "stride")': 'else as_pair(stride, "stride")[::-1]'},
    ),
    Mistake(
        name="max_half_first_axis",
        exercise="max_pool2d_forward",
        level=3,
        says="padding is held to half the window down the image and not across it; each axis has its own half",
        twist={HALF: "if padding[0] > half[0]:"},
    ),
    Mistake(
        name="max_padding_below_window",
        exercise="max_pool2d_forward",
        level=3,
        says="any padding smaller than the window is let through; the limit is half the window",
        twist={HALF: "if padding[0] >= kernel[0] or padding[1] >= kernel[1]:"},
    ),
    Mistake(
        name="max_integers_stay",
        exercise="max_pool2d_forward",
        level=2,
        says="integer pixels keep their integer dtype; as_float makes them float64",
        twist={
            'x = _images(x, "max_pool2d_forward")': "given = np.asarray(x).dtype\n    "
            'x = _images(x, "max_pool2d_forward")',
            MAX_RETURN: f"out = out.astype(given) if given.kind in 'iu' else out\n    {MAX_RETURN}",
        },
    ),
    Mistake(
        name="max_minus_one_for_an_empty_batch",
        exercise="max_pool2d_forward",
        level=3,
        says="an empty batch fails: with N = 0 a reshape can't find out what -1 stands for",
        twist={MAX_RETURN: f"out = out.reshape(*out.shape[:3], -1)\n    {MAX_RETURN}"},
    ),
    Mistake(
        name="max_half_unchecked",
        exercise="max_pool2d_forward",
        level=1,
        says="padding of more than half the window is let through, so some windows may see nothing but padding",
        twist={HALF: "if False:"},
    ),
    Mistake(
        name="max_half_both_axes",
        exercise="max_pool2d_forward",
        level=3,
        says="padding is refused only where it is too large on both axes; each axis is held to its own half",
        twist={HALF: "if padding[0] > half[0] and padding[1] > half[1]:"},
    ),
    Mistake(
        name="max_half_refused",
        exercise="max_pool2d_forward",
        level=3,
        says="padding of exactly half the window is refused; only more than half is too much",
        twist={HALF: "if padding[0] * 2 >= kernel[0] or padding[1] * 2 >= kernel[1]:"},
    ),
    Mistake(
        name="max_float64",
        exercise="max_pool2d_forward",
        level=2,
        says="the output is float64 whatever x is; an array made by np.full or np.zeros needs the dtype of x",
        twist={MAX_RETURN: "return out.astype(np.float64), (x.shape, x.dtype, winner)"},
    ),
    Mistake(
        name="max_axes_swapped",
        exercise="max_pool2d_forward",
        level=2,
        says="the window's pair is read as (width, height); the order is down, then across",
        twist={'kernel = as_pair(kernel_size, "kernel_size")': 'kernel = as_pair(kernel_size, "kernel_size")[::-1]'},
    ),
    Mistake(
        name="max_rank_unchecked",
        exercise="max_pool2d_forward",
        level=1,
        says="an x without the batch axis is taken for a batch of one; the functions read (N, C, H, W) alone",
        twist={"if x.ndim != 4 or 0 in": "x = x[None] if x.ndim == 3 else x\n    if x.ndim != 4 or 0 in"},
    ),
    Mistake(
        name="max_of_no_pixels",
        exercise="max_pool2d_forward",
        level=3,
        says="maps without a pixel are pooled all the same once there is padding, and give -inf; they have no maximum",
        twist={"if x.ndim != 4 or 0 in x.shape[2:]:": "if x.ndim != 4:"},
    ),
    Mistake(
        name="max_view_of_x",
        exercise="max_pool2d_forward",
        level=3,
        says="a window of one pixel returns a view of x, so who writes to the output writes to the image",
        twist={MAX_RETURN: f"out = x if kernel == stride == (1, 1) else out\n    {MAX_RETURN}"},
    ),
    # --- max_pool2d_backward
    Mistake(
        name="ties_all_win",
        exercise="max_pool2d_backward",
        level=1,
        says="every pixel equal to the maximum gets the whole gradient; a tie has one winner, the first",
        twist=ties(""),
    ),
    Mistake(
        name="ties_share",
        exercise="max_pool2d_backward",
        level=1,
        says="tied pixels share the gradient; a tie has one winner, the first, who gets all of it",
        twist=ties("/ tied"),
    ),
    Mistake(
        name="ties_last",
        exercise="max_pool2d_backward",
        level=2,
        says="a tie goes to the last maximum, as it does where a later pixel replaces an equal one (>= for >)",
        twist={
            "_cells_before_winner(cells, out)]": "np.where(np.isnan(out), _cells_before_winner(cells, out), "
            "len(cells) - 1 - _cells_before_winner(cells[::-1], out))]"
        },
    ),
    Mistake(
        name="ties_and_nans_last",
        exercise="max_pool2d_backward",
        level=2,
        says="a tie goes to the last maximum and, of several NaN, to the last; the first should have it",
        twist={"_cells_before_winner(cells, out)]": "len(cells) - 1 - _cells_before_winner(cells[::-1], out)]"},
    ),
    Mistake(
        name="ties_last_and_padding_too",
        exercise="max_pool2d_backward",
        level=2,
        says="a tie goes to the last maximum (>= for >), in a window of nothing but -inf to a padding cell",
        twist={
            "_cells_before_winner(cells, out)]": "np.where(np.isnan(out), _cells_before_winner(cells, out), "
            "len(cells) - 1 - _cells_before_winner(cells[::-1], out))]",
            "np.where(out == -np.inf, first_pixel, winner)": "np.where((out == -np.inf) & ~((0 <= last_row) & "
            "(last_row < x.shape[2]) & (0 <= last_column) & (last_column < width)), -1, winner)",
            "    first_pixel =": "    last_row, last_column = top + kernel[0] - 1, left + kernel[1] - 1\n"
            "    first_pixel =",
            ADD: "dout = np.where(winner < 0, 0, dout)\n    winner = np.maximum(winner, 0)\n    " + ADD,
        },
    ),
    Mistake(
        name="ties_share_nans_too",
        exercise="max_pool2d_backward",
        level=1,
        says="tied pixels, and several NaN, share the gradient; one winner, the first, gets all of it",
        twist=ties("/ tied", NAN_TOO),
    ),
    Mistake(
        name="ties_all_win_nans_too",
        exercise="max_pool2d_backward",
        level=1,
        says="every pixel equal to the maximum, and every NaN, gets the whole gradient; one winner, the first, does",
        twist=ties("", NAN_TOO),
    ),
    Mistake(
        name="ties_by_columns",
        exercise="max_pool2d_backward",
        level=3,
        says="ties are settled down the columns; row-major order goes along a row first",
        twist={
            "steps.ravel()[_cells_before_winner(cells, out)]": "steps.T.ravel()[_cells_before_winner("
            "[cells[u * kernel[1] + v] for v in range(kernel[1]) for u in range(kernel[0])], out)]"
        },
    ),
    Mistake(
        name="overlaps_assigned",
        exercise="max_pool2d_backward",
        level=2,
        says="a pixel that wins several windows keeps one gradient: dx[index] = g, and dx[index] += g too, "
        "takes a repeated index once",
        twist={ADD: "dx[(plane + winner).ravel()] += np.asarray(dout, dtype).ravel()"},
    ),
    Mistake(
        name="one_map_for_all",
        exercise="max_pool2d_backward",
        level=2,
        says="the winners' places are counted within one map, and all maps' gradients land in the first",
        twist={"(plane + winner).ravel()": "(0 * plane + winner).ravel()"},
    ),
    Mistake(
        name="padding_wins_at_minus_infinity",
        exercise="max_pool2d_backward",
        level=3,
        says="where all pixels of a window are -inf a padding cell, which equals them, wins and the gradient is lost",
        twist={
            "np.where(out == -np.inf, first_pixel": "np.where((out == -np.inf) & (winner != first_pixel), -1",
            ADD: "dout = np.where(winner < 0, 0, dout)\n    winner = np.maximum(winner, 0)\n    " + ADD,
        },
    ),
    Mistake(
        name="nan_looked_for_with_equals",
        exercise="max_pool2d_backward",
        level=3,
        says="the winner is looked for with ==, which a NaN never satisfies, and the first pixel of the window wins",
        twist={"~np.isnan(cell)": "~np.isnan(out)"},
    ),
    Mistake(
        name="last_nan_wins",
        exercise="max_pool2d_backward",
        level=3,
        says="of several NaN in a window the last one wins; the first should, as in any other tie",
        twist={
            "winner = top * width": "last = np.max([n * np.isnan(cell) for n, cell in enumerate(cells)], axis=0)\n"
            "    winner = top * width",
            "[_cells_before_winner(cells, out)]": "[np.where(np.isnan(out), last, _cells_before_winner(cells, out))]",
        },
    ),
    Mistake(
        name="winner_in_a_byte",
        exercise="max_pool2d_backward",
        level=3,
        says="the winner's number is kept in one byte, and a window of more than 256 cells overflows it",
        twist={"before = np.zeros(out.shape, np.intp)": "before = np.zeros(out.shape, np.uint8)"},
    ),
    Mistake(
        name="max_dx_float64",
        exercise="max_pool2d_backward",
        level=2,
        says="dx is float64 whatever x is; np.zeros needs the dtype of x",
        twist={"dx = np.zeros(N * C * H * W, dtype)": "dx = np.zeros(N * C * H * W)"},
    ),
    Mistake(
        name="max_dx_whole",
        exercise="max_pool2d_backward",
        level=2,
        says="the cache keeps the dtype of x as it came, so integer images get an integer dx; as_float comes first",
        twist={
            'x = _images(x, "max_pool2d_forward")': "given = np.asarray(x).dtype\n    "
            'x = _images(x, "max_pool2d_forward")',
            MAX_RETURN: "return out, (x.shape, given, winner)",
        },
    ),
    Mistake(
        name="max_dout_broadcasts",
        exercise="max_pool2d_backward",
        level=1,
        says="a dout of another shape is broadcast to the output's, so a mistake further up goes unnoticed",
        twist={'_check_dout(dout, winner.shape, "max_pool2d_backward")': "dout = np.broadcast_to(dout, winner.shape)"},
    ),
    Mistake(
        name="max_dout_unchecked",
        exercise="max_pool2d_backward",
        level=1,
        says="the shape of dout is not compared with the output's; NumPy stumbles later and names neither",
        twist={'_check_dout(dout, winner.shape, "max_pool2d_backward")': "pass"},
    ),
    Mistake(
        name="max_cache_in_the_module",
        exercise="max_pool2d_backward",
        level=2,
        says="backward reads what the last forward left in a global variable; the cache it is given is another's",
        twist={
            MAX_RETURN: "globals()['_last'] = x.shape, x.dtype, winner\n    return out, None",
            MAX_CACHE: "shape, dtype, winner = _last",
        },
    ),
    Mistake(
        name="max_cache_used_up",
        exercise="max_pool2d_backward",
        level=2,
        says="backward hands out an array it keeps in the cache, so the second call adds to the first result",
        twist={
            MAX_RETURN: "return out, (x.shape, x.dtype, winner, np.zeros(x.size, x.dtype))",
            MAX_CACHE: "shape, dtype, winner, dx = cache",
            "dx = np.zeros(N * C * H * W, dtype)\n    ": "",
        },
    ),
    # --- avg_pool2d_forward
    Mistake(
        name="padding_always_counted",
        exercise="avg_pool2d_forward",
        level=1,
        says="the sum is divided by kh * kw also where count_include_pad is False",
        twist={"if not count_include_pad:": "if False:"},
    ),
    Mistake(
        name="padding_never_counted",
        exercise="avg_pool2d_forward",
        level=1,
        says="only pixels of the image are counted also where count_include_pad is True",
        twist={"if not count_include_pad:": "if True:"},
    ),
    Mistake(
        name="padding_not_counted_by_default",
        exercise="avg_pool2d_forward",
        level=1,
        says="count_include_pad is False unless given; the padding counts by default",
        twist={
            "def avg_pool2d_forward(x, kernel_size, stride=None, padding=0, count_include_pad=True)": "def "
            "avg_pool2d_forward(x, kernel_size, stride=None, padding=0, count_include_pad=False)"
        },
    ),
    Mistake(
        name="count_flag_inverted",
        exercise="avg_pool2d_forward",
        level=1,
        says="count_include_pad is read the wrong way round",
        twist={"if not count_include_pad:": "if count_include_pad:"},
    ),
    Mistake(
        name="nonzero_pixels_counted",
        exercise="avg_pool2d_forward",
        level=2,
        says="pixels are told from padding by not being zero; a pixel may be zero too",
        twist={
            "np.ones((1, 1, *x.shape[2:]), x.dtype), kernel": "(x != 0).astype(x.dtype), kernel",
            "out = (total / count)": "count = np.maximum(count, 1)\n    out = (total / count)",
        },
    ),
    Mistake(
        name="avg_padded_with_minus_infinity",
        exercise="avg_pool2d_forward",
        level=1,
        says="the padding is -inf, as for the maximum, and makes every window it touches -inf; here it is zero",
        twist={"_cells(pad2d(x, padding), kernel": "_cells(pad2d(x, padding, -np.inf), kernel"},
    ),
    Mistake(
        name="window_side_counted",
        exercise="avg_pool2d_forward",
        level=1,
        says="the sum is divided by the square of the window's height; a window has kh * kw cells",
        twist={"count = kernel[0] * kernel[1]": "count = kernel[0] * kernel[0]"},
    ),
    Mistake(
        name="avg_float64",
        exercise="avg_pool2d_forward",
        level=2,
        says="the mean is float64 whatever x is: a float64 array of counts makes the quotient so",
        twist={"out = (total / count).astype(x.dtype, copy=False)": "out = (total / count).astype(np.float64)"},
    ),
    Mistake(
        name="avg_rounded",
        exercise="avg_pool2d_forward",
        level=3,
        says="integer pixels keep an integer dtype, and the mean is rounded down to it; they become float64",
        twist={
            "return out, (x.shape, x.dtype, out.shape, count": "out = out.astype(np.int64) if whole else out\n    "
            "return out, (x.shape, x.dtype, out.shape, count",
            'x = _images(x, "avg_pool2d_forward")': "whole = np.asarray(x).dtype.kind in 'iu'\n    "
            'x = _images(x, "avg_pool2d_forward")',
        },
    ),
    # --- avg_pool2d_backward
    Mistake(
        name="avg_not_divided",
        exercise="avg_pool2d_backward",
        level=1,
        says="every pixel gets the whole gradient; each has a share, one divided by the count",
        twist={SHARE: "share = np.asarray(dout, dtype)"},
    ),
    Mistake(
        name="avg_other_count",
        exercise="avg_pool2d_backward",
        level=2,
        says="backward divides by kh * kw where forward divided by the pixels of the image; the two counts are one",
        twist={SHARE: "share = (np.asarray(dout, dtype) / (kh * kw)).astype(dtype)"},
    ),
    Mistake(
        name="avg_overlaps_assigned",
        exercise="avg_pool2d_backward",
        level=2,
        says="shares are assigned, not added, so a pixel in several windows keeps the last",
        twist={" += share": " = share"},
    ),
    Mistake(
        name="avg_padding_left_on",
        exercise="avg_pool2d_backward",
        level=2,
        says="dx still has its padding; it has the shape of x",
        twist={CUT: "return dpadded"},
    ),
    Mistake(
        name="avg_wrong_corner",
        exercise="avg_pool2d_backward",
        level=3,
        says="the padding is cut off below and on the right alone; the image starts at row ph and column pw",
        twist={CUT: "return dpadded[:, :, :H, :W].copy()"},
    ),
    Mistake(
        name="avg_dx_float64",
        exercise="avg_pool2d_backward",
        level=2,
        says="dx is float64 whatever x is; np.zeros needs the dtype of x",
        twist={"W + 2 * pw), dtype)": "W + 2 * pw))"},
    ),
    Mistake(
        name="avg_dout_broadcasts",
        exercise="avg_pool2d_backward",
        level=1,
        says="a dout of another shape is broadcast to the output's, so a mistake further up goes unnoticed",
        twist={'_check_dout(dout, out_shape, "avg_pool2d_backward")': "dout = np.broadcast_to(dout, out_shape)"},
    ),
    Mistake(
        name="avg_dout_divided_in_place",
        exercise="avg_pool2d_backward",
        level=2,
        says="dout is divided in place (/=), and whoever passed it finds it changed",
        twist={
            SHARE: "share = np.asarray(dout, dtype)\n    share /= count",
        },
    ),
    # --- global_avg_pool2d_forward
    Mistake(
        name="global_axes_kept",
        exercise="global_avg_pool2d_forward",
        level=1,
        says="the result is (N, C, 1, 1); a dense layer reads (N, C)",
        twist={"x.mean(axis=(2, 3)), ": "x.mean(axis=(2, 3), keepdims=True), "},
    ),
    Mistake(
        name="global_sum",
        exercise="global_avg_pool2d_forward",
        level=1,
        says="the pixels are added up and not divided by H * W",
        twist={"x.mean(axis=(2, 3)), ": "x.sum(axis=(2, 3)), "},
    ),
    Mistake(
        name="global_max",
        exercise="global_avg_pool2d_forward",
        level=1,
        says="the largest pixel is taken instead of the mean",
        twist={"x.mean(axis=(2, 3)), ": "x.max(axis=(2, 3)), "},
    ),
    Mistake(
        name="global_without_a_rank_check",
        exercise="global_avg_pool2d_forward",
        level=1,
        says="an x that is flattened already, or lacks the batch axis, is averaged all the same; it should be refused",
        twist={
            'x = _images(x, "global_avg_pool2d_forward")': "x = as_float(x)",
            "x.mean(axis=(2, 3)), ": "x.mean(axis=tuple(range(2, x.ndim))), ",
        },
    ),
    Mistake(
        name="global_float64",
        exercise="global_avg_pool2d_forward",
        level=2,
        says="the mean is float64 whatever x is; it has the dtype of x",
        twist={"x.mean(axis=(2, 3)), ": "x.mean(axis=(2, 3), dtype=np.float64), "},
    ),
    Mistake(
        name="global_minus_one_for_an_empty_batch",
        exercise="global_avg_pool2d_forward",
        level=1,
        says="an empty batch fails: with N = 0 a reshape can't find out what -1 stands for",
        twist={"x.mean(axis=(2, 3)), ": "x.reshape(*x.shape[:2], -1).mean(axis=2), "},
    ),
    # --- global_avg_pool2d_backward
    Mistake(
        name="global_not_divided",
        exercise="global_avg_pool2d_backward",
        level=1,
        says="every pixel gets the whole gradient; a mean over H * W pixels gives each one part in H * W",
        twist={SPREAD: "dx[...] = np.asarray(dout, dtype)[:, :, None, None]"},
    ),
    Mistake(
        name="global_divided_by_the_height",
        exercise="global_avg_pool2d_backward",
        level=2,
        says="the gradient is divided by H * H, right for square maps alone",
        twist={SPREAD: "dx[...] = np.asarray(dout, dtype)[:, :, None, None] / (H * H)"},
    ),
    Mistake(
        name="global_broadcast_view",
        exercise="global_avg_pool2d_backward",
        level=3,
        says="dx is what np.broadcast_to returns: one number in memory for all pixels, and read-only",
        twist={
            SPREAD: "dx = np.broadcast_to((np.asarray(dout, dtype) / (H * W))[:, :, None, None], (N, C, H, W))",
        },
    ),
    Mistake(
        name="global_dx_float64",
        exercise="global_avg_pool2d_backward",
        level=2,
        says="dx is float64 whatever x is; np.empty, np.zeros and np.ones need the dtype of x",
        twist={"dx = np.empty((N, C, H, W), dtype)": "dx = np.empty((N, C, H, W))"},
    ),
    Mistake(
        name="global_dout_broadcasts",
        exercise="global_avg_pool2d_backward",
        level=1,
        says="a dout of another shape is broadcast over the maps, so a mistake further up goes unnoticed",
        twist={'_check_dout(dout, (N, C), "global_avg_pool2d_backward")': "dout = dout + np.zeros((N, C))"},
    ),
    # --- the layers
    Mistake(
        name="max_layer_drops_padding",
        exercise="MaxPool2d",
        level=2,
        says="the layer's padding never reaches max_pool2d_forward",
        twist={"self._cache = max_pool2d_forward(x, self.kernel_size, self.stride, self.padding)": DROPPED},
    ),
    Mistake(
        name="max_layer_drops_stride",
        exercise="MaxPool2d",
        level=2,
        says="the layer's stride never reaches max_pool2d_forward, and the windows tile",
        twist={
            "self._cache = max_pool2d_forward(x, self.kernel_size, self.stride, self.padding)": "self._cache = "
            "max_pool2d_forward(x, self.kernel_size, padding=self.padding)"
        },
    ),
    Mistake(
        name="max_layer_returns_the_pair",
        exercise="MaxPool2d",
        level=1,
        says="forward returns (out, cache); a layer returns the output alone and keeps the cache",
        twist={f"{KEPT}return out": f"{KEPT}return out, self._cache"},
    ),
    Mistake(
        name="max_layer_cache_on_the_class",
        exercise="MaxPool2d",
        level=3,
        says="the cache is kept on the class, so all layers of the network share one; keep it on self",
        twist={"out, self._cache = max_pool2d_forward(": "out, type(self)._cache = max_pool2d_forward("},
    ),
    Mistake(
        name="max_layer_saves_its_scratch",
        exercise="MaxPool2d",
        level=3,
        says="an array the layer keeps for backward turns up in state_dict; scratch names begin with an underscore",
        twist={KEPT: f"{KEPT}self.out = out\n        "},
    ),
    Mistake(
        name="avg_layer_drops_the_count",
        exercise="AvgPool2d",
        level=2,
        says="the layer's count_include_pad never reaches avg_pool2d_forward",
        twist={"self.stride, self.padding, self.count_include_pad\n": "self.stride, self.padding\n"},
    ),
    Mistake(
        name="avg_layer_drops_stride",
        exercise="AvgPool2d",
        level=2,
        says="the layer's stride never reaches avg_pool2d_forward, and the windows tile",
        twist={"self.stride, self.padding, self.count_include_pad\n": "None, self.padding, self.count_include_pad\n"},
    ),
    Mistake(
        name="avg_layer_default_flipped",
        exercise="AvgPool2d",
        level=1,
        says="the layer leaves the padding out of the count unless told otherwise; by default it counts",
        twist={"(self, kernel_size, stride=None, padding=0, count_include_pad=True": FLIPPED},
    ),
    Mistake(
        name="avg_layer_cache_on_the_class",
        exercise="AvgPool2d",
        level=3,
        says="the cache is kept on the class, so all layers of the network share one; keep it on self",
        twist={"out, self._cache = avg_pool2d_forward(": "out, type(self)._cache = avg_pool2d_forward("},
    ),
    Mistake(
        name="global_layer_keeps_axes",
        exercise="GlobalAvgPool2d",
        level=1,
        says="the layer returns (N, C, 1, 1); a dense layer reads (N, C)",
        twist={"= global_avg_pool2d_forward(x)\n        return out": f"{GLOBAL}return out[:, :, None, None]"},
    ),
    Mistake(
        name="global_layer_cache_on_the_class",
        exercise="GlobalAvgPool2d",
        level=3,
        says="the cache is kept on the class, so all layers of the network share one; keep it on self",
        twist={"out, self._cache = global_avg_pool2d_forward(": "out, type(self)._cache = global_avg_pool2d_forward("},
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


def few(rng, *shape):
    """Pixels of the values -2 to 2: many ties, some zeros."""
    return rng.integers(-2, 3, shape).astype(np.float64)


@probe("max_pool2d_forward")
def negative_and_padded(solution, rng):
    x = -1 - rng.random((2, 3, 7, 6))
    return solution.max_pool2d_forward(x, (3, 2), stride=(2, 1), padding=(1, 0))[0]


@probe("max_pool2d_forward")
def stride_left_out(solution, rng):
    return solution.max_pool2d_forward(rng.standard_normal((2, 3, 9, 10)), (2, 3))[0]


@probe("max_pool2d_forward")
def nan_in_the_first_cell(solution, rng):
    x = rng.standard_normal((1, 2, 4, 6))
    x[0, 1, 2, 4] = np.nan
    return solution.max_pool2d_forward(x, 2)[0]


@probe("max_pool2d_forward")
def nan_in_the_last_cell(solution, rng):
    x = rng.standard_normal((1, 2, 4, 6))
    x[0, 1, 3, 5] = np.nan
    return solution.max_pool2d_forward(x, 2)[0]


def padded_too_much(solution, rng, kernel_size, padding):
    x = rng.standard_normal((1, 2, 9, 8))
    return refused(lambda: solution.max_pool2d_forward(x, kernel_size, 1, padding))


@probe("max_pool2d_forward")
def half_a_window(solution, rng):
    return padded_too_much(solution, rng, (5, 4), (2, 2))


@probe("max_pool2d_forward")
def more_than_half(solution, rng):
    return padded_too_much(solution, rng, 3, 2)


@probe("max_pool2d_forward")
def more_than_half_down(solution, rng):
    return padded_too_much(solution, rng, (2, 4), (2, 2))


@probe("max_pool2d_forward")
def more_than_half_across(solution, rng):
    return padded_too_much(solution, rng, (4, 2), (2, 2))


@probe("max_pool2d_forward")
def float32_pixels(solution, rng):
    x = rng.standard_normal((1, 2, 4, 5)).astype(np.float32)
    return {"out dtype": dtype(solution.max_pool2d_forward(x, 2, 1)[0])}


@probe("max_pool2d_forward")
def whole_pixels(solution, rng):
    return {"out dtype": dtype(solution.max_pool2d_forward(rng.integers(-9, 10, (1, 2, 4, 5)), 2, 1)[0])}


@probe("max_pool2d_forward")
def an_image_without_a_batch(solution, rng):
    return refused(lambda: solution.max_pool2d_forward(np.zeros((3, 4, 5)), 2, 1, 1))


@probe("max_pool2d_forward")
def maps_without_pixels(solution, rng):
    return refused(lambda: solution.max_pool2d_forward(np.zeros((2, 3, 0, 4)), 2, 1, 1))


@probe("max_pool2d_forward")
def an_empty_batch(solution, rng):
    return {"out shape": np.shape(solution.max_pool2d_forward(np.zeros((0, 3, 4, 5)), 2)[0])}


@probe("max_pool2d_forward")
def windows_of_one_pixel(solution, rng):
    x = rng.standard_normal((1, 2, 3, 4))
    return {"out shares memory with x": bool(np.shares_memory(solution.max_pool2d_forward(x, 1)[0], x))}


def max_gradient(solution, x, rng, *settings):
    out, cache = solution.max_pool2d_forward(x, *settings)
    return solution.max_pool2d_backward(rng.standard_normal(np.shape(out)), cache)


@probe("max_pool2d_backward")
def without_ties(solution, rng):
    return max_gradient(solution, rng.permutation(144).reshape(2, 2, 4, 9) / 10, rng, (2, 3))


@probe("max_pool2d_backward")
def many_ties(solution, rng):
    return max_gradient(solution, few(rng, 2, 3, 6, 9), rng, (2, 3))


@probe("max_pool2d_backward")
def overlapping(solution, rng):
    return max_gradient(solution, rng.permutation(84).reshape(2, 1, 7, 6) / 10, rng, (3, 2), (2, 1), (1, 1))


@probe("max_pool2d_backward")
def nothing_but_minus_infinity(solution, rng):
    return max_gradient(solution, np.full((1, 2, 3, 4), -np.inf), rng, 2, 1, 1)


@probe("max_pool2d_backward")
def several_nans(solution, rng):
    x = rng.standard_normal((1, 2, 4, 6))
    x[:, :, rng.permutation(4)[:2]] = np.nan
    return max_gradient(solution, x, rng, (4, 2))


@probe("max_pool2d_backward")
def a_large_window(solution, rng):
    x = rng.standard_normal((1, 1, 18, 17))
    x[0, 0, 17, 3] = 10
    return max_gradient(solution, x, rng, (18, 17))


@probe("max_pool2d_backward")
def gradient_of_float32_pixels(solution, rng):
    x = rng.standard_normal((1, 2, 4, 5)).astype(np.float32)
    return {"dx dtype": dtype(max_gradient(solution, x, rng, 2, 1))}


@probe("max_pool2d_backward")
def gradient_of_whole_pixels(solution, rng):
    return {"dx dtype": dtype(max_gradient(solution, rng.integers(-9, 10, (1, 2, 4, 5)), rng, 2, 1))}


@probe("max_pool2d_backward")
def gradient_of_an_empty_batch(solution, rng):
    return {"dx shape": np.shape(max_gradient(solution, np.zeros((0, 3, 4, 5)), rng, 2))}


@probe("max_pool2d_backward")
def a_dout_that_broadcasts(solution, rng):
    cache = solution.max_pool2d_forward(rng.standard_normal((2, 3, 4, 6)), 2)[1]
    return refused(lambda: solution.max_pool2d_backward(np.ones((2, 3, 2, 1)), cache), "2, 3, 2, 1", "2, 3, 2, 3")


@probe("max_pool2d_backward")
def two_forwards(solution, rng):
    out, cache = solution.max_pool2d_forward(rng.standard_normal((1, 2, 4, 6)), 2)
    solution.max_pool2d_forward(rng.standard_normal((1, 2, 4, 6)), 2)
    return Results({"dx of the first of two forwards": solution.max_pool2d_backward(out, cache)})


@probe("max_pool2d_backward")
def twice(solution, rng):
    out, cache = solution.max_pool2d_forward(rng.standard_normal((1, 2, 4, 6)), 2)
    solution.max_pool2d_backward(out, cache)
    return Results({"dx of the second backward on a cache": solution.max_pool2d_backward(out, cache)})


@probe("avg_pool2d_forward")
def padding_counted(solution, rng):
    x = 1 + rng.random((2, 3, 7, 6))
    return solution.avg_pool2d_forward(x, (3, 2), (2, 1), (1, 1), count_include_pad=True)[0]


@probe("avg_pool2d_forward")
def padding_not_counted(solution, rng):
    x = 1 + rng.random((2, 3, 7, 6))
    return solution.avg_pool2d_forward(x, (3, 2), (2, 1), (1, 1), count_include_pad=False)[0]


@probe("avg_pool2d_forward")
def counted_by_default(solution, rng):
    return solution.avg_pool2d_forward(1 + rng.random((2, 3, 7, 6)), (3, 2), padding=(1, 1))[0]


@probe("avg_pool2d_forward")
def with_pixels_of_zero(solution, rng):
    return solution.avg_pool2d_forward(few(rng, 2, 3, 7, 6), 2, padding=1, count_include_pad=False)[0]


@probe("avg_pool2d_forward")
def without_padding(solution, rng):
    return solution.avg_pool2d_forward(rng.standard_normal((2, 3, 8, 9)), (2, 3))[0]


@probe("avg_pool2d_forward")
def mean_of_float32_pixels(solution, rng):
    x = rng.standard_normal((1, 2, 4, 5)).astype(np.float32)
    return {"out dtype": dtype(solution.avg_pool2d_forward(x, 2, 1, 1, count_include_pad=False)[0])}


@probe("avg_pool2d_forward")
def mean_of_whole_pixels(solution, rng):
    return {"out dtype": dtype(solution.avg_pool2d_forward(rng.integers(-9, 10, (1, 2, 4, 5)), 2, 1)[0])}


@probe("avg_pool2d_forward")
def mean_of_an_empty_batch(solution, rng):
    return {"out shape": np.shape(solution.avg_pool2d_forward(np.zeros((0, 3, 4, 5)), 2)[0])}


def avg_gradient(solution, x, rng, *settings):
    out, cache = solution.avg_pool2d_forward(x, *settings)
    return solution.avg_pool2d_backward(rng.standard_normal(np.shape(out)), cache)


@probe("avg_pool2d_backward")
def gradient_with_padding_counted(solution, rng):
    return avg_gradient(solution, rng.standard_normal((2, 3, 7, 6)), rng, (3, 2), (2, 1), (1, 1), True)


@probe("avg_pool2d_backward")
def gradient_with_padding_not_counted(solution, rng):
    out, cache = solution.avg_pool2d_forward(rng.standard_normal((2, 3, 7, 6)), (3, 2), (2, 1), (1, 1), False)
    return Results({"out": out, "dx": solution.avg_pool2d_backward(rng.standard_normal(np.shape(out)), cache)})


@probe("avg_pool2d_backward")
def gradient_of_float32_means(solution, rng):
    return {"dx dtype": dtype(avg_gradient(solution, rng.standard_normal((1, 2, 4, 5)).astype(np.float32), rng, 2, 1))}


@probe("avg_pool2d_backward")
def gradient_of_whole_means(solution, rng):
    return {"dx dtype": dtype(avg_gradient(solution, rng.integers(-9, 10, (1, 2, 4, 5)), rng, 2, 1))}


@probe("avg_pool2d_backward")
def gradient_of_no_means(solution, rng):
    return {"dx shape": np.shape(avg_gradient(solution, np.zeros((0, 3, 4, 5)), rng, 2))}


@probe("avg_pool2d_backward")
def another_dout(solution, rng):
    cache = solution.avg_pool2d_forward(rng.standard_normal((2, 3, 4, 6)), 2)[1]
    return refused(lambda: solution.avg_pool2d_backward(np.ones((2, 3, 2, 1)), cache), "2, 3, 2, 1", "2, 3, 2, 3")


@probe("avg_pool2d_backward")
def dout_afterwards(solution, rng):
    out, cache = solution.avg_pool2d_forward(rng.standard_normal((2, 3, 4, 6)), 2)
    dout = rng.standard_normal(np.shape(out))
    before = dout.copy()
    solution.avg_pool2d_backward(dout, cache)
    return {"dout unchanged": bool(np.array_equal(dout, before))}


@probe("global_avg_pool2d_forward")
def means(solution, rng):
    return solution.global_avg_pool2d_forward(rng.standard_normal((2, 3, 4, 5)))[0]


@probe("global_avg_pool2d_forward")
def global_mean_of_float32_pixels(solution, rng):
    x = rng.standard_normal((2, 3, 4, 5)).astype(np.float32)
    return {"out dtype": dtype(solution.global_avg_pool2d_forward(x)[0])}


@probe("global_avg_pool2d_forward")
def global_mean_of_whole_pixels(solution, rng):
    return {"out dtype": dtype(solution.global_avg_pool2d_forward(rng.integers(-9, 10, (2, 3, 4, 5)))[0])}


@probe("global_avg_pool2d_forward")
def global_mean_of_an_empty_batch(solution, rng):
    return {"number of results": int(np.size(solution.global_avg_pool2d_forward(np.zeros((0, 3, 4, 5)))[0]))}


@probe("global_avg_pool2d_forward")
def flattened_images(solution, rng):
    return refused(lambda: solution.global_avg_pool2d_forward(np.zeros((2, 30))))


@probe("global_avg_pool2d_forward")
def one_image_alone(solution, rng):
    return refused(lambda: solution.global_avg_pool2d_forward(np.zeros((3, 4, 5))))


def global_gradient(solution, x, rng):
    _, cache = solution.global_avg_pool2d_forward(x)
    return solution.global_avg_pool2d_backward(rng.standard_normal(x.shape[:2]), cache)


@probe("global_avg_pool2d_backward")
def shares(solution, rng):
    return global_gradient(solution, np.zeros((2, 3, 4, 5)), rng)


@probe("global_avg_pool2d_backward")
def shares_of_float32(solution, rng):
    return {"dx dtype": dtype(global_gradient(solution, np.zeros((2, 3, 4, 5), np.float32), rng))}


@probe("global_avg_pool2d_backward")
def shares_of_whole_pixels(solution, rng):
    return {"dx dtype": dtype(global_gradient(solution, np.zeros((2, 3, 4, 5), np.int64), rng))}


@probe("global_avg_pool2d_backward")
def shares_of_an_empty_batch(solution, rng):
    return {"dx shape": np.shape(global_gradient(solution, np.zeros((0, 3, 4, 5)), rng))}


@probe("global_avg_pool2d_backward")
def shares_overwritten(solution, rng):
    dx = global_gradient(solution, np.zeros((2, 3, 4, 5)), rng)
    return {"dx can be written to": bool(np.asarray(dx).flags.writeable)}


@probe("global_avg_pool2d_backward")
def a_dout_of_one_image(solution, rng):
    cache = solution.global_avg_pool2d_forward(np.zeros((2, 3, 4, 5)))[1]
    return refused(lambda: solution.global_avg_pool2d_backward(np.ones((1, 3)), cache))


def with_its_function(out, function, *settings):
    """A layer's output, and whether it is its function's: a fault of the function is no fault of the layer."""
    expected = function(*settings)[0]
    same = np.shape(out) == np.shape(expected) and np.allclose(out, expected)
    return Results({"out": out, "out is that of the function": bool(same)})


def backward_of_two(layers, xs, rng):
    """Run both layers forward, then both backward; return the first one's dx."""
    outs = [layer(x) for layer, x in zip(layers, xs, strict=True)]
    douts = [rng.standard_normal(np.shape(out)) for out in outs]
    gradients = [layer.backward(dout) for layer, dout in zip(layers, douts, strict=True)]
    return Results({"dx of the first of two layers": gradients[0]})


@probe("MaxPool2d")
def max_layer(solution, rng):
    x, settings = -1 - rng.random((2, 3, 7, 6)), ((3, 2), (2, 1), (1, 0))
    return with_its_function(solution.MaxPool2d(*settings)(x), solution.max_pool2d_forward, x, *settings)


@probe("MaxPool2d")
def a_layer_and_its_function(solution, rng):
    x, layer = rng.standard_normal((2, 3, 4, 6)), solution.MaxPool2d(2)
    out = layer(x)
    solution.max_pool2d_forward(rng.standard_normal((2, 3, 4, 6)), 2)
    return Results({"dx of the layer": layer.backward(rng.standard_normal(np.shape(out)))})


@probe("MaxPool2d")
def two_max_layers(solution, rng):
    layers = solution.MaxPool2d(2), solution.MaxPool2d((2, 3))
    return backward_of_two(layers, (rng.standard_normal((2, 3, 4, 6)), rng.standard_normal((1, 2, 4, 6))), rng)


@probe("MaxPool2d")
def state_of_a_max_layer(solution, rng):
    layer = solution.MaxPool2d(2)
    layer(rng.standard_normal((2, 3, 4, 6)))
    return {"names in state_dict": list(layer.state_dict())}


@probe("AvgPool2d")
def avg_layer(solution, rng):
    x, settings = rng.standard_normal((2, 3, 7, 6)), (3, 2, 1, False)
    return with_its_function(solution.AvgPool2d(*settings)(x), solution.avg_pool2d_forward, x, *settings)


@probe("AvgPool2d")
def avg_layer_by_default(solution, rng):
    x, layer = rng.standard_normal((1, 2, 4, 6)), solution.AvgPool2d((2, 3), padding=1)
    return with_its_function(layer(x), solution.avg_pool2d_forward, x, (2, 3), None, 1, True)


@probe("AvgPool2d")
def two_avg_layers(solution, rng):
    layers = solution.AvgPool2d(2), solution.AvgPool2d((2, 3))
    return backward_of_two(layers, (rng.standard_normal((2, 3, 4, 6)), rng.standard_normal((1, 2, 4, 6))), rng)


@probe("GlobalAvgPool2d")
def global_layer(solution, rng):
    x = rng.standard_normal((2, 3, 4, 5))
    return with_its_function(solution.GlobalAvgPool2d()(x), solution.global_avg_pool2d_forward, x)


@probe("GlobalAvgPool2d")
def two_global_layers(solution, rng):
    layers = solution.GlobalAvgPool2d(), solution.GlobalAvgPool2d()
    xs = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 3, 1, 6))
    outs = [layer(x) for layer, x in zip(layers, xs, strict=True)]
    return Results({"dx of the first of two layers": layers[0].backward(rng.standard_normal(np.shape(outs[0])))})
