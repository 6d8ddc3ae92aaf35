"""Topic 16, hidden suite: what is easily forgotten once the visible tests pass."""

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
    def test_weight_or_bias_alone(self, solution):
        """A weight without a bias multiplies; a bias without a weight is added."""
        x, parameter, rule = 2 + 3 * normal(1, 2, 3, 5), normal(2, 5), layer_rule(3, 1)
        out, _ = solution.layer_norm_forward(x, 5, weight=parameter)
        assert_close(out, slow_norm(x, rule, weight=parameter), "out with a weight")
        out, _ = solution.layer_norm_forward(x, 5, bias=parameter)
        assert_close(out, slow_norm(x, rule, bias=parameter), "out with a bias")

    def test_no_leading_axes(self, solution):
        """An x of exactly normalized_shape is one set: all its values share one mean."""
        x = 2 + 3 * normal(1, 3, 5)
        out, _ = solution.layer_norm_forward(x, (3, 5))
        assert_close(out, slow_norm(x, layer_rule(2, 2)), "out")

    def test_more_normalized_axes_than_axes(self, solution):
        """An x with fewer axes than normalized_shape is an error that names both shapes."""
        with assert_rejects((5,), (3, 5)):
            solution.layer_norm_forward(normal(1, 5), (3, 5))

    def test_normalized_shape_without_axes_or_values(self, solution):
        """A normalized_shape of no axes, or with an axis of length 0, is an error."""
        with assert_rejects("()"):
            solution.layer_norm_forward(normal(1, 2, 5), ())
        with assert_rejects(0):
            solution.layer_norm_forward(normal(1, 2, 0), 0)

    def test_weight_that_would_broadcast(self, solution):
        """A weight or bias of any shape but normalized_shape is an error that names both, even where it broadcasts."""
        x = normal(1, 2, 3, 5)
        with assert_rejects((5,), (3, 5)):
            solution.layer_norm_forward(x, (3, 5), weight=normal(2, 5))
        with assert_rejects((1, 5), (3, 5)):
            solution.layer_norm_forward(x, (3, 5), bias=normal(2, 1, 5))
        with assert_rejects((2, 3, 5), (3, 5)):
            solution.layer_norm_forward(x, (3, 5), weight=normal(2, 2, 3, 5))

    def test_dtype_of_x(self, solution):
        """The result has the dtype of x, whatever the weight's; integers become float64."""
        whole = np.arange(30).reshape(2, 3, 5) % 7
        weight, bias = normal(2, 5), normal(3, 5)
        expected = slow_norm(whole, layer_rule(3, 1), weight, bias)
        out, _ = solution.layer_norm_forward(whole.astype(np.float32), 5, weight, bias)
        assert_close(out, expected, "out", np.float32)
        out, _ = solution.layer_norm_forward(whole, 5, weight.astype(np.float32), bias)
        assert_close(out, slow_norm(whole, layer_rule(3, 1), weight.astype(np.float32), bias), "out", np.float64)

    def test_float16_squares_do_not_overflow(self, solution):
        """A float16 x with a spread of 2000, whose square float16 can't hold, gives a float16 result of spread 1."""
        x = (2000 * normal(1, 3, 40)).astype(np.float16)
        out, _ = solution.layer_norm_forward(x, 40)
        assert_close(out, slow_norm(x.astype(np.float64), layer_rule(2, 1)), "out", np.float16)

    def test_constant_row(self, solution):
        """A row of equal values has variance 0 and becomes the bias, without a division by zero."""
        out, _ = solution.layer_norm_forward(np.full((2, 4), 7.0), 4, bias=np.array([1.0, 2.0, 3.0, 4.0]))
        assert_close(out, np.array([[1.0, 2.0, 3.0, 4.0]] * 2))

    @given(seeds, sizes(1, 9), sizes(-9, 9))
    def test_brightness_and_contrast_cancel(self, solution, seed, contrast, brightness):
        """With eps = 0 a row and any positive multiple of it plus any constant become the same."""
        x = normal(seed, 3, 7)
        plain, _ = solution.layer_norm_forward(x, 7, eps=0.0)
        changed, _ = solution.layer_norm_forward(contrast * x + brightness, 7, eps=0.0)
        assert_close(changed, plain, "out", tolerance=1e-7)

    def test_arguments_are_left_alone(self, solution):
        """Neither x nor weight nor bias is modified, and the result is no view of any of them."""
        x, weight, bias = normal(1, 2, 3, 5), normal(2, 5), normal(3, 5)
        with assert_unchanged(x=x, weight=weight, bias=bias):
            out, _ = solution.layer_norm_forward(x, 5, weight, bias)
            plain, _ = solution.layer_norm_forward(x, 5)
        assert_no_alias(out, "out", x=x, weight=weight, bias=bias)
        assert_no_alias(plain, "out", x=x)

    def test_memory_layout_does_not_matter(self, solution):
        """A transposed, strided or reversed x gives what its copy gives."""
        base = 2 + 3 * normal(1, 5, 6, 4)
        for x in (base.transpose(2, 1, 0), base[:, ::2], base[::-1, :, ::-1], base.transpose(1, 0, 2)):
            out, _ = solution.layer_norm_forward(x, x.shape[1:])
            assert_close(out, slow_norm(x, layer_rule(3, 2)), "out")

    def test_no_python_loop_over_one_axis(self, solution):
        """With a single normalised axis, too, the number of Python instructions is the same for any size of x."""

        def make_call(N, T, F):
            x, weight = normal(3, N, T, F), normal(4, F)
            return lambda: solution.layer_norm_forward(x, F, weight, weight)

        assert_vectorized(make_call, {"N": 2, "T": 3, "F": 5}, {"N": 52, "T": 53, "F": 55})

    def test_empty_batch(self, solution):
        """A batch of no rows gives no rows."""
        out, _ = solution.layer_norm_forward(np.zeros((0, 3, 5)), (3, 5), np.ones((3, 5)), np.zeros((3, 5)))
        assert_close(out, np.zeros((0, 3, 5)), "out")


@exercise("layer_norm_backward")
class TestLayerNormBackward:
    def test_weight_or_bias_alone(self, solution):
        """The gradient is None exactly where the input was None."""
        x, parameter, dout = normal(1, 2, 3, 5), normal(2, 5), normal(3, 2, 3, 5)
        dx, dweight, _ = slow_gradients(dout, x, layer_rule(3, 1), parameter, np.zeros(5))
        _, cache = solution.layer_norm_forward(x, 5, weight=parameter)
        got = solution.layer_norm_backward(dout, cache)
        assert_all_close(got[:2], (dx, dweight), ("dx", "dweight"))
        assert_equal(got[2], None, "dbias")
        dx, _, dbias = slow_gradients(dout, x, layer_rule(3, 1), np.ones(5), np.zeros(5))
        _, cache = solution.layer_norm_forward(x, 5, bias=parameter)
        got = solution.layer_norm_backward(dout, cache)
        assert_all_close(got[::2], (dx, dbias), ("dx", "dbias"))
        assert_equal(got[1], None, "dweight")

    def test_no_leading_axes(self, solution):
        """Where x has the shape of the bias the bias gets dout itself, in an array of its own."""
        x, weight, bias, dout = normal(1, 3, 5), normal(2, 3, 5), normal(3, 3, 5), normal(4, 3, 5)
        _, cache = solution.layer_norm_forward(x, (3, 5), weight, bias)
        got = solution.layer_norm_backward(dout, cache)
        assert_all_close(got, slow_gradients(dout, x, layer_rule(2, 2), weight, bias))
        assert_no_alias(got[2], "dbias", dout=dout)

    @given(seeds, sizes(2, 9))
    def test_input_gradient_has_no_mean_and_no_slope(self, solution, seed, length):
        """With eps = 0 dx adds up to 0 in every row, and so does dx * x: moving or stretching a row changes nothing."""
        x, weight, dout = normal(seed, 3, length), normal(seed + 1, length), normal(seed + 2, 3, length)
        _, cache = solution.layer_norm_forward(x, length, weight, eps=0.0)
        dx, _, _ = solution.layer_norm_backward(dout, cache)
        size = max(1.0, np.abs(dx).max())
        assert_close(dx.sum(axis=1) / size, np.zeros(3), "sum of dx", tolerance=1e-8)
        assert_close((dx * x).sum(axis=1) / size, np.zeros(3), "sum of dx * x", tolerance=1e-8)

    def test_cache_can_be_used_again(self, solution):
        """Two forwards before two backwards, and a second backward on one cache, give each its own gradients."""
        x, y = 2 + 3 * normal(1, 2, 3, 5), normal(2, 2, 3, 5)
        weight, bias, dout = normal(3, 5), normal(4, 5), normal(5, 2, 3, 5)
        (_, first), (_, second) = (solution.layer_norm_forward(a, 5, weight, bias) for a in (x, y))
        for cache, a in ((first, x), (second, y), (first, x)):
            expected = slow_gradients(dout, a, layer_rule(3, 1), weight, bias)
            assert_all_close(solution.layer_norm_backward(dout, cache), expected)

    def test_dtype_of_x(self, solution):
        """All gradients have the dtype of x, whatever the dtypes of weight, bias and dout."""
        x, weight, bias, dout = normal(1, 2, 3, 5, dtype=np.float32), normal(2, 5), normal(3, 5), normal(4, 2, 3, 5)
        expected = slow_gradients(dout, x.astype(np.float64), layer_rule(3, 1), weight, bias)
        _, cache = solution.layer_norm_forward(x, 5, weight, bias)
        for got, right, name in zip(
            solution.layer_norm_backward(dout, cache), expected, ("dx", "dweight", "dbias"), strict=True
        ):
            assert_close(got, right, name, np.float32)

    def test_float16(self, solution):
        """For a float16 x whose squares float16 can't hold, the gradients are right and float16."""
        x, weight = (2000 * normal(1, 3, 7)).astype(np.float16), (100 * normal(2, 7)).astype(np.float16)
        dout = (4000 * normal(3, 3, 7)).astype(np.float16)
        wide = [a.astype(np.float64) for a in (dout, x)]
        expected = slow_gradients(*wide, layer_rule(2, 1), weight.astype(np.float64), np.zeros(7))
        _, cache = solution.layer_norm_forward(x, 7, weight, np.zeros(7, np.float16))
        got = solution.layer_norm_backward(dout, cache)
        assert_close(got[0], expected[0], "dx", np.float16)
        assert_close(got[1], expected[1], "dweight", np.float16)
        assert_close(got[2], expected[2], "dbias", np.float16)

    def test_upstream_is_left_alone(self, solution):
        """Dout is not modified, with a weight or without, and dx is no view of it."""
        x, weight, dout = normal(1, 2, 3, 5), normal(2, 5), normal(3, 2, 3, 5)
        for chosen in (weight, None):
            _, cache = solution.layer_norm_forward(x, 5, chosen)
            with assert_unchanged(x=x, weight=weight, dout=dout):
                dx, _, _ = solution.layer_norm_backward(dout, cache)
            assert_no_alias(dx, "dx", x=x, weight=weight, dout=dout)

    def test_memory_layout_does_not_matter(self, solution):
        """A transposed x and a reversed dout give what their contiguous copies give."""
        x, dout = normal(1, 5, 4, 3).transpose(2, 0, 1), normal(2, 3, 5, 4)[::-1, :, ::-1]
        weight, bias = normal(3, 4), normal(4, 4)
        _, cache = solution.layer_norm_forward(x, 4, weight, bias)
        expected = slow_gradients(dout, x, layer_rule(3, 1), weight, bias)
        assert_all_close(solution.layer_norm_backward(dout, cache), expected)

    def test_empty_batch(self, solution):
        """A batch of no rows has an empty dx, and zeros for weight and bias."""
        _, cache = solution.layer_norm_forward(np.zeros((0, 3, 5)), (3, 5), np.ones((3, 5)), np.ones((3, 5)))
        expected = np.zeros((0, 3, 5)), np.zeros((3, 5)), np.zeros((3, 5))
        assert_all_close(solution.layer_norm_backward(np.zeros((0, 3, 5)), cache), expected)

    def test_no_python_loop(self, solution):
        """The number of Python instructions is the same for any number of rows and any length of them."""

        def make_call(N, C, W):
            x, weight = normal(3, N, C, W), normal(4, C, W)
            _, cache = solution.layer_norm_forward(x, (C, W), weight, weight)
            return lambda: solution.layer_norm_backward(x, cache)

        assert_vectorized(make_call, {"N": 2, "C": 3, "W": 5}, {"N": 52, "C": 53, "W": 55})


@exercise("group_norm_forward")
class TestGroupNormForward:
    def test_weight_or_bias_alone(self, solution):
        """A weight without a bias multiplies; a bias without a weight is added."""
        x, parameter, rule = 2 + 3 * normal(1, 2, 6, 3, 5), normal(2, 6), group_rule(6, 3)
        out, _ = solution.group_norm_forward(x, 3, weight=parameter)
        assert_close(out, slow_norm(x, rule, weight=parameter), "out with a weight")
        out, _ = solution.group_norm_forward(x, 3, bias=parameter)
        assert_close(out, slow_norm(x, rule, bias=parameter), "out with a bias")

    def test_weight_is_not_read_along_the_columns(self, solution):
        """With as many columns as channels the weight still belongs to the channels."""
        x, weight, bias = 2 + 3 * normal(1, 2, 6, 3, 6), normal(2, 6), normal(3, 6)
        out, _ = solution.group_norm_forward(x, 2, weight, bias)
        assert_close(out, slow_norm(x, group_rule(6, 2), weight, bias), "out")

    def test_rank(self, solution):
        """An x that is not (N, C, H, W) is an error that names its shape."""
        with assert_rejects((6, 3, 5)):
            solution.group_norm_forward(normal(1, 6, 3, 5), 2)

    def test_number_of_groups(self, solution):
        """No groups, a negative number of them, or more than channels: an error that names the number."""
        with assert_rejects(0):
            solution.group_norm_forward(normal(1, 2, 6, 3, 5), 0)
        with assert_rejects(-2):
            solution.group_norm_forward(normal(1, 2, 6, 3, 5), -2)
        with assert_rejects(6, 12):
            solution.group_norm_forward(normal(1, 2, 6, 3, 5), 12)

    def test_weight_of_another_shape(self, solution):
        """A weight a group, or a bias that would broadcast, is an error that names its shape and (C,)."""
        x = normal(1, 2, 6, 3, 5)
        with assert_rejects((3,), (6,)):
            solution.group_norm_forward(x, 3, weight=normal(2, 3))
        with assert_rejects((1,), (6,)):
            solution.group_norm_forward(x, 3, bias=normal(2, 1))
        with assert_rejects((6, 1, 1), (6,)):
            solution.group_norm_forward(x, 3, weight=normal(2, 6, 1, 1))

    def test_dtype_of_x(self, solution):
        """The result has the dtype of x, whatever the weight's; integers become float64."""
        whole = np.arange(180).reshape(2, 6, 3, 5) % 11
        weight, bias = normal(2, 6), normal(3, 6)
        expected = slow_norm(whole, group_rule(6, 2), weight, bias)
        out, _ = solution.group_norm_forward(whole.astype(np.float32), 2, weight, bias)
        assert_close(out, expected, "out", np.float32)
        out, _ = solution.group_norm_forward(whole, 2, weight, bias)
        assert_close(out, expected, "out", np.float64)

    def test_large_mean_and_small_spread_in_float32(self, solution):
        """Values around 3000 that differ by about 1 keep their spread in float32."""
        x = (3000 + normal(2, 2, 4, 5, 6)).astype(np.float32)
        out, _ = solution.group_norm_forward(x, 2)
        assert_close(out, slow_norm(x.astype(np.float64), group_rule(4, 2)), "out", np.float32, tolerance=1e-2)

    def test_float16_squares_do_not_overflow(self, solution):
        """A float16 x with a spread of 2000, whose square float16 can't hold, gives a float16 result of spread 1."""
        x = (2000 * normal(1, 2, 6, 3, 5)).astype(np.float16)
        out, _ = solution.group_norm_forward(x, 3)
        assert_close(out, slow_norm(x.astype(np.float64), group_rule(6, 3)), "out", np.float16)

    @given(seeds, sizes(1, 9), sizes(-9, 9))
    def test_groups_do_not_matter_to_each_other(self, solution, seed, contrast, brightness):
        """With eps = 0 another brightness and contrast of one group changes nothing, there or elsewhere."""
        x = normal(seed, 2, 6, 3, 5)
        changed = x.copy()
        changed[:, 2:4] = contrast * x[:, 2:4] + brightness
        out, _ = solution.group_norm_forward(changed, 3, eps=0.0)
        expected, _ = solution.group_norm_forward(x, 3, eps=0.0)
        assert_close(out, expected, "out", tolerance=1e-7)

    def test_arguments_are_left_alone(self, solution):
        """Neither x nor weight nor bias is modified, and the result is no view of any of them."""
        x, weight, bias = normal(1, 2, 6, 3, 5), normal(2, 6), normal(3, 6)
        with assert_unchanged(x=x, weight=weight, bias=bias):
            out, _ = solution.group_norm_forward(x, 2, weight, bias)
            plain, _ = solution.group_norm_forward(x, 2)
        assert_no_alias(out, "out", x=x, weight=weight, bias=bias)
        assert_no_alias(plain, "out", x=x)

    def test_memory_layout_does_not_matter(self, solution):
        """Channels last seen as channels first, an x read backwards or in Fortran order gives what its copy gives."""
        last = (2 + 3 * normal(1, 2, 3, 5, 6)).transpose(0, 3, 1, 2)
        for x in (last, last[::-1, ::-1, ::2, ::-1], np.asfortranarray(last)):
            out, _ = solution.group_norm_forward(x, 2)
            assert_close(out, slow_norm(x, group_rule(6, 2)), "out")

    def test_empty_batch(self, solution):
        """A batch of no images gives no images."""
        out, _ = solution.group_norm_forward(np.zeros((0, 6, 3, 5)), 2, np.ones(6), np.zeros(6))
        assert_close(out, np.zeros((0, 6, 3, 5)), "out")


@exercise("group_norm_backward")
class TestGroupNormBackward:
    def test_weight_or_bias_alone(self, solution):
        """The gradient is None exactly where the input was None."""
        x, parameter, dout = normal(1, 2, 4, 1, 3), normal(2, 4), normal(3, 2, 4, 1, 3)
        dx, dweight, _ = slow_gradients(dout, x, group_rule(4, 2), parameter, np.zeros(4))
        _, cache = solution.group_norm_forward(x, 2, weight=parameter)
        got = solution.group_norm_backward(dout, cache)
        assert_all_close(got[:2], (dx, dweight), ("dx", "dweight"))
        assert_equal(got[2], None, "dbias")
        dx, _, dbias = slow_gradients(dout, x, group_rule(4, 2), np.ones(4), np.zeros(4))
        _, cache = solution.group_norm_forward(x, 2, bias=parameter)
        got = solution.group_norm_backward(dout, cache)
        assert_all_close(got[::2], (dx, dbias), ("dx", "dbias"))
        assert_equal(got[1], None, "dweight")

    def test_other_images_do_not_matter(self, solution):
        """The gradient of one image is the same alone and among other images, whatever their gradients."""
        x = normal(1, 3, 6, 2, 5) * np.array([1.0, 40.0, 0.1]).reshape(3, 1, 1, 1)
        weight, dout = normal(2, 6), normal(3, 3, 6, 2, 5)
        _, cache = solution.group_norm_forward(x, 2, weight)
        together, _, _ = solution.group_norm_backward(dout, cache)
        _, cache = solution.group_norm_forward(x[1:2], 2, weight)
        alone, _, _ = solution.group_norm_backward(dout[1:2], cache)
        assert_close(together[1:2], alone, "dx")

    def test_gradient_of_another_shape(self, solution):
        """A dout whose shape is not the output's is an error that names both shapes."""
        _, cache = solution.group_norm_forward(normal(1, 2, 6, 3, 5), 2)
        with assert_rejects((2, 6, 5, 3), (2, 6, 3, 5)):
            solution.group_norm_backward(normal(2, 2, 6, 5, 3), cache)

    def test_cache_can_be_used_again(self, solution):
        """Two forwards before two backwards, and a second backward on one cache, give each its own gradients."""
        x, y = 2 + 3 * normal(1, 2, 4, 1, 3), normal(2, 2, 4, 1, 3)
        weight, bias, dout = normal(3, 4), normal(4, 4), normal(5, 2, 4, 1, 3)
        (_, first), (_, second) = (solution.group_norm_forward(a, 2, weight, bias) for a in (x, y))
        for cache, a in ((first, x), (second, y), (first, x)):
            expected = slow_gradients(dout, a, group_rule(4, 2), weight, bias)
            assert_all_close(solution.group_norm_backward(dout, cache), expected)

    def test_dtype_of_x(self, solution):
        """All gradients have the dtype of x, whatever the dtypes of weight, bias and dout."""
        x, dout = normal(1, 2, 4, 1, 3, dtype=np.float32), normal(4, 2, 4, 1, 3)
        weight, bias = normal(2, 4), normal(3, 4)
        expected = slow_gradients(dout, x.astype(np.float64), group_rule(4, 2), weight, bias)
        _, cache = solution.group_norm_forward(x, 2, weight, bias)
        for got, right, name in zip(
            solution.group_norm_backward(dout, cache), expected, ("dx", "dweight", "dbias"), strict=True
        ):
            assert_close(got, right, name, np.float32)

    def test_upstream_is_left_alone(self, solution):
        """Dout is not modified, with a weight or without, and dx is no view of it."""
        x, weight, dout = normal(1, 2, 6, 3, 5), normal(2, 6), normal(3, 2, 6, 3, 5)
        for chosen in (weight, None):
            _, cache = solution.group_norm_forward(x, 2, chosen)
            with assert_unchanged(x=x, weight=weight, dout=dout):
                dx, _, _ = solution.group_norm_backward(dout, cache)
            assert_no_alias(dx, "dx", x=x, weight=weight, dout=dout)

    def test_memory_layout_does_not_matter(self, solution):
        """A transposed x and a reversed dout give what their contiguous copies give."""
        x, dout = normal(1, 2, 1, 3, 4).transpose(0, 3, 1, 2), normal(2, 2, 3, 1, 4).transpose(0, 3, 2, 1)[:, ::-1]
        weight, bias = normal(3, 4), normal(4, 4)
        _, cache = solution.group_norm_forward(x, 2, weight, bias)
        expected = slow_gradients(dout, x, group_rule(4, 2), weight, bias)
        assert_all_close(solution.group_norm_backward(dout, cache), expected)

    def test_empty_batch(self, solution):
        """A batch of no images has an empty dx, and zeros for weight and bias."""
        _, cache = solution.group_norm_forward(np.zeros((0, 6, 3, 5)), 2, np.ones(6), np.ones(6))
        expected = np.zeros((0, 6, 3, 5)), np.zeros(6), np.zeros(6)
        assert_all_close(solution.group_norm_backward(np.zeros((0, 6, 3, 5)), cache), expected)

    def test_no_python_loop(self, solution):
        """The number of Python instructions is the same for any N, C, H, W and any number of groups."""

        def make_call(N, C, H, W, G):
            x, weight = normal(3, N, C, H, W), normal(4, C)
            _, cache = solution.group_norm_forward(x, G, weight, weight)
            return lambda: solution.group_norm_backward(x, cache)

        small = {"N": 2, "C": 84, "H": 3, "W": 1, "G": 2}
        assert_vectorized(make_call, small, {"N": 42, "C": 168, "H": 43, "W": 41, "G": 42})


@exercise("instance_norm_forward")
class TestInstanceNormForward:
    def test_weight_or_bias_alone(self, solution):
        """A weight without a bias multiplies; a bias without a weight is added."""
        x, parameter, rule = 2 + 3 * normal(1, 2, 6, 3, 5), normal(2, 6), instance_rule()
        out, _ = solution.instance_norm_forward(x, weight=parameter)
        assert_close(out, slow_norm(x, rule, weight=parameter), "out with a weight")
        out, _ = solution.instance_norm_forward(x, bias=parameter)
        assert_close(out, slow_norm(x, rule, bias=parameter), "out with a bias")

    def test_weight_is_not_read_along_the_columns(self, solution):
        """With as many columns as channels the weight still belongs to the channels."""
        x, weight, bias = 2 + 3 * normal(1, 2, 5, 3, 5), normal(2, 5), normal(3, 5)
        out, _ = solution.instance_norm_forward(x, weight, bias)
        assert_close(out, slow_norm(x, instance_rule(), weight, bias), "out")

    def test_rank(self, solution):
        """An x that is not (N, C, H, W) is an error that names its shape."""
        with assert_rejects((6, 3, 5)):
            solution.instance_norm_forward(normal(1, 6, 3, 5))

    def test_weight_of_another_shape(self, solution):
        """A weight or bias that is not (C,) is an error that names its shape and (C,), even where it broadcasts."""
        x = normal(1, 2, 6, 3, 5)
        with assert_rejects((5,), (6,)):
            solution.instance_norm_forward(x, weight=normal(2, 5))
        with assert_rejects((1,), (6,)):
            solution.instance_norm_forward(x, bias=normal(2, 1))

    def test_dtype_of_x(self, solution):
        """The result has the dtype of x, whatever the weight's; integers become float64."""
        whole = np.arange(180).reshape(2, 6, 3, 5) % 11
        weight, bias = normal(2, 6), normal(3, 6)
        expected = slow_norm(whole, instance_rule(), weight, bias)
        out, _ = solution.instance_norm_forward(whole.astype(np.float32), weight, bias)
        assert_close(out, expected, "out", np.float32)
        out, _ = solution.instance_norm_forward(whole, weight, bias)
        assert_close(out, expected, "out", np.float64)

    def test_large_mean_and_small_spread_in_float32(self, solution):
        """Values around 3000 that differ by about 1 keep their spread in float32."""
        x = (3000 + normal(2, 2, 3, 5, 12)).astype(np.float32)
        out, _ = solution.instance_norm_forward(x)
        assert_close(out, slow_norm(x.astype(np.float64), instance_rule()), "out", np.float32, tolerance=1e-2)

    def test_float16_squares_do_not_overflow(self, solution):
        """A float16 x with a spread of 2000, whose square float16 can't hold, gives a float16 result of spread 1."""
        x = (2000 * normal(1, 2, 3, 4, 7)).astype(np.float16)
        out, _ = solution.instance_norm_forward(x)
        assert_close(out, slow_norm(x.astype(np.float64), instance_rule()), "out", np.float16)

    def test_other_images_do_not_matter(self, solution):
        """What an image becomes is the same alone and among other images of the batch."""
        x = normal(1, 3, 4, 2, 5) * np.array([1.0, 40.0, 0.1]).reshape(3, 1, 1, 1)
        together, _ = solution.instance_norm_forward(x)
        alone, _ = solution.instance_norm_forward(x[1:2])
        assert_close(together[1:2], alone, "out")

    def test_arguments_are_left_alone(self, solution):
        """Neither x nor weight nor bias is modified, and the result is no view of any of them."""
        x, weight, bias = normal(1, 2, 6, 3, 5), normal(2, 6), normal(3, 6)
        with assert_unchanged(x=x, weight=weight, bias=bias):
            out, _ = solution.instance_norm_forward(x, weight, bias)
            plain, _ = solution.instance_norm_forward(x)
        assert_no_alias(out, "out", x=x, weight=weight, bias=bias)
        assert_no_alias(plain, "out", x=x)

    def test_memory_layout_does_not_matter(self, solution):
        """Channels last seen as channels first, an x read backwards or in Fortran order gives what its copy gives."""
        last = (2 + 3 * normal(1, 2, 3, 5, 6)).transpose(0, 3, 1, 2)
        for x in (last, last[::-1, ::-1, ::2, ::-1], np.asfortranarray(last)):
            out, _ = solution.instance_norm_forward(x)
            assert_close(out, slow_norm(x, instance_rule()), "out")

    def test_empty_batch(self, solution):
        """A batch of no images gives no images."""
        out, _ = solution.instance_norm_forward(np.zeros((0, 6, 3, 5)), np.ones(6), np.zeros(6))
        assert_close(out, np.zeros((0, 6, 3, 5)), "out")


@exercise("instance_norm_backward")
class TestInstanceNormBackward:
    def test_weight_or_bias_alone(self, solution):
        """The gradient is None exactly where the input was None."""
        x, parameter, dout = normal(1, 3, 2, 1, 4), normal(2, 2), normal(3, 3, 2, 1, 4)
        dx, dweight, _ = slow_gradients(dout, x, instance_rule(), parameter, np.zeros(2))
        _, cache = solution.instance_norm_forward(x, weight=parameter)
        got = solution.instance_norm_backward(dout, cache)
        assert_all_close(got[:2], (dx, dweight), ("dx", "dweight"))
        assert_equal(got[2], None, "dbias")
        dx, _, dbias = slow_gradients(dout, x, instance_rule(), np.ones(2), np.zeros(2))
        _, cache = solution.instance_norm_forward(x, bias=parameter)
        got = solution.instance_norm_backward(dout, cache)
        assert_all_close(got[::2], (dx, dbias), ("dx", "dbias"))
        assert_equal(got[1], None, "dweight")

    def test_as_many_groups_as_channels(self, solution):
        """Group norm with C groups has the same gradients."""
        x, weight, bias, dout = normal(1, 2, 6, 3, 5), normal(2, 6), normal(3, 6), normal(4, 2, 6, 3, 5)
        _, cache = solution.instance_norm_forward(x, weight, bias)
        expected = slow_gradients(dout, x, group_rule(6, 6), weight, bias)
        assert_all_close(solution.instance_norm_backward(dout, cache), expected)

    def test_gradient_of_another_shape(self, solution):
        """A dout whose shape is not the output's is an error that names both shapes."""
        _, cache = solution.instance_norm_forward(normal(1, 2, 6, 3, 5))
        with assert_rejects((1, 6, 3, 5), (2, 6, 3, 5)):
            solution.instance_norm_backward(normal(2, 1, 6, 3, 5), cache)

    def test_cache_can_be_used_again(self, solution):
        """Two forwards before two backwards, and a second backward on one cache, give each its own gradients."""
        x, y = 2 + 3 * normal(1, 3, 2, 1, 4), normal(2, 3, 2, 1, 4)
        weight, bias, dout = normal(3, 2), normal(4, 2), normal(5, 3, 2, 1, 4)
        (_, first), (_, second) = (solution.instance_norm_forward(a, weight, bias) for a in (x, y))
        for cache, a in ((first, x), (second, y), (first, x)):
            expected = slow_gradients(dout, a, instance_rule(), weight, bias)
            assert_all_close(solution.instance_norm_backward(dout, cache), expected)

    def test_dtype_of_x(self, solution):
        """All gradients have the dtype of x, whatever the dtypes of weight, bias and dout."""
        x, dout = normal(1, 3, 2, 1, 4, dtype=np.float32), normal(4, 3, 2, 1, 4)
        weight, bias = normal(2, 2), normal(3, 2)
        expected = slow_gradients(dout, x.astype(np.float64), instance_rule(), weight, bias)
        _, cache = solution.instance_norm_forward(x, weight, bias)
        for got, right, name in zip(
            solution.instance_norm_backward(dout, cache), expected, ("dx", "dweight", "dbias"), strict=True
        ):
            assert_close(got, right, name, np.float32)

    def test_upstream_is_left_alone(self, solution):
        """Dout is not modified, with a weight or without, and dx is no view of it."""
        x, weight, dout = normal(1, 2, 6, 3, 5), normal(2, 6), normal(3, 2, 6, 3, 5)
        for chosen in (weight, None):
            _, cache = solution.instance_norm_forward(x, chosen)
            with assert_unchanged(x=x, weight=weight, dout=dout):
                dx, _, _ = solution.instance_norm_backward(dout, cache)
            assert_no_alias(dx, "dx", x=x, weight=weight, dout=dout)

    def test_empty_batch(self, solution):
        """A batch of no images has an empty dx, and zeros for weight and bias."""
        _, cache = solution.instance_norm_forward(np.zeros((0, 6, 3, 5)), np.ones(6), np.ones(6))
        expected = np.zeros((0, 6, 3, 5)), np.zeros(6), np.zeros(6)
        assert_all_close(solution.instance_norm_backward(np.zeros((0, 6, 3, 5)), cache), expected)

    def test_no_python_loop(self, solution):
        """The number of Python instructions is the same for any N, C, H and W."""

        def make_call(N, C, H, W):
            x, weight = normal(3, N, C, H, W), normal(4, C)
            _, cache = solution.instance_norm_forward(x, weight, weight)
            return lambda: solution.instance_norm_backward(x, cache)

        assert_vectorized(make_call, {"N": 2, "C": 3, "H": 4, "W": 5}, {"N": 52, "C": 53, "H": 54, "W": 55})


@exercise("LayerNorm")
class TestLayerNorm:
    def test_gradients_in_float64(self, solution):
        """As float64 the layer's gradients are the slopes of its output, for parameters that are not 1 and 0."""
        layer = solution.LayerNorm((2, 4), eps=0.1).astype(np.float64)
        x, dout, weight, bias = normal(1, 3, 2, 4), normal(2, 3, 2, 4), normal(3, 2, 4), normal(4, 2, 4)
        layer.weight.value[...], layer.bias.value[...] = weight, bias
        layer(x)
        dx = layer.backward(dout)
        rule = layer_rule(3, 2)
        assert_gradient(dx, lambda x: slow_norm(x, rule, weight, bias, 0.1), x, dout, "dx")
        assert_gradient(layer.weight.grad, lambda w: slow_norm(x, rule, w, bias, 0.1), weight, dout, "weight.grad")
        assert_gradient(layer.bias.grad, lambda b: slow_norm(x, rule, weight, b, 0.1), bias, dout, "bias.grad")

    def test_dtype_of_x(self, solution):
        """A float32 input gives a float32 output and dx, a float64 input float64 ones."""
        for dtype in (np.float32, np.float64):
            layer, x = solution.LayerNorm(5), normal(1, 3, 5, dtype=dtype)
            assert_close(layer(x), slow_norm(x, layer_rule(2, 1)), "out", dtype)
            assert_close(layer.backward(np.ones_like(x)), np.zeros((3, 5)), "dx", dtype)

    def test_state_moves_to_another_layer(self, solution):
        """A layer that loads another's state_dict computes what the other computes."""
        x, first, second = normal(1, 2, 3, 5), solution.LayerNorm((3, 5)), solution.LayerNorm((3, 5))
        first.weight.value[...], first.bias.value[...] = normal(2, 3, 5), normal(3, 3, 5)
        second.load_state_dict(first.state_dict())
        weight, bias = (parameter.value.astype(np.float64) for parameter in first.parameters())
        assert_close(second(x), slow_norm(x, layer_rule(3, 2), weight, bias), "out")

    def test_the_same_in_training_and_evaluation(self, solution):
        """Eval mode changes nothing: there are no running statistics."""
        x, layer = 2 + 3 * normal(1, 4, 5), solution.LayerNorm(5)
        layer(normal(2, 3, 5))
        assert_close(layer.eval()(x), slow_norm(x, layer_rule(2, 1)), "out")
        assert_equal(list(layer.state_dict()), ["weight", "bias"], "names")

    def test_shapes_it_refuses(self, solution):
        """No axes is refused when the layer is built, another length when it reads x."""
        with assert_rejects("()"):
            solution.LayerNorm(())
        with assert_rejects(5, 7):
            solution.LayerNorm(7)(normal(1, 2, 5))


@exercise("GroupNorm")
class TestGroupNorm:
    def test_gradients_in_float64(self, solution):
        """As float64 the layer's gradients are the slopes of its output, for parameters that are not 1 and 0."""
        layer = solution.GroupNorm(2, 6, eps=0.1).astype(np.float64)
        x, dout, weight, bias = normal(1, 2, 6, 1, 3), normal(2, 2, 6, 1, 3), normal(3, 6), normal(4, 6)
        layer.weight.value[...], layer.bias.value[...] = weight, bias
        layer(x)
        dx = layer.backward(dout)
        rule = group_rule(6, 2)
        assert_gradient(dx, lambda x: slow_norm(x, rule, weight, bias, 0.1), x, dout, "dx")
        assert_gradient(layer.weight.grad, lambda w: slow_norm(x, rule, w, bias, 0.1), weight, dout, "weight.grad")
        assert_gradient(layer.bias.grad, lambda b: slow_norm(x, rule, weight, b, 0.1), bias, dout, "bias.grad")

    def test_uses_its_own_parameters_and_eps(self, solution):
        """The output is computed with the layer's weight, bias and eps, in the dtype of x."""
        x, layer = normal(1, 2, 6, 3, 5, dtype=np.float32), solution.GroupNorm(3, 6, eps=0.5)
        weight, bias = normal(2, 6, dtype=np.float32), normal(3, 6, dtype=np.float32)
        layer.weight.value[...], layer.bias.value[...] = weight, bias
        assert_close(layer(x), slow_norm(x, group_rule(6, 3), weight, bias, 0.5), "out", np.float32)

    def test_state_moves_to_another_layer(self, solution):
        """A layer that loads another's state_dict (weight, bias) computes what the other computes."""
        x, first, second = normal(1, 2, 6, 3, 5), solution.GroupNorm(3, 6), solution.GroupNorm(3, 6)
        first.weight.value[...], first.bias.value[...] = normal(2, 6), normal(3, 6)
        assert_equal(list(first.state_dict()), ["weight", "bias"], "names")
        second.load_state_dict(first.state_dict())
        weight, bias = (parameter.value.astype(np.float64) for parameter in first.parameters())
        assert_close(second(x), slow_norm(x, group_rule(6, 3), weight, bias), "out")

    def test_the_same_in_training_and_evaluation(self, solution):
        """Eval mode changes nothing: every image brings its own statistics."""
        x, layer = 2 + 3 * normal(1, 2, 6, 3, 5), solution.GroupNorm(2, 6)
        layer(normal(2, 4, 6, 3, 5))
        assert_close(layer.eval()(x), slow_norm(x, group_rule(6, 2)), "out")

    def test_what_it_refuses(self, solution):
        """No groups is refused when the layer is built, another number of channels when it reads x."""
        with assert_rejects(0):
            solution.GroupNorm(0, 6)
        with assert_rejects(6, 4):
            solution.GroupNorm(2, 6)(normal(1, 3, 4, 5, 7))


@exercise("InstanceNorm2d")
class TestInstanceNorm2d:
    def test_gradients_in_float64(self, solution):
        """As float64 the affine layer's gradients are the slopes of its output, for parameters that are not 1 and 0."""
        layer = solution.InstanceNorm2d(2, eps=0.1, affine=True).astype(np.float64)
        x, dout, weight, bias = normal(1, 3, 2, 1, 4), normal(2, 3, 2, 1, 4), normal(3, 2), normal(4, 2)
        layer.weight.value[...], layer.bias.value[...] = weight, bias
        layer(x)
        dx = layer.backward(dout)
        rule = instance_rule()
        assert_gradient(dx, lambda x: slow_norm(x, rule, weight, bias, 0.1), x, dout, "dx")
        assert_gradient(layer.weight.grad, lambda w: slow_norm(x, rule, w, bias, 0.1), weight, dout, "weight.grad")
        assert_gradient(layer.bias.grad, lambda b: slow_norm(x, rule, weight, b, 0.1), bias, dout, "bias.grad")

    def test_starts_as_the_plain_normalisation(self, solution):
        """A new affine layer multiplies by 1 and adds 0; its parameters are weight and bias, in this order."""
        x, layer = 2 + 3 * normal(1, 2, 3, 4, 5, dtype=np.float32), solution.InstanceNorm2d(3, affine=True)
        assert_equal(list(layer.state_dict()), ["weight", "bias"], "names")
        assert_close(layer(x), slow_norm(x, instance_rule()), "out", np.float32)

    def test_backward_adds_to_the_gradients(self, solution):
        """With affine two calls of backward leave twice the gradients of one."""
        x, dout, layer = normal(1, 3, 2, 1, 4), normal(2, 3, 2, 1, 4), solution.InstanceNorm2d(2, affine=True)
        _, dweight, dbias = slow_gradients(dout, x, instance_rule(), np.ones(2), np.zeros(2))
        layer(x)
        layer.backward(dout)
        layer.backward(dout)
        assert_close(layer.weight.grad, 2 * dweight, "weight.grad", np.float32)
        assert_close(layer.bias.grad, 2 * dbias, "bias.grad", np.float32)

    def test_the_same_in_training_and_evaluation(self, solution):
        """Eval mode changes nothing, and without affine there is no state to save."""
        x, layer = 2 + 3 * normal(1, 2, 3, 4, 5), solution.InstanceNorm2d(3)
        layer(normal(2, 4, 3, 4, 5))
        assert_close(layer.eval()(x), slow_norm(x, instance_rule()), "out")
        assert_equal(list(layer.state_dict()), [], "names")

    def test_single_pixel(self, solution):
        """A map of one pixel is an error in the layer as well, in training and in evaluation."""
        with assert_rejects((2, 3, 1, 1)):
            solution.InstanceNorm2d(3)(normal(1, 2, 3, 1, 1))
        with assert_rejects((2, 3, 1, 1)):
            solution.InstanceNorm2d(3).eval()(normal(1, 2, 3, 1, 1))
