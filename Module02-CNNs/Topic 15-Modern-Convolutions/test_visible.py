"""Topic 15, visible suite: read a test, make it pass, go on to the next."""

import numpy as np
from hypothesis import given

from kata.testing import (
    assert_close,
    assert_equal,
    assert_gradient,
    assert_no_alias,
    assert_rejects,
    assert_vectorized,
    coordinates,
    exercise,
    normal,
    pairs,
    seeds,
    sizes,
)


def slow_conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """The definition, one output number at a time."""
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    padded = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    (N, _, H, W), (O, part, kh, kw) = padded.shape, weight.shape
    out = np.zeros((N, O, (H - dh * (kh - 1) - 1) // sh + 1, (W - dw * (kw - 1) - 1) // sw + 1))
    for n, o, i, j in np.ndindex(*out.shape):
        first = o // (O // groups) * part
        rows = slice(i * sh, i * sh + dh * (kh - 1) + 1, dh)
        columns = slice(j * sw, j * sw + dw * (kw - 1) + 1, dw)
        out[n, o, i, j] = np.sum(padded[n, first : first + part, rows, columns] * weight[o])
        out[n, o, i, j] += 0 if bias is None else bias[o]
    return out


def slow_gradients(x, weight, dout, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """dx and dweight of the definition: every output number hands its gradient to all it was made of."""
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    padded = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    (_, _, H, W), (O, part, kh, kw) = padded.shape, weight.shape
    dpadded, dweight = np.zeros(padded.shape), np.zeros(weight.shape)
    for n, o, i, j in np.ndindex(*dout.shape):
        first = o // (O // groups) * part
        rows = slice(i * sh, i * sh + dh * (kh - 1) + 1, dh)
        columns = slice(j * sw, j * sw + dw * (kw - 1) + 1, dw)
        read = n, slice(first, first + part), rows, columns
        dpadded[read] += dout[n, o, i, j] * weight[o]
        dweight[o] += dout[n, o, i, j] * padded[read]
    return dpadded[:, :, ph : H - ph, pw : W - pw], dweight


def slow_conv_transpose2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0), output_padding=(0, 0)):
    """The definition: every pixel paints its kernel on a larger map, whose border is then cut off."""
    (N, I, H, W), (_, O, kh, kw) = x.shape, weight.shape
    (sh, sw), (ph, pw) = stride, padding
    full = np.zeros((N, O, (H - 1) * sh + kh + output_padding[0], (W - 1) * sw + kw + output_padding[1]))
    for n, c, i, j in np.ndindex(N, I, H, W):
        full[n, :, i * sh : i * sh + kh, j * sw : j * sw + kw] += x[n, c, i, j] * weight[c]
    out = full[:, :, ph : full.shape[2] - ph, pw : full.shape[3] - pw]
    return out if bias is None else out + bias[:, None, None]


@exercise("conv2d_forward")
class TestConv2dForward:
    def test_dilated_corner_kernel_reads_past_the_hole(self, solution):
        """Under dilation (1, 2) the lower right tap of a 2x2 kernel lies one row down and two columns across."""
        weight = np.array([[[[0.0, 0.0], [0.0, 1.0]]]])
        out, _ = solution.conv2d_forward(coordinates(1, 1, 3, 5), weight, dilation=(1, 2))
        assert_close(out, np.array([[[[12.0, 13.0, 14.0], [22.0, 23.0, 24.0]]]]), "out")

    def test_groups_read_their_own_channels(self, solution):
        """With 2 groups the first half of the outputs reads the first half of the channels, the second the second."""
        x = np.array([1.0, 10.0, 100.0, 1000.0]).reshape(1, 4, 1, 1)
        weight = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.0]]).reshape(4, 2, 1, 1)
        out, _ = solution.conv2d_forward(x, weight, groups=2)
        assert_close(out, np.array([1.0, 10.0, 1100.0, 200.0]).reshape(1, 4, 1, 1), "out")

    def test_dilations_that_double_see_fifteen_pixels(self, solution):
        """Through three 1x3 kernels of dilation 1, 2 and 4 one pixel reaches 15, without a hole."""
        row, ones = np.zeros((1, 1, 1, 19)), np.ones((1, 1, 1, 3))
        row[0, 0, 0, 9] = 1
        for dilation in (1, 2, 4):
            row, _ = solution.conv2d_forward(row, ones, padding=(0, dilation), dilation=(1, dilation))
        assert_equal([int(pixel) for pixel in row[0, 0, 0] != 0], [0] * 2 + [1] * 15 + [0] * 2)

    def test_equal_dilations_leave_a_grid(self, solution):
        """Through three 1x3 kernels that all have dilation 2 one pixel reaches every second pixel only."""
        row, ones = np.zeros((1, 1, 1, 13)), np.ones((1, 1, 1, 3))
        row[0, 0, 0, 6] = 1
        for _ in range(3):
            row, _ = solution.conv2d_forward(row, ones, padding=(0, 2), dilation=(1, 2))
        assert_close(row[0, 0, 0], np.array([1.0, 0, 3, 0, 6, 0, 7, 0, 6, 0, 3, 0, 1]))

    def test_channels_that_do_not_divide(self, solution):
        """Groups that do not divide C, or O, are an error that names both numbers."""
        with assert_rejects(7, 3):
            solution.conv2d_forward(np.ones((2, 7, 5, 5)), np.ones((6, 2, 1, 1)), groups=3)
        with assert_rejects(8, 3):
            solution.conv2d_forward(np.ones((2, 6, 5, 5)), np.ones((8, 2, 1, 1)), groups=3)

    def test_weight_for_all_channels(self, solution):
        """A weight over all 6 channels is refused where there are 2 groups: it has 6 / 2 = 3."""
        with assert_rejects(6, 3):
            solution.conv2d_forward(np.ones((2, 6, 5, 5)), np.ones((4, 6, 1, 1)), groups=2)

    def test_dilated_window_that_does_not_fit(self, solution):
        """A kernel of 3 with dilation 4 reaches over 9 pixels and does not fit a map of 8."""
        with assert_rejects(9, 8):
            solution.conv2d_forward(np.ones((1, 1, 8, 12)), np.ones((1, 1, 3, 3)), dilation=4)

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2), pairs(1, 3), sizes(1, 3))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding, dilation, groups):
        """For any setting every output number is the sum of products over the taps and channels of its group."""
        x, weight = normal(seed, 2, 3 * groups, 7, 8), normal(seed, 2 * groups, 3, *kernel)
        bias = normal(seed, 2 * groups)
        out, _ = solution.conv2d_forward(x, weight, bias, stride, padding, dilation, groups)
        assert_close(out, slow_conv2d(x, weight, bias, stride, padding, dilation, groups), "out")

    def test_no_loop_over_channels_or_pixels(self, solution):
        """The work grows with C, H and W inside NumPy, not in Python."""

        def make_call(C, H, W):
            x, weight = normal(1, 1, C, H, W), normal(2, 2, C, 3, 2)
            return lambda: solution.conv2d_forward(x, weight, None, (2, 1), (1, 0), (1, 2))

        assert_vectorized(make_call, {"C": 2, "H": 7, "W": 8}, {"C": 50, "H": 60, "W": 70})

    def test_no_loop_over_groups(self, solution):
        """All groups are computed together."""

        def make_call(groups):
            x, weight = normal(1, 1, 2 * groups, 5, 6), normal(2, 3 * groups, 2, 3, 2)
            return lambda: solution.conv2d_forward(x, weight, groups=groups)

        assert_vectorized(make_call, {"groups": 2}, {"groups": 60})


@exercise("conv2d_backward")
class TestConv2dBackward:
    def test_the_holes_get_nothing(self, solution):
        """With taps 2 and 3, dilation 3 and dout 1, 10, the pixels between the taps get no gradient."""
        x, weight = np.array([[[[1.0, 2.0, 4.0, 8.0, 16.0]]]]), np.array([[[[2.0, 3.0]]]])
        _, cache = solution.conv2d_forward(x, weight, dilation=(1, 3))
        dx, dweight, dbias = solution.conv2d_backward(np.array([[[[1.0, 10.0]]]]), cache)
        assert_close(dx, np.array([[[[2.0, 20.0, 0.0, 3.0, 30.0]]]]), "dx")
        assert_close(dweight, np.array([[[[21.0, 168.0]]]]), "dweight")
        assert_equal(dbias, None, "dbias")

    def test_groups_keep_to_themselves(self, solution):
        """A gradient that arrives in the second group alone stays in the second group's channels and kernels."""
        x, weight = normal(1, 2, 4, 5, 3), normal(2, 6, 2, 2, 3)
        out, cache = solution.conv2d_forward(x, weight, groups=2)
        dout = normal(3, *out.shape)
        dout[:, :3] = 0
        dx, dweight, _ = solution.conv2d_backward(dout, cache)
        expected_dx, expected_dweight = slow_gradients(x, weight, dout, groups=2)
        assert_close(dx[:, :2], np.zeros((2, 2, 5, 3)), "dx of the first group")
        assert_close(dx, expected_dx, "dx")
        assert_close(dweight, expected_dweight, "dweight")

    def test_dout_of_another_shape(self, solution):
        """A dout that does not have the output's shape is an error that names both shapes."""
        _, cache = solution.conv2d_forward(np.ones((2, 4, 7, 6)), np.ones((6, 2, 3, 2)), dilation=2, groups=2)
        with assert_rejects((2, 6, 3, 5), (2, 6, 3, 4)):
            solution.conv2d_backward(np.ones((2, 6, 3, 5)), cache)

    def test_gradients_are_slopes(self, solution):
        """Each gradient is the slope of sum(out * dout), for a random dout."""
        x, weight, bias = normal(1, 2, 4, 4, 3), normal(2, 2, 2, 2, 3), normal(3, 2)
        settings = {"stride": (2, 1), "padding": (1, 2), "dilation": (3, 2), "groups": 2}
        out, cache = solution.conv2d_forward(x, weight, bias, **settings)
        dout = normal(4, *out.shape)
        dx, dweight, dbias = solution.conv2d_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_conv2d(x, weight, bias, **settings), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_conv2d(x, w, bias, **settings), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_conv2d(x, weight, b, **settings), bias, dout, "dbias")

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2), pairs(1, 3), sizes(1, 3))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding, dilation, groups):
        """For any setting the gradients are those that plain loops hand back."""
        x, weight = normal(seed, 2, 2 * groups, 7, 8), normal(seed, 3 * groups, 2, *kernel)
        settings = stride, padding, dilation, groups
        out, cache = solution.conv2d_forward(x, weight, None, *settings)
        dout = normal(seed, *out.shape)
        dx, dweight, dbias = solution.conv2d_backward(dout, cache)
        expected_dx, expected_dweight = slow_gradients(x, weight, dout, *settings)
        assert_close(dx, expected_dx, "dx")
        assert_close(dweight, expected_dweight, "dweight")
        assert_equal(dbias, None, "dbias")

    def test_no_loop_over_channels_or_pixels(self, solution):
        """The work grows with C, H, W and the groups inside NumPy, not in Python."""

        def make_call(part, groups, H, W):
            x, weight = normal(1, 1, part * groups, H, W), normal(2, 2 * groups, part, 3, 2)
            out, cache = solution.conv2d_forward(x, weight, None, (2, 1), (1, 0), (1, 2), groups)
            dout = normal(3, *out.shape)
            return lambda: solution.conv2d_backward(dout, cache)

        small = {"part": 2, "groups": 3, "H": 7, "W": 8}
        assert_vectorized(make_call, small, {"part": 50, "groups": 60, "H": 60, "W": 70})


@exercise("effective_kernel_size")
class TestEffectiveKernelSize:
    def test_holes_count(self, solution):
        """Three taps two pixels apart reach over 5 pixels."""
        assert_equal(solution.effective_kernel_size(3, 2), 5)

    def test_one_tap_has_no_holes(self, solution):
        """A kernel of one pixel reaches over one pixel, whatever the dilation."""
        assert_equal(solution.effective_kernel_size(1, 7), 1)

    def test_pairs(self, solution):
        """A pair on either side gives a pair, (down, across)."""
        assert_equal(solution.effective_kernel_size((3, 2), (1, 4)), (3, 5))
        assert_equal(solution.effective_kernel_size((3, 2), 4), (9, 5))
        assert_equal(solution.effective_kernel_size(3, (1, 4)), (3, 9))

    def test_dilation_below_one(self, solution):
        """A dilation of 0 is an error that names it."""
        with assert_rejects("dilation", 0):
            solution.effective_kernel_size(3, 0)

    @given(sizes(1, 6), sizes(1, 6))
    def test_counts_from_first_to_last_tap(self, solution, kernel, dilation):
        """The reach is the number of pixels from the first tap to the last, both counted."""
        taps = [tap * dilation for tap in range(kernel)]
        assert_equal(solution.effective_kernel_size(kernel, dilation), len(range(taps[0], taps[-1] + 1)))


@exercise("depthwise_conv2d_forward")
class TestDepthwiseConv2dForward:
    def test_each_channel_has_its_own_kernel(self, solution):
        """Channel 0 under a kernel of ones gives sums, channel 1 under (10, 0) ten times its left pixels."""
        x = np.array([[[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]]])
        out, _ = solution.depthwise_conv2d_forward(x, np.array([[[[1.0, 1.0]]], [[[10.0, 0.0]]]]))
        assert_close(out, np.array([[[[3.0, 5.0]], [[40.0, 50.0]]]]), "out")

    def test_multiplier_keeps_a_channel_together(self, solution):
        """With multiplier 3 outputs 0, 1, 2 come from channel 0 and outputs 3, 4, 5 from channel 1."""
        x = np.array([1.0, 100.0]).reshape(1, 2, 1, 1)
        weight = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape(6, 1, 1, 1)
        out, _ = solution.depthwise_conv2d_forward(x, weight)
        assert_close(out, np.array([1.0, 2.0, 3.0, 400.0, 500.0, 600.0]).reshape(1, 6, 1, 1), "out")

    def test_weight_that_is_no_multiple(self, solution):
        """7 kernels for 3 channels are refused, and so are kernels over more than one channel."""
        with assert_rejects(7, 3):
            solution.depthwise_conv2d_forward(np.ones((2, 3, 5, 4)), np.ones((7, 1, 2, 2)))
        with assert_rejects(3):
            solution.depthwise_conv2d_forward(np.ones((2, 3, 5, 4)), np.ones((3, 3, 2, 2)))

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2), pairs(1, 3), sizes(1, 3))
    def test_is_a_convolution_with_as_many_groups_as_channels(
        self, solution, seed, kernel, stride, padding, dilation, multiplier
    ):
        """For any setting the output is the grouped convolution's, with C groups."""
        x, weight = normal(seed, 2, 3, 7, 8), normal(seed, 3 * multiplier, 1, *kernel)
        bias = normal(seed, 3 * multiplier)
        out, _ = solution.depthwise_conv2d_forward(x, weight, bias, stride, padding, dilation)
        assert_close(out, slow_conv2d(x, weight, bias, stride, padding, dilation, groups=3), "out")

    def test_no_loop_over_channels_or_pixels(self, solution):
        """All channels, kernels and pixels are computed together."""

        def make_call(C, multiplier, H, W):
            x, weight = normal(1, 1, C, H, W), normal(2, C * multiplier, 1, 3, 2)
            return lambda: solution.depthwise_conv2d_forward(x, weight, None, (2, 1), (1, 0), (1, 2))

        small = {"C": 3, "multiplier": 2, "H": 7, "W": 8}
        assert_vectorized(make_call, small, {"C": 60, "multiplier": 50, "H": 60, "W": 70})


@exercise("depthwise_conv2d_backward")
class TestDepthwiseConv2dBackward:
    def test_a_channel_gathers_from_its_kernels(self, solution):
        """Channel 0 made two outputs; its middle pixel gets 1 * 2 from the first and 1 * 10 from the second."""
        x, weight = np.array([[[[3.0, 4.0, 5.0]]]]), np.array([[[[1.0, 2.0]]], [[[10.0, 0.0]]]])
        _, cache = solution.depthwise_conv2d_forward(x, weight)
        dx, dweight, dbias = solution.depthwise_conv2d_backward(np.array([[[[1.0, 0.0]], [[0.0, 1.0]]]]), cache)
        assert_close(dx, np.array([[[[1.0, 12.0, 0.0]]]]), "dx")
        assert_close(dweight, np.array([[[[3.0, 4.0]]], [[[4.0, 5.0]]]]), "dweight")
        assert_equal(dbias, None, "dbias")

    def test_gradients_are_slopes(self, solution):
        """Each gradient is the slope of sum(out * dout), for a random dout."""
        x, weight, bias = normal(1, 2, 3, 4, 3), normal(2, 6, 1, 2, 3), normal(3, 6)
        settings = {"stride": (2, 1), "padding": (1, 2), "dilation": (3, 2)}
        out, cache = solution.depthwise_conv2d_forward(x, weight, bias, **settings)
        dout = normal(4, *out.shape)
        dx, dweight, dbias = solution.depthwise_conv2d_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_conv2d(x, weight, bias, **settings, groups=3), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_conv2d(x, w, bias, **settings, groups=3), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_conv2d(x, weight, b, **settings, groups=3), bias, dout, "dbias")

    def test_dout_of_another_shape(self, solution):
        """A dout that does not have the output's shape is an error that names both shapes."""
        _, cache = solution.depthwise_conv2d_forward(np.ones((2, 3, 7, 6)), np.ones((6, 1, 3, 2)))
        with assert_rejects((2, 3, 5, 5), (2, 6, 5, 5)):
            solution.depthwise_conv2d_backward(np.ones((2, 3, 5, 5)), cache)

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2), pairs(1, 3), sizes(1, 3))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding, dilation, multiplier):
        """For any setting the gradients are those that plain loops hand back."""
        x, weight = normal(seed, 2, 3, 7, 8), normal(seed, 3 * multiplier, 1, *kernel)
        out, cache = solution.depthwise_conv2d_forward(x, weight, None, stride, padding, dilation)
        dout = normal(seed, *out.shape)
        dx, dweight, _ = solution.depthwise_conv2d_backward(dout, cache)
        expected_dx, expected_dweight = slow_gradients(x, weight, dout, stride, padding, dilation, groups=3)
        assert_close(dx, expected_dx, "dx")
        assert_close(dweight, expected_dweight, "dweight")

    def test_no_loop_over_channels_or_pixels(self, solution):
        """All channels, kernels and pixels are computed together."""

        def make_call(C, multiplier, H, W):
            x, weight = normal(1, 1, C, H, W), normal(2, C * multiplier, 1, 3, 2)
            out, cache = solution.depthwise_conv2d_forward(x, weight, None, (2, 1), (1, 0), (1, 2))
            dout = normal(3, *out.shape)
            return lambda: solution.depthwise_conv2d_backward(dout, cache)

        small = {"C": 3, "multiplier": 2, "H": 7, "W": 8}
        assert_vectorized(make_call, small, {"C": 60, "multiplier": 50, "H": 60, "W": 70})


@exercise("pointwise_conv2d_forward")
class TestPointwiseConv2dForward:
    def test_mixes_the_channels_of_a_pixel(self, solution):
        """Rows (1, 1) and (0, 2) turn a pixel (1, 30) into (31, 60), and (2, 40) into (42, 80)."""
        x = np.array([[[[1.0, 2.0]], [[30.0, 40.0]]]])
        out, _ = solution.pointwise_conv2d_forward(x, np.array([[1.0, 1.0], [0.0, 2.0]]).reshape(2, 2, 1, 1))
        assert_close(out, np.array([[[[31.0, 42.0]], [[60.0, 80.0]]]]), "out")

    def test_weight_of_another_shape(self, solution):
        """A kernel that is not 1x1, or one over 4 channels for an x of 3, is an error that names the numbers."""
        with assert_rejects(1, 2):
            solution.pointwise_conv2d_forward(np.ones((2, 3, 4, 6)), np.ones((5, 3, 1, 2)))
        with assert_rejects(4, 3):
            solution.pointwise_conv2d_forward(np.ones((2, 3, 4, 6)), np.ones((5, 4, 1, 1)))

    @given(seeds, sizes(1, 4), sizes(1, 4), pairs(1, 5))
    def test_equals_the_definition(self, solution, seed, I, O, size):
        """For any number of channels and pixels the output is the 1x1 convolution's."""
        x, weight, bias = normal(seed, 2, I, *size), normal(seed, O, I, 1, 1), normal(seed, O)
        out, _ = solution.pointwise_conv2d_forward(x, weight, bias)
        assert_close(out, slow_conv2d(x, weight, bias), "out")

    def test_no_loop_over_channels_or_pixels(self, solution):
        """One call mixes all channels of all pixels."""

        def make_call(I, O, H, W):
            x, weight = normal(1, 1, I, H, W), normal(2, O, I, 1, 1)
            return lambda: solution.pointwise_conv2d_forward(x, weight)

        assert_vectorized(make_call, {"I": 3, "O": 2, "H": 5, "W": 4}, {"I": 50, "O": 60, "H": 70, "W": 80})


@exercise("pointwise_conv2d_backward")
class TestPointwiseConv2dBackward:
    def test_literal_pixels(self, solution):
        """For pixels 1, 2, weight 5 and dout 1, 10: dx is 5, 50, dweight 1 * 1 + 2 * 10, dbias 11."""
        _, cache = solution.pointwise_conv2d_forward(np.array([[[[1.0, 2.0]]]]), np.array([[[[5.0]]]]), np.zeros(1))
        dx, dweight, dbias = solution.pointwise_conv2d_backward(np.array([[[[1.0, 10.0]]]]), cache)
        assert_close(dx, np.array([[[[5.0, 50.0]]]]), "dx")
        assert_close(dweight, np.array([[[[21.0]]]]), "dweight")
        assert_close(dbias, np.array([11.0]), "dbias")

    def test_gradients_are_slopes(self, solution):
        """Each gradient is the slope of sum(out * dout), for a random dout."""
        x, weight, bias = normal(1, 2, 3, 2, 4), normal(2, 5, 3, 1, 1), normal(3, 5)
        out, cache = solution.pointwise_conv2d_forward(x, weight, bias)
        dout = normal(4, *out.shape)
        dx, dweight, dbias = solution.pointwise_conv2d_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_conv2d(x, weight, bias), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_conv2d(x, w, bias), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_conv2d(x, weight, b), bias, dout, "dbias")

    def test_dout_of_another_shape(self, solution):
        """A dout that does not have the output's shape is an error that names both shapes."""
        _, cache = solution.pointwise_conv2d_forward(np.ones((2, 3, 4, 6)), np.ones((5, 3, 1, 1)))
        with assert_rejects((2, 5, 6, 4), (2, 5, 4, 6)):
            solution.pointwise_conv2d_backward(np.ones((2, 5, 6, 4)), cache)

    @given(seeds, sizes(1, 4), sizes(1, 4), pairs(1, 5))
    def test_equals_the_definition(self, solution, seed, I, O, size):
        """For any number of channels and pixels the gradients are those that plain loops hand back."""
        x, weight, dout = normal(seed, 2, I, *size), normal(seed, O, I, 1, 1), normal(seed, 2, O, *size)
        _, cache = solution.pointwise_conv2d_forward(x, weight)
        dx, dweight, dbias = solution.pointwise_conv2d_backward(dout, cache)
        expected_dx, expected_dweight = slow_gradients(x, weight, dout)
        assert_close(dx, expected_dx, "dx")
        assert_close(dweight, expected_dweight, "dweight")
        assert_equal(dbias, None, "dbias")

    def test_no_loop_over_channels_or_pixels(self, solution):
        """The work grows with I, O, H and W inside NumPy, not in Python."""

        def make_call(I, O, H, W):
            _, cache = solution.pointwise_conv2d_forward(normal(1, 1, I, H, W), normal(2, O, I, 1, 1))
            dout = normal(3, 1, O, H, W)
            return lambda: solution.pointwise_conv2d_backward(dout, cache)

        assert_vectorized(make_call, {"I": 3, "O": 2, "H": 5, "W": 4}, {"I": 50, "O": 60, "H": 70, "W": 80})


@exercise("conv_transpose2d_forward")
class TestConvTranspose2dForward:
    def test_every_pixel_paints_its_kernel(self, solution):
        """Pixels 1 and 10 paint the kernel 1, 2, 3 two pixels apart, and where both paint the paint adds up."""
        x, weight = np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0, 3.0]]]])
        out, _ = solution.conv_transpose2d_forward(x, weight, stride=(1, 2))
        assert_close(out, np.array([[[[1.0, 2.0, 13.0, 20.0, 30.0]]]]), "out")

    def test_padding_cuts_off(self, solution):
        """Padding makes the output smaller: one column is cut off at each side."""
        x, weight = np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0, 3.0]]]])
        out, _ = solution.conv_transpose2d_forward(x, weight, stride=(1, 2), padding=(0, 1))
        assert_close(out, np.array([[[[2.0, 13.0, 20.0]]]]), "out")

    def test_output_padding_keeps_more(self, solution):
        """Output padding keeps one column more at the right, which is painted where a window reaches it."""
        x, weight = np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0, 3.0]]]])
        out, _ = solution.conv_transpose2d_forward(x, weight, stride=(1, 2), padding=(0, 1), output_padding=(0, 1))
        assert_close(out, np.array([[[[2.0, 13.0, 20.0, 30.0]]]]), "out")

    def test_input_channels_come_first_in_the_weight(self, solution):
        """The weight is (I, O, kh, kw): output channel o sums x[c] * weight[c, o]."""
        x = np.array([1.0, 10.0]).reshape(1, 2, 1, 1)
        weight = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).reshape(2, 3, 1, 1)
        out, _ = solution.conv_transpose2d_forward(x, weight, bias=np.array([100.0, 200.0, 300.0]))
        assert_close(out, np.array([141.0, 252.0, 363.0]).reshape(1, 3, 1, 1), "out")

    def test_output_padding_as_large_as_the_stride(self, solution):
        """An output padding that reaches the stride is an error that names both."""
        with assert_rejects("output_padding", 3, 2):
            solution.conv_transpose2d_forward(np.ones((1, 1, 4, 5)), np.ones((1, 1, 3, 3)), stride=2, output_padding=3)
        with assert_rejects("output_padding", 2):
            solution.conv_transpose2d_forward(np.ones((1, 1, 4, 5)), np.ones((1, 1, 3, 3)), stride=2, output_padding=2)

    def test_is_the_adjoint_of_the_convolution(self, solution):
        """For all a and b, <conv(a), b> equals <a, conv_transpose(b)> with one weight."""
        a, weight, b = normal(1, 2, 3, 8, 7), normal(2, 4, 3, 3, 2), normal(3, 2, 4, 4, 3)
        settings = {"stride": (2, 3), "padding": (1, 1)}
        left = np.sum(slow_conv2d(a, weight, **settings) * b)
        out, _ = solution.conv_transpose2d_forward(b, weight, **settings, output_padding=(1, 1))
        assert_close(np.sum(a * out), left, "<a, conv_transpose(b)>")

    @given(seeds, pairs(1, 4), pairs(1, 3), pairs(0, 1), pairs(0, 2))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding, extra):
        """For any kernel, stride, padding and output padding the output is what the pixels paint."""
        output_padding = min(extra[0], stride[0] - 1), min(extra[1], stride[1] - 1)
        x, weight, bias = normal(seed, 2, 3, 4, 5), normal(seed, 3, 2, *kernel), normal(seed, 2)
        out, _ = solution.conv_transpose2d_forward(x, weight, bias, stride, padding, output_padding)
        assert_close(out, slow_conv_transpose2d(x, weight, bias, stride, padding, output_padding), "out")

    def test_no_loop_over_channels_or_pixels(self, solution):
        """The work grows with I, O, H and W inside NumPy, not in Python."""

        def make_call(I, O, H, W):
            x, weight = normal(1, 1, I, H, W), normal(2, I, O, 3, 2)
            return lambda: solution.conv_transpose2d_forward(x, weight, None, (2, 1), (1, 0))

        assert_vectorized(make_call, {"I": 3, "O": 2, "H": 5, "W": 4}, {"I": 50, "O": 60, "H": 50, "W": 60})


@exercise("conv_transpose2d_backward")
class TestConvTranspose2dBackward:
    def test_a_pixel_asks_the_window_it_painted(self, solution):
        """The gradient of a pixel is the kernel times the dout of its window, summed: 1 * 1 and 3 * 5."""
        x, weight = np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0, 3.0]]]])
        _, cache = solution.conv_transpose2d_forward(x, weight, stride=(1, 2))
        dx, dweight, dbias = solution.conv_transpose2d_backward(np.array([[[[1.0, 0.0, 0.0, 0.0, 5.0]]]]), cache)
        assert_close(dx, np.array([[[[1.0, 15.0]]]]), "dx")
        assert_close(dweight, np.array([[[[1.0, 0.0, 50.0]]]]), "dweight")
        assert_equal(dbias, None, "dbias")

    def test_dout_of_another_shape(self, solution):
        """A dout that does not have the output's shape is an error that names both shapes."""
        _, cache = solution.conv_transpose2d_forward(
            np.ones((2, 3, 4, 5)), np.ones((3, 6, 3, 2)), stride=2, output_padding=1
        )
        with assert_rejects((2, 6, 9, 10), (2, 6, 10, 11)):
            solution.conv_transpose2d_backward(np.ones((2, 6, 9, 10)), cache)

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 1), pairs(0, 2))
    def test_dx_is_the_convolution_of_dout(self, solution, seed, kernel, stride, padding, extra):
        """For any setting dx is the plain convolution of dout; dweight and dbias are what loops hand back."""
        output_padding = min(extra[0], stride[0] - 1), min(extra[1], stride[1] - 1)
        x, weight, bias = normal(seed, 2, 3, 4, 5), normal(seed, 3, 2, *kernel), normal(seed, 2)
        out, cache = solution.conv_transpose2d_forward(x, weight, bias, stride, padding, output_padding)
        dout = normal(seed, *out.shape)
        dx, dweight, dbias = solution.conv_transpose2d_backward(dout, cache)
        assert_close(dx, slow_conv2d(dout, weight, None, stride, padding), "dx")
        assert_close(dweight, slow_gradients(dout, weight, x, stride, padding)[1], "dweight")
        assert_close(dbias, dout.sum(axis=(0, 2, 3)), "dbias")

    def test_gradients_are_slopes(self, solution):
        """Each gradient is the slope of sum(out * dout), for a random dout."""
        x, weight, bias = normal(1, 2, 3, 3, 4), normal(2, 3, 2, 3, 2), normal(3, 2)
        settings = {"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2)}
        out, cache = solution.conv_transpose2d_forward(x, weight, bias, **settings)
        dout = normal(4, *out.shape)
        dx, dweight, dbias = solution.conv_transpose2d_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_conv_transpose2d(x, weight, bias, **settings), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_conv_transpose2d(x, w, bias, **settings), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_conv_transpose2d(x, weight, b, **settings), bias, dout, "dbias")

    def test_no_loop_over_channels_or_pixels(self, solution):
        """The work grows with I, O, H and W inside NumPy, not in Python."""

        def make_call(I, O, H, W):
            out, cache = solution.conv_transpose2d_forward(
                normal(1, 1, I, H, W), normal(2, I, O, 3, 2), None, (2, 1), (1, 0)
            )
            dout = normal(3, *out.shape)
            return lambda: solution.conv_transpose2d_backward(dout, cache)

        assert_vectorized(make_call, {"I": 3, "O": 2, "H": 5, "W": 4}, {"I": 50, "O": 60, "H": 50, "W": 60})


@exercise("Conv2d")
class TestConv2d:
    def test_parameters(self, solution):
        """6 input and 9 output channels in 3 groups make a weight (9, 2, kh, kw) and a bias (9,) of zeros."""
        layer = solution.Conv2d(6, 9, (3, 2), groups=3)
        assert_equal([parameter.value.shape for parameter in layer.parameters()], [(9, 2, 3, 2), (9,)])
        assert_close(layer.bias.value, np.zeros(9, np.float32), "bias")
        assert_equal(solution.Conv2d(6, 9, 3, bias=False).bias, None, "bias")

    def test_fan_in_is_one_groups_share(self, solution):
        """The weight's deviation is sqrt(2 / fan_in), where fan_in counts the channels of one group."""
        weight = solution.Conv2d(40, 80, 3, groups=10, rng=np.random.default_rng(1)).weight.value
        assert_close(np.std(weight), np.float32(np.sqrt(2 / (4 * 9))), "deviation", tolerance=0.02)

    def test_forward_uses_every_setting(self, solution):
        """The output is the convolution with the layer's weight, bias, stride, padding, dilation and groups."""
        settings = {"stride": (2, 1), "padding": (1, 2), "dilation": (2, 3), "groups": 2}
        layer = solution.Conv2d(4, 6, (3, 2), **settings).astype(np.float64)
        layer.bias.value[:] = normal(1, 6)
        x = normal(2, 2, 4, 7, 5)
        assert_close(layer(x), slow_conv2d(x, layer.weight.value, layer.bias.value, **settings), "out")

    def test_backward_adds_to_the_gradients(self, solution):
        """Backward returns dx and adds dweight and dbias to .grad; a second round doubles them."""
        layer = solution.Conv2d(4, 6, (3, 2), dilation=(1, 2), groups=2).astype(np.float64)
        x, dout = normal(1, 2, 4, 5, 7), normal(2, 2, 6, 3, 5)
        expected_dx, expected_dweight = slow_gradients(x, layer.weight.value, dout, dilation=(1, 2), groups=2)
        for times in (1, 2):
            layer(x)
            assert_close(layer.backward(dout), expected_dx, "dx")
            assert_close(layer.weight.grad, times * expected_dweight, "weight.grad")
            assert_close(layer.bias.grad, times * dout.sum(axis=(0, 2, 3)), "bias.grad")

    def test_groups_that_do_not_divide(self, solution):
        """The layer refuses groups that do not divide both channel counts when it is built."""
        with assert_rejects(6, 4):
            solution.Conv2d(6, 8, 3, groups=4)
        with assert_rejects(9, 4):
            solution.Conv2d(8, 9, 3, groups=4)


@exercise("DepthwiseSeparableConv2d")
class TestDepthwiseSeparableConv2d:
    def test_parameters(self, solution):
        """3 to 8 channels make a depthwise weight (3, 1, kh, kw), a pointwise weight (8, 3, 1, 1), a bias (8,)."""
        layer = solution.DepthwiseSeparableConv2d(3, 8, (3, 2))
        assert_equal([parameter.value.shape for parameter in layer.parameters()], [(3, 1, 3, 2), (8, 3, 1, 1), (8,)])
        bare = solution.DepthwiseSeparableConv2d(3, 8, bias=False)
        assert_equal([parameter.value.shape for parameter in bare.parameters()], [(3, 1, 3, 3), (8, 3, 1, 1)])

    def test_keeps_the_size_by_default(self, solution):
        """A 3x3 kernel with padding 1 and stride 1 is the default: height and width stay."""
        out = solution.DepthwiseSeparableConv2d(3, 8)(normal(1, 2, 3, 7, 6, dtype=np.float32))
        assert_close(out, out, "out", dtype=np.float32)
        assert_equal(out.shape, (2, 8, 7, 6))

    def test_filters_then_mixes(self, solution):
        """The output is the pointwise convolution of the depthwise one, with nothing in between."""
        layer = solution.DepthwiseSeparableConv2d(3, 4, (3, 2), stride=(2, 1), padding=(0, 1)).astype(np.float64)
        depthwise, pointwise, bias = (parameter.value for parameter in layer.parameters())
        bias[:] = normal(1, 4)
        x = normal(2, 2, 3, 7, 5)
        middle = slow_conv2d(x, depthwise, None, (2, 1), (0, 1), groups=3)
        assert_close(layer(x), slow_conv2d(middle, pointwise, bias), "out")

    def test_backward_goes_through_both_steps(self, solution):
        """Backward returns dx and gives every parameter its gradient."""
        layer = solution.DepthwiseSeparableConv2d(3, 4, 2, padding=0).astype(np.float64)
        depthwise, pointwise, _ = (parameter.value for parameter in layer.parameters())
        x, dout = normal(1, 2, 3, 4, 6), normal(2, 2, 4, 3, 5)
        layer(x)
        dx = layer.backward(dout)
        middle = slow_conv2d(x, depthwise, groups=3)
        dmiddle, dpointwise = slow_gradients(middle, pointwise, dout)
        expected_dx, ddepthwise = slow_gradients(x, depthwise, dmiddle, groups=3)
        grads = [parameter.grad for parameter in layer.parameters()]
        assert_close(dx, expected_dx, "dx")
        assert_close(grads[0], ddepthwise, "the depthwise weight's grad")
        assert_close(grads[1], dpointwise, "the pointwise weight's grad")
        assert_close(grads[2], dout.sum(axis=(0, 2, 3)), "the bias's grad")

    def test_output_is_new(self, solution):
        """The output is an array of its own, also where the layer does nothing but copy."""
        layer = solution.DepthwiseSeparableConv2d(1, 1, 1, padding=0)
        for parameter in layer.parameters()[:2]:
            parameter.value[...] = 1
        x = normal(1, 2, 1, 3, 4, dtype=np.float32)
        out = layer(x)
        assert_close(out, x, "out")
        assert_no_alias(out, "out", x=x)


@exercise("separable_cost_ratio")
class TestSeparableCostRatio:
    def test_mobilenet_layer(self, solution):
        """With 64 outputs and 3x3 kernels the two steps cost 1/64 + 1/9 of the full convolution."""
        assert_close(np.float64(solution.separable_cost_ratio(64, 3)), np.float64(73 / 576))

    def test_small_layers_gain_nothing(self, solution):
        """With one output channel, or a 1x1 kernel, the two steps cost more than the full convolution."""
        assert_close(np.float64(solution.separable_cost_ratio(1, 3)), np.float64(10 / 9))
        assert_close(np.float64(solution.separable_cost_ratio(4, 1)), np.float64(1.25))

    @given(sizes(1, 70), pairs(1, 7), sizes(1, 9), sizes(1, 50))
    def test_counts_multiply_accumulates(self, solution, O, kernel, C, pixels):
        """The ratio is counted: multiply-accumulates of both steps by those of the full convolution, for any C."""
        taps = kernel[0] * kernel[1]
        steps, full = pixels * C * taps + pixels * C * O, pixels * O * C * taps
        assert_close(np.float64(solution.separable_cost_ratio(O, kernel)), np.float64(steps / full))

    def test_numbers_below_one(self, solution):
        """No output channels is an error that names the number."""
        with assert_rejects("out_channels", 0):
            solution.separable_cost_ratio(0, 3)
