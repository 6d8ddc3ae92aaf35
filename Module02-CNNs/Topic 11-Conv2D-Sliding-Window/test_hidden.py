"""Topic 11, hidden suite: the same exercises where they are easiest to get wrong."""

import numpy as np
from hypothesis import given

from kata.testing import (
    assert_close,
    assert_equal,
    assert_gradient,
    assert_no_alias,
    assert_rejects,
    assert_unchanged,
    coordinates,
    exercise,
    normal,
    pairs,
    seeds,
    sizes,
)


def slow_conv2d(x, weight, bias, stride, padding):
    """The definition, one product at a time; reads zero outside the image."""
    (N, C, H, W), (O, _, kh, kw) = x.shape, weight.shape
    (sh, sw), (ph, pw) = stride, padding
    out = np.zeros((N, O, (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1))
    for n, o, i, j in np.ndindex(*out.shape):
        out[n, o, i, j] = 0 if bias is None else bias[o]
        for c, u, v in np.ndindex(C, kh, kw):
            row, column = i * sh + u - ph, j * sw + v - pw
            if 0 <= row < H and 0 <= column < W:
                out[n, o, i, j] += x[n, c, row, column] * weight[o, c, u, v]
    return out


def im2col_conv2d(x, weight, bias, dout_seed, stride, padding):
    """The same convolution by another road, Topic 12's: every window a row of one matrix.

    Returns out, dout (drawn for it) and the gradients dx, dweight, dbias of sum(out * dout).
    """
    (N, C, H, W), (O, _, kh, kw) = x.shape, weight.shape
    (sh, sw), (ph, pw) = stride, padding
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    H_out, W_out = windows.shape[2:4]
    rows, kernels = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, C * kh * kw), weight.reshape(O, -1)
    out = (rows @ kernels.T + bias).reshape(N, H_out, W_out, O).transpose(0, 3, 1, 2)

    dout = normal(dout_seed, *out.shape)
    flat = dout.transpose(0, 2, 3, 1).reshape(-1, O)
    shares = (flat @ kernels).reshape(N, H_out, W_out, C, kh, kw).transpose(0, 3, 1, 2, 4, 5)
    dpadded = np.zeros_like(padded)
    for u, v in np.ndindex(kh, kw):
        dpadded[:, :, u : u + sh * H_out : sh, v : v + sw * W_out : sw] += shares[..., u, v]
    dx = dpadded[:, :, ph : ph + H, pw : pw + W]
    return out, dout, dx, (flat.T @ rows).reshape(weight.shape), flat.sum(axis=0)


def assert_gradients(actual, *expected, dtype=None):
    """Compare dx, dweight and dbias, one after the other."""
    __tracebackhide__ = True
    for name, got, right in zip(("dx", "dweight", "dbias"), actual, expected, strict=True):
        assert_close(got, right, name, dtype=dtype)


# One convolution with every size unequal, and a remainder on both axes.
STRIDE, PADDING = (3, 2), (1, 2)


def operands():
    return normal(1, 2, 3, 7, 6), normal(2, 4, 3, 2, 3), normal(3, 4)


@exercise("conv_output_size")
class TestConvOutputSize:
    def test_window_longer_than_the_unpadded_axis(self, solution):
        """A window longer than the axis fits once padding makes room for it."""
        assert_equal(solution.conv_output_size(2, 4, padding=1), 1)

    def test_whole_number(self, solution):
        """The size is an int even where the division leaves a remainder, so range() takes it."""
        size = solution.conv_output_size(10, 3, stride=4, padding=1)
        assert_equal(list(range(size)), [0, 1, 2])

    def test_stride_of_zero(self, solution):
        """A stride below 1 is an error that shows it."""
        with assert_rejects("stride", 0):
            solution.conv_output_size(7, 3, stride=0)

    def test_negative_padding(self, solution):
        """A negative padding is an error that shows it."""
        with assert_rejects("padding", -1):
            solution.conv_output_size(9, 3, padding=-1)

    def test_window_of_nothing(self, solution):
        """A window of no pixels is an error that shows its length."""
        with assert_rejects("kernel", 0):
            solution.conv_output_size(7, 0)

    @given(sizes(1, 9), sizes(1, 5), sizes(1, 4), sizes(0, 3))
    def test_one_step_more_is_one_position_more(self, solution, size, kernel, stride, padding):
        """An axis longer by the stride has one position more."""
        longer = size + kernel + stride
        fewer = solution.conv_output_size(longer - stride, kernel, stride, padding)
        assert_equal(solution.conv_output_size(longer, kernel, stride, padding), fewer + 1)


@exercise("pad2d")
class TestPad2d:
    def test_float32_stays(self, solution):
        """Images in float32 stay float32 whatever type the border's value has."""
        x = normal(1, 2, 3, 4, 5, dtype=np.float32)
        expected = np.pad(x, ((0, 0), (0, 0), (2, 2), (1, 1)), constant_values=np.float32(0.1))
        assert_close(solution.pad2d(x, (2, 1), value=0.1), expected)

    def test_integers_become_float64(self, solution):
        """Integer images become float64, so a border of one half stays one half."""
        padded = solution.pad2d(np.array([[[[3, 4]]]]), (0, 1), value=0.5)
        assert_close(padded, np.array([[[[0.5, 3.0, 4.0, 0.5]]]]))

    def test_border_of_minus_infinity(self, solution):
        """The border can be minus infinity, as max pooling will want it."""
        padded = solution.pad2d(np.array([[[[3.0, 4.0]]]]), (0, 1), value=-np.inf)
        assert_close(padded, np.array([[[[-np.inf, 3.0, 4.0, -np.inf]]]]))

    def test_no_padding_is_still_a_copy(self, solution):
        """Padding 0 returns a new array that shares no memory with the image."""
        x = normal(1, 2, 3, 4, 5)
        padded = solution.pad2d(x, 0)
        assert_close(padded, x)
        assert_no_alias(padded, x=x)

    def test_image_unchanged(self, solution):
        """The image is left as it was."""
        x = normal(1, 2, 3, 4, 5)
        with assert_unchanged(x=x):
            solution.pad2d(x, (1, 2), value=9.0)

    def test_transposed_and_reversed_image(self, solution):
        """An image that is a transposed, reversed view is padded as its values stand."""
        x = normal(1, 2, 3, 5, 4).transpose(0, 1, 3, 2)[:, :, ::-1, ::2]
        assert_close(solution.pad2d(x, (1, 2)), np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2))))

    def test_no_images(self, solution):
        """A batch of no images is padded to a batch of no images."""
        assert_close(solution.pad2d(np.zeros((0, 3, 4, 5)), (1, 2)), np.zeros((0, 3, 6, 9)))

    def test_negative_padding(self, solution):
        """A negative padding is an error that shows it."""
        with assert_rejects("padding", -1):
            solution.pad2d(np.zeros((2, 3, 7, 8)), (2, -1))

    def test_five_axes(self, solution):
        """An array of five axes is an error that shows its shape."""
        with assert_rejects("(1, 2, 3, 5, 7)"):
            solution.pad2d(np.zeros((1, 2, 3, 5, 7)), 1)


@exercise("conv2d_forward")
class TestConv2dForward:
    def test_kernel_as_it_lies(self, solution):
        """The kernel is not flipped: an image of one bright pixel comes out as the kernel turned around."""
        x = np.zeros((1, 1, 3, 5))
        x[0, 0, 1, 2] = 1
        out, _ = solution.conv2d_forward(x, np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]))
        assert_close(out, np.array([[[[6.0, 5.0, 4.0], [3.0, 2.0, 1.0]]]]))

    def test_remainder_is_not_read(self, solution):
        """Pixels behind the last whole step have no influence on the output."""
        x, weight = normal(1, 2, 3, 6, 8), normal(2, 4, 3, 2, 3)
        out, _ = solution.conv2d_forward(x, weight, stride=(3, 4))
        x[:, :, 5:], x[:, :, :, 7:] = 99, 99
        assert_close(solution.conv2d_forward(x, weight, stride=(3, 4))[0], out)

    def test_translation_equivariance(self, solution):
        """Moving the image by one stride moves the output by one pixel."""
        x, weight, bias = operands()
        moved = np.roll(x, (3, 2), axis=(2, 3))
        out, _ = solution.conv2d_forward(x, weight, bias, STRIDE)
        out_moved, _ = solution.conv2d_forward(moved, weight, bias, STRIDE)
        assert_close(out_moved[:, :, 1:, 1:], out[:, :, :-1, :-1])

    def test_kernel_as_large_as_the_image(self, solution):
        """A kernel as large as the image is a dense layer."""
        x, weight, bias = normal(1, 2, 3, 4, 5), normal(2, 6, 3, 4, 5), normal(3, 6)
        out, _ = solution.conv2d_forward(x, weight, bias)
        assert_close(out, (x.reshape(2, 60) @ weight.reshape(6, 60).T + bias).reshape(2, 6, 1, 1))

    def test_one_number_for_both_axes(self, solution):
        """A single stride or padding holds down and across."""
        x, weight, bias = operands()
        out, _ = solution.conv2d_forward(x, weight, bias, stride=2, padding=1)
        assert_close(out, slow_conv2d(x, weight, bias, (2, 2), (1, 1)))

    def test_padding_wider_than_the_kernel(self, solution):
        """Windows that lie over padding alone give the bias."""
        x, weight, bias = operands()
        out, _ = solution.conv2d_forward(x, weight, bias, padding=(3, 4))
        assert_close(out, slow_conv2d(x, weight, bias, (1, 1), (3, 4)))

    def test_float32_stays(self, solution):
        """Images in float32 give float32, also under a float64 weight and bias."""
        x, weight, bias = operands()
        out, _ = solution.conv2d_forward(x.astype(np.float32), weight, bias, STRIDE, PADDING)
        assert_close(out, slow_conv2d(x, weight, bias, STRIDE, PADDING), dtype=np.float32)

    def test_integers_become_float64(self, solution):
        """Integer images give float64, and the fractions of the weight and the bias survive."""
        out, _ = solution.conv2d_forward(np.array([[[[1, 2, 4]]]]), np.array([[[[0.5, 0.25]]]]), np.array([0.125]))
        assert_close(out, np.array([[[[1.125, 2.125]]]]))

    def test_integer_weight(self, solution):
        """An integer weight and bias compute in the dtype of the image."""
        out, _ = solution.conv2d_forward(np.array([[[[0.5, 1.5]]]]), np.array([[[[2, 4]]]]), np.array([1]))
        assert_close(out, np.array([[[[8.0]]]]))

    def test_arguments_unchanged(self, solution):
        """Image, weight and bias are left as they were, with padding and without."""
        x, weight, bias = operands()
        with assert_unchanged(x=x, weight=weight, bias=bias):
            solution.conv2d_forward(x, weight, bias, STRIDE, PADDING)
            solution.conv2d_forward(x, weight, bias)

    def test_output_of_its_own(self, solution):
        """The output shares memory with no argument, not even where a kernel of one pixel copies the image."""
        x, weight, bias = normal(1, 2, 1, 3, 4), np.ones((1, 1, 1, 1)), np.zeros(1)
        out, _ = solution.conv2d_forward(x, weight, bias)
        assert_close(out, x)
        assert_no_alias(out, "out", x=x, weight=weight, bias=bias)

    def test_second_call_leaves_the_first_output(self, solution):
        """A second convolution leaves the first one's output as it was."""
        x, weight, bias = operands()
        out, _ = solution.conv2d_forward(x, weight, bias)
        with assert_unchanged(out=out):
            solution.conv2d_forward(-x, weight, bias)

    def test_views_of_larger_arrays(self, solution):
        """Transposed, reversed and sliced arguments are read as their values stand."""
        x, weight = normal(1, 2, 3, 12, 7).transpose(0, 1, 3, 2)[:, :, ::-1, ::2], normal(2, 3, 4, 3, 2)[..., ::-1]
        weight, bias = weight.swapaxes(0, 1), normal(3, 8)[::-2]
        out, _ = solution.conv2d_forward(x, weight, bias, STRIDE, PADDING)
        assert_close(out, slow_conv2d(x, weight, bias, STRIDE, PADDING))

    def test_no_images(self, solution):
        """A batch of no images gives a batch of no outputs, of the right shape."""
        _, weight, bias = operands()
        out, _ = solution.conv2d_forward(np.zeros((0, 3, 7, 6)), weight, bias, STRIDE, PADDING)
        assert_close(out, np.zeros((0, 4, 3, 4)))

    def test_image_without_batch_axis(self, solution):
        """An image that is not 4-D is an error that shows its shape."""
        with assert_rejects("(3, 7, 6)"):
            solution.conv2d_forward(np.zeros((3, 7, 6)), np.zeros((4, 3, 2, 3)))

    def test_weight_that_is_not_4d(self, solution):
        """A weight that is not 4-D is an error that shows its shape."""
        with assert_rejects("(3, 2, 5)"):
            solution.conv2d_forward(np.zeros((1, 3, 7, 6)), np.zeros((3, 2, 5)))

    def test_weight_is_not_stretched(self, solution):
        """A weight for one channel is not stretched over many: an error that names both numbers."""
        with assert_rejects(13, 1):
            solution.conv2d_forward(np.zeros((2, 13, 4, 5)), np.zeros((7, 1, 2, 3)))

    def test_image_is_not_stretched(self, solution):
        """An image of one channel is not stretched over a weight for many."""
        with assert_rejects(1, 13):
            solution.conv2d_forward(np.zeros((2, 1, 4, 5)), np.zeros((7, 13, 2, 3)))

    def test_bias_of_another_length(self, solution):
        """A bias that is not one number for each output channel is an error that shows its shape and the channels."""
        for shape in [(13,), (1,), (), (17, 1)]:
            with assert_rejects(shape, 17):
                solution.conv2d_forward(np.zeros((1, 3, 4, 5)), np.zeros((17, 3, 2, 3)), np.zeros(shape))

    def test_window_that_does_not_fit(self, solution):
        """A kernel larger than the padded image is an error that names both lengths."""
        with assert_rejects(9, 7):
            solution.conv2d_forward(np.zeros((1, 2, 12, 5)), np.zeros((3, 2, 4, 9)), padding=1)

    def test_stride_and_padding_out_of_range(self, solution):
        """A stride below 1 or a negative padding is an error that shows it, on either axis."""
        x, weight, bias = operands()
        with assert_rejects("stride", 0):
            solution.conv2d_forward(x, weight, bias, stride=(1, 0))
        with assert_rejects("padding", -1):
            solution.conv2d_forward(x, weight, bias, padding=(-1, 0))


@exercise("conv2d_backward")
class TestConv2dBackward:
    def test_gradients_are_slopes(self, solution):
        """Each gradient is the slope of sum(out * dout), with every size unequal and remainders on both axes."""
        x, weight, bias = normal(1, 1, 2, 5, 4), normal(2, 3, 2, 2, 3), normal(3, 3)
        settings = {"stride": STRIDE, "padding": (1, 2)}
        out, cache = solution.conv2d_forward(x, weight, bias, **settings)
        dout = normal(4, *out.shape)
        dx, dweight, dbias = solution.conv2d_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_conv2d(x, weight, bias, **settings), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_conv2d(x, w, bias, **settings), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_conv2d(x, weight, b, **settings), bias, dout, "dbias")

    @given(seeds, pairs(1, 4), pairs(1, 4), pairs(0, 3))
    def test_equals_im2col_both_ways(self, solution, seed, kernel, stride, padding):
        """The sliding window and one matrix product over all windows agree, forward and backward."""
        x, weight, bias = normal(seed, 3, 2, 4, 5), normal(seed, 5, 2, *kernel), normal(seed, 5)
        expected, dout, *gradients = im2col_conv2d(x, weight, bias, seed, stride, padding)
        out, cache = solution.conv2d_forward(x, weight, bias, stride, padding)
        assert_close(out, expected, "out")
        assert_gradients(solution.conv2d_backward(dout, cache), *gradients)

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2))
    def test_forward_and_backward_are_adjoint(self, solution, seed, kernel, stride, padding):
        """Without a bias sum(out * dout), sum(x * dx) and sum(weight * dweight) are one number."""
        x, weight = normal(seed, 2, 3, 5, 4), normal(seed, 4, 3, *kernel)
        _, cache = solution.conv2d_forward(x, weight, None, stride, padding)
        out = slow_conv2d(x, weight, None, stride, padding)
        dout = normal(seed, *out.shape)
        dx, dweight, dbias = solution.conv2d_backward(dout, cache)
        assert_equal(dbias, None, "dbias")
        assert_close(np.sum(x * dx), np.sum(out * dout), "sum(x * dx)")
        assert_close(np.sum(weight * dweight), np.sum(out * dout), "sum(weight * dweight)")

    def test_pixels_no_window_reads(self, solution):
        """A pixel no window reads has gradient zero: behind the last step, and between steps wider than the kernel."""
        out, cache = solution.conv2d_forward(coordinates(1, 1, 1, 6), np.array([[[[3.0, 7.0]]]]), stride=3)
        assert_equal(out.shape, (1, 1, 1, 2), "out")
        dx, _, _ = solution.conv2d_backward(np.array([[[[10.0, 100.0]]]]), cache)
        assert_close(dx, np.array([[[[30.0, 70.0, 0.0, 300.0, 700.0, 0.0]]]]), "dx")

    def test_images_add_up(self, solution):
        """The gradients of weight and bias add up over the images; they are not averaged."""
        x, weight, bias = operands()
        _, dout, _, dweight, dbias = im2col_conv2d(x[:1], weight, bias, 4, STRIDE, PADDING)
        _, cache = solution.conv2d_forward(np.repeat(x[:1], 5, axis=0), weight, bias, STRIDE, PADDING)
        gradients = solution.conv2d_backward(np.repeat(dout, 5, axis=0), cache)
        assert_close(gradients[1], 5 * dweight, "dweight")
        assert_close(gradients[2], 5 * dbias, "dbias")

    def test_two_forwards_before_two_backwards(self, solution):
        """Each cache belongs to its own forward, whatever ran in between."""
        (x, weight, bias), seen = operands(), []
        for scale in (1, -2):
            seen.append(solution.conv2d_forward(scale * x, weight / scale, bias, STRIDE, PADDING))
        for scale, (_, cache) in zip((1, -2), seen, strict=True):
            _, dout, *expected = im2col_conv2d(scale * x, weight / scale, bias, 4, STRIDE, PADDING)
            assert_gradients(solution.conv2d_backward(dout, cache), *expected)

    def test_cache_used_twice(self, solution):
        """A second backward on the same cache starts from zero and leaves the first one's gradients alone."""
        x, weight, bias = operands()
        _, dout, *expected = im2col_conv2d(x, weight, bias, 4, STRIDE, PADDING)
        _, cache = solution.conv2d_forward(x, weight, bias, STRIDE, PADDING)
        first = solution.conv2d_backward(np.ones_like(dout), cache)
        with assert_unchanged(dx=first[0], dweight=first[1], dbias=first[2]):
            second = solution.conv2d_backward(dout, cache)
        assert_gradients(second, *expected)

    def test_arguments_unchanged(self, solution):
        """The upstream gradient and the arguments of forward are left as they were."""
        x, weight, bias = operands()
        dout = normal(4, 2, 4, 6, 4)
        with assert_unchanged(x=x, weight=weight, bias=bias, dout=dout):
            _, cache = solution.conv2d_forward(x, weight, bias)
            solution.conv2d_backward(dout, cache)

    def test_gradients_of_their_own(self, solution):
        """No gradient shares memory with dout or an argument, not even where it equals one."""
        x, weight, bias = np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)), np.zeros(1)
        dout = np.full((1, 1, 1, 1), 3.0)
        _, cache = solution.conv2d_forward(x, weight, bias)
        for name, gradient in zip(("dx", "dweight", "dbias"), solution.conv2d_backward(dout, cache), strict=True):
            assert_close(gradient.reshape(1, 1, 1, 1), dout, name)
            assert_no_alias(gradient, name, x=x, weight=weight, bias=bias, dout=dout)

    def test_float32_stays(self, solution):
        """A float32 convolution has float32 gradients, also for a float64 dout."""
        x, weight, bias = operands()
        _, dout, *expected = im2col_conv2d(x, weight, bias, 4, STRIDE, PADDING)
        _, cache = solution.conv2d_forward(x.astype(np.float32), weight, bias, STRIDE, PADDING)
        assert_gradients(solution.conv2d_backward(dout, cache), *expected, dtype=np.float32)

    def test_integers_become_float64(self, solution):
        """Integer images have float64 gradients, also for an integer dout."""
        _, cache = solution.conv2d_forward(np.array([[[[1, 2, 4]]]]), np.array([[[[0.5, 0.25]]]]), np.array([0.125]))
        expected = [np.array([[[[0.5, 1.25, 0.5]]]]), np.array([[[[5.0, 10.0]]]]), np.array([3.0])]
        assert_gradients(solution.conv2d_backward(np.array([[[[1, 2]]]]), cache), *expected)

    def test_dout_that_is_a_view(self, solution):
        """A transposed, reversed dout is read as its values stand."""
        x, weight, bias = operands()
        _, dout, *expected = im2col_conv2d(x, weight, bias, 4, STRIDE, PADDING)
        view = np.ascontiguousarray(dout[..., ::-1].swapaxes(0, 1)).swapaxes(0, 1)[..., ::-1]
        _, cache = solution.conv2d_forward(x, weight, bias, STRIDE, PADDING)
        assert_gradients(solution.conv2d_backward(view, cache), *expected)

    def test_no_images(self, solution):
        """A batch of no images has an empty dx and zeros for weight and bias."""
        _, weight, bias = operands()
        _, cache = solution.conv2d_forward(np.zeros((0, 3, 7, 6)), weight, bias, STRIDE, PADDING)
        expected = [np.zeros((0, 3, 7, 6)), np.zeros_like(weight), np.zeros(4)]
        assert_gradients(solution.conv2d_backward(np.zeros((0, 4, 3, 4)), cache), *expected)

    def test_dout_of_a_wrong_shape(self, solution):
        """A dout is not stretched or cut to the output's shape: an error that shows both."""
        x, weight, bias = operands()
        _, cache = solution.conv2d_forward(x, weight, bias, STRIDE, PADDING)
        for shape in [(1, 4, 3, 4), (2, 4, 1, 1), (2, 4, 4, 5), (2, 4, 3, 4, 1), (4, 3, 4)]:
            with assert_rejects(shape, "(2, 4, 3, 4)"):
                solution.conv2d_backward(np.ones(shape), cache)


@exercise("Conv2d")
class TestConv2d:
    def test_no_bias_forward_and_backward(self, solution):
        """Without a bias the layer still convolves both ways."""
        layer, (x, weight, bias) = solution.Conv2d(3, 4, (2, 3), STRIDE, PADDING, bias=False).astype(float), operands()
        layer.weight.value[...] = weight
        out, dout, dx, dweight, _ = im2col_conv2d(x, weight, 0 * bias, 4, STRIDE, PADDING)
        assert_close(layer(x), out, "out")
        assert_close(layer.backward(dout), dx, "dx")
        assert_close(layer.weight.grad, dweight, "weight.grad")

    def test_gradients_accumulate(self, solution):
        """Two passes leave the sum of their gradients in .grad."""
        layer, (x, _, _) = solution.Conv2d(3, 4, (2, 3), STRIDE, PADDING).astype(float), operands()
        weight, bias = layer.weight.value, layer.bias.value
        expected = [im2col_conv2d(x * scale, weight, bias, 4, STRIDE, PADDING) for scale in (1, 3)]
        for scale, (_, dout, *_) in zip((1, 3), expected, strict=True):
            layer(x * scale)
            layer.backward(dout)
        assert_close(layer.weight.grad, expected[0][3] + expected[1][3], "weight.grad")
        assert_close(layer.bias.grad, expected[0][4] + expected[1][4], "bias.grad")

    def test_gradients_are_slopes(self, solution):
        """In float64 the layer's gradients are the slopes of sum(out * dout)."""
        layer, x = solution.Conv2d(2, 3, (1, 2), stride=(2, 1), padding=(1, 0)).astype(float), normal(1, 2, 2, 3, 4)
        weight, bias, settings = layer.weight.value.copy(), normal(2, 3), {"stride": (2, 1), "padding": (1, 0)}
        layer.bias.value[...] = bias
        dout = normal(3, *layer(x).shape)
        dx = layer.backward(dout)
        assert_gradient(dx, lambda x: slow_conv2d(x, weight, bias, **settings), x, dout, "dx")
        assert_gradient(layer.weight.grad, lambda w: slow_conv2d(x, w, bias, **settings), weight, dout, "weight.grad")
        assert_gradient(layer.bias.grad, lambda b: slow_conv2d(x, weight, b, **settings), bias, dout, "bias.grad")

    def test_parameters_are_float32(self, solution):
        """Weight and bias are float32, with gradients of zeros in their shape."""
        layer = solution.Conv2d(3, 4, (2, 5))
        assert_close(layer.weight.grad, np.zeros((4, 3, 2, 5), np.float32), "weight.grad")
        assert_close(layer.bias.grad, np.zeros(4, np.float32), "bias.grad")
        assert_equal(str(layer.weight.value.dtype), "float32", "dtype of weight")

    def test_computes_in_the_dtype_of_its_input(self, solution):
        """Inputs in float32 and float64 give outputs and gradients of their own dtype."""
        layer, (x, _, _) = solution.Conv2d(3, 4, 2), operands()
        for dtype in (np.float32, np.float64):
            out = layer(x.astype(dtype))
            assert_close(out, slow_conv2d(x, layer.weight.value, None, (1, 1), (0, 0)), "out", dtype=dtype)
            assert_equal(str(layer.backward(out).dtype), str(np.dtype(dtype)), "dtype of dx")

    def test_same_generator_same_weight(self, solution):
        """Generators of one seed draw one weight, of two seeds two; without one every layer is different."""
        one, two, three = (solution.Conv2d(3, 4, 2, rng=np.random.default_rng(seed)) for seed in (5, 5, 6))
        assert_close(one.weight.value, two.weight.value, "weight", tolerance=0)
        assert not np.array_equal(one.weight.value, three.weight.value), "two seeds drew the same weight"
        free, other = solution.Conv2d(3, 4, 2), solution.Conv2d(3, 4, 2)
        assert not np.array_equal(free.weight.value, other.weight.value), "two layers without rng are the same"

    def test_weight_is_normal(self, solution):
        """The weights have mean 0 and one in 22 lies beyond two standard deviations, as normal numbers do."""
        weight = solution.Conv2d(8, 64, (5, 4), rng=np.random.default_rng(12)).weight.value
        scaled = weight / np.sqrt(2 / 160)
        assert abs(scaled.mean()) < 0.05, f"mean: expected 0, got {scaled.mean():.3f} standard deviations"
        assert 0.95 < scaled.std() < 1.05, f"standard deviation: expected 0.1118, got {weight.std():.4f}"
        beyond = np.mean(np.abs(scaled) > 2)
        assert 0.035 < beyond < 0.056, f"share beyond two deviations: expected 0.0455, got {beyond:.4f}"

    def test_state_round_trip(self, solution):
        """The saved state is weight and bias, also after a pass, and makes a second layer compute the same."""
        layer, twin, (x, weight, bias) = solution.Conv2d(3, 4, (2, 3)), solution.Conv2d(3, 4, (2, 3)), operands()
        layer.weight.value[...], layer.bias.value[...] = weight, bias
        layer.backward(layer(x))
        state = layer.state_dict()
        assert_equal(list(state), ["weight", "bias"], "names")
        twin.load_state_dict(state)
        assert_close(twin(x), layer(x), "out")

    def test_parameters_survive_a_pass(self, solution):
        """Neither pass changes the parameters or its argument."""
        layer, (x, _, _) = solution.Conv2d(3, 4, (2, 3), STRIDE, PADDING), operands()
        dout = normal(4, 2, 4, 3, 4)
        with assert_unchanged(x=x, dout=dout, weight=layer.weight.value, bias=layer.bias.value):
            layer(x)
            layer.backward(dout)

    def test_batches_of_other_sizes(self, solution):
        """One layer takes images and batches of any size, one after the other."""
        layer = solution.Conv2d(3, 4, (2, 3), padding=(0, 1))
        for shape in [(2, 3, 5, 7), (1, 3, 6, 4), (0, 3, 5, 7)]:
            assert_equal(layer(np.ones(shape)).shape, (shape[0], 4, shape[2] - 1, shape[3]), "out")

    def test_two_layers(self, solution):
        """Two layers keep their passes apart."""
        (x, _, _), first, second = operands(), solution.Conv2d(3, 4, 2), solution.Conv2d(3, 5, 3)
        first(x)
        second(x)
        _, dout, dx, *_ = im2col_conv2d(x, first.weight.value, np.zeros(4), 4, (1, 1), (0, 0))
        assert_close(first.backward(dout), dx, "dx")


@exercise("conv2d_cost")
class TestConv2dCost:
    def test_without_bias(self, solution):
        """Without a bias its O parameters go; the multiply-accumulates stay, a bias costs none."""
        lean, full = (solution.conv2d_cost((5, 3, 7, 9), 4, (2, 3), bias=bias) for bias in (False, True))
        assert_equal(lean["parameters"], 4 * 3 * 2 * 3, "parameters")
        assert_equal(full["parameters"], 4 * 3 * 2 * 3 + 4, "parameters")
        assert_equal(lean["macs"], full["macs"], "macs")

    def test_exactly_four_entries(self, solution):
        """The result has exactly the four entries of the docstring."""
        cost = solution.conv2d_cost((1, 2, 5, 6), 3, 2)
        assert_equal(sorted(cost), ["macs", "output_bytes", "output_shape", "parameters"])

    @given(pairs(1, 4), pairs(3, 9), sizes(1, 5), pairs(1, 3), pairs(1, 3), pairs(0, 2))
    def test_every_entry(self, solution, batch, image, O, kernel, stride, padding):
        """Every entry is what counting the output numbers gives, for any sizes."""
        (N, C), (kh, kw) = batch, kernel
        x, weight = np.zeros((N, C, *image)), np.zeros((O, C, kh, kw))
        out = im2col_conv2d(x, weight, np.zeros(O), 0, stride, padding)[0]
        cost = solution.conv2d_cost(x.shape, O, kernel, stride, padding, bias=False)
        assert_equal(cost["parameters"], weight.size, "parameters")
        assert_equal(cost["macs"], out.size * C * kh * kw, "macs")
        assert_equal(cost["output_shape"], out.shape, "output_shape")
        assert_equal(cost["output_bytes"], out.astype(np.float32).nbytes, "output_bytes")

    def test_no_images(self, solution):
        """A batch of no images costs no multiply-accumulate and no bytes; the parameters are there all the same."""
        cost = solution.conv2d_cost((0, 3, 7, 6), 4, (2, 3))
        assert_equal((cost["macs"], cost["output_bytes"], cost["parameters"]), (0, 0, 76))

    def test_large_layer(self, solution):
        """Large counts are exact: no overflow, no rounding."""
        cost = solution.conv2d_cost((256, 512, 224, 224), 512, 7, padding=3)
        assert_equal(cost["macs"], 256 * 512 * 224 * 224 * 512 * 49)

    def test_shape_of_three_numbers(self, solution):
        """A shape that is not four numbers is an error that shows it."""
        with assert_rejects("(3, 32, 32)"):
            solution.conv2d_cost((3, 32, 32), 8, 3)

    def test_window_that_does_not_fit(self, solution):
        """A window larger than the padded image is an error that names both lengths."""
        with assert_rejects(9, 7):
            solution.conv2d_cost((1, 3, 5, 20), 8, (9, 2), padding=1)


@exercise("receptive_field")
class TestReceptiveField:
    @given(seeds, sizes(0, 6))
    def test_walking_back(self, solution, seed, depth):
        """One output pixel, traced back layer by layer, spans as many input pixels as the result says."""
        rng = np.random.default_rng(seed)
        layers = [(int(rng.integers(1, 6)), int(rng.integers(1, 4))) for _ in range(depth)]
        first, last = 0, 0
        for kernel, stride in reversed(layers):
            first, last = first * stride, last * stride + kernel - 1
        assert_equal(solution.receptive_field(layers), last - first + 1)

    def test_vgg16(self, solution):
        """The thirteen convolutions and five poolings of VGG-16 see 212 pixels."""
        layers = []
        for convolutions in (2, 2, 3, 3, 3):
            layers += [(3, 1)] * convolutions + [(2, 2)]
        assert_equal(solution.receptive_field(layers), 212)

    def test_layers_unchanged(self, solution):
        """The list of layers is left as it was."""
        layers = [(3, 2), (2, 1), (5, 3)]
        solution.receptive_field(layers)
        assert_equal(len(layers), 3, "number of layers")
        assert_equal(layers, [(3, 2), (2, 1), (5, 3)])

    def test_kernel_or_stride_of_zero(self, solution):
        """A kernel or a stride below 1 is an error that shows the layer."""
        for wrong in [(0, 7), (7, 0)]:
            with assert_rejects(wrong):
                solution.receptive_field([(3, 1), wrong])


@exercise("simple_convnet")
class TestSimpleConvnet:
    def test_shapes_of_the_parameters(self, solution):
        """Saved names and shapes are those of Conv2d, ReLU, Flatten, Linear in a Sequential."""
        state = solution.simple_convnet((2, 5, 3), num_classes=7, channels=4).state_dict()
        assert_equal(list(state), ["0.weight", "0.bias", "3.weight", "3.bias"], "names")
        for array, shape in zip(state.values(), [(4, 2, 3, 3), (4,), (7, 60), (7,)], strict=True):
            assert_equal(array.shape, shape, "shape")

    def test_eight_channels_unless_told(self, solution):
        """Without `channels` the convolution has eight output channels."""
        net = solution.simple_convnet((3, 5, 4), num_classes=6)
        assert_equal(net.parameters()[0].value.shape, (8, 3, 3, 3), "weight")

    def test_gradients_are_slopes(self, solution):
        """In float64 every gradient of the network is the slope of sum(scores * dout)."""
        net = solution.simple_convnet((1, 3, 2), 3, channels=2, rng=np.random.default_rng(3)).astype(float)
        x, dout = normal(1, 2, 1, 3, 2), normal(2, 2, 3)

        def scores(x, weight, bias, dense, shift):
            hidden = slow_conv2d(x, weight, bias, (1, 1), (1, 1))
            return np.maximum(hidden, 0).reshape(len(x), -1) @ dense.T + shift

        arguments = [x, *(parameter.value.copy() for parameter in net.parameters())]
        net(x)
        gradients = [net.backward(dout), *(parameter.grad for parameter in net.parameters())]
        for index, name in enumerate(["dx", "dweight", "dbias", "ddense", "dshift"]):
            before, after = arguments[:index], arguments[index + 1 :]
            assert_gradient(
                gradients[index],
                lambda moved, before=before, after=after: scores(*before, moved, *after),
                arguments[index],
                dout,
                name,
            )

    def test_one_generator_for_both_weights(self, solution):
        """Networks from generators of one seed are equal, and their two weights come from one stream."""
        one, two = (solution.simple_convnet((1, 3, 3), 9, channels=1, rng=np.random.default_rng(7)) for _ in range(2))
        for left, right in zip(one.parameters(), two.parameters(), strict=True):
            assert_close(left.value, right.value, "parameter", tolerance=0)
        kernel, dense = one.parameters()[0].value, one.parameters()[2].value
        assert not np.array_equal(kernel.ravel(), dense[0]), "the dense layer repeats the convolution's numbers"

    def test_fresh_networks_differ(self, solution):
        """Without a generator every network starts elsewhere."""
        one, two = solution.simple_convnet((1, 3, 4), 2), solution.simple_convnet((1, 3, 4), 2)
        for index in (0, 2):
            left, right = one.parameters()[index].value, two.parameters()[index].value
            assert not np.array_equal(left, right), "two networks without rng are the same"

    def test_no_images(self, solution):
        """A batch of no images has no scores and no gradients."""
        net = solution.simple_convnet((2, 3, 4), num_classes=5, channels=3)
        assert_equal(net(np.zeros((0, 2, 3, 4))).shape, (0, 5), "scores")
        assert_equal(net.backward(np.zeros((0, 5))).shape, (0, 2, 3, 4), "dx")
