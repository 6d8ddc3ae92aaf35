"""Topic 12, visible suite: read a test, make it pass, go on to the next."""

import numpy as np
from hypothesis import given

from kata.testing import (
    assert_close,
    assert_equal,
    assert_gradient,
    assert_rejects,
    assert_vectorized,
    coordinates,
    exercise,
    normal,
    pairs,
    seeds,
)

# The slow loops below are the specification: no trick, one number at a time.


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


@exercise("sliding_windows")
class TestSlidingWindows:
    def test_window_starts_at_its_position(self, solution):
        """Entry [n, c, i, j] is the window of image n, channel c, whose upper left pixel is (i, j)."""
        windows = solution.sliding_windows(coordinates(2, 3, 4, 6), kernel_size=(2, 3))
        assert_equal(windows.shape, (2, 3, 3, 4, 2, 3))
        assert_close(windows[1, 2, 1, 3], np.array([[1213.0, 1214.0, 1215.0], [1223.0, 1224.0, 1225.0]]))

    def test_stride_moves_the_window(self, solution):
        """A stride of (2, 3) moves the window's upper left pixel two rows down, three columns across."""
        windows = solution.sliding_windows(coordinates(1, 1, 5, 8), kernel_size=(1, 2), stride=(2, 3))
        corners = np.array([[0.0, 3.0, 6.0], [20.0, 23.0, 26.0], [40.0, 43.0, 46.0]])
        assert_close(windows[0, 0, :, :, 0, 0], corners)

    def test_nothing_is_copied(self, solution):
        """The windows are the image's own memory: a pixel changed afterwards changes in every window."""
        x = coordinates(1, 1, 3, 4)
        windows = solution.sliding_windows(x, kernel_size=2)
        x[0, 0, 1, 1] = -7
        assert_equal(int(np.sum(windows == -7)), 4, "windows that see the changed pixel")

    def test_windows_are_read_only(self, solution):
        """The view refuses to be written to, because one write would change up to kh * kw windows."""
        windows = solution.sliding_windows(coordinates(1, 1, 3, 4), kernel_size=2)
        assert_equal(windows.flags.writeable, False, "windows.flags.writeable")

    def test_window_that_does_not_fit(self, solution):
        """A window larger than the image is an error that names both lengths."""
        with assert_rejects(7, 5):
            solution.sliding_windows(coordinates(1, 2, 8, 5), kernel_size=(3, 7))

    @given(seeds, pairs(1, 3), pairs(1, 3))
    def test_equals_the_definition(self, solution, seed, kernel, stride):
        """For any kernel and stride, windows[n, c, i, j, u, v] is x[n, c, i * sh + u, j * sw + v]."""
        (kh, kw), (sh, sw) = kernel, stride
        x = normal(seed, 2, 3, 5, 4)
        expected = np.zeros((2, 3, (5 - kh) // sh + 1, (4 - kw) // sw + 1, kh, kw))
        for n, c, i, j, u, v in np.ndindex(*expected.shape):
            expected[n, c, i, j, u, v] = x[n, c, i * sh + u, j * sw + v]
        assert_close(solution.sliding_windows(x, kernel, stride), expected, "windows")


@exercise("im2col")
class TestIm2Col:
    def test_small_image_by_hand(self, solution):
        """The four 2x2 windows of a 3x3 image become four columns, left to right, then down."""
        cols = solution.im2col(coordinates(1, 1, 3, 3), kernel_size=2)
        expected = [
            [0.0, 1.0, 10.0, 11.0],  #  upper left pixel of each window
            [1.0, 2.0, 11.0, 12.0],  #  upper right
            [10.0, 11.0, 20.0, 21.0],  # lower left
            [11.0, 12.0, 21.0, 22.0],  # lower right
        ]
        assert_close(cols, np.array([expected]), "cols")

    def test_rows_run_channel_then_row_then_column(self, solution):
        """Row c * kh * kw + u * kw + v holds pixel (u, v) of channel c: a column is a window (C, kh, kw) made flat."""
        cols = solution.im2col(coordinates(1, 3, 2, 3), kernel_size=(2, 2))
        first = [0.0, 1.0, 10.0, 11.0, 100.0, 101.0, 110.0, 111.0, 200.0, 201.0, 210.0, 211.0]
        assert_close(cols[0, :, 0], np.array(first), "the first column")

    def test_columns_run_along_output_rows(self, solution):
        """Column i * W_out + j holds the window at (i, j): with 2 by 4 positions, column 4 starts the second row."""
        cols = solution.im2col(coordinates(1, 2, 5, 9), kernel_size=(3, 2), stride=2)
        assert_equal(cols.shape, (1, 12, 8))
        assert_close(cols[0, 0], np.array([0.0, 2.0, 4.0, 6.0, 20.0, 22.0, 24.0, 26.0]), "the first row")

    def test_padding_reads_zero(self, solution):
        """What a window sees outside the image is 0."""
        cols = solution.im2col(np.array([[[[3.0, 5.0]]]]), kernel_size=(1, 2), padding=(0, 1))
        assert_close(cols, np.array([[[0.0, 3.0, 5.0], [3.0, 5.0, 0.0]]]), "cols")

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding):
        """Pixel (u, v) of channel c under window (i, j) is at row c * kh * kw + u * kw + v, column i * W_out + j."""
        x = normal(seed, 2, 3, 5, 4)
        assert_close(solution.im2col(x, kernel, stride, padding), slow_im2col(x, kernel, stride, padding), "cols")

    def test_no_loop_but_over_the_kernel(self, solution):
        """The work is done inside NumPy: more images, channels or pixels cost no more Python."""

        def make_call(N, C, H, W):
            x = normal(1, N, C, H, W)
            return lambda: solution.im2col(x, (2, 3), (2, 1), (0, 1))

        assert_vectorized(make_call, {"N": 2, "C": 3, "H": 5, "W": 6}, {"N": 53, "C": 54, "H": 55, "W": 56})


@exercise("col2im")
class TestCol2Im:
    def test_column_returns_to_its_window(self, solution):
        """A column's numbers go to the pixels that its window read."""
        cols = np.zeros((1, 4, 6))
        cols[0, :, 4] = 1, 2, 3, 4  # window (1, 1) of 2 by 3
        expected = [[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 0.0], [0.0, 3.0, 4.0, 0.0]]
        assert_close(solution.col2im(cols, (1, 1, 3, 4), kernel_size=2), np.array([[expected]]), "x")

    def test_overlaps_add_up(self, solution):
        """A pixel receives one number from every window that read it, and their sum is kept."""
        x = solution.col2im(np.ones((1, 4, 4)), (1, 1, 3, 3), kernel_size=2)
        assert_close(x, np.array([[[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]]), "x")

    def test_padding_is_cut_off(self, solution):
        """What belongs to the padding is dropped; the image's own pixels stay."""
        cols = np.array([[[7.0, 1.0, 2.0], [10.0, 20.0, 9.0]]])  # 7 and 9 were read left and right of the image
        assert_close(solution.col2im(cols, (1, 1, 1, 2), (1, 2), padding=(0, 1)), np.array([[[[11.0, 22.0]]]]), "x")

    def test_windows_side_by_side_restore_the_image(self, solution):
        """Where windows neither overlap nor leave pixels out, col2im undoes im2col."""
        x = normal(2, 2, 3, 4, 6)
        cols = solution.im2col(x, (2, 3), (2, 3))
        assert_close(solution.col2im(cols, x.shape, (2, 3), (2, 3)), x, "x")

    def test_columns_of_another_shape(self, solution):
        """Columns that im2col can't have made for this x_shape are refused; the message has both shapes."""
        with assert_rejects(12, 6, 5):
            solution.col2im(np.zeros((2, 12, 5)), x_shape=(2, 3, 3, 4), kernel_size=2)

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2))
    def test_is_the_adjoint_of_im2col(self, solution, seed, kernel, stride, padding):
        """The sum of im2col(x) * c equals the sum of x * col2im(c), for any x and any columns c."""
        x = normal(seed, 2, 3, 5, 4)
        cols = slow_im2col(x, kernel, stride, padding)
        c = normal(seed + 1, *cols.shape)
        image = solution.col2im(c, x.shape, kernel, stride, padding)
        assert_equal(image.shape, x.shape)
        assert_close(np.sum(x * image), np.sum(cols * c), "sum(x * col2im(c))")

    def test_no_loop_but_over_the_kernel(self, solution):
        """The work is done inside NumPy: more images, channels or pixels cost no more Python."""

        def make_call(N, C, H, W):
            cols = normal(1, N, C * 2 * 3, (H // 2) * W)
            return lambda: solution.col2im(cols, (N, C, H, W), (2, 3), (2, 1), (0, 1))

        assert_vectorized(make_call, {"N": 2, "C": 3, "H": 4, "W": 6}, {"N": 53, "C": 54, "H": 54, "W": 56})


@exercise("conv2d_im2col_forward")
class TestConv2dIm2ColForward:
    def test_corner_kernel_reads_one_pixel(self, solution):
        """A kernel that is 1 in its lower right corner copies the pixel under that corner."""
        weight = np.zeros((1, 1, 2, 3))
        weight[0, 0, 1, 2] = 1
        out, _ = solution.conv2d_im2col_forward(coordinates(1, 1, 3, 5), weight)
        assert_close(out, np.array([[[[12.0, 13.0, 14.0], [22.0, 23.0, 24.0]]]]), "out")

    def test_each_kernel_is_a_row_of_the_matrix(self, solution):
        """Kernel o, its numbers in the order (C, kh, kw), meets every column and makes output channel o."""
        weight = np.zeros((2, 3, 1, 2))
        weight[0, 2, 0, 1] = 1  # the right pixel of channel 2
        weight[1, 1, 0, 0] = -1  # the left pixel of channel 1, negated
        out, _ = solution.conv2d_im2col_forward(coordinates(1, 3, 1, 4), weight)
        assert_close(out, np.array([[[[201.0, 202.0, 203.0]], [[-100.0, -101.0, -102.0]]]]), "out")

    def test_bias_is_one_number_a_channel(self, solution):
        """Every pixel of output channel o gains bias[o]."""
        out, _ = solution.conv2d_im2col_forward(coordinates(1, 1, 1, 3), np.ones((2, 1, 1, 1)), np.array([0.5, -4.0]))
        assert_close(out, np.array([[[[0.5, 1.5, 2.5]], [[-4.0, -3.0, -2.0]]]]), "out")

    def test_channels_that_do_not_match(self, solution):
        """A weight for 2 input channels is refused where x has 3; the message has both."""
        with assert_rejects(2, 3):
            solution.conv2d_im2col_forward(np.zeros((1, 3, 5, 5)), np.zeros((4, 2, 1, 1)))

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2))
    def test_equals_the_naive_convolution(self, solution, seed, kernel, stride, padding):
        """The matrix product gives the numbers of Topic 11's loops, for any kernel, stride and padding."""
        x, weight, bias = normal(seed, 2, 2, 5, 4), normal(seed, 3, 2, *kernel), normal(seed, 3)
        out, _ = solution.conv2d_im2col_forward(x, weight, bias, stride, padding)
        assert_close(out, slow_conv2d(x, weight, bias, stride, padding), "out")

    def test_no_loop_over_channels_or_pixels(self, solution):
        """The products are summed inside NumPy: more channels or pixels cost no more Python."""

        def make_call(C, O, H, W):
            x, weight, bias = normal(1, 1, C, H, W), normal(2, O, C, 2, 3), normal(3, O)
            return lambda: solution.conv2d_im2col_forward(x, weight, bias, (2, 1), (0, 1))

        assert_vectorized(make_call, {"C": 2, "O": 3, "H": 5, "W": 6}, {"C": 53, "O": 54, "H": 55, "W": 56})


@exercise("conv2d_im2col_backward")
class TestConv2dIm2ColBackward:
    def test_two_windows_by_hand(self, solution):
        """With kernel (2, 5) on three pixels, dx is (2 g0, 5 g0 + 2 g1, 5 g1) for dout (g0, g1)."""
        x, weight = np.array([[[[1.0, 3.0, 4.0]]]]), np.array([[[[2.0, 5.0]]]])
        _, cache = solution.conv2d_im2col_forward(x, weight)
        dx, dweight, dbias = solution.conv2d_im2col_backward(np.array([[[[1.0, 10.0]]]]), cache)
        assert_close(dx, np.array([[[[2.0, 25.0, 50.0]]]]), "dx")
        assert_close(dweight, np.array([[[[31.0, 43.0]]]]), "dweight")
        assert_equal(dbias, None, "dbias")

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2))
    def test_equals_the_naive_gradients(self, solution, seed, kernel, stride, padding):
        """All three gradients are those of Topic 11's loops, for any kernel, stride and padding."""
        x, weight, bias = normal(seed, 2, 2, 5, 4), normal(seed, 3, 2, *kernel), normal(seed, 3)
        out, cache = solution.conv2d_im2col_forward(x, weight, bias, stride, padding)
        dout = normal(seed + 1, *out.shape)
        expected = slow_conv2d_gradients(dout, x, weight, stride, padding)
        dx, dweight, dbias = solution.conv2d_im2col_backward(dout, cache)
        assert_close(dx, expected[0], "dx")
        assert_close(dweight, expected[1], "dweight")
        assert_close(dbias, expected[2], "dbias")

    def test_gradients_are_slopes(self, solution):
        """Each gradient is the slope of sum(out * dout), for a random dout."""
        x, weight, bias = normal(1, 2, 2, 4, 5), normal(2, 3, 2, 2, 3), normal(3, 3)
        settings = {"stride": (2, 1), "padding": (1, 2)}
        out, cache = solution.conv2d_im2col_forward(x, weight, bias, **settings)
        dout = normal(4, *out.shape)
        dx, dweight, dbias = solution.conv2d_im2col_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_conv2d(x, weight, bias, **settings), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_conv2d(x, w, bias, **settings), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_conv2d(x, weight, b, **settings), bias, dout, "dbias")

    def test_no_loop_over_channels_or_pixels(self, solution):
        """The gradients are summed inside NumPy: more channels or pixels cost no more Python."""

        def make_call(C, O, H, W):
            x, weight, bias = normal(1, 1, C, H, W), normal(2, O, C, 2, 3), normal(3, O)
            out, cache = solution.conv2d_im2col_forward(x, weight, bias, (2, 1), (0, 1))
            return lambda: solution.conv2d_im2col_backward(out, cache)

        assert_vectorized(make_call, {"C": 2, "O": 3, "H": 5, "W": 6}, {"C": 53, "O": 54, "H": 55, "W": 56})


@exercise("Conv2d")
class TestConv2d:
    def test_forward_uses_the_layers_weight_and_bias(self, solution):
        """The layer's output is the convolution of x with its own weight, bias, stride and padding."""
        layer = solution.Conv2d(2, 3, kernel_size=(3, 2), stride=(1, 2), padding=(2, 1)).astype(np.float64)
        layer.weight.value, layer.bias.value = normal(1, 3, 2, 3, 2), normal(2, 3)
        x = normal(3, 2, 2, 4, 5)
        assert_close(layer(x), slow_conv2d(x, layer.weight.value, layer.bias.value, (1, 2), (2, 1)), "out")

    def test_backward_adds_to_the_gradients(self, solution):
        """One call of backward returns dx and adds to the gradients, so a second batch adds to the first one's."""
        layer = solution.Conv2d(2, 3, kernel_size=2, stride=2, padding=1).astype(np.float64)
        x, other = normal(1, 2, 2, 4, 5), normal(2, 2, 2, 4, 5)
        dout = normal(3, 2, 3, 3, 3)
        weight = layer.weight.value.copy()
        layer(other)
        layer.backward(dout)
        layer(x)
        dx = layer.backward(dout)
        first, second = (slow_conv2d_gradients(dout, images, weight, (2, 2), (1, 1)) for images in (other, x))
        assert_close(dx, second[0], "dx")
        assert_close(layer.weight.grad, first[1] + second[1], "weight.grad")
        assert_close(layer.bias.grad, first[2] + second[2], "bias.grad")

    def test_starts_as_the_layer_of_topic_11(self, solution):
        """The weight is normal with standard deviation sqrt(2 / fan_in), the bias zero; weight first."""
        layer = solution.Conv2d(20, 50, kernel_size=(3, 5), rng=np.random.default_rng(0))
        assert_equal([parameter.value.shape for parameter in layer.parameters()], [(50, 20, 3, 5), (50,)])
        assert_close(layer.weight.value.std(), np.float32(np.sqrt(2 / 300)), "deviation", tolerance=0.003)
        assert_close(layer.bias.value, np.zeros(50, np.float32), "bias")

    def test_layer_runs_on_the_fast_pair(self, solution):
        """The layer's forward and backward cost no more Python for more channels or pixels."""

        def make_call(C, O, H, W):
            layer, x, dout = solution.Conv2d(C, O, (2, 3)), normal(1, 1, C, H, W), normal(2, 1, O, H - 1, W - 2)
            return lambda: (layer(x), layer.backward(dout))

        assert_vectorized(make_call, {"C": 2, "O": 3, "H": 5, "W": 6}, {"C": 53, "O": 54, "H": 55, "W": 56})


@exercise("im2col_bytes")
class TestIm2ColBytes:
    def test_layer_of_a_real_network(self, solution):
        """A 3x3 layer on 64 images of 64 channels, 32 by 32, needs 144 MiB of columns: 9 times its input."""
        assert_equal(solution.im2col_bytes((64, 64, 32, 32), kernel_size=3, padding=1), 144 * 1024**2)

    def test_itemsize_is_the_bytes_of_a_number(self, solution):
        """Two columns of three float64 numbers, 8 bytes each, take 48 bytes."""
        assert_equal(solution.im2col_bytes((1, 1, 1, 4), kernel_size=(1, 3), itemsize=8), 48)

    @given(pairs(1, 3), pairs(1, 4), pairs(0, 2))
    def test_equals_the_bytes_of_the_columns(self, solution, kernel, stride, padding):
        """The count is the nbytes of the array that im2col returns."""
        x = normal(1, 2, 3, 5, 4, dtype=np.float32)
        cols = slow_im2col(x, kernel, stride, padding).astype(np.float32)
        assert_equal(solution.im2col_bytes(x.shape, kernel, stride, padding), cols.nbytes)
