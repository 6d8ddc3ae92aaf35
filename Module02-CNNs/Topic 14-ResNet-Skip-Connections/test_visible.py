"""Topic 14, visible suite: read a test, make it pass, go on to the next."""

import numpy as np
from hypothesis import given

from kata.testing import (
    assert_close,
    assert_equal,
    assert_gradient,
    assert_rejects,
    assert_unchanged,
    assert_vectorized,
    coordinates,
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
    def test_two_channels_by_hand(self, solution):
        """Channel 0 holds 2 4 4 4 5 5 7 9: mean 5, variance 4, so 9 becomes (9 - 5) / 2 = 2, times 10, plus 1."""
        x = np.array(
            [[[[2.0, 4.0, 4.0, 4.0]], [[5.0, 15.0, 15.0, 5.0]]], [[[5.0, 5.0, 7.0, 9.0]], [[15.0, 5.0, 5.0, 15.0]]]]
        )
        out, _ = solution.batch_norm_forward(x, np.array([10.0, 3.0]), np.array([1.0, 0.5]), None, None, True, eps=0.0)
        first, second = (
            [[[-14.0, -4.0, -4.0, -4.0]], [[-2.5, 3.5, 3.5, -2.5]]],
            [[[1.0, 1.0, 11.0, 21.0]], [[3.5, -2.5, -2.5, 3.5]]],
        )
        assert_close(out, np.array([first, second]), "out")

    def test_eps_under_the_root(self, solution):
        """The divisor is sqrt(variance + eps): variance 4 and eps 12 divide by 4."""
        x = np.array([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).reshape(2, 1, 4, 1)
        out, _ = solution.batch_norm_forward(x, np.ones(1), np.zeros(1), None, None, True, eps=12.0)
        assert_close(out.ravel(), np.array([-0.75, -0.25, -0.25, -0.25, 0.0, 0.0, 0.5, 1.0]), "out")

    def test_running_statistics_move(self, solution):
        """The values 1 to 5 have mean 3, unbiased variance 2.5; momentum 0.25 goes a quarter of the way, in place."""
        x = np.array([4.0, 1.0, 5.0, 3.0, 2.0]).reshape(5, 1, 1, 1)
        mean, var = np.array([4.0]), np.array([2.0])
        solution.batch_norm_forward(x, np.ones(1), np.zeros(1), mean, var, True, momentum=0.25)
        assert_close(mean, np.array([3.75]), "running_mean")
        assert_close(var, np.array([2.125]), "running_var")

    def test_evaluation_uses_running_statistics(self, solution):
        """Evaluation subtracts running_mean, divides by the root of running_var, and changes neither."""
        x = np.array([1.0, 3.0, 7.0]).reshape(1, 1, 3, 1)
        mean, var = np.array([3.0]), np.array([4.0])
        with assert_unchanged(running_mean=mean, running_var=var):
            out, _ = solution.batch_norm_forward(x, np.array([5.0]), np.array([1.0]), mean, var, False, eps=0.0)
        assert_close(out.ravel(), np.array([-4.0, 1.0, 11.0]), "out")

    @given(seeds, sizes(2, 4), sizes(1, 3), pairs(1, 4))
    def test_equals_the_definition(self, solution, seed, N, C, size):
        """For any shape every channel is centred, divided by its spread over N, H and W, scaled and shifted."""
        x, weight, bias = 3 * normal(seed, N, C, *size) + 2, normal(seed, C), normal(seed + 1, C)
        out, _ = solution.batch_norm_forward(x, weight, bias, np.zeros(C), np.ones(C), True)
        assert_close(out, slow_batch_norm(x, weight, bias), "out")

    def test_absent_weight_and_bias(self, solution):
        """Without weight and bias the result is the normalised x itself."""
        x = normal(5, 2, 3, 4, 5)
        out, _ = solution.batch_norm_forward(x, None, None, None, None, True)
        assert_close(out, slow_batch_norm(x, np.ones(3), np.zeros(3)), "out")

    def test_one_value_per_channel(self, solution):
        """Training on one value per channel is an error: a single value has no variance."""
        with assert_rejects((1, 3, 1, 1)):
            solution.batch_norm_forward(normal(6, 1, 3, 1, 1), np.ones(3), np.zeros(3), np.zeros(3), np.ones(3), True)

    def test_wrong_number_of_scales(self, solution):
        """A weight of 4 numbers for 3 channels is an error that names both shapes."""
        with assert_rejects((4,), (2, 3, 5, 4)):
            solution.batch_norm_forward(normal(7, 2, 3, 5, 4), np.ones(4), np.zeros(3), np.zeros(3), np.ones(3), True)

    def test_no_python_loop(self, solution):
        """NumPy goes over images, channels, rows and columns; Python loops over none of them."""

        def make_call(**shape):
            x, C = normal(8, *shape.values()), shape["C"]
            arguments = x, np.ones(C), np.zeros(C), np.zeros(C), np.ones(C), True
            return lambda: solution.batch_norm_forward(*arguments)

        assert_vectorized(make_call, {"N": 2, "C": 3, "H": 4, "W": 5}, {"N": 42, "C": 43, "H": 44, "W": 45})


@exercise("batch_norm_backward")
class TestBatchNormBackward:
    def test_three_terms_by_hand(self, solution):
        """Of the gradient 20 0 0 0 at -3 -1 1 3, the mean 5 and the share along x, 9 3 -3 -9, are taken away."""
        x = np.array([-3.0, -1.0, 1.0, 3.0]).reshape(2, 1, 1, 2)
        _, cache = solution.batch_norm_forward(x, np.array([np.sqrt(5)]), np.zeros(1), None, None, True, eps=0.0)
        dout = np.array([20.0, 0.0, 0.0, 0.0]).reshape(x.shape)
        dx, dweight, dbias = solution.batch_norm_backward(dout, cache)
        assert_close(dx.ravel(), np.array([6.0, -8.0, -2.0, 4.0]), "dx")
        assert_close(dweight, np.array([-60 / np.sqrt(5)]), "dweight")
        assert_close(dbias, np.array([20.0]), "dbias")

    def test_training_gradients_are_slopes(self, solution):
        """In training each gradient is the slope of sum(out * dout), for a random dout."""
        x, weight, bias = 2 * normal(11, 2, 3, 2, 4) + 1, normal(12, 3), normal(13, 3)
        _, cache = solution.batch_norm_forward(x, weight, bias, np.zeros(3), np.ones(3), True)
        dout = normal(14, *x.shape)
        dx, dweight, dbias = solution.batch_norm_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_batch_norm(x, weight, bias), x, dout, "dx")
        assert_gradient(dweight, lambda w: slow_batch_norm(x, w, bias), weight, dout, "dweight")
        assert_gradient(dbias, lambda b: slow_batch_norm(x, weight, b), bias, dout, "dbias")

    def test_evaluation_is_a_straight_line(self, solution):
        """In evaluation dx is dout times weight / sqrt(running_var + eps), here 6 / 2, and nothing is taken away."""
        x = np.array([1.0, 5.0, 8.0]).reshape(1, 1, 1, 3)
        _, cache = solution.batch_norm_forward(
            x, np.array([6.0]), np.zeros(1), np.array([2.0]), np.array([4.0]), False, eps=0.0
        )
        dx, dweight, dbias = solution.batch_norm_backward(np.array([1.0, 10.0, -2.0]).reshape(x.shape), cache)
        assert_close(dx.ravel(), np.array([3.0, 30.0, -6.0]), "dx")
        assert_close(dweight, np.array([8.5]), "dweight")
        assert_close(dbias, np.array([9.0]), "dbias")

    @given(seeds, sizes(2, 4), sizes(1, 3), pairs(1, 3))
    def test_shift_and_stretch_cost_nothing(self, solution, seed, N, C, size):
        """Moving or stretching a channel of x changes no output, so dx and dx * x sum to 0 in every channel."""
        x, weight = normal(seed, N, C, *size), normal(seed, C)
        _, cache = solution.batch_norm_forward(x, weight, np.zeros(C), None, None, True, eps=0.0)
        dx, _, _ = solution.batch_norm_backward(normal(seed + 1, *x.shape), cache)
        scale = max(1.0, np.abs(dx).max() * x.size)
        assert_close(dx.sum(axis=(0, 2, 3)) / scale, np.zeros(C), "sum of dx")
        assert_close((dx * x).sum(axis=(0, 2, 3)) / scale, np.zeros(C), "sum of dx * x")

    def test_absent_scale_and_shift_have_no_gradient(self, solution):
        """The gradient is None where the argument was None."""
        x = normal(15, 2, 3, 2, 3)
        _, cache = solution.batch_norm_forward(x, None, None, None, None, True)
        _, dweight, dbias = solution.batch_norm_backward(normal(16, *x.shape), cache)
        assert_equal(dweight, None, "dweight")
        assert_equal(dbias, None, "dbias")

    def test_gradient_of_another_shape(self, solution):
        """A dout that has not the shape of the output is an error that names both."""
        _, cache = solution.batch_norm_forward(normal(17, 2, 3, 4, 5), np.ones(3), np.zeros(3), None, None, True)
        with assert_rejects((1, 3, 4, 5), (2, 3, 4, 5)):
            solution.batch_norm_backward(np.ones((1, 3, 4, 5)), cache)


@exercise("BatchNorm2d")
class TestBatchNorm2d:
    def test_what_it_starts_with(self, solution):
        """A new layer scales by 1, shifts by 0, and remembers mean 0 and variance 1, all in float32."""
        state = solution.BatchNorm2d(3).state_dict()
        assert_equal(list(state), ["weight", "bias", "running_mean", "running_var"], "state_dict")
        for name, value in {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1}.items():
            assert_close(state[name], np.full(3, value, np.float32), name)

    def test_only_scale_and_shift_are_trained(self, solution):
        """The parameters are weight and bias; the running statistics are buffers, no optimiser moves them."""
        layer = solution.BatchNorm2d(4)
        assert_equal(len(layer.parameters()), 2, "number of parameters")
        assert_equal(type(layer.running_mean) is np.ndarray, True, "running_mean is a plain array")

    def test_training_normalises_and_remembers(self, solution):
        """In training a batch is normalised by itself, and a tenth of its statistics is remembered."""
        layer, x = solution.BatchNorm2d(2), np.array([1.0, 2.0, 3.0, 4.0, 5.0, 3.0]).reshape(3, 2, 1, 1)
        out = layer(x)
        assert_close(out, slow_batch_norm(x, np.ones(2), np.zeros(2)), "out")
        assert_close(layer.running_mean, np.array([0.3, 0.3], np.float32), "running_mean")
        assert_close(layer.running_var, np.array([0.9 + 0.4, 0.9 + 0.1], np.float32), "running_var")

    def test_evaluation_remembers_nothing_new(self, solution):
        """After eval() the running statistics are used and stay; after train() the batch's own count again."""
        layer, x = randomized(solution.BatchNorm2d(3), 21), normal(22, 2, 3, 4, 5)
        before = layer.state_dict()
        out = layer.eval()(x)
        assert_close(out, slow_batch_norm(x, *before.values()), "out in evaluation")
        assert_close(layer.running_mean, before["running_mean"], "running_mean")
        assert_close(layer.running_var, before["running_var"], "running_var")
        assert_close(layer.train()(x), slow_batch_norm(x, before["weight"], before["bias"]), "out in training")

    def test_gradients_add_up(self, solution):
        """Two backward passes leave the sum of both gradients in .grad; backward returns dx."""
        layer, x, dout = randomized(solution.BatchNorm2d(3), 23), normal(24, 2, 3, 4, 2), normal(25, 2, 3, 4, 2)
        weight, bias = (parameter.value for parameter in layer.parameters())
        layer(x)
        assert_gradient(layer.backward(dout), lambda x: slow_batch_norm(x, weight, bias), x, dout, "dx")
        layer(x)
        layer.backward(dout)
        x_hat = slow_batch_norm(x, np.ones(3), np.zeros(3))
        assert_close(layer.parameters()[0].grad, 2 * (dout * x_hat).sum(axis=(0, 2, 3)), "gradient of weight")
        assert_close(layer.parameters()[1].grad, 2 * dout.sum(axis=(0, 2, 3)), "gradient of bias")


@exercise("BasicBlock")
class TestBasicBlock:
    def test_names_of_the_state(self, solution):
        """The branch is conv1, bn1, conv2, bn2, the convolutions without bias; same shape, no shortcut parameters."""
        names = solution.BasicBlock(3, 3).state_dict()
        norm = ["weight", "bias", "running_mean", "running_var"]
        expected = ["conv1.weight", *(f"bn1.{n}" for n in norm), "conv2.weight", *(f"bn2.{n}" for n in norm)]
        assert_equal(sorted(names), sorted(expected), "state_dict")

    def test_silent_branch_leaves_the_shortcut(self, solution):
        """With bn2's scale and shift at 0 the block is its shortcut alone: relu(x)."""
        block = silenced(solution.BasicBlock(3, 3), "bn2")
        x = coordinates(2, 3, 4, 5) - 1111
        assert_close(block(x), np.maximum(x, 0), "out")

    @given(seeds, pairs(3, 5), sizes(1, 3))
    def test_identity_block_equals_the_definition(self, solution, seed, size, C):
        """A block that keeps the shape is relu(bn2(conv2(relu(bn1(conv1(x))))) + x)."""
        block, x = randomized(solution.BasicBlock(C, C), seed), normal(seed, 2, C, *size)
        assert_close(block(x), slow_block(x, block.state_dict(), [(1, 1), (1, 1)]), "out")

    def test_projection_where_the_shape_changes(self, solution):
        """Another number of channels, or a stride, brings a 1x1 convolution and a batch norm: five arrays more."""
        shapes = {(3, 3, 1): 10, (3, 5, 1): 15, (3, 3, 2): 15, (3, 5, 2): 15}
        for arguments, entries in shapes.items():
            assert_equal(len(solution.BasicBlock(*arguments).state_dict()), entries, f"entries for {arguments}")

    def test_projection_block_equals_the_definition(self, solution):
        """With stride 2 conv1 and the projection go from 5x6 to 3x3, conv2 keeps that, and both ways are added."""
        block, x = randomized(solution.BasicBlock(3, 4, stride=2), 31), normal(32, 2, 3, 5, 6)
        out = block(x)
        assert_equal(out.shape, (2, 4, 3, 3), "shape")
        assert_close(out, slow_block(x, block.state_dict(), [(2, 2), (1, 1)]), "out")

    def test_padding_by_hand(self, solution):
        """Option A keeps the pixels 0, 2 and 4 across and 0 and 2 down, and puts the new, zero channels last."""
        block = silenced(solution.BasicBlock(2, 5, stride=2, shortcut="pad"), "bn2")
        old = [[[0.0, 2.0, 4.0], [20.0, 22.0, 24.0]], [[100.0, 102.0, 104.0], [120.0, 122.0, 124.0]]]
        assert_close(block(coordinates(1, 2, 3, 5))[0], np.array([*old, *np.zeros((3, 2, 3))]), "out")

    def test_unknown_shortcut(self, solution):
        """A shortcut of another name is an error that repeats the name, even where no shortcut layer is needed."""
        with assert_rejects("conv"):
            solution.BasicBlock(3, 5, shortcut="conv")
        with assert_rejects("option B"):
            solution.BasicBlock(3, 3, shortcut="option B")

    def test_gradient_through_both_ways(self, solution):
        """A silent branch still lets the gradient pass: dx is dout where x is positive."""
        block, x, dout = (
            silenced(randomized(solution.BasicBlock(3, 3), 33), "bn2"),
            normal(34, 2, 3, 4, 5),
            normal(35, 2, 3, 4, 5),
        )
        block(x)
        assert_close(block.backward(dout), dout * (x > 0), "dx")

    def test_gradients_are_slopes(self, solution):
        """For each kind of shortcut, dx and every parameter's gradient are slopes of sum(out * dout)."""
        for seed, arguments in enumerate([(3, 3), (2, 3, 2), (2, 3, 2, "pad")], 41):
            block, x = randomized(solution.BasicBlock(*arguments), seed), normal(seed, 2, arguments[0], 4, 3)
            assert_slopes(block, x, normal(seed + 9, *block(x).shape), seed)


@exercise("Bottleneck")
class TestBottleneck:
    def test_shapes_of_the_weights(self, solution):
        """Down to the width by 1x1, 3x3 there, up to width * expansion by 1x1; the projection goes straight up."""
        state = solution.Bottleneck(5, 2).state_dict()
        kernels = [array.shape for array in state.values() if array.ndim == 4]
        assert_equal(kernels, [(2, 5, 1, 1), (2, 2, 3, 3), (8, 2, 1, 1), (8, 5, 1, 1)], "weights")
        assert_equal([len(state[f"bn{number}.bias"]) for number in (1, 2, 3)], [2, 2, 8], "channels of the norms")

    def test_silent_branch_leaves_the_shortcut(self, solution):
        """With bn3's scale and shift at 0 a block that keeps its shape is relu(x)."""
        block = silenced(solution.Bottleneck(6, 2, expansion=3), "bn3")
        x = normal(51, 2, 6, 3, 4)
        assert_close(block(x), np.maximum(x, 0), "out")

    def test_projection_exactly_where_the_shape_changes(self, solution):
        """In 8 channels, width 2, expansion 4 gives 8 again: no projection unless the stride asks for one."""
        entries = [len(solution.Bottleneck(8, 2, stride).state_dict()) for stride in (1, 2)]
        assert_equal(entries, [15, 20], "entries in state_dict")

    def test_stride_stands_in_the_3x3(self, solution):
        """The first 1x1 reads every pixel; the 3x3 in the middle takes the steps, and the projection with it."""
        block, x = randomized(solution.Bottleneck(3, 2, stride=2, expansion=2), 52), normal(53, 2, 3, 5, 6)
        assert_close(block(x), slow_block(x, block.state_dict(), [(1, 1), (2, 2), (1, 1)]), "out")

    def test_gradients_are_slopes(self, solution):
        """With and without a projection, dx and every parameter's gradient are slopes of sum(out * dout)."""
        for seed, arguments in enumerate([(4, 2, 1, 2), (3, 2, 2, 2)], 61):
            block, x = randomized(solution.Bottleneck(*arguments), seed), normal(seed, 2, arguments[0], 3, 4)
            assert_slopes(block, x, normal(seed + 9, *block(x).shape), seed)


@exercise("ResNet")
class TestResNet:
    def test_scores_for_every_image(self, solution):
        """Images of any size give one row of scores each: (N, 3, H, W) becomes (N, num_classes)."""
        net = solution.ResNet([1, 2], widths=(4, 6), num_classes=7)
        for size in [(8, 6), (5, 9)]:
            assert_equal(net(normal(71, 2, 3, *size, dtype=np.float32)).shape, (2, 7), "shape")

    def test_resnet20_with_padding(self, solution):
        """ResNet-20 with option A has 464 + 14016 + 51072 + 203520 + 650 = 269722 parameters: stem, stages, dense."""
        assert_equal(count(solution.ResNet([3, 3, 3], shortcut="pad")), 269722, "parameters")

    def test_resnet20_with_projections(self, solution):
        """The two projections add 16 * 32 + 2 * 32 and 32 * 64 + 2 * 64 parameters to ResNet-20."""
        assert_equal(count(solution.ResNet([3, 3, 3])), 269722 + 576 + 2176, "parameters")

    def test_names_of_the_state(self, solution):
        """Stem, then block b of stage s as stages.s.b, then fc: parameters inside a plain list would be lost."""
        names = list(solution.ResNet([1, 2], widths=(4, 6)).state_dict())
        assert_equal(names[0], "conv1.weight", "first name")
        assert_equal(names[-1], "fc.bias", "last name")
        blocks = sorted({name[:10] for name in names if name.startswith("stages.")})
        assert_equal(blocks, ["stages.0.0", "stages.1.0", "stages.1.1"], "blocks")

    def test_equals_the_definition(self, solution):
        """Stem, blocks (stride 2 where a later stage begins), the mean over pixels and the dense layer, in order."""
        net, x = randomized(solution.ResNet([1, 2], (2, 3), num_classes=4), 72), normal(73, 2, 3, 5, 6)
        assert_close(net(x), slow_resnet(x, net.state_dict(), [1, 2]), "scores")

    def test_one_width_for_each_stage(self, solution):
        """Two stages and three widths are an error that names both numbers."""
        with assert_rejects(2, 3):
            solution.ResNet([1, 1], widths=(4, 5, 6))

    def test_gradients_are_slopes(self, solution):
        """On two images, dx and every parameter's gradient of a whole network are slopes of sum(scores * dout)."""
        net, x = randomized(solution.ResNet([1, 1], (2, 3), 4, in_channels=2), 74), normal(75, 2, 2, 4, 3)
        assert_slopes(net, x, normal(76, 2, 4), 77)
