"""Topic 11, visible suite: read a test, make it pass, go on to the next."""

import numpy as np
from hypothesis import given

from kata.testing import (
    assert_close,
    assert_equal,
    assert_gradient,
    assert_rejects,
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


@exercise("conv_output_size")
class TestConvOutputSize:
    def test_every_position_counts(self, solution):
        """A window of 3 has 5 positions on an axis of 7."""
        assert_equal(solution.conv_output_size(7, 3), 5)

    def test_window_as_long_as_the_axis(self, solution):
        """A window as long as the axis has exactly one position."""
        assert_equal(solution.conv_output_size(6, 6), 1)

    def test_padding_at_both_ends(self, solution):
        """Padding lengthens the axis at both of its ends: 5 pixels and 2 a side are 9, with 7 positions for 3."""
        assert_equal(solution.conv_output_size(5, 3, padding=2), 7)

    def test_stride_that_leaves_a_remainder(self, solution):
        """A step that would leave the axis is not taken: 8 pixels, window 3, stride 2 make 3 positions."""
        assert_equal(solution.conv_output_size(8, 3, stride=2), 3)

    def test_window_that_does_not_fit(self, solution):
        """A window larger than the padded axis is an error that names both lengths."""
        with assert_rejects(5, 4):
            solution.conv_output_size(2, 5, padding=1)

    @given(sizes(1, 12), sizes(1, 5), sizes(1, 4), sizes(0, 3))
    def test_counts_window_starts(self, solution, size, kernel, stride, padding):
        """The size is the number of window starts, one stride apart, whose window ends inside the padded axis."""
        kernel = min(kernel, size + 2 * padding)
        starts = [start for start in range(0, size + 2 * padding, stride) if start + kernel <= size + 2 * padding]
        assert_equal(solution.conv_output_size(size, kernel, stride, padding), len(starts))


@exercise("pad2d")
class TestPad2d:
    def test_one_pixel_all_around(self, solution):
        """Padding 1 puts a row of zeros above and below and a column of zeros left and right."""
        expected = [[0.0, 0, 0, 0, 0], [0, 0, 1, 2, 0], [0, 10, 11, 12, 0], [0, 0, 0, 0, 0]]
        assert_close(solution.pad2d(coordinates(1, 1, 2, 3), 1), np.array([[expected]]))

    def test_rows_first_then_columns(self, solution):
        """A pair is (rows above and below, columns left and right)."""
        padded = solution.pad2d(np.array([[[[5.0, 6.0]]]]), (0, 2))
        assert_close(padded, np.array([[[[0.0, 0.0, 5.0, 6.0, 0.0, 0.0]]]]))

    def test_border_of_another_value(self, solution):
        """The border holds the value asked for."""
        padded = solution.pad2d(np.array([[[[5.0, 6.0]]]]), (1, 0), value=-3)
        assert_close(padded, np.array([[[[-3.0, -3.0], [5.0, 6.0], [-3.0, -3.0]]]]))

    def test_image_without_batch_axis(self, solution):
        """An array that is not 4-D is an error that shows its shape."""
        with assert_rejects("(3, 5, 7)"):
            solution.pad2d(np.zeros((3, 5, 7)), 1)

    @given(seeds, pairs(1, 5), pairs(0, 3))
    def test_image_in_the_middle(self, solution, seed, image, padding):
        """Every channel of every image stands in the middle of its own border."""
        x, (ph, pw) = normal(seed, 2, 3, *image), padding
        expected = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=7)
        assert_close(solution.pad2d(x, padding, value=7.0), expected)


@exercise("conv2d_forward")
class TestConv2dForward:
    def test_corner_kernel_reads_one_pixel(self, solution):
        """A kernel that is 1 in its lower right corner copies the pixel under that corner."""
        weight = np.zeros((1, 1, 2, 3))
        weight[0, 0, 1, 2] = 1
        out, _ = solution.conv2d_forward(coordinates(1, 1, 3, 5), weight)
        assert_close(out, np.array([[[[12.0, 13.0, 14.0], [22.0, 23.0, 24.0]]]]))

    def test_sum_of_products(self, solution):
        """An output number is the sum of pixel times weight: 0*1 + 1*2 + 10*3 + 11*4 = 76, then 86."""
        weight = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
        out, _ = solution.conv2d_forward(coordinates(1, 1, 2, 3), weight)
        assert_close(out, np.array([[[[76.0, 86.0]]]]))

    def test_stride_skips_pixels(self, solution):
        """With stride (2, 3) the window stops at every second row and every third column."""
        out, _ = solution.conv2d_forward(coordinates(1, 1, 6, 8), np.ones((1, 1, 1, 1)), stride=(2, 3))
        assert_close(out, np.array([[[[0.0, 3.0, 6.0], [20.0, 23.0, 26.0], [40.0, 43.0, 46.0]]]]))

    def test_padding_reads_zeros(self, solution):
        """Where a window lies over the padding it reads zeros."""
        weight = np.array([[[[1.0, 10.0], [100.0, 1000.0]]]])
        out, _ = solution.conv2d_forward(np.array([[[[5.0, 7.0]]]]), weight, padding=(1, 0))
        assert_close(out, np.array([[[[7500.0], [75.0]]]]))

    def test_channels_in_and_out(self, solution):
        """A kernel sums over the input channels; each output channel has a kernel of its own."""
        x = np.array([3.0, 5.0]).reshape(1, 2, 1, 1)
        weight = np.array([[1.0, 0.0], [0.0, 1.0], [10.0, 100.0]]).reshape(3, 2, 1, 1)
        out, _ = solution.conv2d_forward(x, weight)
        assert_close(out, np.array([3.0, 5.0, 530.0]).reshape(1, 3, 1, 1))

    def test_bias_is_added_once(self, solution):
        """Every pixel of output channel o gets bias[o] once, however many products are summed."""
        out, _ = solution.conv2d_forward(np.zeros((4, 3, 5, 6)), normal(1, 2, 3, 2, 3), np.array([7.0, -1.0]))
        assert_close(out, np.stack([np.full((4, 4, 4), 7.0), np.full((4, 4, 4), -1.0)], axis=1))

    def test_channels_that_differ(self, solution):
        """A weight for another number of input channels is an error that names both numbers."""
        with assert_rejects(13, 17):
            solution.conv2d_forward(np.zeros((1, 13, 2, 3)), np.zeros((1, 17, 1, 2)))

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding):
        """For any kernel, stride and padding every output number is the sum of products under its window."""
        x, weight, bias = normal(seed, 2, 3, 4, 3), normal(seed, 4, 3, *kernel), normal(seed, 4)
        out, _ = solution.conv2d_forward(x, weight, bias, stride, padding)
        assert_close(out, slow_conv2d(x, weight, bias, stride, padding), "out")


@exercise("conv2d_backward")
class TestConv2dBackward:
    def test_pixel_collects_from_its_windows(self, solution):
        """A pixel's gradient adds up, over the windows that read it, dout times the weight it met there."""
        _, cache = solution.conv2d_forward(np.array([[[[1.0, 2.0, 3.0, 4.0]]]]), np.array([[[[2.0, 5.0]]]]))
        dx, _, _ = solution.conv2d_backward(np.array([[[[1.0, 10.0, 100.0]]]]), cache)
        assert_close(dx, np.array([[[[2.0, 25.0, 250.0, 500.0]]]]), "dx")

    def test_weight_collects_from_all_positions(self, solution):
        """A weight's gradient adds up, over all positions, dout times the pixel it met there."""
        _, cache = solution.conv2d_forward(np.array([[[[1.0, 2.0, 3.0, 4.0]]]]), np.array([[[[2.0, 5.0]]]]))
        _, dweight, _ = solution.conv2d_backward(np.array([[[[1.0, 10.0, 100.0]]]]), cache)
        assert_close(dweight, np.array([[[[321.0, 432.0]]]]), "dweight")

    def test_bias_collects_from_everywhere(self, solution):
        """A bias's gradient is the sum of dout over the images and pixels of its channel."""
        out, cache = solution.conv2d_forward(normal(1, 2, 1, 1, 3), normal(2, 2, 1, 1, 1), np.zeros(2))
        dout = np.array([1.0, 2, 3, 10, 20, 30, 100, 200, 300, 1000, 2000, 3000]).reshape(out.shape)
        assert_close(solution.conv2d_backward(dout, cache)[2], np.array([606.0, 6060.0]), "dbias")

    def test_no_bias_no_gradient(self, solution):
        """Without a bias its gradient is None."""
        out, cache = solution.conv2d_forward(normal(1, 2, 1, 3, 4), normal(2, 3, 1, 2, 2))
        assert_equal(solution.conv2d_backward(normal(3, *out.shape), cache)[2], None, "dbias")

    def test_padding_has_no_gradient(self, solution):
        """The gradient has the shape of the unpadded input: what the padding would get is cut off."""
        _, cache = solution.conv2d_forward(np.array([[[[3.0]]]]), np.array([[[[2.0, 5.0, 7.0]]]]), padding=(0, 1))
        dx, dweight, _ = solution.conv2d_backward(np.array([[[[10.0]]]]), cache)
        assert_close(dx, np.array([[[[50.0]]]]), "dx")
        assert_close(dweight, np.array([[[[0.0, 30.0, 0.0]]]]), "dweight")

    def test_gradient_of_another_output(self, solution):
        """A dout that does not have the shape of the output is an error that shows both shapes."""
        _, cache = solution.conv2d_forward(normal(1, 2, 3, 5, 4), normal(2, 4, 3, 3, 4))
        with assert_rejects("(2, 4, 1, 3)", "(2, 4, 3, 1)"):
            solution.conv2d_backward(np.zeros((2, 4, 1, 3)), cache)

    def test_gradients_are_slopes(self, solution):
        """Each gradient is the slope of sum(out * dout), for a random dout."""
        x, weight, bias = normal(1, 2, 1, 4, 3), normal(2, 3, 1, 2, 3), normal(3, 3)
        settings = {"stride": (2, 1), "padding": (0, 1)}
        out, cache = solution.conv2d_forward(x, weight, bias, **settings)
        dout = normal(4, *out.shape)
        dx, dweight, dbias = solution.conv2d_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_conv2d(x, weight, bias, **settings), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_conv2d(x, w, bias, **settings), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_conv2d(x, weight, b, **settings), bias, dout, "dbias")

    @given(seeds, pairs(1, 3), pairs(1, 3), pairs(0, 2))
    def test_equals_im2col_both_ways(self, solution, seed, kernel, stride, padding):
        """The sliding window and one matrix product over all windows agree, forward and backward."""
        x, weight, bias = normal(seed, 2, 3, 5, 4), normal(seed, 4, 3, *kernel), normal(seed, 4)
        expected, dout, *gradients = im2col_conv2d(x, weight, bias, seed, stride, padding)
        out, cache = solution.conv2d_forward(x, weight, bias, stride, padding)
        assert_close(out, expected, "out")
        assert_gradients(solution.conv2d_backward(dout, cache), *gradients)


@exercise("Conv2d")
class TestConv2d:
    def test_weight_and_bias(self, solution):
        """The parameters are a weight (O, C, kh, kw), then a bias (O,) of zeros."""
        layer = solution.Conv2d(3, 5, kernel_size=(2, 4))
        weight, bias = layer.parameters()
        assert_equal(weight.value.shape, (5, 3, 2, 4), "weight")
        assert_equal(bias.value.shape, (5,), "bias")
        assert_close(layer.bias.value, np.zeros(5, np.float32), "bias")

    def test_without_bias(self, solution):
        """With bias=False the weight is the only parameter and .bias is None."""
        layer = solution.Conv2d(3, 5, 2, bias=False)
        assert_equal(layer.bias, None, "bias")
        assert_equal(len(layer.parameters()), 1, "number of parameters")

    def test_he_initialisation(self, solution):
        """The weight's standard deviation is sqrt(2 / fan_in), fan_in the C * kh * kw numbers an output reads."""
        weight = solution.Conv2d(16, 48, (3, 5), rng=np.random.default_rng(11)).weight.value
        ratio = weight.std() / np.sqrt(2 / (16 * 3 * 5))
        assert 0.95 < ratio < 1.05, f"standard deviation: expected 0.0913, got {weight.std():.4f}"

    def test_forward(self, solution):
        """The layer's output is the convolution with its own weight, bias, stride and padding."""
        layer, x = solution.Conv2d(3, 4, (2, 3), stride=(1, 2), padding=(1, 0)), normal(1, 2, 3, 4, 5)
        layer.weight.value[...], layer.bias.value[...] = normal(2, 4, 3, 2, 3), normal(3, 4)
        assert_close(layer(x), slow_conv2d(x, layer.weight.value, layer.bias.value, (1, 2), (1, 0)), "out")

    def test_backward(self, solution):
        """The layer returns dx and adds the parameters' gradients to their .grad."""
        layer, x = solution.Conv2d(3, 4, (2, 3), stride=(1, 2), padding=(1, 0)), normal(1, 2, 3, 4, 5)
        weight, bias = layer.weight.value.astype(float), layer.bias.value.astype(float)
        _, dout, dx, dweight, dbias = im2col_conv2d(x, weight, bias, 4, (1, 2), (1, 0))
        layer.weight.grad += 1
        layer(x)
        assert_close(layer.backward(dout), dx, "dx")
        assert_close(layer.weight.grad.astype(np.float32), (1 + dweight).astype(np.float32), "weight.grad")
        assert_close(layer.bias.grad.astype(np.float32), dbias.astype(np.float32), "bias.grad")


@exercise("conv2d_cost")
class TestConv2dCost:
    def test_parameters(self, solution):
        """Eight kernels of 3 by 3 over 3 channels have 216 weights; the biases make it 224."""
        assert_equal(solution.conv2d_cost((1, 3, 32, 32), 8, 3)["parameters"], 224)

    def test_multiply_accumulates(self, solution):
        """Two images, 8 channels of 30 by 30 outputs and 27 products each are 388800 multiply-accumulates."""
        assert_equal(solution.conv2d_cost((2, 3, 32, 32), 8, 3)["macs"], 388_800)

    def test_output(self, solution):
        """The output's shape follows stride and padding; its bytes are four a number, over the whole batch."""
        cost = solution.conv2d_cost((2, 3, 9, 10), 4, (3, 2), stride=(2, 3), padding=(0, 1))
        assert_equal(cost["output_shape"], (2, 4, 4, 4), "output_shape")
        assert_equal(cost["output_bytes"], 2 * 4 * 4 * 4 * 4, "output_bytes")

    @given(sizes(1, 3), sizes(1, 3), pairs(3, 5), pairs(1, 3), pairs(1, 2), pairs(0, 1))
    def test_counts_every_product(self, solution, N, O, image, kernel, stride, padding):
        """The multiply-accumulates are the products a sliding window forms, zeros of the padding included."""
        x, weight = np.ones((N, 2, *image)), np.ones((O, 2, *kernel))
        padded = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2), constant_values=1)
        products = slow_conv2d(padded, weight, None, stride, (0, 0)).sum()
        assert_equal(solution.conv2d_cost(x.shape, O, kernel, stride, padding)["macs"], int(products))


@exercise("receptive_field")
class TestReceptiveField:
    def test_no_layers(self, solution):
        """Without layers a pixel sees itself."""
        assert_equal(solution.receptive_field([]), 1)

    def test_three_by_three_twice(self, solution):
        """One 3 by 3 layer sees 3 pixels across, two see 5, three see 7."""
        assert_equal([solution.receptive_field([(3, 1)] * depth) for depth in (1, 2, 3)], [3, 5, 7])

    def test_stride_before_and_after(self, solution):
        """A stride widens the steps of the layers behind it, not those of its own layer."""
        assert_equal(solution.receptive_field([(3, 2), (5, 1)]), 3 + 4 * 2)
        assert_equal(solution.receptive_field([(5, 1), (3, 2)]), 5 + 2)

    def test_strides_multiply(self, solution):
        """Behind strides 2 and 3 neighbours lie 6 input pixels apart."""
        assert_equal(solution.receptive_field([(1, 2), (1, 3), (2, 1)]), 7)


@exercise("simple_convnet")
class TestSimpleConvnet:
    def test_scores(self, solution):
        """A batch of N images becomes N rows of one score a class."""
        net = solution.simple_convnet((3, 4, 5), num_classes=6, channels=2)
        assert_equal(net(normal(1, 7, 3, 4, 5)).shape, (7, 6))

    def test_convolution_relu_dense(self, solution):
        """The network is a 3 by 3 convolution with padding 1, max(., 0), and a dense layer over all of it."""
        net, x = solution.simple_convnet((2, 3, 4), num_classes=5, channels=3).astype(float), normal(1, 2, 2, 3, 4)
        for seed, parameter in enumerate(net.parameters()):
            parameter.value[...] = normal(seed, *parameter.value.shape)
        weight, bias, dense, shift = [parameter.value for parameter in net.parameters()]
        hidden = np.maximum(slow_conv2d(x, weight, bias, (1, 1), (1, 1)), 0).reshape(2, 36)
        assert_close(net(x), hidden @ dense.T + shift, "scores")

    def test_learns(self, solution):
        """A few steps against the gradient more than halve the squared error on four images."""
        net = solution.simple_convnet((1, 4, 3), num_classes=2, channels=3, rng=np.random.default_rng(1))
        x, target = normal(1, 4, 1, 4, 3), normal(2, 4, 2)
        losses = []
        for _ in range(12):
            error = net(x) - target
            losses.append(np.sum(error**2))
            for parameter in net.parameters():
                parameter.grad[...] = 0
            net.backward(2 * error)
            for parameter in net.parameters():
                parameter.value -= 0.01 * parameter.grad
        assert losses[-1] < losses[0] / 2, f"squared error: {losses[0]:.3f} at first, {losses[-1]:.3f} at last"
