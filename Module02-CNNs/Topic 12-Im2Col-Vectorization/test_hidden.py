"""Topic 12, hidden suite: odd shapes and strides, dtypes, aliasing, bad input, the layer's state."""

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

# The slow loops below are the specification, as in the visible suite.


def slow_windows(x, kernel, stride):
    """Every window's every pixel."""
    (N, C, H, W), (kh, kw), (sh, sw) = x.shape, kernel, stride
    windows = np.zeros((N, C, (H - kh) // sh + 1, (W - kw) // sw + 1, kh, kw), x.dtype)
    for n, c, i, j, u, v in np.ndindex(*windows.shape):
        windows[n, c, i, j, u, v] = x[n, c, i * sh + u, j * sw + v]
    return windows


def slow_im2col(x, kernel, stride, padding):
    """Every number of every window, zero outside the image."""
    (N, C, H, W), (kh, kw), (sh, sw), (ph, pw) = x.shape, kernel, stride, padding
    H_out, W_out = (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1
    cols = np.zeros((N, C * kh * kw, H_out * W_out))
    for n, c, u, v, i, j in np.ndindex(N, C, kh, kw, H_out, W_out):
        h, w = i * sh + u - ph, j * sw + v - pw
        if 0 <= h < H and 0 <= w < W:
            cols[n, c * kh * kw + u * kw + v, i * W_out + j] = x[n, c, h, w]
    return cols


def slow_col2im(cols, x_shape, kernel, stride, padding):
    """Every number of every column, added to the pixel it was read from, unless that is padding."""
    (N, C, H, W), (kh, kw), (sh, sw), (ph, pw) = x_shape, kernel, stride, padding
    H_out, W_out = (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1
    x = np.zeros(x_shape)
    for n, c, u, v, i, j in np.ndindex(N, C, kh, kw, H_out, W_out):
        h, w = i * sh + u - ph, j * sw + v - pw
        if 0 <= h < H and 0 <= w < W:
            x[n, c, h, w] += cols[n, c * kh * kw + u * kw + v, i * W_out + j]
    return x


def slow_conv2d(x, weight, bias, stride, padding):
    """Topic 11's definition, one product at a time."""
    (N, C, H, W), (O, _, kh, kw) = x.shape, weight.shape
    (sh, sw), (ph, pw) = stride, padding
    out = np.zeros((N, O, (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1))
    for n, o, i, j in np.ndindex(*out.shape):
        out[n, o, i, j] = 0 if bias is None else bias[o]
        for c, u, v in np.ndindex(C, kh, kw):
            h, w = i * sh + u - ph, j * sw + v - pw
            if 0 <= h < H and 0 <= w < W:
                out[n, o, i, j] += x[n, c, h, w] * weight[o, c, u, v]
    return out


def slow_conv2d_gradients(dout, x, weight, stride, padding):
    """Each product of the definition sends dout times one factor to the other factor."""
    (N, C, H, W), (O, _, kh, kw) = x.shape, weight.shape
    (sh, sw), (ph, pw) = stride, padding
    dx, dweight, dbias = np.zeros(x.shape), np.zeros(weight.shape), np.zeros(O)
    for n, o, i, j in np.ndindex(*dout.shape):
        dbias[o] += dout[n, o, i, j]
        for c, u, v in np.ndindex(C, kh, kw):
            h, w = i * sh + u - ph, j * sw + v - pw
            if 0 <= h < H and 0 <= w < W:
                dx[n, c, h, w] += dout[n, o, i, j] * weight[o, c, u, v]
                dweight[o, c, u, v] += dout[n, o, i, j] * x[n, c, h, w]
    return dx, dweight, dbias


def strange_layouts():
    """Three arrays (2, 3, 6, 5) that are not laid out row by row: transposed, cut from a larger one, reversed."""
    transposed = normal(11, 6, 5, 3, 2).transpose(3, 2, 0, 1)
    cut = normal(12, 4, 7, 9, 12)[1:3, 1::2, ::-1, 2::2][:, :, :6]
    flipped = normal(13, 6, 3, 6, 5)[3:1:-1, ::-1, ::-1, ::-1]
    return transposed, cut, flipped


@exercise("sliding_windows")
class TestSlidingWindows:
    @given(seeds, sizes(3, 7), sizes(3, 7), pairs(1, 3), pairs(1, 4))
    def test_any_image_and_window(self, solution, seed, H, W, kernel, stride):
        """Strides that leave pixels over and strides larger than the window read the defined pixels."""
        x = normal(seed, 2, 3, H, W)
        assert_close(solution.sliding_windows(x, kernel, stride), slow_windows(x, kernel, stride), "windows")

    def test_input_in_any_memory_layout(self, solution):
        """A transposed, a sliced and a reversed array show the windows of what they hold, not of their memory."""
        for x in strange_layouts():
            windows = solution.sliding_windows(x, (2, 3), (3, 1))
            assert_close(windows, slow_windows(x, (2, 3), (3, 1)), "windows")
            assert_equal(np.shares_memory(windows, x), True, "shares_memory(windows, x)")

    def test_float32_stays_a_view(self, solution):
        """A float32 image gives float32 windows in the image's own memory."""
        x = normal(1, 2, 3, 5, 4, dtype=np.float32)
        windows = solution.sliding_windows(x, 2, 3)
        assert_close(windows, slow_windows(x, (2, 2), (3, 3)), "windows", dtype=np.float32)
        assert_equal(np.shares_memory(windows, x), True, "shares_memory(windows, x)")

    def test_image_itself_stays_writable(self, solution):
        """Only the view is read-only: the image can be written to as before."""
        x = coordinates(1, 2, 3, 4)
        solution.sliding_windows(x, 2)
        assert_equal(x.flags.writeable, True, "x.flags.writeable")

    def test_window_as_large_as_the_image(self, solution):
        """A window of the image's size has one position."""
        x = coordinates(2, 3, 4, 5)
        assert_close(solution.sliding_windows(x, (4, 5), stride=3)[:, :, 0, 0], x, "the only window")

    def test_empty_batch(self, solution):
        """No images give no windows, in the right shape."""
        assert_equal(solution.sliding_windows(np.zeros((0, 3, 5, 7)), (2, 3)).shape, (0, 3, 4, 5, 2, 3))

    def test_bad_input(self, solution):
        """Wrong rank, a window too tall or too wide, a kernel or a stride of 0 are errors with their numbers."""
        with assert_rejects("(3, 5, 7)"):
            solution.sliding_windows(np.zeros((3, 5, 7)), 2)
        with assert_rejects(6, 5):
            solution.sliding_windows(np.zeros((1, 2, 5, 7)), (6, 2))
        with assert_rejects(0):
            solution.sliding_windows(np.zeros((1, 2, 5, 7)), 2, stride=(1, 0))
        with assert_rejects(0):
            solution.sliding_windows(np.zeros((1, 2, 5, 7)), (0, 2))

    def test_no_loop_at_all(self, solution):
        """The view is made at once: more images, channels or pixels cost no more Python."""

        def make_call(N, C, H, W):
            x = normal(1, N, C, H, W)
            return lambda: solution.sliding_windows(x, (2, 3), (2, 1))

        assert_vectorized(make_call, {"N": 2, "C": 3, "H": 5, "W": 6}, {"N": 53, "C": 54, "H": 55, "W": 56})


@exercise("im2col")
class TestIm2Col:
    @given(seeds, sizes(1, 6), sizes(1, 6), pairs(1, 3), pairs(1, 4), pairs(1, 2))
    def test_any_image_and_window(self, solution, seed, H, W, kernel, stride, padding):
        """Small images, rectangular windows, unequal strides and paddings, remainders: the layout is the same."""
        x = normal(seed, 2, 3, H, W)
        assert_close(solution.im2col(x, kernel, stride, padding), slow_im2col(x, kernel, stride, padding), "cols")

    def test_input_in_any_memory_layout(self, solution):
        """A transposed, a sliced and a reversed array give the columns of what they hold."""
        for x in strange_layouts():
            assert_close(solution.im2col(x, (3, 2), (2, 3), 1), slow_im2col(x, (3, 2), (2, 3), (1, 1)), "cols")

    def test_one_pixel_windows_are_copied_too(self, solution):
        """With a 1x1 kernel, where nothing has to move, the columns are an array of their own all the same."""
        x = coordinates(2, 3, 4, 5)
        cols = solution.im2col(x, kernel_size=1)
        assert_no_alias(cols, "cols", x=x)
        assert_equal(cols.flags.writeable, True, "cols.flags.writeable")
        assert_close(cols, coordinates(2, 3, 4, 5).reshape(2, 3, 20), "cols")

    def test_dtypes(self, solution):
        """Single precision stays float32; integers become float64."""
        x = np.arange(30).reshape(1, 2, 3, 5)
        expected = slow_im2col(x, (2, 3), (1, 1), (1, 0))
        assert_close(solution.im2col(x, (2, 3), 1, (1, 0)), expected, "cols of ints")
        single = solution.im2col(x.astype(np.float32), (2, 3), 1, (1, 0))
        assert_close(single, expected, "cols of float32", dtype=np.float32)

    def test_argument_is_left_alone(self, solution):
        """The image is not modified."""
        x = normal(1, 2, 3, 5, 4)
        with assert_unchanged(x=x):
            solution.im2col(x, (3, 2), 2, 1)

    def test_empty_batch(self, solution):
        """No images give no columns, in the right shape."""
        assert_equal(solution.im2col(np.zeros((0, 3, 5, 7)), (2, 3), padding=1).shape, (0, 18, 42))

    def test_bad_input(self, solution):
        """Wrong rank, a window larger than the padded image, a stride of 0, a negative padding are errors."""
        with assert_rejects("(3, 5, 7)"):
            solution.im2col(np.zeros((3, 5, 7)), 2)
        with assert_rejects(9, 7):
            solution.im2col(np.zeros((1, 2, 5, 8)), (9, 2), padding=1)
        with assert_rejects(0):
            solution.im2col(np.zeros((1, 2, 5, 7)), 2, stride=(0, 1))
        with assert_rejects(-1):
            solution.im2col(np.zeros((1, 2, 5, 7)), 2, padding=(0, -1))


@exercise("col2im")
class TestCol2Im:
    @given(seeds, sizes(1, 6), sizes(1, 6), pairs(1, 3), pairs(1, 4), pairs(1, 2))
    def test_any_image_and_window(self, solution, seed, H, W, kernel, stride, padding):
        """Every number is added to the pixel it was read from; pixels no window read stay 0."""
        (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
        L = ((H + 2 * ph - kh) // sh + 1) * ((W + 2 * pw - kw) // sw + 1)
        cols = normal(seed, 2, 3 * kh * kw, L)
        expected = slow_col2im(cols, (2, 3, H, W), kernel, stride, padding)
        assert_close(solution.col2im(cols, (2, 3, H, W), kernel, stride, padding), expected, "x")

    def test_counts_how_often_a_pixel_is_read(self, solution):
        """What comes back from im2col is x times the number of windows over each pixel: col2im is no inverse."""
        cols = solution.im2col(np.full((1, 2, 3, 5), 2.0), (2, 3), (1, 2))
        one = [[2.0, 2.0, 4.0, 2.0, 2.0], [4.0, 4.0, 8.0, 4.0, 4.0], [2.0, 2.0, 4.0, 2.0, 2.0]]
        assert_close(solution.col2im(cols, (1, 2, 3, 5), (2, 3), (1, 2)), np.array([[one, one]]), "x")

    def test_columns_in_any_memory_layout(self, solution):
        """Transposed and sliced columns are read by their indices."""
        cols = normal(1, 12, 24, 4)[:, ::2].transpose(2, 1, 0)
        expected = slow_col2im(cols, (4, 2, 4, 6), (2, 3), (1, 1), (0, 0))
        assert_close(solution.col2im(cols, (4, 2, 4, 6), (2, 3)), expected, "x")

    def test_one_pixel_windows_are_copied_too(self, solution):
        """With a 1x1 kernel the image is an array of its own, not the columns in another shape."""
        cols = normal(1, 2, 3, 20)
        x = solution.col2im(cols, (2, 3, 4, 5), kernel_size=1)
        assert_no_alias(x, "x", cols=cols)
        assert_close(x, cols.reshape(2, 3, 4, 5), "x")

    def test_dtypes(self, solution):
        """Single precision stays float32; integers become float64."""
        cols = np.arange(48).reshape(2, 4, 6)
        expected = slow_col2im(cols, (2, 1, 3, 4), (2, 2), (1, 1), (0, 0))
        assert_close(solution.col2im(cols, (2, 1, 3, 4), 2), expected, "x of ints")
        assert_close(solution.col2im(cols.astype(np.float32), (2, 1, 3, 4), 2), expected, "x", dtype=np.float32)

    def test_argument_is_left_alone(self, solution):
        """The columns are not modified."""
        cols = normal(1, 2, 12, 6)
        with assert_unchanged(cols=cols):
            solution.col2im(cols, (2, 3, 3, 4), 2)

    def test_empty_batch(self, solution):
        """No columns give no images, in the right shape."""
        assert_equal(solution.col2im(np.zeros((0, 18, 42)), (0, 3, 5, 7), (2, 3), padding=1).shape, (0, 3, 5, 7))

    def test_transposed_columns_are_refused(self, solution):
        """Columns with the right number of numbers, but a window a row, are not silently rearranged."""
        with assert_rejects(6, 12):
            solution.col2im(np.zeros((2, 6, 12)), (2, 3, 3, 4), kernel_size=2)

    def test_bad_input(self, solution):
        """Another batch size, an x_shape of three numbers, a window that does not fit, a stride of 0 are errors."""
        with assert_rejects(5, 2):
            solution.col2im(np.zeros((5, 12, 6)), (2, 3, 3, 4), kernel_size=2)
        with assert_rejects("(3, 3, 4)"):
            solution.col2im(np.zeros((2, 12, 6)), (3, 3, 4), kernel_size=2)
        with assert_rejects(6, 5):
            solution.col2im(np.zeros((1, 12, 6)), (1, 2, 3, 4), kernel_size=(6, 1), padding=(1, 0))
        with assert_rejects(0):
            solution.col2im(np.zeros((2, 12, 6)), (2, 3, 3, 4), kernel_size=2, stride=0)
        with assert_rejects(-1):
            solution.col2im(np.zeros((2, 12, 6)), (2, 3, 3, 4), kernel_size=2, padding=-1)


@exercise("conv2d_im2col_forward")
class TestConv2dIm2ColForward:
    @given(seeds, sizes(3, 6), sizes(3, 6), pairs(1, 3), pairs(1, 4), pairs(0, 3))
    def test_equals_the_naive_convolution(self, solution, seed, H, W, kernel, stride, padding):
        """For any image, kernel, stride and padding, with no bias, the numbers are those of the loops."""
        x, weight = normal(seed, 2, 2, H, W), normal(seed, 3, 2, *kernel)
        out, _ = solution.conv2d_im2col_forward(x, weight, stride=stride, padding=padding)
        assert_close(out, slow_conv2d(x, weight, None, stride, padding), "out")

    def test_input_in_any_memory_layout(self, solution):
        """Images, weight and bias may be transposed, sliced or reversed arrays."""
        weight, bias = normal(1, 2, 3, 3, 4).T, normal(2, 8)[::-2]
        for x in strange_layouts():
            out, _ = solution.conv2d_im2col_forward(x, weight, bias, (2, 1), (1, 2))
            assert_close(out, slow_conv2d(x, weight, bias, (2, 1), (1, 2)), "out")

    def test_dtype_is_that_of_x(self, solution):
        """The output has the dtype of x, whatever weight and bias have; integers become float64."""
        x, weight, bias = normal(1, 2, 3, 5, 4), normal(2, 4, 3, 2, 3), normal(3, 4)
        single, _ = solution.conv2d_im2col_forward(x.astype(np.float32), weight, bias)
        assert_close(single, slow_conv2d(x, weight, bias, (1, 1), (0, 0)), "out", dtype=np.float32)
        ints = np.arange(-30, 30).reshape(1, 3, 5, 4)
        out, _ = solution.conv2d_im2col_forward(ints, weight.astype(np.float32), bias.astype(np.float32))
        assert_close(out, slow_conv2d(ints, weight, bias, (1, 1), (0, 0)), "out of ints", tolerance=1e-5)

    def test_arguments_are_left_alone(self, solution):
        """Images, weight and bias are not modified, and the output shares no memory with them."""
        x, weight, bias = normal(1, 2, 3, 5, 4), normal(2, 3, 3, 1, 1), normal(3, 3)
        with assert_unchanged(x=x, weight=weight, bias=bias):
            out, _ = solution.conv2d_im2col_forward(x, weight, bias)
        assert_no_alias(out, "out", x=x, weight=weight, bias=bias)

    def test_empty_batch(self, solution):
        """No images give no output, in the right shape."""
        out, _ = solution.conv2d_im2col_forward(np.zeros((0, 3, 5, 7)), np.zeros((4, 3, 2, 3)), np.zeros(4), padding=1)
        assert_equal(out.shape, (0, 4, 6, 7))

    def test_bad_shapes(self, solution):
        """Wrong ranks, channels and biases are errors with the numbers: nothing broadcasts."""
        x, weight = np.zeros((2, 3, 5, 7)), np.zeros((4, 3, 2, 2))
        with assert_rejects("(3, 5, 7)"):
            solution.conv2d_im2col_forward(x[0], weight)
        with assert_rejects("(3, 2, 2)"):
            solution.conv2d_im2col_forward(x, weight[0])
        with assert_rejects(1, 3):
            solution.conv2d_im2col_forward(x, weight[:, :1])
        with assert_rejects(6, 4):
            solution.conv2d_im2col_forward(x, weight, np.zeros(6))
        with assert_rejects("(1,)", 4):
            solution.conv2d_im2col_forward(x, weight, np.zeros(1))
        with assert_rejects("(4, 1)", 4):
            solution.conv2d_im2col_forward(x, weight, np.zeros((4, 1)))

    def test_bad_settings(self, solution):
        """A window larger than the padded image, a stride of 0, a negative padding are errors."""
        x = np.zeros((2, 3, 5, 7))
        with assert_rejects(8, 7):
            solution.conv2d_im2col_forward(x, np.zeros((4, 3, 8, 2)), padding=(1, 0))
        with assert_rejects(0):
            solution.conv2d_im2col_forward(x, np.zeros((4, 3, 2, 2)), stride=(1, 0))
        with assert_rejects(-1):
            solution.conv2d_im2col_forward(x, np.zeros((4, 3, 2, 2)), padding=(-1, 0))


@exercise("conv2d_im2col_backward")
class TestConv2dIm2ColBackward:
    @given(seeds, sizes(3, 6), sizes(3, 6), pairs(1, 3), pairs(1, 4), pairs(0, 3))
    def test_equals_the_naive_gradients(self, solution, seed, H, W, kernel, stride, padding):
        """For any image, kernel, stride and padding the gradients are those of the loops; no bias, no dbias."""
        x, weight = normal(seed, 2, 2, H, W), normal(seed, 3, 2, *kernel)
        out, cache = solution.conv2d_im2col_forward(x, weight, stride=stride, padding=padding)
        dout = normal(seed + 1, *out.shape)
        expected = slow_conv2d_gradients(dout, x, weight, stride, padding)
        dx, dweight, dbias = solution.conv2d_im2col_backward(dout, cache)
        assert_close(dx, expected[0], "dx")
        assert_close(dweight, expected[1], "dweight")
        assert_equal(dbias, None, "dbias")

    def test_gradients_are_slopes(self, solution):
        """The gradients are the slopes where the stride skips pixels, leaves some over and the kernel is tall."""
        x, weight, bias = normal(1, 2, 2, 6, 4), normal(2, 3, 2, 3, 1), normal(3, 3)
        settings = {"stride": (2, 3), "padding": (0, 1)}
        out, cache = solution.conv2d_im2col_forward(x, weight, bias, **settings)
        dout = normal(4, *out.shape)
        dx, dweight, dbias = solution.conv2d_im2col_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_conv2d(x, weight, bias, **settings), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_conv2d(x, w, bias, **settings), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_conv2d(x, weight, b, **settings), bias, dout, "dbias")

    def test_two_forwards_before_two_backwards(self, solution):
        """Each cache belongs to its own forward: a second forward changes nothing for the first."""
        weight, bias, settings = normal(1, 3, 2, 2, 3), normal(2, 3), ((1, 2), (1, 0))
        xs = normal(3, 2, 2, 4, 5), normal(4, 2, 2, 4, 5)
        caches = [solution.conv2d_im2col_forward(x, weight, bias, *settings)[1] for x in xs]
        dout = normal(5, 2, 3, 5, 2)
        for x, cache in zip(xs, caches, strict=True):
            expected = slow_conv2d_gradients(dout, x, weight, *settings)
            dx, dweight, _ = solution.conv2d_im2col_backward(dout, cache)
            assert_close(dx, expected[0], "dx")
            assert_close(dweight, expected[1], "dweight")

    def test_cache_can_be_used_again(self, solution):
        """A second backward on one cache gives the same gradients as the first."""
        x, weight, bias = normal(1, 2, 2, 4, 5), normal(2, 3, 2, 2, 3), normal(3, 3)
        out, cache = solution.conv2d_im2col_forward(x, weight, bias, padding=1)
        dout = normal(4, *out.shape)
        solution.conv2d_im2col_backward(normal(5, *out.shape), cache)
        expected = slow_conv2d_gradients(dout, x, weight, (1, 1), (1, 1))
        for name, actual, right in zip(
            ("dx", "dweight", "dbias"), solution.conv2d_im2col_backward(dout, cache), expected, strict=True
        ):
            assert_close(actual, right, name)

    def test_arguments_are_left_alone(self, solution):
        """Upstream gradient, images, weight and bias are not modified, and no gradient shares memory with them."""
        x, weight, bias = normal(1, 2, 3, 5, 4), normal(2, 3, 3, 1, 1), normal(3, 3)
        out, cache = solution.conv2d_im2col_forward(x, weight, bias)
        dout = normal(4, *out.shape)
        with assert_unchanged(dout=dout, x=x, weight=weight, bias=bias):
            gradients = solution.conv2d_im2col_backward(dout, cache)
        for name, gradient in zip(("dx", "dweight", "dbias"), gradients, strict=True):
            assert_no_alias(gradient, name, dout=dout, x=x, weight=weight, bias=bias)

    def test_upstream_gradient_in_any_memory_layout(self, solution):
        """A dout that is transposed or broadcast in memory is read by its indices."""
        x, weight = normal(1, 2, 3, 5, 4), normal(2, 4, 3, 2, 2)
        _, cache = solution.conv2d_im2col_forward(x, weight)
        for dout in (normal(3, 3, 4, 4, 2).T, np.broadcast_to(normal(4, 4, 1, 1), (2, 4, 4, 3))):
            expected = slow_conv2d_gradients(dout, x, weight, (1, 1), (0, 0))
            dx, dweight, _ = solution.conv2d_im2col_backward(dout, cache)
            assert_close(dx, expected[0], "dx")
            assert_close(dweight, expected[1], "dweight")

    def test_dtype_is_that_of_x(self, solution):
        """A float32 convolution has float32 gradients, also for a float64 dout."""
        x, weight, bias = normal(1, 2, 3, 5, 4), normal(2, 4, 3, 2, 3), normal(3, 4)
        out, cache = solution.conv2d_im2col_forward(x.astype(np.float32), weight.astype(np.float32), bias)
        dout = normal(4, *out.shape)
        expected = slow_conv2d_gradients(dout, x, weight, (1, 1), (0, 0))
        for name, actual, right in zip(
            ("dx", "dweight", "dbias"), solution.conv2d_im2col_backward(dout, cache), expected, strict=True
        ):
            assert_close(actual, right, name, dtype=np.float32)

    def test_empty_batch(self, solution):
        """No images give an empty dx, and zeros for weight and bias."""
        _, cache = solution.conv2d_im2col_forward(np.zeros((0, 3, 5, 7)), normal(1, 4, 3, 2, 3), np.zeros(4))
        dx, dweight, dbias = solution.conv2d_im2col_backward(np.zeros((0, 4, 4, 5)), cache)
        assert_equal(dx.shape, (0, 3, 5, 7))
        assert_close(dweight, np.zeros((4, 3, 2, 3)), "dweight")
        assert_close(dbias, np.zeros(4), "dbias")

    def test_upstream_gradient_of_another_shape(self, solution):
        """A dout with its pixels transposed, or with one channel, is refused: nothing broadcasts."""
        _, cache = solution.conv2d_im2col_forward(np.zeros((2, 3, 5, 8)), np.zeros((4, 3, 2, 2)))
        with assert_rejects("(2, 4, 7, 4)", "(2, 4, 4, 7)"):
            solution.conv2d_im2col_backward(np.zeros((2, 4, 7, 4)), cache)
        with assert_rejects("(2, 1, 4, 7)", "(2, 4, 4, 7)"):
            solution.conv2d_im2col_backward(np.zeros((2, 1, 4, 7)), cache)


@exercise("Conv2d")
class TestConv2d:
    def test_layer_without_bias(self, solution):
        """Without a bias the layer has one parameter, and backward works."""
        layer = solution.Conv2d(2, 3, kernel_size=(2, 3), padding=(0, 1), bias=False)
        assert_equal(layer.bias, None)
        assert_equal(len(layer.parameters()), 1, "number of parameters")
        x, dout = normal(1, 2, 2, 4, 5, dtype=np.float32), normal(2, 2, 3, 3, 5, dtype=np.float32)
        weight = layer.weight.value.copy()
        assert_close(layer(x), slow_conv2d(x, weight, None, (1, 1), (0, 1)), "out", dtype=np.float32)
        expected = slow_conv2d_gradients(dout, x, weight, (1, 1), (0, 1))
        assert_close(layer.backward(dout), expected[0], "dx", dtype=np.float32)
        assert_close(layer.weight.grad, expected[1], "weight.grad", dtype=np.float32)

    def test_computes_in_the_dtype_of_its_input(self, solution):
        """Its float32 parameters take a float32 batch to float32, a float64 batch to float64."""
        layer = solution.Conv2d(3, 4, kernel_size=2)
        x = normal(1, 2, 3, 5, 4)
        expected = slow_conv2d(x, layer.weight.value.astype(np.float64), None, (1, 1), (0, 0))
        assert_close(layer(x.astype(np.float32)), expected, "out", dtype=np.float32)
        assert_close(layer(x), expected, "out", dtype=np.float64)

    def test_gradients_start_at_zero_in_float32(self, solution):
        """A new layer's parameters are float32 and their gradients zeros."""
        layer = solution.Conv2d(2, 3, kernel_size=(2, 1))
        assert_close(layer.weight.grad, np.zeros((3, 2, 2, 1), np.float32), "weight.grad")
        assert_close(layer.bias.grad, np.zeros(3, np.float32), "bias.grad")
        assert_equal(str(layer.weight.value.dtype), "float32", "weight.value.dtype")

    def test_same_rng_same_weight(self, solution):
        """Two layers drawn from equal generators are equal; one generator gives two different ones."""
        first, second = (solution.Conv2d(2, 3, 2, rng=np.random.default_rng(5)).weight.value for _ in range(2))
        assert_close(first, second, "weight")
        rng = np.random.default_rng(5)
        pair = [solution.Conv2d(2, 3, 2, rng=rng).weight.value for _ in range(2)]
        assert_equal(np.array_equal(*pair), False, "one generator draws the same weight twice")

    def test_fresh_generator_for_none(self, solution):
        """Without rng two layers draw different weights."""
        pair = [solution.Conv2d(2, 3, 2).weight.value for _ in range(2)]
        assert_equal(np.array_equal(*pair), False, "two layers have the same weight")

    def test_state_round_trip(self, solution):
        """A layer that loads another's state_dict computes the same output."""
        layer, other = (solution.Conv2d(2, 3, (2, 3), stride=2, padding=(1, 2)) for _ in range(2))
        layer.bias.value[...] = 1, 2, 3
        assert_equal(list(layer.state_dict()), ["weight", "bias"])
        other.load_state_dict(layer.state_dict())
        x = normal(1, 2, 2, 4, 5)
        assert_close(other(x), layer(x), "out")

    def test_evaluation_between_training_steps(self, solution):
        """In eval mode the layer computes the same; backward belongs to the last forward."""
        layer = solution.Conv2d(2, 3, kernel_size=2)
        x, dout = normal(1, 2, 2, 4, 5), normal(2, 2, 3, 3, 4)
        assert_close(layer.eval()(x), layer.train()(x), "out")
        layer(normal(3, 5, 2, 3, 3))
        layer(x)
        expected = slow_conv2d_gradients(dout, x, layer.weight.value.astype(np.float64), (1, 1), (0, 0))
        assert_close(layer.backward(dout), expected[0], "dx")

    def test_wrong_number_of_channels(self, solution):
        """A batch with other channels than the layer's is refused with both numbers."""
        with assert_rejects(5, 3):
            solution.Conv2d(3, 4, kernel_size=2)(np.zeros((2, 5, 6, 7)))


@exercise("im2col_bytes")
class TestIm2ColBytes:
    @given(pairs(1, 4), pairs(1, 4), pairs(0, 3), sizes(1, 8))
    def test_counts_every_number_once(self, solution, kernel, stride, padding, itemsize):
        """The count is images times rows times columns times itemsize, remainders included."""
        (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
        positions = len(range(0, 9 + 2 * ph - kh + 1, sh)) * len(range(0, 7 + 2 * pw - kw + 1, sw))
        count = solution.im2col_bytes((2, 5, 9, 7), kernel, stride, padding, itemsize)
        assert_equal(count, 2 * 5 * kh * kw * positions * itemsize)

    def test_more_than_32_bits(self, solution):
        """The count is an exact int also beyond 2**32; nothing is allocated for it."""
        assert_equal(solution.im2col_bytes((4096, 512, 64, 64), 7, padding=3), 4096 * 512 * 49 * 4096 * 4)

    def test_empty_batch(self, solution):
        """No images need no bytes."""
        assert_equal(solution.im2col_bytes((0, 3, 5, 7), 2), 0)

    def test_bad_input(self, solution):
        """An x_shape of three numbers, a window that does not fit, a stride of 0 are errors with the numbers."""
        with assert_rejects("(3, 5, 7)"):
            solution.im2col_bytes((3, 5, 7), 2)
        with assert_rejects(9, 7):
            solution.im2col_bytes((1, 3, 5, 7), (2, 9))
        with assert_rejects(0):
            solution.im2col_bytes((1, 3, 5, 7), 2, stride=0)
