"""Topic 13, hidden suite: what is easily forgotten."""

import numpy as np
from hypothesis import given

from kata.testing import (
    assert_close,
    assert_equal,
    assert_gradient,
    assert_no_alias,
    assert_rejects,
    assert_unchanged,
    assert_vectorized,
    coordinates,
    exercise,
    normal,
    pairs,
    seeds,
    sizes,
)

SMALL, LARGE = {"N": 2, "C": 1, "H": 6, "W": 5}, {"N": 47, "C": 43, "H": 49, "W": 46}


def few_values(seed, *shape):
    """Images of the values 0, 1 and 2 alone, so that nearly every window holds its maximum several times."""
    return np.random.default_rng(seed).integers(0, 3, shape).astype(np.float64)


def at_most_half(padding, kernel):
    """The padding, cut down to what pooling allows."""
    return min(padding[0], kernel[0] // 2), min(padding[1], kernel[1] // 2)


def pool(x, kernel, stride, padding, choose):
    """Fill the output with `choose(values of the window's pixels, row by row)`; padding is not among them."""
    (N, C, H, W), (kh, kw), (sh, sw), (ph, pw) = x.shape, kernel, stride, padding
    out = np.zeros((N, C, (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1))
    for n, c, i, j in np.ndindex(*out.shape):
        top, left = max(i * sh - ph, 0), max(j * sw - pw, 0)
        window = x[n, c, top : i * sh - ph + kh, left : j * sw - pw + kw]
        out[n, c, i, j] = choose(window.ravel().tolist())
    return out


def first_winner(values):
    """Return the position of the first NaN, or else of the first maximum."""
    nans = [place for place, value in enumerate(values) if value != value]
    return nans[0] if nans else values.index(max(values))


def slow_max_pool(x, kernel, stride, padding):
    """The definition of max pooling, NaN included."""
    return pool(x, kernel, stride, padding, lambda values: values[first_winner(values)])


def slow_max_pool_backward(dout, x, kernel, stride, padding):
    """Each gradient to one pixel: find the winner's place among the pixels, then look up which pixel that was."""
    numbers = np.broadcast_to(np.arange(x[0, 0].size).reshape(x[0, 0].shape), x.shape)
    dx = np.zeros(x.shape)
    for index in np.ndindex(*dout.shape):
        n, c, i, j = index
        top, left = max(i * stride[0] - padding[0], 0), max(j * stride[1] - padding[1], 0)
        bottom, right = i * stride[0] - padding[0] + kernel[0], j * stride[1] - padding[1] + kernel[1]
        place = first_winner(x[n, c, top:bottom, left:right].ravel().tolist())
        dx[n, c].flat[numbers[n, c, top:bottom, left:right].ravel()[place]] += dout[index]
    return dx


def slow_avg_pool(x, kernel, stride, padding, count_include_pad=True):
    """The definition of average pooling."""
    cells = kernel[0] * kernel[1]
    return pool(x, kernel, stride, padding, lambda values: sum(values) / (cells if count_include_pad else len(values)))


UNEQUAL = [
    ((2, 3), (3, 2), (0, 0)),
    ((3, 2), (2, 1), (1, 1)),
    ((1, 4), (2, 3), (0, 2)),
    ((5, 1), (1, 2), (2, 0)),
    ((2, 2), (3, 4), (1, 0)),
]


@exercise("max_pool2d_forward")
class TestMaxPool2dForward:
    def test_unequal_sides_everywhere(self, solution):
        """Window, stride and padding may all differ down and across, and need not divide the image."""
        x = normal(1, 2, 3, 8, 7)
        for settings in UNEQUAL:
            out, _ = solution.max_pool2d_forward(x, *settings)
            assert_close(out, slow_max_pool(x, *settings), f"out for {settings}")

    def test_stride_none_on_a_rectangular_window(self, solution):
        """A stride of None is the window's height down and its width across."""
        out, _ = solution.max_pool2d_forward(coordinates(1, 1, 7, 8), (3, 2), None)
        assert_close(out, np.array([[[[21.0, 23, 25, 27], [51, 53, 55, 57]]]]))

    def test_rows_that_do_not_fill_a_window(self, solution):
        """Rows and columns left over behind the last window are not read, though they hold the largest pixels."""
        x = coordinates(1, 1, 5, 7)
        out, _ = solution.max_pool2d_forward(x, 3, 2)
        assert_close(out, np.array([[[[22.0, 24, 26], [42, 44, 46]]]]))
        out, _ = solution.max_pool2d_forward(x, 2, 2)
        assert_close(out, np.array([[[[11.0, 13, 15], [31, 33, 35]]]]))

    def test_padding_of_exactly_half_the_window(self, solution):
        """Padding of half the window is allowed, an odd window's half rounded down, each axis by its own side."""
        for kernel, padding in [((2, 5), (1, 2)), ((4, 1), (2, 0)), ((3, 2), 1)]:
            x, pair = -1 - coordinates(1, 2, 6, 7), padding if padding != 1 else (1, 1)
            out, _ = solution.max_pool2d_forward(x, kernel, 2, padding)
            assert_close(out, slow_max_pool(x, kernel, (2, 2), pair), f"out for {kernel}, {padding}")

    def test_padding_too_large_on_one_axis(self, solution):
        """Padding of more than half the window is refused on either axis, though the other axis would allow it."""
        x = np.zeros((1, 2, 9, 9))
        for kernel, padding in [((2, 6), (2, 3)), ((7, 2), (3, 2)), ((1, 1), (0, 1))]:
            with assert_rejects():
                solution.max_pool2d_forward(x, kernel, 1, padding)

    def test_settings_that_make_no_window(self, solution):
        """A window that does not fit, a side or a stride of 0, and a negative padding are errors with the number."""
        x = np.zeros((2, 3, 4, 5))
        with assert_rejects(7, 4):
            solution.max_pool2d_forward(x, (7, 2))
        with assert_rejects(8, 7):
            solution.max_pool2d_forward(x, (2, 8), 1, (0, 1))
        for settings in [((2, 0), 1, 0), (2, (0, 1), 0), (2, 2, (0, -1))]:
            with assert_rejects(min(np.min(value) for value in settings)):
                solution.max_pool2d_forward(x, *settings)

    def test_x_without_pixels_or_of_another_rank(self, solution):
        """An x that is not (N, C, H, W), or whose maps have no pixel, is an error that names its shape."""
        for shape in [(6, 7), (1, 2, 3, 6, 7), (2, 3, 0, 4)]:
            with assert_rejects(shape):
                solution.max_pool2d_forward(np.zeros(shape), 2, padding=1)

    def test_empty_batch(self, solution):
        """No images in, no images out: the output has N = 0 and the shape and dtype of any other."""
        out, _ = solution.max_pool2d_forward(np.zeros((0, 3, 6, 7), np.float32), (3, 2), 2, (1, 0))
        assert_close(out, np.zeros((0, 3, 3, 3), np.float32))

    def test_float_dtypes_are_kept(self, solution):
        """A float16, float32 or float64 image has an output of its own dtype, with padding as without."""
        for dtype in (np.float16, np.float32, np.float64):
            x = normal(1, 2, 3, 5, 4, dtype=dtype)
            for padding in (0, 1):
                out, _ = solution.max_pool2d_forward(x, 3, 1, padding)
                assert_close(out, slow_max_pool(x, (3, 3), (1, 1), (padding, padding)).astype(dtype))

    def test_integers_become_float64(self, solution):
        """Integer pixels are promoted to float64, so that -inf can stand beside them."""
        x = -1 - coordinates(2, 1, 3, 4).astype(np.int64)
        out, _ = solution.max_pool2d_forward(x, 2, 1, 1)
        assert_close(out, slow_max_pool(x.astype(np.float64), (2, 2), (1, 1), (1, 1)), dtype=np.float64)

    def test_x_is_left_alone(self, solution):
        """The argument is not modified, and the output is not a view of it, not even for a window of one pixel."""
        x = normal(1, 2, 3, 5, 4)
        for kernel, padding in [(1, 0), (2, 0), (3, 1)]:
            with assert_unchanged(x=x):
                out, _ = solution.max_pool2d_forward(x, kernel, 1, padding)
            assert_no_alias(out, "out", x=x)

    @given(seeds, pairs(1, 3), pairs(1, 3))
    def test_any_memory_layout(self, solution, seed, kernel, stride):
        """Transposed, sliced and reversed images pool like contiguous ones."""
        base = normal(seed, 9, 3, 5, 4)
        for x in (base[::4], base[1:4].transpose(1, 0, 3, 2), base[2:0:-1, :, ::-1, ::-1]):
            out, _ = solution.max_pool2d_forward(x, kernel, stride)
            assert_close(out, slow_max_pool(x, kernel, stride, (0, 0)), "out")

    @given(seeds, pairs(1, 4), pairs(1, 3), pairs(0, 2))
    def test_nans_stay_in_their_windows(self, solution, seed, kernel, stride, padding):
        """Exactly the windows that hold a NaN have the output NaN, wherever in the window it is."""
        x, padding = normal(seed, 2, 3, 5, 4), at_most_half(padding, kernel)
        x[normal(seed, 2, 3, 5, 4) > 1] = np.nan
        x[:, :, ::2, 1::2] *= -1
        out, _ = solution.max_pool2d_forward(x, kernel, stride, padding)
        assert_close(out, slow_max_pool(x, kernel, stride, padding), "out")

    def test_infinities(self, solution):
        """A window of nothing but -inf has the output -inf; +inf wins like any large number."""
        x = np.full((1, 1, 2, 5), -np.inf)
        x[0, 0, 1, 3:] = np.inf, -8
        out, _ = solution.max_pool2d_forward(x, 2, 2, 1)
        assert_close(out, np.array([[[[-np.inf, -np.inf, -np.inf], [-np.inf, -np.inf, np.inf]]]]))

    @given(seeds, sizes(1, 2), pairs(1, 3))
    def test_shift_by_a_stride(self, solution, seed, steps, stride):
        """An image shifted by whole strides has its output shifted by as many steps: pooling is equivariant."""
        x = normal(seed, 2, 3, 11, 10)
        out, _ = solution.max_pool2d_forward(x, (3, 2), stride)
        shifted, _ = solution.max_pool2d_forward(x[:, :, steps * stride[0] :, steps * stride[1] :], (3, 2), stride)
        assert_close(shifted, out[:, :, steps:, steps:], "out of the shifted image")

    def test_pooling_twice(self, solution):
        """Pooling by 2 x 3 and then by 3 x 2 is pooling by 6 x 6: a maximum of maxima."""
        x = normal(1, 2, 3, 12, 18)
        first, _ = solution.max_pool2d_forward(x, (2, 3))
        second, _ = solution.max_pool2d_forward(first, (3, 2))
        assert_close(second, slow_max_pool(x, (6, 6), (6, 6), (0, 0)))

    def test_no_loop_where_windows_tile(self, solution):
        """No Python loop runs over images, channels, rows or columns where the windows tile the image either."""

        def make_call(N, C, H, W):
            x = normal(1, N, C, H, W)
            return lambda: solution.max_pool2d_forward(x, 2)

        assert_vectorized(make_call, SMALL, LARGE)


@exercise("max_pool2d_backward")
class TestMaxPool2dBackward:
    @given(seeds, pairs(1, 5), pairs(1, 3), pairs(0, 2))
    def test_ties_everywhere(self, solution, seed, kernel, stride, padding):
        """With many ties, overlaps and padding, each gradient goes whole to the first maximum of its window."""
        x, padding = few_values(seed, 2, 3, 6, 5), at_most_half(padding, kernel)
        out, cache = solution.max_pool2d_forward(x, kernel, stride, padding)
        dout = normal(seed, *out.shape)
        expected = slow_max_pool_backward(dout, x, kernel, stride, padding)
        assert_close(solution.max_pool2d_backward(dout, cache), expected, "dx")

    def test_flat_map(self, solution):
        """In a map of one value, as after a ReLU that is off, the first pixel of each window gets everything."""
        out, cache = solution.max_pool2d_forward(np.zeros((1, 1, 3, 4)), 2, 1, 1)
        dout = normal(1, *out.shape)
        expected = slow_max_pool_backward(dout, np.zeros((1, 1, 3, 4)), (2, 2), (1, 1), (1, 1))
        assert_close(solution.max_pool2d_backward(dout, cache), expected, "dx")

    def test_map_of_minus_infinity(self, solution):
        """Where a whole window is -inf its first pixel gets the gradient, never a padding cell."""
        x = np.full((2, 1, 3, 4), -np.inf)
        for kernel, padding in [((2, 2), (1, 1)), ((3, 2), (1, 0)), ((2, 5), (0, 2))]:
            out, cache = solution.max_pool2d_forward(x, kernel, 1, padding)
            dout = normal(1, *out.shape)
            expected = slow_max_pool_backward(dout, x, kernel, (1, 1), padding)
            assert_close(solution.max_pool2d_backward(dout, cache), expected, f"dx for {kernel}, {padding}")

    def test_nan_gets_the_gradient(self, solution):
        """The first NaN of a window is its winner and gets the gradient."""
        x = np.array([[[[3.0, 1, np.nan, 9, 2, np.nan], [5, np.nan, 7, np.nan, 4, 8]]]])
        _, cache = solution.max_pool2d_forward(x, 2)
        dx = solution.max_pool2d_backward(np.array([[[[10.0, 20, 30]]]]), cache)
        assert_close(dx, np.array([[[[0.0, 0, 20, 0, 0, 30], [0, 10, 0, 0, 0, 0]]]]), "dx")

    def test_rows_that_no_window_reads(self, solution):
        """Pixels between or behind the windows get a gradient of zero."""
        x = coordinates(1, 2, 5, 7)
        for settings in [((2, 2), (3, 3), (0, 0)), ((2, 3), (2, 3), (0, 0))]:
            out, cache = solution.max_pool2d_forward(x, *settings)
            dout = normal(1, *out.shape)
            assert_close(solution.max_pool2d_backward(dout, cache), slow_max_pool_backward(dout, x, *settings), "dx")

    def test_gradient_is_a_slope(self, solution):
        """The gradient is the slope of sum(out * dout) for windows that overlap, leave gaps or are padded."""
        x = np.random.default_rng(5).permutation(120).reshape(2, 3, 4, 5) / 10 - 6
        for settings in [((3, 2), (1, 1), (1, 1)), ((2, 1), (3, 2), (0, 0)), ((1, 4), (1, 2), (0, 2))]:
            out, cache = solution.max_pool2d_forward(x, *settings)
            dout = normal(1, *out.shape)
            dx = solution.max_pool2d_backward(dout, cache)
            assert_gradient(dx, lambda x, settings=settings: slow_max_pool(x, *settings), x, dout, f"dx for {settings}")

    def test_window_of_more_than_256_cells(self, solution):
        """A winner is found behind 256 cells too: 18 x 17 windows have 306."""
        x = coordinates(1, 1, 19, 17)
        _, cache = solution.max_pool2d_forward(x, (18, 17), 1)
        expected = np.zeros((1, 1, 19, 17))
        expected[0, 0, 17:, 16] = 3, -5
        assert_close(solution.max_pool2d_backward(np.array([[[[3.0], [-5.0]]]]), cache), expected, "dx")

    def test_two_forwards_before_two_backwards(self, solution):
        """Each cache belongs to its own forward: two forwards may come before two backwards."""
        first, second = normal(1, 2, 3, 5, 4), normal(2, 1, 2, 6, 7)
        out_1, cache_1 = solution.max_pool2d_forward(first, 2)
        out_2, cache_2 = solution.max_pool2d_forward(second, 3, 2)
        expected = slow_max_pool_backward(out_1, first, (2, 2), (2, 2), (0, 0))
        assert_close(solution.max_pool2d_backward(out_1, cache_1), expected, "first dx")
        expected = slow_max_pool_backward(out_2, second, (3, 3), (2, 2), (0, 0))
        assert_close(solution.max_pool2d_backward(out_2, cache_2), expected, "second dx")

    def test_backward_twice(self, solution):
        """A cache can be used again: the second result is the first, and an array of its own."""
        out, cache = solution.max_pool2d_forward(few_values(1, 2, 3, 5, 4), 2, 1)
        dout = normal(2, *out.shape)
        with assert_unchanged(dout=dout):
            once = solution.max_pool2d_backward(dout, cache)
            expected = once.copy()
            once[...] = 7
            again = solution.max_pool2d_backward(dout, cache)
        assert_close(again, expected, "second dx")

    def test_dtype_of_x(self, solution):
        """The gradient has the dtype of x, whatever that of dout; integers count as float64."""
        for dtype, expected in [(np.float16, np.float16), (np.float32, np.float32), (np.int32, np.float64)]:
            x = (4 * normal(1, 2, 3, 5, 4)).astype(dtype)
            out, cache = solution.max_pool2d_forward(x, 2, 1)
            dout = normal(2, *out.shape)
            dx = solution.max_pool2d_backward(dout, cache)
            assert_close(dx, slow_max_pool_backward(dout, x.astype(expected), (2, 2), (1, 1), (0, 0)), "dx", expected)

    def test_any_memory_layout(self, solution):
        """A transposed or reversed x or dout gives the gradient of a contiguous one."""
        x = few_values(1, 3, 2, 4, 5).transpose(1, 0, 3, 2)[:, :, ::-1]
        out, cache = solution.max_pool2d_forward(x, (2, 3), 1)
        dout = normal(2, *out.shape[::-1]).T[::-1]
        dx = solution.max_pool2d_backward(dout, cache)
        assert_close(dx, slow_max_pool_backward(dout, x, (2, 3), (1, 1), (0, 0)), "dx")

    def test_empty_batch(self, solution):
        """The gradient of an empty batch is an empty batch."""
        out, cache = solution.max_pool2d_forward(np.zeros((0, 3, 6, 7)), 3, 2, 1)
        assert_close(solution.max_pool2d_backward(out, cache), np.zeros((0, 3, 6, 7)), "dx")

    def test_dout_of_another_shape(self, solution):
        """A dout of another shape is refused though its size is right or it would broadcast."""
        _, cache = solution.max_pool2d_forward(normal(1, 2, 3, 4, 6), 2)
        for shape in [(2, 3, 3, 2), (1, 3, 2, 3), (2, 3, 6), ()]:
            with assert_rejects(shape, (2, 3, 2, 3)):
                solution.max_pool2d_backward(np.ones(shape), cache)

    def test_no_loop_where_windows_tile(self, solution):
        """No Python loop runs over images, channels, rows or columns where the windows tile the image either."""

        def make_call(N, C, H, W):
            out, cache = solution.max_pool2d_forward(normal(1, N, C, H, W), 2)
            return lambda: solution.max_pool2d_backward(out, cache)

        assert_vectorized(make_call, SMALL, LARGE)


@exercise("avg_pool2d_forward")
class TestAvgPool2dForward:
    def test_unequal_sides_everywhere(self, solution):
        """Window, stride and padding may all differ down and across, with the padding counted or not."""
        x = normal(1, 2, 3, 8, 7)
        for settings in UNEQUAL:
            for counted in (True, False):
                out, _ = solution.avg_pool2d_forward(x, *settings, count_include_pad=counted)
                assert_close(out, slow_avg_pool(x, *settings, counted), f"out for {settings}, {counted}")

    def test_stride_none_on_a_rectangular_window(self, solution):
        """A stride of None is the window's height down and its width across."""
        out, _ = solution.avg_pool2d_forward(coordinates(1, 1, 7, 6), (3, 2), None)
        assert_close(out, np.array([[[[10.5, 12.5, 14.5], [40.5, 42.5, 44.5]]]]))

    @given(seeds, pairs(1, 5), pairs(1, 3), pairs(0, 2))
    def test_a_constant_keeps_its_value(self, solution, seed, kernel, stride, padding):
        """Where padding is not counted the mean of a constant image is the constant, at the border as in the middle."""
        padding = at_most_half(padding, kernel)
        x = np.full((2, 3, 6, 5), normal(seed)[()])
        out, _ = solution.avg_pool2d_forward(x, kernel, stride, padding, count_include_pad=False)
        assert_close(out, np.full(out.shape, x[0, 0, 0, 0]))
        assert_equal(out.shape, slow_avg_pool(x, kernel, stride, padding).shape, "shape of out")

    def test_a_convolution_with_equal_weights(self, solution):
        """Average pooling is a strided convolution, each channel by itself, whose weights are all 1 / (kh * kw)."""
        x, kernel = normal(1, 2, 3, 8, 7), np.full((3, 2), 1 / 6)
        out, _ = solution.avg_pool2d_forward(x, (3, 2), (2, 3))
        expected = np.zeros((2, 3, 3, 2))
        for n, c, i, j in np.ndindex(2, 3, 3, 2):
            expected[n, c, i, j] = np.sum(x[n, c, 2 * i : 2 * i + 3, 3 * j : 3 * j + 2] * kernel)
        assert_close(out, expected)

    def test_float_dtypes_are_kept(self, solution):
        """A float16, float32 or float64 image has an output of its own dtype, with the padding counted or not."""
        for dtype in (np.float16, np.float32, np.float64):
            x = normal(1, 2, 3, 5, 4, dtype=dtype)
            for counted in (True, False):
                out, _ = solution.avg_pool2d_forward(x, (2, 3), 1, 1, counted)
                assert_close(out, slow_avg_pool(x, (2, 3), (1, 1), (1, 1), counted), dtype=dtype)

    def test_integers_become_float64(self, solution):
        """Integer pixels have a float64 mean, nothing rounded off."""
        out, _ = solution.avg_pool2d_forward(np.array([[[[1, 2, 4], [-4, 0, 0]]]]), (2, 3))
        assert_close(out, np.array([[[[0.5]]]]))

    def test_errors(self, solution):
        """A wrong rank, a window that does not fit and padding over half the window are errors with the numbers."""
        with assert_rejects((3, 6, 7)):
            solution.avg_pool2d_forward(np.zeros((3, 6, 7)), 2)
        with assert_rejects((2, 3, 4, 0)):
            solution.avg_pool2d_forward(np.zeros((2, 3, 4, 0)), 2, padding=1)
        with assert_rejects(9, 6):
            solution.avg_pool2d_forward(np.zeros((2, 3, 6, 7)), (9, 2))
        with assert_rejects(2, 3):
            solution.avg_pool2d_forward(np.zeros((2, 3, 6, 7)), (4, 3), 1, (2, 2), count_include_pad=False)
        for settings in [((0, 2), 1, 0), (2, (1, 0), 0), (2, 2, (-1, 0))]:
            with assert_rejects(min(np.min(value) for value in settings)):
                solution.avg_pool2d_forward(np.zeros((2, 3, 6, 7)), *settings)

    def test_x_is_left_alone(self, solution):
        """The argument is not modified, and the output is not a view of it, not even for a window of one pixel."""
        x = normal(1, 2, 3, 5, 4)
        for kernel, padding in [(1, 0), (2, 0), (3, 1)]:
            with assert_unchanged(x=x):
                out, _ = solution.avg_pool2d_forward(x, kernel, 1, padding)
            assert_no_alias(out, "out", x=x)

    def test_any_memory_layout(self, solution):
        """Transposed, sliced and reversed images pool like contiguous ones."""
        base = normal(1, 9, 3, 5, 4)
        for x in (base[::4], base[1:4].transpose(1, 0, 3, 2), base[2:0:-1, :, ::-1, ::-1]):
            out, _ = solution.avg_pool2d_forward(x, (2, 3), (1, 2), (1, 0))
            assert_close(out, slow_avg_pool(x, (2, 3), (1, 2), (1, 0)), "out")

    def test_empty_batch(self, solution):
        """No images in, no images out: the output has N = 0 and the shape and dtype of any other."""
        for counted in (True, False):
            out, _ = solution.avg_pool2d_forward(np.zeros((0, 3, 6, 7), np.float32), (3, 2), 2, (1, 0), counted)
            assert_close(out, np.zeros((0, 3, 3, 3), np.float32))

    def test_no_loop_where_windows_tile(self, solution):
        """No Python loop runs over images, channels, rows or columns where the windows tile the image either."""

        def make_call(N, C, H, W):
            x = normal(1, N, C, H, W)
            return lambda: solution.avg_pool2d_forward(x, 2)

        assert_vectorized(make_call, SMALL, LARGE)


@exercise("avg_pool2d_backward")
class TestAvgPool2dBackward:
    @given(seeds, pairs(1, 5), pairs(1, 3), pairs(0, 2))
    def test_adjoint_of_the_forward(self, solution, seed, kernel, stride, padding):
        """For any x and dout, <avg_pool2d(x), dout> is <x, dx>: the mean is linear and dx is its transpose."""
        x, padding = normal(seed, 2, 3, 6, 5), at_most_half(padding, kernel)
        for counted in (True, False):
            out, cache = solution.avg_pool2d_forward(x, kernel, stride, padding, counted)
            dout = normal(seed, *out.shape)
            dx = solution.avg_pool2d_backward(dout, cache)
            forward = np.sum(slow_avg_pool(x, kernel, stride, padding, counted) * dout)
            assert_equal(dx.shape, x.shape, "shape of dx")
            assert_close(np.sum(x * dx), forward, f"<x, dx>, {counted},")

    def test_gradient_is_a_slope(self, solution):
        """The gradient is the slope of sum(out * dout), with the padding counted or not, overlapping or with gaps."""
        x = normal(1, 2, 3, 4, 5)
        for settings in [((3, 2), (1, 1), (1, 1)), ((2, 1), (3, 2), (1, 0)), ((1, 4), (1, 2), (0, 2))]:
            for counted in (True, False):
                out, cache = solution.avg_pool2d_forward(x, *settings, counted)
                dout = normal(2, *out.shape)
                dx = solution.avg_pool2d_backward(dout, cache)
                assert_gradient(
                    dx, lambda x, a=settings, b=counted: slow_avg_pool(x, *a, b), x, dout, f"dx for {settings}"
                )

    def test_rows_that_no_window_reads(self, solution):
        """Pixels between or behind the windows get a gradient of zero."""
        _, cache = solution.avg_pool2d_forward(normal(1, 1, 1, 3, 6), (2, 1), (2, 3))
        dx = solution.avg_pool2d_backward(np.array([[[[2.0, -6.0]]]]), cache)
        assert_close(dx, np.array([[[[1.0, 0, 0, -3, 0, 0], [1, 0, 0, -3, 0, 0], [0, 0, 0, 0, 0, 0]]]]), "dx")

    def test_two_forwards_before_two_backwards(self, solution):
        """Each cache belongs to its own forward: two forwards may come before two backwards."""
        _, cache_1 = solution.avg_pool2d_forward(normal(1, 1, 1, 1, 4), (1, 2))
        _, cache_2 = solution.avg_pool2d_forward(normal(1, 1, 1, 3, 2), (3, 1))
        dx = solution.avg_pool2d_backward(np.array([[[[4.0, 6.0]]]]), cache_1)
        assert_close(dx, np.array([[[[2.0, 2, 3, 3]]]]), "first dx")
        dx = solution.avg_pool2d_backward(np.array([[[[9.0, 6.0]]]]), cache_2)
        assert_close(dx, np.array([[[[3.0, 2], [3, 2], [3, 2]]]]), "second dx")

    def test_backward_twice(self, solution):
        """A cache can be used again: the second result is the first, and dout is left alone."""
        for counted in (True, False):
            out, cache = solution.avg_pool2d_forward(normal(1, 2, 3, 5, 4), 3, 1, 1, counted)
            dout = normal(2, *out.shape)
            with assert_unchanged(dout=dout):
                once = solution.avg_pool2d_backward(dout, cache)
                expected = once.copy()
                once[...] = 7
                again = solution.avg_pool2d_backward(dout, cache)
            assert_close(again, expected, "second dx")

    def test_result_is_no_view_of_dout(self, solution):
        """The gradient shares no memory with dout, not even for a window of one pixel."""
        out, cache = solution.avg_pool2d_forward(normal(1, 2, 3, 5, 4), 1)
        dout = normal(2, *out.shape)
        dx = solution.avg_pool2d_backward(dout, cache)
        assert_close(dx, dout, "dx")
        assert_no_alias(dx, "dx", dout=dout)

    def test_dtype_of_x(self, solution):
        """The gradient has the dtype of x, whatever that of dout; integers count as float64."""
        for dtype, expected in [(np.float16, np.float16), (np.float32, np.float32), (np.int32, np.float64)]:
            for counted in (True, False):
                out, cache = solution.avg_pool2d_forward(np.ones((1, 1, 2, 4), dtype), (1, 3), (1, 2), (0, 1), counted)
                dx = solution.avg_pool2d_backward(np.full(out.shape, 3.0), cache)
                share = 1.0 if counted else 1.5
                row = [share, share + 1, 1.0, 1.0]
                assert_close(dx, np.array([[[row, row]]]), f"dx, {counted},", dtype=expected)

    def test_any_memory_layout(self, solution):
        """A transposed or reversed dout gives the gradient of a contiguous one."""
        out, cache = solution.avg_pool2d_forward(normal(1, 2, 3, 5, 4), (2, 3), 1)
        dout = normal(2, *out.shape[::-1]).T[::-1]
        dx = solution.avg_pool2d_backward(dout, cache)
        expected = np.zeros((2, 3, 5, 4))
        for n, c, i, j in np.ndindex(*out.shape):
            expected[n, c, i : i + 2, j : j + 3] += dout[n, c, i, j] / 6
        assert_close(dx, expected, "dx")

    def test_empty_batch(self, solution):
        """The gradient of an empty batch is an empty batch."""
        out, cache = solution.avg_pool2d_forward(np.zeros((0, 3, 6, 7)), 3, 2, 1, count_include_pad=False)
        assert_close(solution.avg_pool2d_backward(out, cache), np.zeros((0, 3, 6, 7)), "dx")

    def test_dout_of_another_shape(self, solution):
        """A dout of another shape is refused though its size is right or it would broadcast."""
        _, cache = solution.avg_pool2d_forward(normal(1, 2, 3, 4, 6), 2)
        for shape in [(2, 3, 3, 2), (1, 3, 2, 3), (2, 3, 6), ()]:
            with assert_rejects(shape, (2, 3, 2, 3)):
                solution.avg_pool2d_backward(np.ones(shape), cache)

    def test_no_loop_where_windows_tile(self, solution):
        """No Python loop runs over images, channels, rows or columns where the windows tile the image either."""

        def make_call(N, C, H, W):
            out, cache = solution.avg_pool2d_forward(normal(1, N, C, H, W), 2)
            return lambda: solution.avg_pool2d_backward(out, cache)

        assert_vectorized(make_call, SMALL, LARGE)


@exercise("global_avg_pool2d_forward")
class TestGlobalAvgPool2dForward:
    def test_dtypes(self, solution):
        """Floating dtypes are kept and integers become float64."""
        pixels = np.array([[[[1, 2], [4, -5]], [[0, 1], [1, 1]]]])
        for dtype in (np.float16, np.float32, np.float64):
            out, _ = solution.global_avg_pool2d_forward(pixels.astype(dtype))
            assert_close(out, np.array([[0.5, 0.75]], dtype))
        out, _ = solution.global_avg_pool2d_forward(pixels)
        assert_close(out, np.array([[0.5, 0.75]]))

    def test_x_is_left_alone(self, solution):
        """The argument is not modified, and the output is not a view of it, not even of maps of one pixel."""
        x = normal(1, 2, 3, 1, 1)
        with assert_unchanged(x=x):
            out, _ = solution.global_avg_pool2d_forward(x)
        assert_close(out, x[:, :, 0, 0].copy())
        assert_no_alias(out, "out", x=x)

    @given(seeds, sizes(1, 5), sizes(1, 6))
    def test_where_a_pixel_stands_is_forgotten(self, solution, seed, H, W):
        """However the pixels of a map are shuffled its mean stays."""
        x = normal(seed, 2, 3, H, W)
        order = np.random.default_rng(seed).permutation(H * W)
        out, _ = solution.global_avg_pool2d_forward(x.reshape(2, 3, H * W)[:, :, order].reshape(x.shape))
        assert_close(out, np.array([[sum(x[n, c].flat) / (H * W) for c in range(3)] for n in range(2)]))

    def test_any_memory_layout(self, solution):
        """A transposed image pools like a contiguous one."""
        x = normal(1, 4, 5, 3, 2).transpose(3, 2, 1, 0)[:, ::-1]
        out, _ = solution.global_avg_pool2d_forward(x)
        assert_close(out, np.array([[sum(x[n, c].flat) / 20 for c in range(3)] for n in range(2)]))

    def test_empty_batch(self, solution):
        """An empty batch of C channels gives (0, C)."""
        out, _ = solution.global_avg_pool2d_forward(np.zeros((0, 3, 4, 5), np.float32))
        assert_close(out, np.zeros((0, 3), np.float32))

    def test_maps_without_pixels(self, solution):
        """Maps without a pixel have no mean: an error that names the shape."""
        with assert_rejects((2, 3, 0, 5)):
            solution.global_avg_pool2d_forward(np.zeros((2, 3, 0, 5)))


@exercise("global_avg_pool2d_backward")
class TestGlobalAvgPool2dBackward:
    def test_dtype_of_x(self, solution):
        """The gradient has the dtype of x, whatever that of dout; integers count as float64."""
        for dtype, expected in [(np.float16, np.float16), (np.float32, np.float32), (np.int32, np.float64)]:
            _, cache = solution.global_avg_pool2d_forward(np.ones((1, 2, 1, 4), dtype))
            dx = solution.global_avg_pool2d_backward(np.array([[2.0, -1.0]]), cache)
            assert_close(dx, np.array([[[[0.5] * 4], [[-0.25] * 4]]]), "dx", dtype=expected)

    def test_two_forwards_then_backward_twice(self, solution):
        """Each cache belongs to its own forward and can be used again."""
        _, cache_1 = solution.global_avg_pool2d_forward(normal(1, 1, 2, 2, 1))
        _, cache_2 = solution.global_avg_pool2d_forward(normal(1, 1, 2, 1, 5))
        dout = np.array([[10.0, -20.0]])
        with assert_unchanged(dout=dout):
            for _ in range(2):
                dx = solution.global_avg_pool2d_backward(dout, cache_1)
                assert_close(dx, np.array([[[[5.0], [5.0]], [[-10.0], [-10.0]]]]), "dx of the first")
                dx = solution.global_avg_pool2d_backward(dout, cache_2)
                assert_close(dx, np.array([[[[2.0] * 5], [[-4.0] * 5]]]), "dx of the second")

    def test_dout_of_another_shape(self, solution):
        """A dout that is not (N, C) is an error that names both shapes; nothing broadcasts."""
        _, cache = solution.global_avg_pool2d_forward(normal(1, 2, 3, 4, 5))
        for shape in [(3, 2), (1, 3), (2, 3, 1, 1), (2, 1)]:
            with assert_rejects(shape, (2, 3)):
                solution.global_avg_pool2d_backward(np.ones(shape), cache)

    def test_maps_of_one_pixel(self, solution):
        """For maps of one pixel the gradient is dout in another shape, and no view of it."""
        _, cache = solution.global_avg_pool2d_forward(normal(1, 2, 3, 1, 1))
        dout = normal(2, 2, 3)
        dx = solution.global_avg_pool2d_backward(dout, cache)
        assert_close(dx, dout.reshape(2, 3, 1, 1), "dx")
        assert_no_alias(dx, "dx", dout=dout)

    def test_empty_batch(self, solution):
        """The gradient of an empty batch is an empty batch."""
        out, cache = solution.global_avg_pool2d_forward(np.zeros((0, 3, 4, 5)))
        assert_close(solution.global_avg_pool2d_backward(out, cache), np.zeros((0, 3, 4, 5)), "dx")


@exercise("MaxPool2d")
class TestMaxPool2d:
    def test_two_layers_keep_their_own_cache(self, solution):
        """Two layers of one class may run forward before either runs backward."""
        first, second = solution.MaxPool2d(2), solution.MaxPool2d((1, 3), 1)
        x_1, x_2 = normal(1, 2, 3, 5, 4), normal(2, 1, 2, 2, 6)
        out_1, out_2 = first(x_1), second(x_2)
        expected = slow_max_pool_backward(out_1, x_1, (2, 2), (2, 2), (0, 0))
        assert_close(first.backward(out_1), expected, "dx of the first layer")
        expected = slow_max_pool_backward(out_2, x_2, (1, 3), (1, 1), (0, 0))
        assert_close(second.backward(out_2), expected, "dx of the second layer")

    def test_dtype_follows_the_input(self, solution):
        """One layer computes in float32 for a float32 image and in float64 for the next."""
        layer = solution.MaxPool2d(3, 2, 1)
        for dtype in (np.float32, np.float64):
            x = normal(1, 2, 3, 5, 4, dtype=dtype)
            out = layer(x)
            assert_close(out, slow_max_pool(x, (3, 3), (2, 2), (1, 1)), "out", dtype=dtype)
            assert_close(layer.backward(out), slow_max_pool_backward(out, x, (3, 3), (2, 2), (1, 1)), "dx", dtype=dtype)

    def test_mode_and_state(self, solution):
        """Pooling is the same in training and in eval, and there is no state to save or to convert."""
        layer, x = solution.MaxPool2d(2), normal(1, 2, 3, 4, 6)
        trained = layer(x)
        layer.load_state_dict(layer.state_dict())
        evaluated = layer.astype(np.float64).eval()(x)
        assert_equal(layer.training, False, "training")
        assert_close(evaluated, trained, "out in eval")
        assert_equal(list(layer.state_dict()), [], "names in state_dict()")

    def test_errors_come_through(self, solution):
        """The layer refuses what the functions refuse."""
        with assert_rejects(2, 3):
            solution.MaxPool2d(3, padding=2)(np.zeros((1, 2, 6, 7)))
        layer = solution.MaxPool2d(2)
        layer(np.zeros((1, 2, 6, 8)))
        with assert_rejects((1, 2, 3, 1), (1, 2, 3, 4)):
            layer.backward(np.zeros((1, 2, 3, 1)))


@exercise("AvgPool2d")
class TestAvgPool2d:
    def test_padding_counts_by_default(self, solution):
        """The layer counts the padding unless told otherwise."""
        x = normal(1, 2, 3, 5, 4)
        out = solution.AvgPool2d((2, 3), padding=1)(x)
        assert_close(out, slow_avg_pool(x, (2, 3), (2, 3), (1, 1)), "out")

    def test_two_layers_keep_their_own_cache(self, solution):
        """Two layers of one class may run forward before either runs backward."""
        first, second = solution.AvgPool2d((1, 2)), solution.AvgPool2d((3, 1))
        first(normal(1, 1, 1, 1, 4))
        second(normal(1, 1, 1, 3, 2))
        dx = first.backward(np.array([[[[4.0, 6.0]]]]))
        assert_close(dx, np.array([[[[2.0, 2, 3, 3]]]]), "dx of the first layer")
        dx = second.backward(np.array([[[[9.0, 6.0]]]]))
        assert_close(dx, np.array([[[[3.0, 2], [3, 2], [3, 2]]]]), "dx of the second layer")

    def test_nothing_to_learn(self, solution):
        """Pooling has no parameters and nothing to save, and float32 stays float32."""
        layer = solution.AvgPool2d(2, padding=1, count_include_pad=False)
        out = layer(normal(1, 2, 3, 4, 6, dtype=np.float32))
        assert_equal(out.dtype.name, "float32", "dtype of out")
        assert_equal(layer.backward(out).dtype.name, "float32", "dtype of dx")
        assert_equal(len(layer.parameters()), 0, "number of parameters")
        assert_equal(list(layer.state_dict()), [], "names in state_dict()")


@exercise("GlobalAvgPool2d")
class TestGlobalAvgPool2d:
    def test_maps_of_changing_size(self, solution):
        """One layer takes maps of one size after another; backward belongs to the last."""
        layer = solution.GlobalAvgPool2d()
        for H, W in [(2, 3), (5, 1)]:
            x = normal(1, 2, 3, H, W)
            out = layer(x)
            assert_close(out, np.einsum("nchw->nc", x) / (H * W), "out")
        dx = layer.backward(out)
        assert_close(dx, np.repeat(out[:, :, None, None], 5, axis=2) / 5, "dx")

    def test_two_layers_keep_their_own_cache(self, solution):
        """Two layers may run forward before either runs backward."""
        first, second = solution.GlobalAvgPool2d(), solution.GlobalAvgPool2d()
        first(normal(1, 1, 2, 2, 1))
        second(normal(1, 1, 2, 1, 5))
        dout = np.array([[10.0, -20.0]])
        assert_close(first.backward(dout), np.array([[[[5.0], [5.0]], [[-10.0], [-10.0]]]]), "dx of the first layer")
        assert_close(second.backward(dout), np.array([[[[2.0] * 5], [[-4.0] * 5]]]), "dx of the second layer")

    def test_nothing_to_learn(self, solution):
        """The layer has no parameters and nothing to save, and float32 stays float32."""
        layer = solution.GlobalAvgPool2d()
        out = layer(normal(1, 2, 3, 4, 6, dtype=np.float32))
        assert_equal(out.dtype.name, "float32", "dtype of out")
        assert_equal(layer.backward(out).dtype.name, "float32", "dtype of dx")
        assert_equal(len(layer.parameters()), 0, "number of parameters")
        assert_equal(list(layer.state_dict()), [], "names in state_dict()")
