"""Topic 14, hidden suite: what is easily forgotten."""

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
    numerical_gradient,
    pairs,
    seeds,
    sizes,
)


def slow_batch_norm(x, weight, bias, mean=None, var=None, eps=1e-5):
    """The definition, one channel at a time; mean and var are the batch's unless they are given."""
    out = np.zeros(x.shape)
    for c in range(x.shape[1]):
        values = [float(value) for value in x[:, c].ravel()]
        m = sum(values) / len(values) if mean is None else mean[c]
        v = sum((value - m) ** 2 for value in values) / len(values) if var is None else var[c]
        out[:, c] = (x[:, c] - m) / np.sqrt(v + eps) * weight[c] + bias[c]
    return out


def slow_conv2d(x, weight, stride, padding):
    """One window at a time; reads zero outside the image."""
    (N, C, H, W), (O, _, kh, kw), (sh, sw) = x.shape, weight.shape, stride
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    padded[:, :, padding : padding + H, padding : padding + W] = x
    out = np.zeros((N, O, (H + 2 * padding - kh) // sh + 1, (W + 2 * padding - kw) // sw + 1))
    for n, o, i, j in np.ndindex(*out.shape):
        out[n, o, i, j] = np.sum(padded[n, :, i * sh : i * sh + kh, j * sw : j * sw + kw] * weight[o])
    return out


def slow_step(x, state, conv, bn, stride, training):
    """A convolution without bias, as large at stride 1 as x, then batch norm; weights from a state_dict."""
    weight = state[f"{conv}.weight"]
    x = slow_conv2d(x, weight, stride, weight.shape[2] // 2)
    statistics = (None, None) if training else (state[f"{bn}.running_mean"], state[f"{bn}.running_var"])
    return slow_batch_norm(x, state[f"{bn}.weight"], state[f"{bn}.bias"], *statistics)


def slow_shortcut(x, state, out_channels, stride, training):
    """A projection where the state has one (1x1 convolution, then batch norm), else every stride-th pixel."""
    parts = [array for name, array in state.items() if name.startswith("shortcut.")]
    if parts:
        x = slow_conv2d(x, parts[0], stride, 0)
        return slow_batch_norm(x, parts[1], parts[2], *((None, None) if training else parts[3:]))
    N, C, H, W = x.shape
    out = np.zeros((N, out_channels, -(-H // stride[0]), -(-W // stride[1])))
    for c, i, j in np.ndindex(C, *out.shape[2:]):
        out[:, c, i, j] = x[:, c, i * stride[0], j * stride[1]]
    return out


def slow_block(x, state, strides, training=True):
    """The branch, one convolution for every stride in `strides`, plus the shortcut, then ReLU."""
    branch = x
    for number, stride in enumerate(strides, 1):
        branch = slow_step(branch, state, f"conv{number}", f"bn{number}", stride, training)
        branch = np.maximum(branch, 0) if number < len(strides) else branch
    total = tuple(np.prod(strides, axis=0))
    return np.maximum(branch + slow_shortcut(x, state, branch.shape[1], total, training), 0)


def slow_resnet(x, state, blocks_per_stage, training=True):
    """Stem, blocks, mean over the pixels, dense layer."""
    x = np.maximum(slow_step(x, state, "conv1", "bn1", (1, 1), training), 0)
    for stage, blocks in enumerate(blocks_per_stage):
        for block in range(blocks):
            prefix = f"stages.{stage}.{block}."
            inner = {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
            stride = (2, 2) if stage > 0 and block == 0 else (1, 1)
            x = slow_block(x, inner, [stride, (1, 1)], training)
    return x.mean(axis=(2, 3)) @ state["fc.weight"].T + state["fc.bias"]


def randomized(layer, seed):
    """Return the layer in float64 with random parameters and running statistics (variances from 0.5 up)."""
    state = layer.astype(np.float64).state_dict()
    for number, (name, array) in enumerate(state.items()):
        state[name] = normal(seed + number, *array.shape)
        if name.endswith("running_var"):
            state[name] = 0.5 + np.abs(state[name])
    layer.load_state_dict(state)
    return layer


def silenced(layer, last):
    """Return the layer with the scale and the shift of its last batch norm 0: the branch says nothing."""
    state = layer.state_dict()
    state[f"{last}.weight"][:] = 0
    state[f"{last}.bias"][:] = 0
    layer.load_state_dict(state)
    return layer


def assert_slopes(layer, x, dout, seed, samples=4):
    """Assert that dx, all of it, and some random numbers of every parameter's gradient are slopes."""
    layer(x)
    assert_close(layer.backward(dout), numerical_gradient(layer, x, dout, step=1e-6), "dx", tolerance=1e-6)
    rng = np.random.default_rng(seed)
    for position, parameter in enumerate(layer.parameters()):
        gradient = parameter.grad.copy()
        for index in {tuple(rng.integers(parameter.value.shape)) for _ in range(samples)}:
            slope = slope_at(layer, x, dout, parameter.value, index)
            what = f"gradient of parameter {position} at {[int(i) for i in index]}"
            assert_close(gradient[index], slope, what, tolerance=1e-6)


def slope_at(layer, x, dout, array, index, step=1e-6):
    """Return the slope of sum(layer(x) * dout) by one number of one parameter."""
    before = array[index]
    array[index] = before + step
    above = np.sum(layer(x) * dout)
    array[index] = before - step
    below = np.sum(layer(x) * dout)
    array[index] = before
    return (above - below) / (2 * step)


def count(net):
    """Return how many numbers are trained."""
    return sum(parameter.value.size for parameter in net.parameters())


@exercise("batch_norm_forward")
class TestBatchNormForward:
    @given(seeds, sizes(1, 3), sizes(1, 4), pairs(1, 4))
    def test_equals_the_definition_in_evaluation(self, solution, seed, N, C, size):
        """In evaluation every value is normalised with the running statistics of its channel, a single value too."""
        x, weight, bias, mean = normal(seed, N, C, *size), normal(seed, C), normal(seed + 1, C), normal(seed + 2, C)
        var = 0.1 + np.abs(normal(seed + 3, C))
        out, _ = solution.batch_norm_forward(x, weight, bias, mean, var, False)
        assert_close(out, slow_batch_norm(x, weight, bias, mean, var), "out")

    @given(seeds, sizes(2, 4), pairs(1, 3))
    def test_running_statistics_of_any_batch(self, solution, seed, N, size):
        """Training leaves (1 - momentum) * old + momentum * new, the new variance divided by M - 1."""
        x, mean, var = 2 * normal(seed, N, 3, *size) - 1, normal(seed, 3), np.abs(normal(seed + 1, 3))
        values = x.transpose(1, 0, 2, 3).reshape(3, -1)
        expected_mean = [0.7 * old + 0.3 * row.mean() for old, row in zip(mean, values, strict=True)]
        expected_var = [0.7 * old + 0.3 * row.var(ddof=1) for old, row in zip(var, values, strict=True)]
        solution.batch_norm_forward(x, None, None, mean, var, True, momentum=0.3)
        assert_close(mean, np.array(expected_mean), "running_mean")
        assert_close(var, np.array(expected_var), "running_var")

    def test_momentum_one_and_zero(self, solution):
        """Momentum 1 remembers this batch alone, momentum 0 nothing of it."""
        x = np.array([1.0, 2.0, 6.0]).reshape(3, 1, 1, 1)
        for momentum, mean_after, var_after in [(1.0, 3.0, 7.0), (0.0, 9.0, 8.0)]:
            mean, var = np.array([9.0]), np.array([8.0])
            solution.batch_norm_forward(x, None, None, mean, var, True, momentum=momentum)
            assert_close(mean, np.array([mean_after]), "running_mean")
            assert_close(var, np.array([var_after]), "running_var")

    def test_second_batch(self, solution):
        """The default momentum 0.1 after two batches of mean 10 leaves 0.9 * 1 + 0.1 * 10 = 1.9."""
        x, mean, var = np.array([9.0, 11.0]).reshape(1, 1, 2, 1), np.zeros(1), np.zeros(1)
        for _ in range(2):
            solution.batch_norm_forward(x, None, None, mean, var, True)
        assert_close(mean, np.array([1.9]), "running_mean")
        assert_close(var, np.array([0.38]), "running_var")

    def test_running_statistics_do_not_change_training(self, solution):
        """What training returns depends on the batch, not on the running statistics, which may be None."""
        x, weight, bias = normal(3, 2, 3, 4, 5), normal(4, 3), normal(5, 3)
        for statistics in [(None, None), (np.full(3, 7.0), np.full(3, 9.0))]:
            out, _ = solution.batch_norm_forward(x, weight, bias, *statistics, True)
            assert_close(out, slow_batch_norm(x, weight, bias), "out")

    def test_float32_stays(self, solution):
        """A float32 x gives a float32 result in both modes, whatever dtype the vectors have."""
        x = normal(6, 2, 3, 4, 5, dtype=np.float32)
        for training in (True, False):
            out, _ = solution.batch_norm_forward(x, np.ones(3), np.zeros(3), np.zeros(3), np.ones(3), training)
            assert_equal(str(out.dtype), "float32", "dtype of out")

    def test_float32_far_from_zero(self, solution):
        """In float32 a spread of 2 around 10000 survives: subtract the mean first, then square."""
        whole = np.random.default_rng(7).integers(-3, 4, (4, 2, 5, 6)) + 10000.0
        var = np.ones(2, np.float32)
        out, _ = solution.batch_norm_forward(
            whole.astype(np.float32), np.ones(2), np.zeros(2), np.zeros(2, np.float32), var, True, momentum=1.0
        )
        expected = slow_batch_norm(whole, np.ones(2), np.zeros(2))
        assert_close(out, expected, "out", dtype=np.float32, tolerance=1e-2)
        spread = whole.transpose(1, 0, 2, 3).reshape(2, -1).var(axis=1, ddof=1)
        assert_close(var, spread, "running_var", dtype=np.float32, tolerance=1e-2)

    def test_running_statistics_keep_their_dtype(self, solution):
        """Statistics kept in float32 are updated in place by a float64 batch and stay float32."""
        x, mean, var = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1), np.zeros(1, np.float32), np.ones(1, np.float32)
        solution.batch_norm_forward(x, None, None, mean, var, True)
        assert_close(mean, np.array([0.2], np.float32), "running_mean")
        assert_close(var, np.array([1.0], np.float32), "running_var")

    def test_integer_images(self, solution):
        """Integers are promoted to float64, and a scale and a shift between two integers are not rounded."""
        x = np.array([1, 2, 3, 6]).reshape(2, 1, 1, 2)
        for weight, bias in [(np.array([2]), np.array([5])), (np.array([2.5]), np.array([0.25]))]:
            out, _ = solution.batch_norm_forward(x, weight, bias, np.zeros(1), np.ones(1), True)
            assert_close(out, slow_batch_norm(x.astype(float), weight.astype(float), bias.astype(float)), "out")

    def test_arguments_stay(self, solution):
        """Neither pass changes x, weight, bias or dout, in either mode."""
        x, weight, bias, dout = normal(8, 2, 3, 4, 5), normal(9, 3), normal(10, 3), normal(11, 2, 3, 4, 5)
        for training in (True, False):
            with assert_unchanged(x=x, weight=weight, bias=bias, dout=dout):
                _, cache = solution.batch_norm_forward(x, weight, bias, np.zeros(3), np.ones(3), training)
                solution.batch_norm_backward(dout, cache)

    def test_result_is_a_new_array(self, solution):
        """The result shares no memory with x, even where nothing scales or shifts it; changing it harms no gradient."""
        x, dout = normal(12, 2, 3, 4, 5), normal(13, 2, 3, 4, 5)
        out, cache = solution.batch_norm_forward(x, None, None, np.zeros(3), np.ones(3), False, eps=0.0)
        assert_no_alias(out, "out", x=x)
        out, cache = solution.batch_norm_forward(x, None, None, None, None, True)
        before, _, _ = solution.batch_norm_backward(dout, cache)
        out[:] = 0
        after, _, _ = solution.batch_norm_backward(dout, cache)
        assert_close(after, before, "dx")

    def test_non_contiguous_images(self, solution):
        """A transposed, reversed or thinned-out x is read where its values are."""
        weight, bias = normal(14, 3), normal(15, 3)
        wide = normal(16, 2, 4, 5, 6)
        for x in [wide.transpose(0, 3, 1, 2)[:, ::2], wide[:, :3, ::-1, ::-1], wide[:, 1:, ::2, ::3]]:
            out, _ = solution.batch_norm_forward(x, weight, bias, np.zeros(3), np.ones(3), True)
            assert_close(out, slow_batch_norm(x, weight, bias), "out")

    def test_empty_batch(self, solution):
        """No images give no result, no gradient, and nothing to remember."""
        x, mean, var = np.zeros((0, 3, 4, 5)), normal(17, 3), np.abs(normal(18, 3))
        with assert_unchanged(running_mean=mean, running_var=var):
            for training in (True, False):
                out, cache = solution.batch_norm_forward(x, np.ones(3), np.zeros(3), mean, var, training)
                assert_close(out, x, "out")
                dx, dweight, dbias = solution.batch_norm_backward(x, cache)
                assert_close(dx, x, "dx")
                assert_close(dweight, np.zeros(3), "dweight")
                assert_close(dbias, np.zeros(3), "dbias")

    def test_constant_channel(self, solution):
        """A channel of one value has variance 0; eps keeps the result finite, and it is the bias."""
        x = np.full((2, 1, 3, 4), 7.0)
        out, _ = solution.batch_norm_forward(x, np.array([3.0]), np.array([-2.0]), np.zeros(1), np.ones(1), True)
        assert_close(out, np.full(x.shape, -2.0), "out")

    def test_weight_without_bias_and_bias_without_weight(self, solution):
        """Scale and shift are left out one by one."""
        x, weight, bias = normal(19, 2, 3, 4, 5), normal(20, 3), normal(21, 3)
        scaled, _ = solution.batch_norm_forward(x, weight, None, None, None, True)
        shifted, _ = solution.batch_norm_forward(x, None, bias, None, None, True)
        assert_close(scaled, slow_batch_norm(x, weight, np.zeros(3)), "without bias")
        assert_close(shifted, slow_batch_norm(x, np.ones(3), bias), "without weight")

    def test_images_of_another_rank(self, solution):
        """An x that has not four axes is an error that shows its shape."""
        for shape in [(3, 5), (2, 3, 5), (2, 3, 5, 4, 1)]:
            with assert_rejects(shape):
                solution.batch_norm_forward(np.ones(shape), None, None, None, None, True)

    def test_vectors_of_another_shape(self, solution):
        """A weight, bias or running statistic that is not (C,) is an error with both shapes: nothing broadcasts."""
        x = normal(22, 2, 3, 5, 4)
        for position in range(4):
            for shape in [(1,), (4,), (3, 1), ()]:
                vectors = [np.ones(3), np.ones(3), np.ones(3), np.ones(3)]
                vectors[position] = np.ones(shape)
                for training in (True, False):
                    with assert_rejects(shape, x.shape):
                        solution.batch_norm_forward(x, *vectors, training)

    def test_evaluation_without_statistics(self, solution):
        """Evaluation needs both running statistics: None for either is an error that shows the shape of x."""
        x = normal(23, 2, 3, 5, 4)
        for mean, var in [(None, np.ones(3)), (np.zeros(3), None), (None, None)]:
            with assert_rejects("running", x.shape):
                solution.batch_norm_forward(x, None, None, mean, var, False)

    def test_an_error_updates_nothing(self, solution):
        """A refused call leaves the running statistics alone, one that fits beside one that does not."""
        mean, var = normal(24, 3), np.abs(normal(25, 3))
        with assert_unchanged(running_mean=mean, running_var=var):
            with assert_rejects((1, 3, 1, 1)):
                solution.batch_norm_forward(normal(26, 1, 3, 1, 1), None, None, mean, var, True)
            with assert_rejects((2,)):
                solution.batch_norm_forward(normal(27, 2, 3, 4, 5), None, None, mean, np.ones(2), True)
            with assert_rejects((5,)):
                solution.batch_norm_forward(normal(28, 2, 3, 4, 5), np.ones(5), None, mean, var, True)

    def test_one_image_is_enough(self, solution):
        """One image of several pixels has a variance: training takes it."""
        x = normal(29, 1, 3, 2, 1)
        out, _ = solution.batch_norm_forward(x, np.ones(3), np.zeros(3), np.zeros(3), np.ones(3), True)
        assert_close(out, slow_batch_norm(x, np.ones(3), np.zeros(3)), "out")


@exercise("batch_norm_backward")
class TestBatchNormBackward:
    @given(seeds, sizes(2, 3), sizes(1, 3), pairs(1, 3))
    def test_training_gradient_of_any_shape(self, solution, seed, N, C, size):
        """In training dx is the slope of sum(out * dout) at every pixel, for any number of images and pixels."""
        x, weight, dout = normal(seed, N, C, *size), normal(seed, C), normal(seed + 1, N, C, *size)
        _, cache = solution.batch_norm_forward(x, weight, None, None, None, True, eps=0.1)
        dx, _, dbias = solution.batch_norm_backward(dout, cache)
        values, steps = (a.transpose(1, 0, 2, 3).reshape(C, -1) for a in (x, dout))
        expected = np.zeros(values.shape)
        for c, i, j in np.ndindex(C, *(values.shape[1],) * 2):
            M, centred, spread = values.shape[1], values[c] - values[c].mean(), values[c].var() + 0.1
            slope = (i == j) - 1 / M - centred[i] * centred[j] / (M * spread)
            expected[c, i] += weight[c] / np.sqrt(spread) * slope * steps[c, j]
        expected = expected.reshape(C, N, *size).transpose(1, 0, 2, 3)
        assert_close(dx, expected, "dx")
        assert_equal(dbias, None, "dbias")

    def test_evaluation_gradients_are_slopes(self, solution):
        """In evaluation each gradient is the slope of sum(out * dout) with the running statistics held fixed."""
        x, weight, bias, dout = normal(31, 2, 3, 2, 4), normal(32, 3), normal(33, 3), normal(34, 2, 3, 2, 4)
        mean, var = normal(35, 3), 0.2 + np.abs(normal(36, 3))
        _, cache = solution.batch_norm_forward(x, weight, bias, mean, var, False)
        dx, dweight, dbias = solution.batch_norm_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_batch_norm(x, weight, bias, mean, var), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_batch_norm(x, w, bias, mean, var), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_batch_norm(x, weight, b, mean, var), bias, dout, "dbias")

    def test_eps_in_the_gradient(self, solution):
        """A large eps counts in the gradient too."""
        x, weight, dout = normal(37, 2, 2, 3, 2), normal(38, 2), normal(39, 2, 2, 3, 2)
        _, cache = solution.batch_norm_forward(x, weight, np.zeros(2), None, None, True, eps=2.0)
        dx, dweight, _ = solution.batch_norm_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_batch_norm(x, weight, np.zeros(2), eps=2.0), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_batch_norm(x, w, np.zeros(2), eps=2.0), weight, dout, "dweight")

    def test_gradient_without_a_scale(self, solution):
        """Without weight dx is that of weight 1, in both modes, and dbias is there where a bias was."""
        x, dout, ones, bias = normal(40, 2, 3, 4, 2), normal(41, 2, 3, 4, 2), np.ones(3), normal(42, 3)
        running = normal(43, 3), 0.5 + np.abs(normal(44, 3))
        for training, statistics in [(True, (None, None)), (False, running)]:
            _, cache = solution.batch_norm_forward(x, None, bias, *statistics, training)
            dx, dweight, dbias = solution.batch_norm_backward(dout, cache)
            assert_gradient(dx, lambda x, s=statistics: slow_batch_norm(x, ones, bias, *s), x, dout, "dx")
            assert_equal(dweight, None, "dweight")
            assert_close(dbias, dout.sum(axis=(0, 2, 3)), "dbias")

    def test_two_forwards_before_two_backwards(self, solution):
        """Each cache belongs to its own forward."""
        weight, bias = normal(45, 3), normal(46, 3)
        xs = [normal(47, 2, 3, 4, 2), normal(48, 3, 3, 2, 5)]
        caches = [solution.batch_norm_forward(x, weight, bias, np.zeros(3), np.ones(3), True)[1] for x in xs]
        for x, cache in zip(xs, caches, strict=True):
            dout = normal(49, *x.shape)
            dx, dweight, _ = solution.batch_norm_backward(dout, cache)
            x_hat = slow_batch_norm(x, np.ones(3), np.zeros(3))
            assert_close(dweight, (dout * x_hat).sum(axis=(0, 2, 3)), "dweight")
            assert_gradient(dx, lambda x: slow_batch_norm(x, weight, bias), x, dout, "dx")

    def test_backward_twice(self, solution):
        """A cache can be used again and gives the same gradients, in both modes."""
        x, dout = normal(50, 2, 3, 4, 5), normal(51, 2, 3, 4, 5)
        for training in (True, False):
            _, cache = solution.batch_norm_forward(x, normal(52, 3), normal(53, 3), np.zeros(3), np.ones(3), training)
            first = solution.batch_norm_backward(dout, cache)
            second = solution.batch_norm_backward(dout, cache)
            for name, one, two in zip(["dx", "dweight", "dbias"], first, second, strict=True):
                assert_close(two, one, name)
                assert_no_alias(two, name, earlier=one, dout=dout)

    def test_dtype_of_the_gradients(self, solution):
        """The gradients have the dtype of x, also for a float64 or an integer dout."""
        x = normal(54, 2, 3, 4, 5, dtype=np.float32)
        for training in (True, False):
            _, cache = solution.batch_norm_forward(x, np.ones(3), np.zeros(3), np.zeros(3), np.ones(3), training)
            for dout in [normal(55, *x.shape), np.ones(x.shape, int)]:
                dtypes = [str(gradient.dtype) for gradient in solution.batch_norm_backward(dout, cache)]
                assert_equal(dtypes, ["float32"] * 3, "dtypes")

    def test_non_contiguous_gradient(self, solution):
        """A transposed or reversed dout is read where its values are."""
        x, weight = normal(56, 2, 3, 4, 5), normal(57, 3)
        for dout in [normal(58, 2, 5, 4, 3).transpose(0, 3, 2, 1), normal(59, 2, 3, 4, 5)[:, :, ::-1, ::-1]]:
            _, cache = solution.batch_norm_forward(x, weight, np.zeros(3), None, None, True)
            dx, _, _ = solution.batch_norm_backward(dout, cache)
            assert_gradient(dx, lambda x: slow_batch_norm(x, weight, np.zeros(3)), x, dout, "dx")

    def test_gradients_that_would_broadcast(self, solution):
        """A dout with an axis of length 1, or with an axis too few, is an error: nothing broadcasts."""
        _, cache = solution.batch_norm_forward(normal(60, 2, 3, 4, 5), np.ones(3), np.zeros(3), None, None, True)
        for shape in [(2, 3, 4, 1), (3, 4, 5), ()]:
            with assert_rejects(shape, (2, 3, 4, 5)):
                solution.batch_norm_backward(np.ones(shape), cache)

    def test_no_python_loop(self, solution):
        """NumPy goes over images, channels, rows and columns; Python loops over none of them."""

        def make_call(**shape):
            x, C = normal(61, *shape.values()), shape["C"]
            _, cache = solution.batch_norm_forward(x, np.ones(C), np.zeros(C), np.zeros(C), np.ones(C), True)
            return lambda: solution.batch_norm_backward(x, cache)

        assert_vectorized(make_call, {"N": 2, "C": 3, "H": 4, "W": 5}, {"N": 42, "C": 43, "H": 44, "W": 45})


@exercise("BatchNorm2d")
class TestBatchNorm2d:
    def test_eps_and_momentum_are_passed_on(self, solution):
        """The layer's own eps and momentum are used."""
        layer, x = solution.BatchNorm2d(2, eps=3.0, momentum=0.5), normal(71, 2, 2, 3, 4)
        assert_close(layer(x), slow_batch_norm(x, np.ones(2), np.zeros(2), eps=3.0), "out")
        expected = 0.5 * x.transpose(1, 0, 2, 3).reshape(2, -1).mean(axis=1)
        assert_close(layer.running_mean, expected, "running_mean", dtype=np.float32)

    def test_float32_in_float32_out(self, solution):
        """Fed with float32 the layer computes and remembers in float32."""
        layer, x = solution.BatchNorm2d(3), normal(72, 2, 3, 4, 5, dtype=np.float32)
        out = layer(x)
        expected = slow_batch_norm(x.astype(float), np.ones(3), np.zeros(3))
        assert_close(out, expected, "out", dtype=np.float32)
        assert_equal(str(layer.backward(out).dtype), "float32", "dtype of dx")
        assert_equal(str(layer.running_var.dtype), "float32", "dtype of running_var")

    def test_buffers_follow_astype(self, solution):
        """After astype(float64) the running statistics are float64 and go on being updated."""
        layer, x = solution.BatchNorm2d(3).astype(np.float64), normal(73, 2, 3, 4, 5) + 4
        layer(x)
        values = x.transpose(1, 0, 2, 3).reshape(3, -1)
        assert_close(layer.running_mean, 0.1 * values.mean(axis=1), "running_mean")
        assert_close(layer.running_var, 0.9 + 0.1 * values.var(axis=1, ddof=1), "running_var")

    def test_state_makes_the_round_trip(self, solution):
        """A new layer that loads the state_dict of a trained one evaluates to the same."""
        first, second = randomized(solution.BatchNorm2d(3), 74), solution.BatchNorm2d(3).astype(np.float64)
        x = normal(75, 2, 3, 4, 5)
        first(x)
        second.load_state_dict(first.state_dict())
        expected = slow_batch_norm(x, *first.state_dict().values())
        assert_close(second.eval()(x), expected, "out")

    def test_layers_share_nothing(self, solution):
        """Training one layer moves no other layer's statistics."""
        first, second = solution.BatchNorm2d(3), solution.BatchNorm2d(3)
        first(normal(76, 2, 3, 4, 5) + 9)
        assert_close(second.running_mean, np.zeros(3, np.float32), "running_mean of the other layer")
        assert_close(second.running_var, np.ones(3, np.float32), "running_var of the other layer")

    def test_backward_in_evaluation(self, solution):
        """After a forward in evaluation mode backward holds the statistics fixed."""
        layer, x, dout = randomized(solution.BatchNorm2d(3), 77).eval(), normal(78, 2, 3, 4, 2), normal(79, 2, 3, 4, 2)
        state = list(layer.state_dict().values())
        layer(x)
        assert_gradient(layer.backward(dout), lambda x: slow_batch_norm(x, *state), x, dout, "dx")

    def test_wrong_number_of_channels(self, solution):
        """Images of 4 channels for a layer of 3 are an error with both numbers."""
        with assert_rejects(3, (2, 4, 5, 6)):
            solution.BatchNorm2d(3)(normal(80, 2, 4, 5, 6))


@exercise("BasicBlock")
class TestBasicBlock:
    @given(seeds, pairs(2, 6), pairs(1, 3))
    def test_projection_of_any_stride(self, solution, seed, size, stride):
        """For any size and stride, unequal ones too, branch and projection meet in one shape and are added."""
        block, x = randomized(solution.BasicBlock(2, 3, stride=stride), seed), normal(seed, 2, 2, *size)
        assert_close(block(x), slow_block(x, block.state_dict(), [stride, (1, 1)]), "out")

    @given(seeds, pairs(2, 6), pairs(1, 3), sizes(2, 4))
    def test_padding_of_any_stride(self, solution, seed, size, stride, out_channels):
        """Option A takes rows and columns 0, s, 2s and so on, of any size, with or without new channels."""
        block = randomized(solution.BasicBlock(2, out_channels, stride=stride, shortcut="pad"), seed)
        x = normal(seed, 2, 2, *size)
        assert_close(block(x), slow_block(x, block.state_dict(), [stride, (1, 1)]), "out")

    def test_option_a_has_no_parameters(self, solution):
        """Padding adds nothing to train or to save, and an unchanged shape is not touched by either option."""
        entries = [
            len(solution.BasicBlock(3, 5, 2, shortcut="pad").state_dict()),
            len(solution.BasicBlock(3, 3, shortcut="pad").state_dict()),
            len(solution.BasicBlock(3, 3, shortcut="projection").state_dict()),
        ]
        assert_equal(entries, [10, 10, 10], "entries in state_dict")

    def test_padding_to_fewer_channels(self, solution):
        """Option A cannot take channels away: from 5 to 3 is an error with both numbers."""
        with assert_rejects(5, 3):
            solution.BasicBlock(5, 3, shortcut="pad")

    def test_projection_to_fewer_channels(self, solution):
        """A projection goes from 5 channels to 3 as well."""
        block, x = randomized(solution.BasicBlock(5, 3), 81), normal(82, 2, 5, 3, 4)
        assert_close(block(x), slow_block(x, block.state_dict(), [(1, 1), (1, 1)]), "out")

    def test_evaluation(self, solution):
        """Evaluation mode reaches every batch norm of the block, the projection's too."""
        block, x = randomized(solution.BasicBlock(2, 3, stride=2), 83).eval(), normal(84, 2, 2, 5, 4)
        assert_close(block(x), slow_block(x, block.state_dict(), [(2, 2), (1, 1)], training=False), "out")

    def test_evaluation_gradients_are_slopes(self, solution):
        """In evaluation mode too, dx and every parameter's gradient are slopes."""
        block, x = randomized(solution.BasicBlock(2, 3, stride=2), 85).eval(), normal(86, 2, 2, 4, 5)
        assert_slopes(block, x, normal(87, *block(x).shape), 88)

    def test_training_moves_every_statistic(self, solution):
        """A forward in training updates the running statistics of bn1, bn2 and the projection's norm."""
        block = randomized(solution.BasicBlock(2, 3, stride=2), 89)
        before = block.state_dict()
        block(normal(90, 2, 2, 5, 4))
        moved = [name for name, array in block.state_dict().items() if np.any(array != before[name])]
        assert_equal(sorted(moved), sorted(name for name in before if "running" in name), "moved")

    def test_padding_gradient_by_hand(self, solution):
        """Through option A only the kept pixels of the old channels get a gradient, their own; the others get 0."""
        block = silenced(randomized(solution.BasicBlock(2, 3, stride=(2, 3), shortcut="pad"), 91), "bn2")
        x, expected = 1 + np.abs(normal(92, 1, 2, 3, 5)), np.zeros((1, 2, 3, 5))
        block(x)
        dout = np.arange(12.0).reshape(1, 3, 2, 2) - 5
        expected[0, 0, 0, 0], expected[0, 0, 0, 3], expected[0, 0, 2, 0], expected[0, 0, 2, 3] = -5, -4, -3, -2
        expected[0, 1, 0, 0], expected[0, 1, 0, 3], expected[0, 1, 2, 0], expected[0, 1, 2, 3] = -1, 0, 1, 2
        assert_close(block.backward(dout), expected, "dx")

    def test_gradients_add_up(self, solution):
        """Two forwards and backwards leave twice the gradient in every parameter."""
        block, x, dout = randomized(solution.BasicBlock(2, 3), 93), normal(94, 2, 2, 4, 3), normal(95, 2, 3, 4, 3)
        block(x)
        block.backward(dout)
        once = [parameter.grad.copy() for parameter in block.parameters()]
        block(x)
        block.backward(dout)
        for position, (parameter, grad) in enumerate(zip(block.parameters(), once, strict=True)):
            assert_close(parameter.grad, 2 * grad, f"gradient of parameter {position}")

    def test_arguments_stay(self, solution):
        """Neither pass changes x or dout, and the results share no memory with them."""
        for arguments in [(3, 3), (3, 5, 1, "pad"), (3, 5, 2)]:
            block, x = randomized(solution.BasicBlock(*arguments), 96), normal(97, 2, 3, 4, 5)
            dout = normal(98, *block(x).shape)
            with assert_unchanged(x=x, dout=dout):
                out, dx = block(x), block.backward(dout)
            assert_no_alias(out, "out", x=x)
            assert_no_alias(dx, "dx", dout=dout, x=x)

    def test_float32_in_float32_out(self, solution):
        """A new block computes in float32 both ways, with every shortcut."""
        x = normal(99, 2, 3, 4, 5, dtype=np.float32)
        for arguments in [(3, 3), (3, 5, 2, "pad"), (3, 5, 2)]:
            block = solution.BasicBlock(*arguments)
            out = block(x)
            assert_equal([str(out.dtype), str(block.backward(out).dtype)], ["float32", "float32"], "dtypes")

    def test_same_generator_same_weights(self, solution):
        """Two blocks made with equal generators are equal, the projection included; another seed gives others."""
        states = [solution.BasicBlock(2, 3, rng=np.random.default_rng(seed)).state_dict() for seed in (5, 5, 6)]
        for name, array in states[0].items():
            assert_close(states[1][name], array, name)
        different = sorted(array.size for name, array in states[2].items() if np.any(array != states[0][name]))
        assert_equal(different, [6, 54, 81], "sizes of the weights that differ")

    def test_empty_batch(self, solution):
        """No images go through, forth and back."""
        for shortcut in ("projection", "pad"):
            block, x = solution.BasicBlock(2, 3, stride=2, shortcut=shortcut), np.zeros((0, 2, 5, 4), np.float32)
            out = block(x)
            assert_equal(out.shape, (0, 3, 3, 2), "shape of out")
            assert_equal(block.backward(out).shape, x.shape, "shape of dx")


@exercise("Bottleneck")
class TestBottleneck:
    @given(seeds, pairs(2, 6), pairs(1, 3), pairs(1, 3))
    def test_equals_the_definition(self, solution, seed, size, stride, widths):
        """For any size, stride, width and expansion the block is relu(branch(x) + shortcut(x))."""
        width, expansion = widths
        block = randomized(solution.Bottleneck(2, width, stride=stride, expansion=expansion), seed)
        x = normal(seed, 2, 2, *size)
        assert_close(block(x), slow_block(x, block.state_dict(), [(1, 1), stride, (1, 1)]), "out")

    def test_identity_block_equals_the_definition(self, solution):
        """Where the shape stays, x itself is added: nothing else stands in the shortcut."""
        block, x = randomized(solution.Bottleneck(4, 1), 101), normal(102, 2, 4, 3, 5)
        assert_close(block(x), slow_block(x, block.state_dict(), [(1, 1), (1, 1), (1, 1)]), "out")

    def test_the_shape_of_the_result_counts(self, solution):
        """In 3 channels, width 3, expansion 2 gives 6: the projection is needed though 3 equals the width."""
        entries = [
            len(solution.Bottleneck(3, 3, expansion=2).state_dict()),
            len(solution.Bottleneck(6, 3, expansion=2).state_dict()),
        ]
        assert_equal(entries, [20, 15], "entries in state_dict")

    def test_parameters_of_the_imagenet_block(self, solution):
        """256 channels, width 64: 16384 + 36864 + 16384 weights and 2 * (64 + 64 + 256) scales and shifts are 70400."""
        assert_equal(count(solution.Bottleneck(256, 64)), 70400, "parameters")

    def test_names_of_the_state(self, solution):
        """The branch is conv1, bn1, conv2, bn2, conv3, bn3, the convolutions without bias."""
        norm = ["weight", "bias", "running_mean", "running_var"]
        expected = [f"conv{i}.weight" for i in (1, 2, 3)] + [f"bn{i}.{name}" for i in (1, 2, 3) for name in norm]
        assert_equal(sorted(solution.Bottleneck(4, 2, expansion=2).state_dict()), sorted(expected), "state_dict")

    def test_evaluation_gradients_are_slopes(self, solution):
        """In evaluation mode too, dx and every parameter's gradient are slopes."""
        block, x = randomized(solution.Bottleneck(3, 2, stride=2, expansion=2), 103).eval(), normal(104, 2, 3, 4, 5)
        assert_close(block(x), slow_block(x, block.state_dict(), [(1, 1), (2, 2), (1, 1)], training=False), "out")
        assert_slopes(block, x, normal(105, *block(x).shape), 106)

    def test_gradient_through_both_ways(self, solution):
        """A silent branch still lets the gradient pass: dx is dout where x is positive."""
        block, x, dout = (
            silenced(randomized(solution.Bottleneck(4, 1), 107), "bn3"),
            normal(108, 2, 4, 3, 5),
            normal(109, 2, 4, 3, 5),
        )
        block(x)
        assert_close(block.backward(dout), dout * (x > 0), "dx")

    def test_float32_and_an_empty_batch(self, solution):
        """A float32 x stays float32 both ways, and no images are no problem."""
        for N in (2, 0):
            block, x = solution.Bottleneck(3, 2, stride=2), normal(110, N, 3, 5, 4, dtype=np.float32)
            out = block(x)
            dx = block.backward(out)
            assert_equal([out.shape, dx.shape], [(N, 8, 3, 2), (N, 3, 5, 4)], "shapes")
            assert_equal([str(out.dtype), str(dx.dtype)], ["float32", "float32"], "dtypes")

    def test_same_generator_same_weights(self, solution):
        """Two blocks made with equal generators are equal, all four convolutions."""
        states = [solution.Bottleneck(3, 2, rng=np.random.default_rng(5)).state_dict() for _ in range(2)]
        for name, array in states[0].items():
            assert_close(states[1][name], array, name)


@exercise("ResNet")
class TestResNet:
    def test_the_table_of_the_paper(self, solution):
        """With option A n blocks a stage have 97216 * n - 21926 parameters: 0.27, 0.46, 0.66, 0.85, 1.73 million."""
        counts = [count(solution.ResNet([n, n, n], shortcut="pad")) for n in (3, 5, 7, 9, 18)]
        assert_equal(counts, [269722, 464154, 658586, 853018, 1727962], "parameters of ResNet-20, 32, 44, 56, 110")

    def test_a_block_more_in_one_stage(self, solution):
        """Stages may differ in length: a block more of 6 channels has 2 * 6 * 6 * 9 + 4 * 6 parameters."""
        fewer, more = (count(solution.ResNet([1, n, 1], widths=(4, 6, 8))) for n in (1, 2))
        assert_equal(more - fewer, 672, "parameters")

    def test_channels_of_the_images(self, solution):
        """The stem reads in_channels, the dense layer gives num_classes scores."""
        net = solution.ResNet([1], widths=(4,), num_classes=5, in_channels=2)
        assert_equal(net(normal(121, 3, 2, 4, 5)).shape, (3, 5), "shape")
        assert_equal(count(net), 2 * 4 * 9 + 8 + 2 * 4 * 4 * 9 + 16 + 4 * 5 + 5, "parameters")

    def test_shortcut_reaches_every_block(self, solution):
        """With "pad" the whole network equals the definition without projections."""
        net, x = (
            randomized(solution.ResNet([1, 1, 2], (2, 3, 5), num_classes=4, shortcut="pad"), 122),
            normal(123, 2, 3, 6, 7),
        )
        names = [name for name in net.state_dict() if "shortcut" in name]
        assert_equal(names, [], "saved arrays of shortcuts")
        assert_close(net(x), slow_resnet(x, net.state_dict(), [1, 1, 2]), "scores")

    def test_evaluation(self, solution):
        """Evaluation mode reaches every batch norm, so an image's scores do not depend on its batch."""
        net, x = randomized(solution.ResNet([2, 1], (2, 3), num_classes=4), 124).eval(), normal(125, 3, 3, 5, 4)
        scores = net(x)
        assert_close(scores, slow_resnet(x, net.state_dict(), [2, 1], training=False), "scores")
        assert_close(net(x[1:2]), scores[1:2], "scores of one image")

    def test_gradients_are_slopes(self, solution):
        """With option A and in three stages, dx and every parameter's gradient are slopes of sum(scores * dout)."""
        net, x = randomized(solution.ResNet([1, 2, 1], (2, 3, 4), 5, 1, shortcut="pad"), 126), normal(127, 2, 1, 5, 4)
        assert_slopes(net, x, normal(128, 2, 5), 129, samples=2)

    def test_state_makes_the_round_trip(self, solution):
        """A network that loads another's state_dict gives the same scores in evaluation."""
        first, second = (solution.ResNet([1, 1], (4, 6), num_classes=5) for _ in range(2))
        x = normal(130, 2, 3, 8, 7, dtype=np.float32)
        first(x)
        second.load_state_dict(first.state_dict())
        assert_close(second.eval()(x), first.eval()(x), "scores")

    def test_same_generator_same_network(self, solution):
        """Two networks made with equal generators are equal in every weight."""
        states = [solution.ResNet([1, 2], (4, 6), rng=np.random.default_rng(5)).state_dict() for _ in range(2)]
        for name, array in states[0].items():
            assert_close(states[1][name], array, name)

    def test_no_two_blocks_share_weights(self, solution):
        """Blocks of one shape are drawn one after the other and differ."""
        state = solution.ResNet([3], widths=(4,), rng=np.random.default_rng(6)).state_dict()
        weights = [array for name, array in state.items() if array.shape == (4, 4, 3, 3)]
        assert_equal(len(weights), 6, "3x3 weights")
        equal = sum(np.array_equal(a, b) for a in weights for b in weights)
        assert_equal(equal, 6, "pairs that are equal")

    def test_scores_start_at_a_sane_size(self, solution):
        """A new network's scores are finite and small for noise images, in float32, deep as it is."""
        net = solution.ResNet([3, 3, 3], rng=np.random.default_rng(7))
        scores = net(normal(131, 4, 3, 8, 8, dtype=np.float32))
        assert_equal(str(scores.dtype), "float32", "dtype")
        assert_equal(bool(np.abs(scores).max() < 100), True, "scores below 100")

    def test_empty_batch(self, solution):
        """No images give no scores, and backward no gradient."""
        net, x = solution.ResNet([1, 1], (4, 6), num_classes=5), np.zeros((0, 3, 8, 7), np.float32)
        assert_equal(net(x).shape, (0, 5), "shape of the scores")
        assert_equal(net.backward(np.zeros((0, 5), np.float32)).shape, x.shape, "shape of dx")

    def test_unknown_shortcut(self, solution):
        """An unknown shortcut is an error that repeats the name."""
        with assert_rejects("none"):
            solution.ResNet([1, 1], widths=(4, 6), shortcut="none")

    def test_more_stages_than_widths(self, solution):
        """Four stages and the three default widths are an error that names both numbers."""
        with assert_rejects(4, 3):
            solution.ResNet([1, 1, 1, 1])
