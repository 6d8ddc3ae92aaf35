"""Topic 15, hidden suite: what a solution forgets when only the visible examples were in mind."""

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

# Settings that no two axes share; on the 7 x 8 maps below the last step is not a whole one.
UNEVEN = {"stride": (3, 2), "padding": (1, 0), "dilation": (2, 3)}


def slow_conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """The definition, one kernel tap at a time; reads zero outside the image."""
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    padded = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    (N, _, H, W), (O, part, kh, kw) = padded.shape, weight.shape
    H_out, W_out = (H - dh * (kh - 1) - 1) // sh + 1, (W - dw * (kw - 1) - 1) // sw + 1
    out = np.zeros((N, O, H_out, W_out))
    for o, c, u, v in np.ndindex(*weight.shape):
        channel = padded[:, o // (O // groups) * part + c]
        tap = channel[:, u * dh :: sh, v * dw :: sw][:, :H_out, :W_out]
        out[:, o] += tap * weight[o, c, u, v]
    return out if bias is None else out + bias[:, None, None]


def slow_gradients(x, weight, dout, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """dx and dweight of the definition, one kernel tap at a time."""
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    padded = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    (_, _, H, W), (O, part, _, _), (_, _, H_out, W_out) = padded.shape, weight.shape, dout.shape
    dpadded, dweight = np.zeros(padded.shape), np.zeros(weight.shape)
    for o, c, u, v in np.ndindex(*weight.shape):
        channel = o // (O // groups) * part + c
        dpadded[:, channel, u * dh :: sh, v * dw :: sw][:, :H_out, :W_out] += dout[:, o] * weight[o, c, u, v]
        tap = padded[:, channel, u * dh :: sh, v * dw :: sw][:, :H_out, :W_out]
        dweight[o, c, u, v] = np.sum(dout[:, o] * tap)
    return dpadded[:, :, ph : H - ph, pw : W - pw], dweight


def slow_conv_transpose2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0), output_padding=(0, 0)):
    """The definition: every pixel paints its kernel on a larger map, whose border is then cut off."""
    (N, I, H, W), (_, O, kh, kw) = x.shape, weight.shape
    (sh, sw), (ph, pw) = stride, padding
    full = np.zeros((N, O, (H - 1) * sh + kh + output_padding[0], (W - 1) * sw + kw + output_padding[1]))
    for c, i, j in np.ndindex(I, H, W):
        for o in range(O):
            painted = x[:, c, i, j, None, None] * weight[c, o]
            full[:, o, i * sh : i * sh + kh, j * sw : j * sw + kw] += painted
    out = full[:, :, ph : full.shape[2] - ph, pw : full.shape[3] - pw]
    return out if bias is None else out + bias[:, None, None]


def strange(x):
    """The same numbers in another memory layout: channels last, rows upside down."""
    return np.ascontiguousarray(x.transpose(2, 0, 3, 1)[::-1])[::-1].transpose(1, 3, 0, 2)


def assert_gradients(gradients, expected, dtype=np.float64):
    """Assert that (dx, dweight) or (dx, dweight, dbias) are as expected."""
    for name, actual, right in zip(("dx", "dweight", "dbias"), gradients, expected, strict=False):
        assert_close(actual, right.astype(dtype), name)


@exercise("conv2d_forward")
class TestConv2dForward:
    def test_dilation_is_down_then_across(self, solution):
        """Dilation (2, 1) leaves holes between rows, none between columns; padding shifts what a tap reads."""
        weight = np.zeros((1, 1, 2, 2))
        weight[0, 0, 1, 1] = 1
        out, _ = solution.conv2d_forward(coordinates(1, 1, 4, 3), weight, padding=(0, 1), dilation=(2, 1))
        assert_close(out, np.array([[[[20.0, 21, 22, 0], [30, 31, 32, 0]]]]), "out")

    def test_three_groups_with_two_kernels_each(self, solution):
        """Output channels 2 and 3 belong to the second of three groups and read channels 2 and 3 of six."""
        x, weight = normal(1, 2, 6, 7, 8), normal(2, 6, 2, 2, 3)
        out, _ = solution.conv2d_forward(x, weight, None, **UNEVEN, groups=3)
        assert_close(out[:, 2:4], slow_conv2d(x[:, 2:4], weight[2:4], **UNEVEN), "out of the second group")

    def test_positional_order(self, solution):
        """The settings come in the order stride, padding, dilation, groups."""
        x, weight, bias = normal(1, 2, 6, 7, 8), normal(2, 9, 2, 3, 2), normal(3, 9)
        out, _ = solution.conv2d_forward(x, weight, bias, (2, 1), (1, 2), (1, 3), 3)
        assert_close(out, slow_conv2d(x, weight, bias, (2, 1), (1, 2), (1, 3), 3), "out")

    def test_float32(self, solution):
        """A float32 x gives a float32 output, also with a float64 weight and bias."""
        x, weight, bias = normal(1, 2, 4, 7, 8, dtype=np.float32), normal(2, 6, 2, 2, 3), normal(3, 6)
        out, _ = solution.conv2d_forward(x, weight, bias, **UNEVEN, groups=2)
        assert_close(out, slow_conv2d(x, weight, bias, **UNEVEN, groups=2).astype(np.float32), "out")

    def test_integers(self, solution):
        """Integers are promoted to float64, and a weight of halves keeps its halves."""
        out, _ = solution.conv2d_forward(np.array([[[[1, 2, 4]]]]), np.array([[[[0.5, 1.0]]]]), dilation=(1, 2))
        assert_close(out, np.array([[[[4.5]]]]), "out")

    def test_arguments_stay_and_the_output_is_new(self, solution):
        """Neither x nor weight nor bias is modified or shown through the output, not even by a 1x1 kernel."""
        x, weight, bias = normal(1, 2, 3, 4, 5), np.ones((3, 1, 1, 1)), np.zeros(3)
        with assert_unchanged(x=x, weight=weight, bias=bias):
            out, _ = solution.conv2d_forward(x, weight, bias, groups=3)
        assert_close(out, x, "out")
        assert_no_alias(out, "out", x=x, weight=weight, bias=bias)

    def test_any_memory_layout(self, solution):
        """Channels-last, reversed and Fortran-ordered arrays give what ordinary ones give."""
        x, weight = normal(1, 2, 4, 7, 8), normal(2, 6, 2, 2, 3)
        out, _ = solution.conv2d_forward(strange(x), np.asfortranarray(weight), None, **UNEVEN, groups=2)
        assert_close(out, slow_conv2d(x, weight, **UNEVEN, groups=2), "out")

    def test_empty_batch(self, solution):
        """No images give no outputs, of the right shape."""
        out, _ = solution.conv2d_forward(np.ones((0, 4, 7, 8)), np.ones((6, 2, 3, 2)), dilation=2, groups=2)
        assert_close(out, np.zeros((0, 6, 3, 6)), "out")

    def test_larger_batch(self, solution):
        """Every image of a batch of 71 gets its own output, the last one too."""
        x, weight = normal(1, 71, 4, 12, 13), normal(2, 6, 2, 3, 2)
        out, _ = solution.conv2d_forward(x, weight, groups=2)
        assert_close(out, slow_conv2d(x, weight, groups=2), "out")

    def test_ranks(self, solution):
        """An x or a weight that is not 4-D is an error that names its shape, or its 3 axes."""
        with assert_rejects(3):
            solution.conv2d_forward(np.ones((3, 5, 4)), np.ones((2, 3, 1, 1)))
        with assert_rejects(3):
            solution.conv2d_forward(np.ones((2, 3, 5, 4)), np.ones((2, 3, 1)))

    def test_channels_of_the_weight(self, solution):
        """Without groups the weight has the channels of x; one channel is not stretched over three."""
        with assert_rejects(1, 3):
            solution.conv2d_forward(np.ones((2, 3, 6, 4)), np.ones((5, 1, 2, 2)))

    def test_bias_of_another_shape(self, solution):
        """A bias that is not (O,) is refused, also one that would broadcast."""
        x, weight = np.ones((2, 4, 5, 6)), np.ones((6, 2, 1, 1))
        with assert_rejects(1, 6):
            solution.conv2d_forward(x, weight, np.ones(1), groups=2)
        with assert_rejects(6):
            solution.conv2d_forward(x, weight, np.ones((6, 1, 1)), groups=2)

    def test_settings_out_of_range(self, solution):
        """Stride 0, padding -1, dilation 0 and groups 0 are errors that name the number."""
        x, weight = np.ones((2, 3, 6, 7)), np.ones((5, 3, 2, 2))
        with assert_rejects("stride", 0):
            solution.conv2d_forward(x, weight, stride=(1, 0))
        with assert_rejects("padding", -1):
            solution.conv2d_forward(x, weight, padding=(-1, 0))
        with assert_rejects("dilation", 0):
            solution.conv2d_forward(x, weight, dilation=(1, 0))
        with assert_rejects("groups", 0):
            solution.conv2d_forward(x, weight, groups=0)

    def test_window_wider_than_the_padded_map(self, solution):
        """A kernel of 4 with dilation 3 reaches over 10 pixels; a map of 7 padded to 9 does not hold it."""
        with assert_rejects(10, 9):
            solution.conv2d_forward(np.ones((1, 1, 12, 7)), np.ones((1, 1, 1, 4)), padding=(0, 1), dilation=(1, 3))

    @given(seeds, pairs(1, 3), pairs(1, 4), pairs(0, 3), pairs(1, 3), sizes(1, 3), pairs(0, 4))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding, dilation, groups, more):
        """For any map, kernel and setting that fit, the output equals the slow loop's."""
        x, weight = normal(seed, 2, groups, 7 + more[0], 7 + more[1]), normal(seed, 2 * groups, 1, *kernel)
        out, _ = solution.conv2d_forward(x, weight, None, stride, padding, dilation, groups)
        assert_close(out, slow_conv2d(x, weight, None, stride, padding, dilation, groups), "out")

    def test_no_loop_over_anything_but_the_kernel(self, solution):
        """For one image no Python loop runs over channels, outputs, groups or pixels."""

        def make_call(part, O, groups, H, W):
            x, weight = normal(1, 1, part * groups, H, W), normal(2, O * groups, part, 2, 3)
            return lambda: solution.conv2d_forward(x, weight, None, (1, 2), (0, 1), (2, 1), groups)

        small = {"part": 2, "O": 3, "groups": 2, "H": 7, "W": 8}
        assert_vectorized(make_call, small, {"part": 50, "O": 60, "groups": 60, "H": 50, "W": 60})


@exercise("conv2d_backward")
class TestConv2dBackward:
    def test_unread_pixels_get_nothing(self, solution):
        """Rows and columns that no tap read, in the holes, between windows and behind the last, get gradient 0."""
        x, weight = normal(1, 2, 2, 7, 8), normal(2, 3, 2, 2, 2)
        out, cache = solution.conv2d_forward(x, weight, stride=(4, 5), dilation=(2, 2))
        assert_equal(out.shape, (2, 3, 2, 2))
        dx, _, _ = solution.conv2d_backward(normal(3, 2, 3, 2, 2), cache)
        touched = (dx != 0).any(axis=(0, 1))
        assert_equal([int(row) for row in touched.any(axis=1)], [1, 0, 1, 0, 1, 0, 1])
        assert_equal([int(column) for column in touched.any(axis=0)], [1, 0, 1, 0, 0, 1, 0, 1])

    def test_uneven_everything(self, solution):
        """With unequal sides, strides, paddings, dilations and 3 groups all gradients equal the slow loop's."""
        x, weight, bias = normal(1, 2, 6, 7, 8), normal(2, 9, 2, 3, 2), normal(3, 9)
        out, cache = solution.conv2d_forward(x, weight, bias, **UNEVEN, groups=3)
        dout = normal(4, *out.shape)
        dx, dweight = slow_gradients(x, weight, dout, **UNEVEN, groups=3)
        assert_gradients(solution.conv2d_backward(dout, cache), (dx, dweight, dout.sum(axis=(0, 2, 3))))

    @given(seeds, pairs(1, 3), pairs(1, 4), pairs(0, 3), pairs(1, 3), sizes(1, 3), pairs(0, 4))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding, dilation, groups, more):
        """For any map, kernel and setting that fit, dx and dweight equal the slow loop's."""
        x, weight = normal(seed, 2, groups, 7 + more[0], 7 + more[1]), normal(seed, 2 * groups, 1, *kernel)
        out, cache = solution.conv2d_forward(x, weight, None, stride, padding, dilation, groups)
        dout = normal(seed, *out.shape)
        expected = slow_gradients(x, weight, dout, stride, padding, dilation, groups)
        assert_gradients(solution.conv2d_backward(dout, cache), expected)

    def test_adjoint(self, solution):
        """The convolution is linear, for 71 images as for one: <out, dout> = <x, dx> = <weight, dweight>."""
        x, weight = normal(1, 71, 4, 19, 16), normal(2, 6, 2, 2, 3)
        out, cache = solution.conv2d_forward(x, weight, None, **UNEVEN, groups=2)
        dout = normal(3, *out.shape)
        dx, dweight, _ = solution.conv2d_backward(dout, cache)
        expected = np.sum(slow_conv2d(x, weight, **UNEVEN, groups=2) * dout)
        assert_close(np.sum(x * dx), expected, "<x, dx>")
        assert_close(np.sum(weight * dweight), expected, "<weight, dweight>")

    def test_cache_can_be_used_again(self, solution):
        """Two forwards, then two backwards in any order, the first one twice: each gives its own gradients."""
        x, weight, dout = normal(1, 2, 4, 7, 8), normal(2, 6, 2, 2, 3), normal(3, 2, 6, 3, 1)
        _, first = solution.conv2d_forward(x, weight, None, **UNEVEN, groups=2)
        _, second = solution.conv2d_forward(2 * x, 3 * weight, None, **UNEVEN, groups=2)
        dx, dweight = slow_gradients(x, weight, dout, **UNEVEN, groups=2)
        for _ in range(2):
            assert_gradients(solution.conv2d_backward(dout, first), (dx, dweight))
        assert_gradients(solution.conv2d_backward(dout, second), (3 * dx, 2 * dweight))

    def test_dtypes(self, solution):
        """For a float32 x all gradients are float32, also from a float64 dout."""
        x, weight, bias = normal(1, 2, 4, 7, 8, dtype=np.float32), normal(2, 6, 2, 2, 3), normal(3, 6)
        out, cache = solution.conv2d_forward(x, weight, bias, **UNEVEN, groups=2)
        dout = normal(4, *out.shape)
        dx, dweight = slow_gradients(x, weight, dout, **UNEVEN, groups=2)
        expected = dx, dweight, dout.sum(axis=(0, 2, 3))
        assert_gradients(solution.conv2d_backward(dout, cache), expected, np.float32)

    def test_arguments_stay_and_gradients_are_new(self, solution):
        """Backward modifies neither dout nor x nor weight, and none of its results is a view of them."""
        x, weight, dout = normal(1, 2, 3, 4, 5), np.ones((3, 1, 1, 1)), normal(2, 2, 3, 4, 5)
        _, cache = solution.conv2d_forward(x, weight, None, groups=3)
        with assert_unchanged(x=x, weight=weight, dout=dout):
            dx, dweight, _ = solution.conv2d_backward(dout, cache)
        assert_no_alias(dx, "dx", x=x, weight=weight, dout=dout)
        assert_no_alias(dweight, "dweight", x=x, weight=weight, dout=dout)

    def test_any_memory_layout(self, solution):
        """A dout in channels-last layout, upside down in memory, gives the ordinary gradients."""
        x, weight = normal(1, 2, 4, 7, 8), normal(2, 6, 2, 2, 3)
        out, cache = solution.conv2d_forward(strange(x), weight, None, **UNEVEN, groups=2)
        dout = normal(3, *out.shape)
        expected = slow_gradients(x, weight, dout, **UNEVEN, groups=2)
        assert_gradients(solution.conv2d_backward(strange(dout), cache), expected)

    def test_empty_batch(self, solution):
        """No images give an empty dx and zeros for weight and bias."""
        x, weight, bias = np.ones((0, 4, 7, 8)), np.ones((6, 2, 3, 2)), np.ones(6)
        _, cache = solution.conv2d_forward(x, weight, bias, dilation=2, groups=2)
        gradients = solution.conv2d_backward(np.ones((0, 6, 3, 6)), cache)
        assert_gradients(gradients, (np.zeros((0, 4, 7, 8)), np.zeros((6, 2, 3, 2)), np.zeros(6)))

    def test_dout_that_would_broadcast(self, solution):
        """A dout of one row, one image or no images axis is refused, and the message names both shapes."""
        _, cache = solution.conv2d_forward(np.ones((2, 4, 5, 6)), np.ones((6, 2, 1, 1)), groups=2)
        for shape in ((2, 6, 1, 6), (1, 6, 5, 6), (6, 5, 6)):
            with assert_rejects(shape, (2, 6, 5, 6)):
                solution.conv2d_backward(np.ones(shape), cache)


@exercise("effective_kernel_size")
class TestEffectiveKernelSize:
    def test_dilation_one_changes_nothing(self, solution):
        """Without holes the reach is the kernel."""
        assert_equal([solution.effective_kernel_size(k, 1) for k in range(1, 8)], [1, 2, 3, 4, 5, 6, 7])

    def test_ints_give_an_int(self, solution):
        """Two ints, NumPy's own included, give one number; a pair and an int give a pair of numbers."""
        assert_equal(solution.effective_kernel_size(np.int64(5), np.int64(3)), 13)
        assert_equal(tuple(solution.effective_kernel_size([5, 2], 3)), (13, 4))

    def test_numbers_below_one(self, solution):
        """A kernel or a dilation below 1, on either axis, is an error that names it."""
        with assert_rejects("kernel_size", 0):
            solution.effective_kernel_size(0, 2)
        with assert_rejects("kernel_size", 0):
            solution.effective_kernel_size((3, 0), 2)
        with assert_rejects("dilation", -2):
            solution.effective_kernel_size(3, (1, -2))


@exercise("depthwise_conv2d_forward")
class TestDepthwiseConv2dForward:
    def test_uneven_everything(self, solution):
        """With multiplier 2, a bias and no two settings equal the output is the slow loop's."""
        x, weight, bias = normal(1, 2, 3, 7, 8), normal(2, 6, 1, 3, 2), normal(3, 6)
        out, _ = solution.depthwise_conv2d_forward(x, weight, bias, **UNEVEN)
        assert_close(out, slow_conv2d(x, weight, bias, **UNEVEN, groups=3), "out")

    def test_positional_order(self, solution):
        """The settings come in the order stride, padding, dilation."""
        x, weight = normal(1, 2, 3, 7, 8), normal(2, 3, 1, 3, 2)
        out, _ = solution.depthwise_conv2d_forward(x, weight, None, (2, 1), (1, 2), (1, 3))
        assert_close(out, slow_conv2d(x, weight, None, (2, 1), (1, 2), (1, 3), groups=3), "out")

    @given(seeds, pairs(1, 3), pairs(1, 4), pairs(0, 3), pairs(1, 3), sizes(1, 3), pairs(0, 4))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding, dilation, C, more):
        """For any map, kernel and setting that fit, the output equals the slow loop's."""
        x, weight = normal(seed, 2, C, 7 + more[0], 7 + more[1]), normal(seed, 2 * C, 1, *kernel)
        out, _ = solution.depthwise_conv2d_forward(x, weight, None, stride, padding, dilation)
        assert_close(out, slow_conv2d(x, weight, None, stride, padding, dilation, groups=C), "out")

    def test_dtypes(self, solution):
        """A float32 x gives a float32 output, an integer x float64."""
        x, weight, bias = normal(1, 2, 3, 7, 8, dtype=np.float32), normal(2, 6, 1, 2, 3), normal(3, 6)
        out, _ = solution.depthwise_conv2d_forward(x, weight, bias, **UNEVEN)
        assert_close(out, slow_conv2d(x, weight, bias, **UNEVEN, groups=3).astype(np.float32), "out")
        out, _ = solution.depthwise_conv2d_forward(np.array([[[[1, 2, 4]]]]), np.array([[[[0.5, 1.0]]]]))
        assert_close(out, np.array([[[[2.5, 5.0]]]]), "out")

    def test_arguments_stay_and_the_output_is_new(self, solution):
        """Neither x nor weight nor bias is modified or shown through the output."""
        x, weight, bias = normal(1, 2, 3, 4, 5), np.ones((3, 1, 1, 1)), np.zeros(3)
        with assert_unchanged(x=x, weight=weight, bias=bias):
            out, _ = solution.depthwise_conv2d_forward(x, weight, bias)
        assert_close(out, x, "out")
        assert_no_alias(out, "out", x=x, weight=weight, bias=bias)

    def test_any_memory_layout(self, solution):
        """Channels-last, reversed and Fortran-ordered arrays give what ordinary ones give."""
        x, weight = normal(1, 2, 3, 7, 8), normal(2, 6, 1, 2, 3)
        out, _ = solution.depthwise_conv2d_forward(strange(x), np.asfortranarray(weight), None, **UNEVEN)
        assert_close(out, slow_conv2d(x, weight, **UNEVEN, groups=3), "out")

    def test_empty_batch_and_larger_batch(self, solution):
        """No images give no outputs; each of 71 images gets its own."""
        weight = normal(2, 10, 1, 3, 2)
        out, _ = solution.depthwise_conv2d_forward(np.ones((0, 5, 7, 8)), weight)
        assert_close(out, np.zeros((0, 10, 5, 7)), "out")
        x = normal(1, 71, 5, 16, 17)
        out, _ = solution.depthwise_conv2d_forward(x, weight)
        assert_close(out, slow_conv2d(x, weight, groups=5), "out")

    def test_one_kernel_is_not_shared(self, solution):
        """A weight (1, 1, kh, kw) for 3 channels is refused, not broadcast."""
        with assert_rejects(1, 3):
            solution.depthwise_conv2d_forward(np.ones((2, 3, 5, 4)), np.ones((1, 1, 2, 2)))

    def test_bad_input(self, solution):
        """Wrong ranks, a bias of another shape and settings out of range are errors that name them."""
        x, weight = np.ones((2, 3, 6, 7)), np.ones((6, 1, 3, 2))
        with assert_rejects(3):
            solution.depthwise_conv2d_forward(x[0], weight)
        with assert_rejects(3):
            solution.depthwise_conv2d_forward(x, weight[:, 0])
        with assert_rejects(3, 6):
            solution.depthwise_conv2d_forward(x, weight, np.ones(3))
        with assert_rejects("stride", 0):
            solution.depthwise_conv2d_forward(x, weight, stride=0)
        with assert_rejects("padding", -1):
            solution.depthwise_conv2d_forward(x, weight, padding=(0, -1))
        with assert_rejects("dilation", 0):
            solution.depthwise_conv2d_forward(x, weight, dilation=0)
        with assert_rejects(7, 6):
            solution.depthwise_conv2d_forward(x, weight, dilation=3)


@exercise("depthwise_conv2d_backward")
class TestDepthwiseConv2dBackward:
    def test_uneven_everything(self, solution):
        """With multiplier 3, a bias and no two settings equal the gradients are the slow loop's."""
        x, weight, bias = normal(1, 2, 3, 7, 8), normal(2, 9, 1, 3, 2), normal(3, 9)
        out, cache = solution.depthwise_conv2d_forward(x, weight, bias, **UNEVEN)
        dout = normal(4, *out.shape)
        dx, dweight = slow_gradients(x, weight, dout, **UNEVEN, groups=3)
        assert_gradients(solution.depthwise_conv2d_backward(dout, cache), (dx, dweight, dout.sum(axis=(0, 2, 3))))

    @given(seeds, pairs(1, 3), pairs(1, 4), pairs(0, 3), pairs(1, 3), sizes(1, 3), pairs(0, 4))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding, dilation, C, more):
        """For any map, kernel and setting that fit, dx and dweight equal the slow loop's."""
        x, weight = normal(seed, 2, C, 7 + more[0], 7 + more[1]), normal(seed, 2 * C, 1, *kernel)
        out, cache = solution.depthwise_conv2d_forward(x, weight, None, stride, padding, dilation)
        dout = normal(seed, *out.shape)
        expected = slow_gradients(x, weight, dout, stride, padding, dilation, groups=C)
        assert_gradients(solution.depthwise_conv2d_backward(dout, cache), expected)

    def test_cache_can_be_used_again(self, solution):
        """Two forwards, then two backwards in any order, the first one twice: each gives its own gradients."""
        x, weight, dout = normal(1, 2, 3, 7, 8), normal(2, 6, 1, 2, 3), normal(3, 2, 6, 3, 1)
        _, first = solution.depthwise_conv2d_forward(x, weight, None, **UNEVEN)
        _, second = solution.depthwise_conv2d_forward(2 * x, 3 * weight, None, **UNEVEN)
        dx, dweight = slow_gradients(x, weight, dout, **UNEVEN, groups=3)
        for _ in range(2):
            assert_gradients(solution.depthwise_conv2d_backward(dout, first), (dx, dweight))
        assert_gradients(solution.depthwise_conv2d_backward(dout, second), (3 * dx, 2 * dweight))

    def test_dtypes(self, solution):
        """For a float32 x all gradients are float32, also from a float64 dout."""
        x, weight, bias = normal(1, 2, 3, 7, 8, dtype=np.float32), normal(2, 6, 1, 2, 3), normal(3, 6)
        out, cache = solution.depthwise_conv2d_forward(x, weight, bias, **UNEVEN)
        dout = normal(4, *out.shape)
        dx, dweight = slow_gradients(x, weight, dout, **UNEVEN, groups=3)
        expected = dx, dweight, dout.sum(axis=(0, 2, 3))
        assert_gradients(solution.depthwise_conv2d_backward(dout, cache), expected, np.float32)

    def test_arguments_stay_and_gradients_are_new(self, solution):
        """Backward modifies neither dout nor x nor weight, and none of its results is a view of them."""
        x, weight, dout = normal(1, 2, 3, 4, 5), np.ones((3, 1, 1, 1)), normal(2, 2, 3, 4, 5)
        _, cache = solution.depthwise_conv2d_forward(x, weight)
        with assert_unchanged(x=x, weight=weight, dout=dout):
            dx, dweight, _ = solution.depthwise_conv2d_backward(dout, cache)
        assert_no_alias(dx, "dx", x=x, weight=weight, dout=dout)
        assert_no_alias(dweight, "dweight", x=x, weight=weight, dout=dout)

    def test_any_memory_layout(self, solution):
        """A dout in channels-last layout, upside down in memory, gives the ordinary gradients."""
        x, weight = normal(1, 2, 3, 7, 8), normal(2, 6, 1, 2, 3)
        out, cache = solution.depthwise_conv2d_forward(strange(x), weight, None, **UNEVEN)
        dout = normal(3, *out.shape)
        expected = slow_gradients(x, weight, dout, **UNEVEN, groups=3)
        assert_gradients(solution.depthwise_conv2d_backward(strange(dout), cache), expected)

    def test_empty_batch_and_larger_batch(self, solution):
        """No images give an empty dx and zero gradients; each of 71 images contributes to dweight."""
        weight, bias = normal(2, 10, 1, 3, 2), np.ones(10)
        _, cache = solution.depthwise_conv2d_forward(np.ones((0, 5, 7, 8)), weight, bias)
        gradients = solution.depthwise_conv2d_backward(np.ones((0, 10, 5, 7)), cache)
        assert_gradients(gradients, (np.zeros((0, 5, 7, 8)), np.zeros((10, 1, 3, 2)), np.zeros(10)))
        x, dout = normal(1, 71, 5, 16, 17), normal(3, 71, 10, 14, 16)
        _, cache = solution.depthwise_conv2d_forward(x, weight)
        expected = slow_gradients(x, weight, dout, groups=5)
        assert_gradients(solution.depthwise_conv2d_backward(dout, cache), expected)

    def test_dout_that_would_broadcast(self, solution):
        """A dout of one row, one image or no images axis is refused, and the message names both shapes."""
        _, cache = solution.depthwise_conv2d_forward(np.ones((2, 3, 5, 6)), np.ones((6, 1, 1, 1)))
        for shape in ((2, 6, 1, 6), (1, 6, 5, 6), (6, 5, 6)):
            with assert_rejects(shape, (2, 6, 5, 6)):
                solution.depthwise_conv2d_backward(np.ones(shape), cache)


@exercise("pointwise_conv2d_forward")
class TestPointwiseConv2dForward:
    def test_bias_reaches_every_pixel(self, solution):
        """Each output channel gets its own number of the bias at every pixel."""
        out, _ = solution.pointwise_conv2d_forward(np.ones((2, 1, 3, 4)), np.ones((2, 1, 1, 1)), np.array([10.0, 20.0]))
        assert_close(out, np.array([11.0, 21.0]).reshape(1, 2, 1, 1) * np.ones((2, 2, 3, 4)), "out")

    def test_dtypes(self, solution):
        """A float32 x gives a float32 output, an integer x float64."""
        x, weight, bias = normal(1, 2, 3, 4, 5, dtype=np.float32), normal(2, 6, 3, 1, 1), normal(3, 6)
        out, _ = solution.pointwise_conv2d_forward(x, weight, bias)
        assert_close(out, slow_conv2d(x, weight, bias).astype(np.float32), "out")
        out, _ = solution.pointwise_conv2d_forward(np.array([[[[1, 3]]]]), np.array([[[[0.5]]]]))
        assert_close(out, np.array([[[[0.5, 1.5]]]]), "out")

    def test_arguments_stay_and_the_output_is_new(self, solution):
        """Neither x nor weight nor bias is modified or shown through the output."""
        x, weight, bias = normal(1, 2, 3, 4, 5), np.eye(3).reshape(3, 3, 1, 1), np.zeros(3)
        with assert_unchanged(x=x, weight=weight, bias=bias):
            out, _ = solution.pointwise_conv2d_forward(x, weight, bias)
        assert_close(out, x, "out")
        assert_no_alias(out, "out", x=x, weight=weight, bias=bias)

    def test_any_memory_layout(self, solution):
        """Channels-last, reversed and Fortran-ordered arrays give what ordinary ones give."""
        x, weight = normal(1, 2, 3, 4, 5), normal(2, 6, 3, 1, 1)
        out, _ = solution.pointwise_conv2d_forward(strange(x), np.asfortranarray(weight))
        assert_close(out, slow_conv2d(x, weight), "out")

    def test_empty_batch(self, solution):
        """No images give no outputs, of the right shape."""
        out, _ = solution.pointwise_conv2d_forward(np.ones((0, 3, 4, 5)), np.ones((6, 3, 1, 1)))
        assert_close(out, np.zeros((0, 6, 4, 5)), "out")

    def test_bad_input(self, solution):
        """Wrong ranks, a weight of one channel for three and a bias that would broadcast are refused."""
        x, weight = np.ones((2, 3, 6, 7)), np.ones((5, 3, 1, 1))
        with assert_rejects(3):
            solution.pointwise_conv2d_forward(x[0], weight)
        with assert_rejects(3):
            solution.pointwise_conv2d_forward(x, weight[:, :, 0])
        with assert_rejects(1, 3):
            solution.pointwise_conv2d_forward(x, np.ones((5, 1, 1, 1)))
        with assert_rejects(1, 5):
            solution.pointwise_conv2d_forward(x, weight, np.ones(1))


@exercise("pointwise_conv2d_backward")
class TestPointwiseConv2dBackward:
    def test_cache_can_be_used_again(self, solution):
        """Two forwards, then two backwards in any order, the first one twice: each gives its own gradients."""
        x, weight, dout = normal(1, 2, 3, 4, 5), normal(2, 6, 3, 1, 1), normal(3, 2, 6, 4, 5)
        _, first = solution.pointwise_conv2d_forward(x, weight)
        _, second = solution.pointwise_conv2d_forward(2 * x, 3 * weight)
        dx, dweight = slow_gradients(x, weight, dout)
        for _ in range(2):
            assert_gradients(solution.pointwise_conv2d_backward(dout, first), (dx, dweight))
        assert_gradients(solution.pointwise_conv2d_backward(dout, second), (3 * dx, 2 * dweight))

    def test_dtypes(self, solution):
        """For a float32 x all gradients are float32, also from a float64 dout."""
        x, weight, bias = normal(1, 2, 3, 4, 5, dtype=np.float32), normal(2, 6, 3, 1, 1), normal(3, 6)
        _, cache = solution.pointwise_conv2d_forward(x, weight, bias)
        dout = normal(4, 2, 6, 4, 5)
        expected = *slow_gradients(x, weight, dout), dout.sum(axis=(0, 2, 3))
        assert_gradients(solution.pointwise_conv2d_backward(dout, cache), expected, np.float32)

    def test_arguments_stay_and_gradients_are_new(self, solution):
        """Backward modifies neither dout nor x nor weight, and none of its results is a view of them."""
        x, weight, dout = normal(1, 1, 1, 1, 1), np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1))
        _, cache = solution.pointwise_conv2d_forward(x, weight, np.ones(1))
        with assert_unchanged(x=x, weight=weight, dout=dout):
            dx, dweight, dbias = solution.pointwise_conv2d_backward(dout, cache)
        assert_no_alias(dx, "dx", x=x, weight=weight, dout=dout)
        assert_no_alias(dweight, "dweight", x=x, weight=weight, dout=dout)
        assert_no_alias(dbias, "dbias", dout=dout)

    def test_any_memory_layout(self, solution):
        """A dout in channels-last layout, upside down in memory, gives the ordinary gradients."""
        x, weight, dout = normal(1, 2, 3, 4, 5), normal(2, 6, 3, 1, 1), normal(3, 2, 6, 4, 5)
        _, cache = solution.pointwise_conv2d_forward(strange(x), weight)
        assert_gradients(solution.pointwise_conv2d_backward(strange(dout), cache), slow_gradients(x, weight, dout))

    def test_empty_batch(self, solution):
        """No images give an empty dx and zeros for weight and bias."""
        _, cache = solution.pointwise_conv2d_forward(np.ones((0, 3, 4, 5)), np.ones((6, 3, 1, 1)), np.ones(6))
        gradients = solution.pointwise_conv2d_backward(np.ones((0, 6, 4, 5)), cache)
        assert_gradients(gradients, (np.zeros((0, 3, 4, 5)), np.zeros((6, 3, 1, 1)), np.zeros(6)))

    def test_dout_that_would_broadcast(self, solution):
        """A dout of one row, one image or no images axis is refused, and the message names both shapes."""
        _, cache = solution.pointwise_conv2d_forward(np.ones((2, 3, 5, 6)), np.ones((7, 3, 1, 1)))
        for shape in ((2, 7, 1, 6), (1, 7, 5, 6), (7, 5, 6)):
            with assert_rejects(shape, (2, 7, 5, 6)):
                solution.pointwise_conv2d_backward(np.ones(shape), cache)


@exercise("conv_transpose2d_forward")
class TestConvTranspose2dForward:
    def test_stride_larger_than_the_kernel(self, solution):
        """Where windows don't touch, the pixels between them hold the bias alone."""
        x, weight = np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0]]]])
        out, _ = solution.conv_transpose2d_forward(x, weight, np.array([5.0]), stride=(1, 3), output_padding=(0, 2))
        assert_close(out, np.array([[[[6.0, 7.0, 5.0, 15.0, 25.0, 5.0, 5.0]]]]), "out")

    def test_kernel_is_not_flipped(self, solution):
        """One lonely pixel paints the kernel the right way round."""
        weight = normal(1, 1, 1, 3, 2)
        out, _ = solution.conv_transpose2d_forward(np.ones((1, 1, 1, 1)), weight)
        assert_close(out, weight, "out")

    def test_uneven_everything(self, solution):
        """With unequal sides, strides, paddings and output paddings the output is what the pixels paint."""
        x, weight, bias = normal(1, 2, 3, 5, 4), normal(2, 3, 6, 3, 4), normal(3, 6)
        settings = {"stride": (3, 2), "padding": (1, 2), "output_padding": (2, 1)}
        out, _ = solution.conv_transpose2d_forward(x, weight, bias, **settings)
        assert_close(out, slow_conv_transpose2d(x, weight, bias, **settings), "out")

    def test_positional_order(self, solution):
        """The settings come in the order stride, padding, output_padding."""
        x, weight = normal(1, 2, 3, 5, 4), normal(2, 3, 6, 3, 4)
        out, _ = solution.conv_transpose2d_forward(x, weight, None, (3, 2), (2, 1), (0, 1))
        assert_close(out, slow_conv_transpose2d(x, weight, None, (3, 2), (2, 1), (0, 1)), "out")

    @given(seeds, pairs(1, 4), pairs(1, 4), pairs(0, 1), pairs(0, 3), pairs(3, 5))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding, extra, size):
        """For any map and setting the output is what the pixels paint."""
        output_padding = min(extra[0], stride[0] - 1), min(extra[1], stride[1] - 1)
        x, weight = normal(seed, 2, 2, *size), normal(seed, 2, 3, *kernel)
        out, _ = solution.conv_transpose2d_forward(x, weight, None, stride, padding, output_padding)
        assert_close(out, slow_conv_transpose2d(x, weight, None, stride, padding, output_padding), "out")

    def test_dtypes(self, solution):
        """A float32 x gives a float32 output, an integer x float64."""
        x, weight, bias = normal(1, 2, 3, 5, 4, dtype=np.float32), normal(2, 3, 6, 3, 4), normal(3, 6)
        out, _ = solution.conv_transpose2d_forward(x, weight, bias, 2)
        assert_close(out, slow_conv_transpose2d(x, weight, bias, (2, 2)).astype(np.float32), "out")
        out, _ = solution.conv_transpose2d_forward(np.array([[[[1, 3]]]]), np.array([[[[0.5]]]]))
        assert_close(out, np.array([[[[0.5, 1.5]]]]), "out")

    def test_arguments_stay_and_the_output_is_new(self, solution):
        """Neither x nor weight nor bias is modified or shown through the output."""
        x, weight, bias = normal(1, 2, 1, 4, 5), np.ones((1, 1, 1, 1)), np.zeros(1)
        with assert_unchanged(x=x, weight=weight, bias=bias):
            out, _ = solution.conv_transpose2d_forward(x, weight, bias)
        assert_close(out, x, "out")
        assert_no_alias(out, "out", x=x, weight=weight, bias=bias)

    def test_any_memory_layout(self, solution):
        """Channels-last, reversed and Fortran-ordered arrays give what ordinary ones give."""
        x, weight = normal(1, 2, 3, 5, 4), normal(2, 3, 6, 3, 2)
        out, _ = solution.conv_transpose2d_forward(strange(x), np.asfortranarray(weight), None, (2, 3))
        assert_close(out, slow_conv_transpose2d(x, weight, None, (2, 3)), "out")

    def test_empty_batch_and_larger_batch(self, solution):
        """No images give no outputs; each of 71 images gets its own."""
        weight = normal(2, 3, 2, 3, 2)
        out, _ = solution.conv_transpose2d_forward(np.ones((0, 3, 5, 4)), weight, stride=2)
        assert_close(out, np.zeros((0, 2, 11, 8)), "out")
        x = normal(1, 71, 3, 12, 13)
        out, _ = solution.conv_transpose2d_forward(x, weight, stride=2)
        assert_close(out, slow_conv_transpose2d(x, weight, None, (2, 2)), "out")

    def test_output_padding_goes_with_its_own_stride(self, solution):
        """An output padding below one stride but not below its own axis's is refused; a negative one too."""
        x, weight = np.ones((1, 1, 4, 5)), np.ones((1, 1, 3, 3))
        with assert_rejects("output_padding", 1):
            solution.conv_transpose2d_forward(x, weight, stride=(1, 2), output_padding=1)
        with assert_rejects("output_padding", -1):
            solution.conv_transpose2d_forward(x, weight, stride=2, output_padding=-1)

    def test_nothing_left(self, solution):
        """A padding that cuts the whole output off is an error that names it."""
        with assert_rejects("padding", 7):
            solution.conv_transpose2d_forward(np.ones((1, 1, 4, 5)), np.ones((1, 1, 3, 3)), stride=2, padding=7)

    def test_bad_input(self, solution):
        """Wrong ranks, a weight or bias of another shape and settings out of range are errors that name them."""
        x, weight = np.ones((2, 3, 6, 7)), np.ones((3, 5, 3, 2))
        with assert_rejects(3):
            solution.conv_transpose2d_forward(x[0], weight)
        with assert_rejects(3):
            solution.conv_transpose2d_forward(x, weight[..., 0])
        with assert_rejects(5, 3):
            solution.conv_transpose2d_forward(x, np.ones((5, 3, 3, 2)))
        with assert_rejects(1, 3):
            solution.conv_transpose2d_forward(x, np.ones((1, 5, 3, 2)))
        with assert_rejects(3, 5):
            solution.conv_transpose2d_forward(x, weight, np.ones(3))
        with assert_rejects(1, 5):
            solution.conv_transpose2d_forward(x, weight, np.ones(1))
        with assert_rejects("stride", 0):
            solution.conv_transpose2d_forward(x, weight, stride=0)
        with assert_rejects("padding", -1):
            solution.conv_transpose2d_forward(x, weight, padding=(-1, 0))


@exercise("conv_transpose2d_backward")
class TestConvTranspose2dBackward:
    def test_uneven_everything(self, solution):
        """With a bias and no two settings equal the gradients are the slow loop's."""
        x, weight, bias = normal(1, 2, 3, 5, 4), normal(2, 3, 6, 3, 4), normal(3, 6)
        stride, padding = (3, 2), (1, 2)
        out, cache = solution.conv_transpose2d_forward(x, weight, bias, stride, padding, (2, 1))
        dout = normal(4, *out.shape)
        dx, dbias = slow_conv2d(dout, weight, None, stride, padding), dout.sum(axis=(0, 2, 3))
        dweight = slow_gradients(dout, weight, x, stride, padding)[1]
        assert_gradients(solution.conv_transpose2d_backward(dout, cache), (dx, dweight, dbias))

    def test_windows_apart(self, solution):
        """Where the stride is larger than the kernel, dout between the windows reaches the bias alone."""
        x, weight = normal(1, 1, 2, 2, 3), normal(2, 2, 2, 1, 2)
        out, cache = solution.conv_transpose2d_forward(x, weight, np.zeros(2), (2, 4), 0, (1, 2))
        dout = normal(3, *out.shape)
        f = slow_conv_transpose2d
        dx, dweight, dbias = solution.conv_transpose2d_backward(dout, cache)
        assert_gradient(dx, lambda x: f(x, weight, None, (2, 4), (0, 0), (1, 2)), x, dout, "dx")
        assert_gradient(dweight, lambda w: f(x, w, None, (2, 4), (0, 0), (1, 2)), weight, dout, "dweight")
        assert_close(dbias, dout.sum(axis=(0, 2, 3)), "dbias")

    def test_cache_can_be_used_again(self, solution):
        """Two forwards, then two backwards in any order, the first one twice: each gives its own gradients."""
        x, weight, dout = normal(1, 2, 3, 4, 5), normal(2, 3, 6, 3, 2), normal(3, 2, 6, 7, 8)
        _, first = solution.conv_transpose2d_forward(x, weight, None, (2, 2), (1, 1))
        _, second = solution.conv_transpose2d_forward(2 * x, 3 * weight, None, (2, 2), (1, 1))
        dx = slow_conv2d(dout, weight, None, (2, 2), (1, 1))
        dweight = slow_gradients(dout, weight, x, (2, 2), (1, 1))[1]
        for _ in range(2):
            assert_gradients(solution.conv_transpose2d_backward(dout, first), (dx, dweight))
        assert_gradients(solution.conv_transpose2d_backward(dout, second), (3 * dx, 2 * dweight))

    def test_dtypes(self, solution):
        """For a float32 x all gradients are float32, also from a float64 dout."""
        x, weight, bias = normal(1, 2, 3, 4, 5, dtype=np.float32), normal(2, 3, 6, 3, 2), normal(3, 6)
        out, cache = solution.conv_transpose2d_forward(x, weight, bias, 2)
        dout = normal(4, *out.shape)
        dx, dweight = slow_conv2d(dout, weight, None, (2, 2)), slow_gradients(dout, weight, x, (2, 2))[1]
        gradients = solution.conv_transpose2d_backward(dout, cache)
        assert_gradients(gradients, (dx, dweight, dout.sum(axis=(0, 2, 3))), np.float32)

    def test_arguments_stay_and_gradients_are_new(self, solution):
        """Backward modifies neither dout nor x nor weight, and none of its results is a view of them."""
        x, weight, dout = normal(1, 2, 1, 4, 5), np.ones((1, 1, 1, 1)), normal(2, 2, 1, 4, 5)
        _, cache = solution.conv_transpose2d_forward(x, weight)
        with assert_unchanged(x=x, weight=weight, dout=dout):
            dx, dweight, _ = solution.conv_transpose2d_backward(dout, cache)
        assert_no_alias(dx, "dx", x=x, weight=weight, dout=dout)
        assert_no_alias(dweight, "dweight", x=x, weight=weight, dout=dout)

    def test_any_memory_layout(self, solution):
        """A dout in channels-last layout, upside down in memory, gives the ordinary gradients."""
        x, weight, dout = normal(1, 2, 3, 4, 5), normal(2, 3, 6, 3, 2), normal(3, 2, 6, 9, 10)
        _, cache = solution.conv_transpose2d_forward(strange(x), weight, None, 2)
        expected = slow_conv2d(dout, weight, None, (2, 2)), slow_gradients(dout, weight, x, (2, 2))[1]
        assert_gradients(solution.conv_transpose2d_backward(strange(dout), cache), expected)

    def test_empty_batch(self, solution):
        """No images give an empty dx and zeros for weight and bias."""
        _, cache = solution.conv_transpose2d_forward(np.ones((0, 3, 4, 5)), np.ones((3, 6, 3, 2)), np.ones(6), 2)
        gradients = solution.conv_transpose2d_backward(np.ones((0, 6, 9, 10)), cache)
        assert_gradients(gradients, (np.zeros((0, 3, 4, 5)), np.zeros((3, 6, 3, 2)), np.zeros(6)))

    def test_dout_that_would_broadcast(self, solution):
        """A dout of one row, one image or no images axis is refused, and the message names both shapes."""
        _, cache = solution.conv_transpose2d_forward(np.ones((2, 3, 5, 6)), np.ones((3, 7, 1, 1)))
        for shape in ((2, 7, 1, 6), (1, 7, 5, 6), (7, 5, 6)):
            with assert_rejects(shape, (2, 7, 5, 6)):
                solution.conv_transpose2d_backward(np.ones(shape), cache)


@exercise("Conv2d")
class TestConv2d:
    def test_every_kind_of_layer(self, solution):
        """Plain, pointwise, strided 1x1, grouped, depthwise and one-channel layers all equal the slow loop."""
        kinds = [
            (3, 5, (3, 2), (2, 1), (0, 1), (1, 2), 1),
            (3, 5, (1, 1), (1, 1), (0, 0), (1, 1), 1),
            (3, 5, (1, 1), (2, 3), (1, 0), (1, 1), 1),
            (6, 9, (1, 1), (1, 1), (0, 0), (1, 1), 3),
            (6, 4, (2, 3), (1, 2), (1, 0), (2, 1), 2),
            (3, 6, (3, 2), (2, 1), (0, 1), (1, 2), 3),
            (1, 4, (2, 3), (1, 1), (0, 0), (2, 1), 1),
        ]
        for C, O, kernel, *settings in kinds:
            layer = solution.Conv2d(C, O, kernel, *settings).astype(np.float64)
            layer.bias.value[:] = normal(1, O)
            x, weight = normal(2, 2, C, 5, 7), layer.weight.value
            out = layer(x)
            assert_close(out, slow_conv2d(x, weight, layer.bias.value, *settings), f"out of Conv2d{(C, O, kernel)}")
            dout = normal(3, *out.shape)
            expected_dx, expected_dweight = slow_gradients(x, weight, dout, *settings)
            assert_close(layer.backward(dout), expected_dx, "dx")
            assert_close(layer.weight.grad, expected_dweight, "weight.grad")
            assert_close(layer.bias.grad, dout.sum(axis=(0, 2, 3)), "bias.grad")

    def test_without_bias(self, solution):
        """A layer without bias has one parameter and computes without one, backward as well."""
        layer = solution.Conv2d(4, 6, 2, groups=2, bias=False).astype(np.float64)
        x, dout = normal(1, 2, 4, 5, 3), normal(2, 2, 6, 4, 2)
        assert_equal(len(layer.parameters()), 1)
        assert_close(layer(x), slow_conv2d(x, layer.weight.value, groups=2), "out")
        assert_close(layer.backward(dout), slow_gradients(x, layer.weight.value, dout, groups=2)[0], "dx")

    def test_dtypes(self, solution):
        """Parameters are float32; the output takes the dtype of the input."""
        layer = solution.Conv2d(4, 6, 2, groups=2)
        assert_equal([str(parameter.value.dtype) for parameter in layer.parameters()], ["float32"] * 2)
        assert_equal(str(layer(normal(1, 2, 4, 5, 3)).dtype), "float64")
        assert_equal(str(layer(normal(1, 2, 4, 5, 3, dtype=np.float32)).dtype), "float32")

    def test_generator_decides(self, solution):
        """Generators with one seed draw one weight, with two seeds two."""
        first, again, other = (solution.Conv2d(4, 6, 3, rng=np.random.default_rng(seed)) for seed in (5, 5, 6))
        assert_close(again.weight.value, first.weight.value, "weight")
        assert_equal(bool(np.array_equal(other.weight.value, first.weight.value)), False, "equal weights")

    def test_state_travels(self, solution):
        """A state_dict loaded into a second layer makes it compute what the first does."""
        first, second = (solution.Conv2d(4, 6, (3, 2), dilation=2, groups=2) for _ in range(2))
        first.bias.value[:] = normal(1, 6)
        second.load_state_dict(first.state_dict())
        x = normal(2, 2, 4, 7, 5, dtype=np.float32)
        assert_close(second(x), first(x), "out")

    def test_other_channels(self, solution):
        """An x with other channels than the layer's is refused, also by a depthwise layer it would divide."""
        with assert_rejects(4, 3):
            solution.Conv2d(6, 9, 2, groups=3)(np.ones((2, 4, 5, 5)))
        with assert_rejects(3):
            solution.Conv2d(6, 6, 2, groups=6)(np.ones((2, 3, 5, 5)))
        with assert_rejects(4, 3):
            solution.Conv2d(3, 5, 1)(np.ones((2, 4, 5, 5)))


@exercise("DepthwiseSeparableConv2d")
class TestDepthwiseSeparableConv2d:
    def test_deviations(self, solution):
        """The depthwise fan_in is kh * kw, the pointwise one C."""
        layer = solution.DepthwiseSeparableConv2d(400, 90, 3, rng=np.random.default_rng(1))
        depthwise, pointwise, bias = (parameter.value for parameter in layer.parameters())
        assert_close(np.std(depthwise), np.float32(np.sqrt(2 / 9)), "depthwise deviation", tolerance=0.03)
        assert_close(np.std(pointwise), np.float32(np.sqrt(2 / 400)), "pointwise deviation", tolerance=0.005)
        assert_close(bias, np.zeros(90, np.float32), "bias")

    def test_is_the_full_convolution_with_a_factored_weight(self, solution):
        """The two steps equal one full convolution whose weight is pointwise[o, c] * depthwise[c]."""
        layer = solution.DepthwiseSeparableConv2d(3, 4, (2, 3), (1, 2), (1, 0), bias=False).astype(np.float64)
        depthwise, pointwise = (parameter.value for parameter in layer.parameters())
        x = normal(1, 2, 3, 5, 7)
        assert_close(layer(x), slow_conv2d(x, pointwise * depthwise[None, :, 0], None, (1, 2), (1, 0)), "out")

    def test_gradients_are_slopes(self, solution):
        """The gradient of x is the slope of sum(out * dout), with stride 2 and the default padding."""
        layer = solution.DepthwiseSeparableConv2d(2, 3, stride=2).astype(np.float64)
        depthwise, pointwise, _ = (parameter.value for parameter in layer.parameters())
        x, dout = normal(1, 2, 2, 5, 4), normal(2, 2, 3, 3, 2)
        layer(x)
        weight = pointwise * depthwise[None, :, 0]
        assert_gradient(layer.backward(dout), lambda x: slow_conv2d(x, weight, None, (2, 2), (1, 1)), x, dout, "dx")

    def test_gradients_add_up(self, solution):
        """A second backward adds to every parameter's gradient."""
        layer = solution.DepthwiseSeparableConv2d(3, 4).astype(np.float64)
        x, dout = normal(1, 2, 3, 5, 6), normal(2, 2, 4, 5, 6)
        layer(x)
        layer.backward(dout)
        once = [parameter.grad.copy() for parameter in layer.parameters()]
        layer(x)
        layer.backward(dout)
        for grad, parameter in zip(once, layer.parameters(), strict=True):
            assert_equal(bool(np.any(grad != 0)), True, "a gradient arrives")
            assert_close(parameter.grad, 2 * grad, "grad")

    def test_dtypes(self, solution):
        """Parameters are float32; the output takes the dtype of the input, and so does dx."""
        layer = solution.DepthwiseSeparableConv2d(3, 4)
        assert_equal([str(parameter.value.dtype) for parameter in layer.parameters()], ["float32"] * 3)
        out = layer(normal(1, 2, 3, 5, 6, dtype=np.float32))
        assert_equal([str(out.dtype), str(layer.backward(out).dtype)], ["float32"] * 2)
        assert_equal(str(layer(normal(1, 2, 3, 5, 6)).dtype), "float64")

    def test_generator_decides(self, solution):
        """Generators with one seed draw the same weights; the two steps draw different numbers from it."""
        first, again = (solution.DepthwiseSeparableConv2d(3, 3, rng=np.random.default_rng(5)) for _ in range(2))
        for one, two in zip(first.parameters(), again.parameters(), strict=True):
            assert_close(two.value, one.value, "parameter")
        other = solution.DepthwiseSeparableConv2d(3, 3, 1, rng=np.random.default_rng(5))
        drawn = [parameter.value.ravel()[:3] for parameter in other.parameters()[:2]]
        assert_equal(bool(np.allclose(drawn[0] / drawn[0][0], drawn[1] / drawn[1][0])), False, "the same draws twice")

    def test_state_travels(self, solution):
        """A state_dict loaded into a second layer makes it compute what the first does."""
        first, second = solution.DepthwiseSeparableConv2d(3, 4), solution.DepthwiseSeparableConv2d(3, 4)
        second.load_state_dict(first.state_dict())
        x = normal(2, 2, 3, 7, 5, dtype=np.float32)
        assert_close(second(x), first(x), "out")

    def test_other_channels(self, solution):
        """An x with other channels than the layer's is refused."""
        with assert_rejects(2):
            solution.DepthwiseSeparableConv2d(4, 5)(np.ones((3, 2, 6, 6)))


@exercise("separable_cost_ratio")
class TestSeparableCostRatio:
    def test_is_a_float(self, solution):
        """The ratio is a plain float, also for NumPy's ints and for a rectangular kernel."""
        ratio = solution.separable_cost_ratio(np.int64(10), (5, 2))
        assert_equal(isinstance(ratio, float), True, "is a float")
        assert_close(np.float64(ratio), np.float64(0.2))

    def test_numbers_below_one(self, solution):
        """A negative channel count and a kernel of 0 are errors that name them."""
        with assert_rejects("out_channels", -3):
            solution.separable_cost_ratio(-3, 3)
        with assert_rejects("kernel_size", 0):
            solution.separable_cost_ratio(8, (3, 0))
