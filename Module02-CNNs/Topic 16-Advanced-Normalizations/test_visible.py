"""Topic 16, visible suite: read a test, make it pass, go on to the next."""

import numpy as np
from hypothesis import given

from kata.testing import (
    assert_close,
    assert_equal,
    assert_gradient,
    assert_rejects,
    assert_vectorized,
    exercise,
    normal,
    seeds,
    sizes,
)

# A rule says which values share a mean, and where a value finds its weight: two functions of its index.


def layer_rule(ndim, normalized_axes):
    """Values that agree in all leading indices share a mean; weight and bias are read at the last indices."""
    leading = ndim - normalized_axes
    return lambda index: index[:leading], lambda index: index[leading:]


def group_rule(channels, num_groups):
    """Values of one image and one run of neighbouring channels share a mean; one weight a channel."""
    width = channels // num_groups
    return lambda index: (index[0], index[1] // width), lambda index: index[1]


def instance_rule():
    """Values of one image and one channel share a mean; one weight a channel."""
    return lambda index: index[:2], lambda index: index[1]


def slow_sets(x, rule, eps):
    """Yield (indices, mean, root) of every set of values that share a mean."""
    sets = {}
    for index in np.ndindex(*x.shape):
        sets.setdefault(rule[0](index), []).append(index)
    for members in sets.values():
        mean = sum(x[index] for index in members) / len(members)
        variance = sum((x[index] - mean) ** 2 for index in members) / len(members)
        yield members, mean, (variance + eps) ** 0.5


def slow_norm(x, rule, weight=None, bias=None, eps=1e-5):
    """The definition, one value at a time."""
    out = np.zeros(x.shape)
    for members, mean, root in slow_sets(x, rule, eps):
        for index in members:
            out[index] = (x[index] - mean) / root
            out[index] *= 1 if weight is None else weight[rule[1](index)]
            out[index] += 0 if bias is None else bias[rule[1](index)]
    return out


def slow_gradients(dout, x, rule, weight, bias, eps=1e-5):
    """The chain rule, one pair of values at a time: how much value i moves the normalised value j of its set."""
    xhat = slow_norm(x, rule, eps=eps)
    dx, dweight, dbias = np.zeros(x.shape), np.zeros(weight.shape), np.zeros(bias.shape)
    for members, _, root in slow_sets(x, rule, eps):
        for i in members:
            for j in members:
                slope = ((i == j) - 1 / len(members) - xhat[i] * xhat[j] / len(members)) / root
                dx[i] += dout[j] * weight[rule[1](j)] * slope
    for index in np.ndindex(*x.shape):
        dweight[rule[1](index)] += dout[index] * xhat[index]
        dbias[rule[1](index)] += dout[index]
    return dx, dweight, dbias


def assert_all_close(actual, expected, names=("dx", "dweight", "dbias")):
    for one, other, name in zip(actual, expected, names, strict=True):
        assert_close(one, other, name)


@exercise("layer_norm_forward")
class TestLayerNormForward:
    def test_each_row_has_its_own_mean(self, solution):
        """The row 1 1 5 5, mean 3 and standard deviation 2, becomes -1 -1 1 1; so does 10 10 90 90 by its own."""
        out, _ = solution.layer_norm_forward(np.array([[1.0, 1.0, 5.0, 5.0], [10.0, 10.0, 90.0, 90.0]]), 4, eps=0.0)
        assert_close(out, np.array([[-1.0, -1.0, 1.0, 1.0], [-1.0, -1.0, 1.0, 1.0]]))

    def test_eps_is_added_under_the_root(self, solution):
        """The row 1 3 5 7 has variance 5; with eps = 4 it is divided by the root of 9."""
        out, _ = solution.layer_norm_forward(np.array([[1.0, 3.0, 5.0, 7.0]]), (4,), eps=4.0)
        assert_close(out, np.array([[-1.0, -1 / 3, 1 / 3, 1.0]]))

    def test_all_normalized_axes_share_one_mean(self, solution):
        """With normalized_shape (2, 2) the four values of a 2 by 2 block share one mean."""
        x = np.array([[[1.0, 1.0], [5.0, 5.0]], [[3.0, 7.0], [7.0, 3.0]], [[2.0, 0.0], [0.0, 2.0]]])
        out, _ = solution.layer_norm_forward(x, (2, 2), eps=0.0)
        assert_close(
            out, np.array([[[-1.0, -1.0], [1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]], [[1.0, -1.0], [-1.0, 1.0]]])
        )

    def test_weight_and_bias_follow_the_normalized_axes(self, solution):
        """Every position of the normalised axes has its own weight and bias, the same for all rows."""
        x = np.array([[1.0, 1.0, 5.0, 5.0], [9.0, 3.0, 3.0, 9.0]])
        weight, bias = np.array([2.0, 3.0, 4.0, 5.0]), np.array([10.0, 20.0, 30.0, 40.0])
        out, _ = solution.layer_norm_forward(x, 4, weight, bias, eps=0.0)
        assert_close(out, np.array([[8.0, 17.0, 34.0, 45.0], [12.0, 17.0, 26.0, 45.0]]))

    def test_shape_that_is_not_the_last_axes(self, solution):
        """A normalized_shape that is not the end of x's shape is an error that names both lengths."""
        with assert_rejects(5, 7):
            solution.layer_norm_forward(normal(1, 2, 3, 5), (3, 7))

    @given(seeds, sizes(1, 4), sizes(1, 3))
    def test_equals_the_definition(self, solution, seed, ndim, axes):
        """For x of any rank every value is centred and scaled with the other values of its normalised axes."""
        axes = min(axes, ndim)
        x = 2 + 3 * normal(seed, *(2, 3, 5, 4)[4 - ndim :])
        weight, bias = normal(seed, *x.shape[-axes:]), normal(seed + 1, *x.shape[-axes:])
        out, _ = solution.layer_norm_forward(x, x.shape[-axes:], weight, bias)
        assert_close(out, slow_norm(x, layer_rule(ndim, axes), weight, bias), "out")

    def test_large_mean_and_small_spread_in_float32(self, solution):
        """Values around 3000 that differ by about 1 keep their spread in float32."""
        x = (3000 + normal(2, 3, 60)).astype(np.float32)
        out, _ = solution.layer_norm_forward(x, 60)
        assert_close(out, slow_norm(x.astype(np.float64), layer_rule(2, 1)), "out", np.float32, tolerance=1e-2)

    def test_no_python_loop(self, solution):
        """The number of Python instructions is the same for any number of rows and any length of them."""

        def make_call(N, C, W):
            x, weight = normal(3, N, C, W), normal(4, C, W)
            return lambda: solution.layer_norm_forward(x, (C, W), weight, weight)

        assert_vectorized(make_call, {"N": 2, "C": 3, "W": 5}, {"N": 52, "C": 53, "W": 55})


@exercise("layer_norm_backward")
class TestLayerNormBackward:
    def test_one_value_moves_its_whole_row(self, solution):
        """A gradient of 8 at the first of 1 1 5 5 pulls on the first value by 2 and on its equal by -2."""
        _, cache = solution.layer_norm_forward(np.array([[1.0, 1.0, 5.0, 5.0]]), 4, eps=0.0)
        dx, dweight, dbias = solution.layer_norm_backward(np.array([[8.0, 0.0, 0.0, 0.0]]), cache)
        assert_close(dx, np.array([[2.0, -2.0, 0.0, 0.0]]), "dx")
        assert_equal(dweight, None, "dweight")
        assert_equal(dbias, None, "dbias")

    def test_weight_and_bias_collect_all_rows(self, solution):
        """Weight gets dout * xhat and bias gets dout, each summed over the rows."""
        x = np.array([[1.0, 1.0, 5.0, 5.0], [9.0, 3.0, 3.0, 9.0]])
        _, cache = solution.layer_norm_forward(x, 4, np.ones(4), np.zeros(4), eps=0.0)
        dout = np.array([[1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]])
        _, dweight, dbias = solution.layer_norm_backward(dout, cache)
        assert_close(dweight, np.array([9.0, -22.0, -27.0, 44.0]), "dweight")
        assert_close(dbias, np.array([11.0, 22.0, 33.0, 44.0]), "dbias")

    def test_gradient_of_another_shape(self, solution):
        """A dout whose shape is not the output's is an error that names both shapes."""
        _, cache = solution.layer_norm_forward(normal(1, 2, 5), 5)
        with assert_rejects((1, 5), (2, 5)):
            solution.layer_norm_backward(normal(2, 1, 5), cache)

    @given(seeds, sizes(1, 3), sizes(1, 3))
    def test_equals_the_definition(self, solution, seed, ndim, axes):
        """Every gradient is the sum of dout over all paths from the value, through mean and variance as well."""
        axes = min(axes, ndim)
        x = 2 + 3 * normal(seed, *(3, 2, 4)[3 - ndim :])
        weight, bias = normal(seed, *x.shape[-axes:]), normal(seed + 1, *x.shape[-axes:])
        _, cache = solution.layer_norm_forward(x, x.shape[-axes:], weight, bias)
        dout = normal(seed + 2, *x.shape)
        expected = slow_gradients(dout, x, layer_rule(ndim, axes), weight, bias)
        assert_all_close(solution.layer_norm_backward(dout, cache), expected)

    def test_gradients_are_slopes(self, solution):
        """Each gradient is the slope of sum(out * dout), for a random dout."""
        x, weight, bias, rule = normal(1, 3, 2, 4), normal(2, 2, 4), normal(3, 2, 4), layer_rule(3, 2)
        _, cache = solution.layer_norm_forward(x, (2, 4), weight, bias, eps=0.1)
        dout = normal(4, 3, 2, 4)
        dx, dweight, dbias = solution.layer_norm_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_norm(x, rule, weight, bias, 0.1), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_norm(x, rule, w, bias, 0.1), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_norm(x, rule, weight, b, 0.1), bias, dout, "dbias")


@exercise("group_norm_forward")
class TestGroupNormForward:
    def test_neighbouring_channels_make_a_group(self, solution):
        """Of the channels 1 5 20 80 in two groups, 1 and 5 share a mean, and 20 and 80 do."""
        out, _ = solution.group_norm_forward(np.array([1.0, 5.0, 20.0, 80.0]).reshape(1, 4, 1, 1), 2, eps=0.0)
        assert_close(out, np.array([-1.0, 1.0, -1.0, 1.0]).reshape(1, 4, 1, 1))

    def test_one_weight_for_each_channel(self, solution):
        """Weight and bias belong to channels, not to groups."""
        x = np.array([[1.0, 1.0], [5.0, 5.0], [20.0, 80.0], [80.0, 20.0]]).reshape(1, 4, 1, 2)
        weight, bias = np.array([2.0, 3.0, 4.0, 5.0]), np.array([10.0, 20.0, 30.0, 40.0])
        out, _ = solution.group_norm_forward(x, 2, weight, bias, eps=0.0)
        expected = np.array([[8.0, 8.0], [23.0, 23.0], [26.0, 34.0], [45.0, 35.0]])
        assert_close(out, expected.reshape(1, 4, 1, 2))

    def test_groups_that_do_not_divide_the_channels(self, solution):
        """Six channels can't make four groups: an error that names both numbers."""
        with assert_rejects(6, 4):
            solution.group_norm_forward(normal(1, 2, 6, 3, 5), 4)

    @given(seeds, sizes(1, 3), sizes(1, 3))
    def test_equals_the_definition(self, solution, seed, num_groups, width):
        """For any number of groups every value is centred and scaled with its image's values of the same group."""
        channels = num_groups * width
        x = 2 + 3 * normal(seed, 2, channels, 4, 3)
        weight, bias = normal(seed, channels), normal(seed + 1, channels)
        out, _ = solution.group_norm_forward(x, num_groups, weight, bias)
        assert_close(out, slow_norm(x, group_rule(channels, num_groups), weight, bias), "out")

    def test_one_group_is_layer_norm(self, solution):
        """One group of all channels gives what layer norm over (C, H, W) gives."""
        x = 2 + 3 * normal(1, 2, 6, 3, 5)
        out, _ = solution.group_norm_forward(x, 1)
        assert_close(out, slow_norm(x, layer_rule(4, 3)), "out")

    def test_other_images_do_not_matter(self, solution):
        """What an image becomes is the same alone and among other images of the batch."""
        x = normal(1, 3, 6, 2, 5) * np.array([1.0, 40.0, 0.1]).reshape(3, 1, 1, 1)
        together, _ = solution.group_norm_forward(x, 2)
        alone, _ = solution.group_norm_forward(x[1:2], 2)
        assert_close(together[1:2], alone, "out")

    def test_no_python_loop(self, solution):
        """The number of Python instructions is the same for any N, C, H, W and any number of groups."""

        def make_call(N, C, H, W, G):
            x, weight = normal(3, N, C, H, W), normal(4, C)
            return lambda: solution.group_norm_forward(x, G, weight, weight)

        small = {"N": 2, "C": 84, "H": 3, "W": 1, "G": 2}
        assert_vectorized(make_call, small, {"N": 42, "C": 168, "H": 43, "W": 41, "G": 42})


@exercise("group_norm_backward")
class TestGroupNormBackward:
    def test_one_value_moves_its_group_alone(self, solution):
        """A gradient at one value of the first group pulls on that group and leaves the second at 0."""
        x = np.array([1.0, 1.0, 5.0, 5.0, 20.0, 80.0, 20.0, 80.0]).reshape(1, 4, 1, 2)
        _, cache = solution.group_norm_forward(x, 2, eps=0.0)
        dout = np.zeros((1, 4, 1, 2))
        dout[0, 0, 0, 0] = 8
        dx, dweight, dbias = solution.group_norm_backward(dout, cache)
        assert_close(dx, np.array([2.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).reshape(1, 4, 1, 2), "dx")
        assert_equal(dweight, None, "dweight")
        assert_equal(dbias, None, "dbias")

    def test_weight_and_bias_collect_images_and_pixels(self, solution):
        """Weight gets dout * xhat and bias gets dout, each summed over images and pixels, a number a channel."""
        x = np.array([[1.0, 1.0], [5.0, 5.0], [80.0, 20.0], [20.0, 80.0]]).reshape(2, 2, 1, 2)
        _, cache = solution.group_norm_forward(x, 1, np.ones(2), np.zeros(2), eps=0.0)
        dout = np.array([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0], [30.0, 40.0]]).reshape(2, 2, 1, 2)
        _, dweight, dbias = solution.group_norm_backward(dout, cache)
        assert_close(dweight, np.array([-13.0, 17.0]), "dweight")
        assert_close(dbias, np.array([33.0, 77.0]), "dbias")

    @given(seeds, sizes(1, 3), sizes(1, 3))
    def test_equals_the_definition(self, solution, seed, num_groups, width):
        """Every gradient is the sum of dout over all paths from the value, within its group of its image."""
        channels = num_groups * width
        x = 2 + 3 * normal(seed, 2, channels, 1, 3)
        weight, bias = normal(seed, channels), normal(seed + 1, channels)
        _, cache = solution.group_norm_forward(x, num_groups, weight, bias)
        dout = normal(seed + 2, *x.shape)
        expected = slow_gradients(dout, x, group_rule(channels, num_groups), weight, bias)
        assert_all_close(solution.group_norm_backward(dout, cache), expected)

    def test_gradients_are_slopes(self, solution):
        """Each gradient is the slope of sum(out * dout), for a random dout."""
        x, weight, bias, rule = normal(1, 2, 6, 1, 3), normal(2, 6), normal(3, 6), group_rule(6, 2)
        _, cache = solution.group_norm_forward(x, 2, weight, bias, eps=0.1)
        dout = normal(4, 2, 6, 1, 3)
        dx, dweight, dbias = solution.group_norm_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_norm(x, rule, weight, bias, 0.1), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_norm(x, rule, w, bias, 0.1), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_norm(x, rule, weight, b, 0.1), bias, dout, "dbias")


@exercise("instance_norm_forward")
class TestInstanceNormForward:
    def test_each_channel_has_its_own_mean(self, solution):
        """The channel 1 5 becomes -1 1 and so does the channel 20 80, each by its own mean and spread."""
        out, _ = solution.instance_norm_forward(np.array([1.0, 5.0, 20.0, 80.0]).reshape(1, 2, 1, 2), eps=0.0)
        assert_close(out, np.array([-1.0, 1.0, -1.0, 1.0]).reshape(1, 2, 1, 2))

    def test_single_pixel(self, solution):
        """A map of one pixel is an error that names the shape: a value less its own mean is always 0."""
        with assert_rejects((2, 3, 1, 1)):
            solution.instance_norm_forward(normal(1, 2, 3, 1, 1))

    @given(seeds, sizes(1, 3), sizes(1, 3))
    def test_equals_the_definition(self, solution, seed, height, width):
        """For maps of any size every value is centred and scaled with the pixels of its image's channel."""
        x = 2 + 3 * normal(seed, 2, 4, height, width + 1)
        weight, bias = normal(seed, 4), normal(seed + 1, 4)
        out, _ = solution.instance_norm_forward(x, weight, bias)
        assert_close(out, slow_norm(x, instance_rule(), weight, bias), "out")

    def test_as_many_groups_as_channels(self, solution):
        """Group norm with C groups gives what instance norm gives."""
        x, weight, bias = 2 + 3 * normal(1, 2, 6, 3, 5), normal(2, 6), normal(3, 6)
        out, _ = solution.instance_norm_forward(x, weight, bias)
        assert_close(out, slow_norm(x, group_rule(6, 6), weight, bias), "out")

    def test_no_python_loop(self, solution):
        """The number of Python instructions is the same for any N, C, H and W."""

        def make_call(N, C, H, W):
            x, weight = normal(3, N, C, H, W), normal(4, C)
            return lambda: solution.instance_norm_forward(x, weight, weight)

        assert_vectorized(make_call, {"N": 2, "C": 3, "H": 4, "W": 5}, {"N": 52, "C": 53, "H": 54, "W": 55})


@exercise("instance_norm_backward")
class TestInstanceNormBackward:
    def test_one_value_moves_its_channel_alone(self, solution):
        """A gradient at one pixel pulls on its channel of its image and leaves all others at 0."""
        x = np.array([[1.0, 1.0, 5.0, 5.0], [20.0, 80.0, 20.0, 80.0]]).reshape(1, 2, 2, 2)
        _, cache = solution.instance_norm_forward(x, eps=0.0)
        dout = np.zeros((1, 2, 2, 2))
        dout[0, 0, 0, 0] = 8
        dx, dweight, dbias = solution.instance_norm_backward(dout, cache)
        assert_close(dx, np.array([2.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).reshape(1, 2, 2, 2), "dx")
        assert_equal(dweight, None, "dweight")
        assert_equal(dbias, None, "dbias")

    @given(seeds, sizes(1, 3), sizes(1, 3))
    def test_equals_the_definition(self, solution, seed, height, width):
        """Every gradient is the sum of dout over all paths from the value, within its channel of its image."""
        x = 2 + 3 * normal(seed, 3, 2, height, width + 1)
        weight, bias = normal(seed, 2), normal(seed + 1, 2)
        _, cache = solution.instance_norm_forward(x, weight, bias)
        dout = normal(seed + 2, *x.shape)
        expected = slow_gradients(dout, x, instance_rule(), weight, bias)
        assert_all_close(solution.instance_norm_backward(dout, cache), expected)

    def test_gradients_are_slopes(self, solution):
        """Each gradient is the slope of sum(out * dout), for a random dout."""
        x, weight, bias, rule = normal(1, 3, 2, 1, 5), normal(2, 2), normal(3, 2), instance_rule()
        _, cache = solution.instance_norm_forward(x, weight, bias, eps=0.1)
        dout = normal(4, 3, 2, 1, 5)
        dx, dweight, dbias = solution.instance_norm_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_norm(x, rule, weight, bias, 0.1), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_norm(x, rule, w, bias, 0.1), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_norm(x, rule, weight, b, 0.1), bias, dout, "dbias")


@exercise("LayerNorm")
class TestLayerNorm:
    def test_starts_as_the_plain_normalisation(self, solution):
        """A new layer multiplies by 1 and adds 0: its output is the normalised input."""
        x = 2 + 3 * normal(1, 2, 3, 5)
        assert_close(solution.LayerNorm((3, 5))(x), slow_norm(x, layer_rule(3, 2)), "out")

    def test_parameters(self, solution):
        """The parameters are a weight and a bias of shape normalized_shape, in this order; an int is one axis."""
        layer = solution.LayerNorm(7)
        assert_equal([parameter.value.shape for parameter in layer.parameters()], [(7,), (7,)], "shapes")
        assert_equal(list(layer.state_dict()), ["weight", "bias"], "names")

    def test_uses_its_own_parameters_and_eps(self, solution):
        """The output is computed with the layer's weight, bias and eps."""
        x, layer = normal(1, 2, 3, 5), solution.LayerNorm((3, 5), eps=0.5)
        weight, bias = normal(2, 3, 5, dtype=np.float32), normal(3, 3, 5, dtype=np.float32)
        layer.weight.value[...], layer.bias.value[...] = weight, bias
        assert_close(layer(x), slow_norm(x, layer_rule(3, 2), weight, bias, 0.5), "out")

    def test_backward_adds_to_the_gradients(self, solution):
        """Backward returns dx and adds to .grad: two calls leave twice the gradients of one."""
        x, dout, layer = normal(1, 4, 5, dtype=np.float32), normal(2, 4, 5, dtype=np.float32), solution.LayerNorm(5)
        dx, dweight, dbias = slow_gradients(dout, x, layer_rule(2, 1), np.ones(5), np.zeros(5))
        layer(x)
        layer.backward(dout)
        assert_close(layer.backward(dout), dx, "dx", np.float32)
        assert_close(layer.weight.grad, 2 * dweight, "weight.grad", np.float32)
        assert_close(layer.bias.grad, 2 * dbias, "bias.grad", np.float32)


@exercise("GroupNorm")
class TestGroupNorm:
    def test_starts_as_the_plain_normalisation(self, solution):
        """A new layer multiplies by 1 and adds 0: its output is the normalised input."""
        x = 2 + 3 * normal(1, 2, 6, 3, 5)
        assert_close(solution.GroupNorm(2, 6)(x), slow_norm(x, group_rule(6, 2)), "out")

    def test_parameters(self, solution):
        """Weight and bias have one number a channel, whatever the number of groups."""
        layer = solution.GroupNorm(2, 6)
        assert_equal([parameter.value.shape for parameter in layer.parameters()], [(6,), (6,)], "shapes")

    def test_groups_are_checked_when_the_layer_is_built(self, solution):
        """Ten channels can't make four groups; building such a layer is the error."""
        with assert_rejects(4, 10):
            solution.GroupNorm(4, 10)

    def test_backward_adds_to_the_gradients(self, solution):
        """Backward returns dx and adds to .grad: two calls leave twice the gradients of one."""
        x, dout, layer = normal(1, 2, 6, 1, 3), normal(2, 2, 6, 1, 3), solution.GroupNorm(3, 6)
        dx, dweight, dbias = slow_gradients(dout, x, group_rule(6, 3), np.ones(6), np.zeros(6))
        layer(x)
        layer.backward(dout)
        assert_close(layer.backward(dout), dx, "dx")
        assert_close(layer.weight.grad, 2 * dweight, "weight.grad", np.float32)
        assert_close(layer.bias.grad, 2 * dbias, "bias.grad", np.float32)


@exercise("InstanceNorm2d")
class TestInstanceNorm2d:
    def test_has_no_parameters_unless_asked(self, solution):
        """Without affine the weight and the bias are None and the layer's output is the normalised input."""
        x, layer = 2 + 3 * normal(1, 2, 3, 4, 5), solution.InstanceNorm2d(3)
        assert_equal(layer.parameters(), [], "parameters")
        assert_equal((layer.weight, layer.bias), (None, None), "weight and bias")
        assert_close(layer(x), slow_norm(x, instance_rule()), "out")

    def test_affine(self, solution):
        """With affine there are a weight and a bias of one number a channel, and the output is computed with them."""
        x, layer = normal(1, 2, 3, 4, 5), solution.InstanceNorm2d(3, eps=0.5, affine=True)
        weight, bias = normal(2, 3, dtype=np.float32), normal(3, 3, dtype=np.float32)
        layer.weight.value[...], layer.bias.value[...] = weight, bias
        assert_close(layer(x), slow_norm(x, instance_rule(), weight, bias, 0.5), "out")

    def test_another_number_of_channels(self, solution):
        """A layer built for 3 channels refuses an x of 5, although without affine it could be computed."""
        with assert_rejects(3, 5):
            solution.InstanceNorm2d(3)(normal(1, 2, 5, 4, 6))

    def test_backward_without_parameters(self, solution):
        """Without affine backward returns dx."""
        x, dout, layer = normal(1, 2, 3, 2, 4), normal(2, 2, 3, 2, 4), solution.InstanceNorm2d(3)
        layer(x)
        dx, _, _ = slow_gradients(dout, x, instance_rule(), np.ones(3), np.zeros(3))
        assert_close(layer.backward(dout), dx, "dx")
