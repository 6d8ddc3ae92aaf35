"""Topic 13, visible suite: read a test, make it pass, go on to the next."""

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
)

SMALL, LARGE = {"N": 1, "C": 2, "H": 5, "W": 6}, {"N": 42, "C": 44, "H": 46, "W": 48}


def image(*rows):
    """One image of one channel from its rows."""
    return np.array([[rows]], np.float64)


def few_values(seed, *shape):
    """Images of the values -3 to 3 alone, so that most windows hold their maximum several times."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(np.float64)


def at_most_half(padding, kernel):
    """The padding, cut down to what pooling allows."""
    return min(padding[0], kernel[0] // 2), min(padding[1], kernel[1] // 2)


def windows_of(shape, kernel, stride, padding):
    """Yield every output index with the indices of the pixels its window holds, row by row; padding left out."""
    N, C, H, W = shape
    (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
    for n, c, i, j in np.ndindex(N, C, (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1):
        rows = [row for row in range(i * sh - ph, i * sh - ph + kh) if 0 <= row < H]
        columns = [column for column in range(j * sw - pw, j * sw - pw + kw) if 0 <= column < W]
        yield (n, c, i, j), [(n, c, row, column) for row in rows for column in columns]


def out_shape(shape, kernel, stride, padding):
    """The shape of the output: that of its last index, and one more on each axis."""
    return tuple(last + 1 for last in [index for index, _ in windows_of(shape, kernel, stride, padding)][-1])


def slow_max_pool(x, kernel, stride, padding):
    """The definition: the largest pixel of each window."""
    out = np.zeros(out_shape(x.shape, kernel, stride, padding))
    for index, pixels in windows_of(x.shape, kernel, stride, padding):
        out[index] = max(x[pixel] for pixel in pixels)
    return out


def slow_max_pool_backward(dout, x, kernel, stride, padding):
    """The definition: each gradient to the first largest pixel of its window, which `max` finds."""
    dx = np.zeros(x.shape)
    for index, pixels in windows_of(x.shape, kernel, stride, padding):
        dx[max(pixels, key=lambda pixel: x[pixel])] += dout[index]
    return dx


def slow_avg_pool(x, kernel, stride, padding, count_include_pad=True):
    """The definition: the sum of each window, divided by all its cells or by its pixels alone."""
    out = np.zeros(out_shape(x.shape, kernel, stride, padding))
    for index, pixels in windows_of(x.shape, kernel, stride, padding):
        cells = kernel[0] * kernel[1] if count_include_pad else len(pixels)
        out[index] = sum(x[pixel] for pixel in pixels) / cells
    return out


def slow_avg_pool_backward(dout, x, kernel, stride, padding, count_include_pad=True):
    """The definition: an equal share of each gradient to every pixel of its window."""
    dx = np.zeros(x.shape)
    for index, pixels in windows_of(x.shape, kernel, stride, padding):
        cells = kernel[0] * kernel[1] if count_include_pad else len(pixels)
        for pixel in pixels:
            dx[pixel] += dout[index] / cells
    return dx


@exercise("max_pool2d_forward")
class TestMaxPool2dForward:
    def test_windows_tile_the_image(self, solution):
        """Without a stride the windows tile the image: 2 x 3 windows of a 4 x 6 image make a 2 x 2 output."""
        out, _ = solution.max_pool2d_forward(coordinates(1, 1, 4, 6), kernel_size=(2, 3))
        assert_close(out, image([12, 15], [32, 35]))

    def test_windows_overlap(self, solution):
        """With a stride smaller than the window one large pixel is the maximum of several windows."""
        x = image([0, 1, 2, 3], [4, 9, 5, 6], [7, 0, 1, 8])
        out, _ = solution.max_pool2d_forward(x, kernel_size=2, stride=1)
        assert_close(out, image([9, 9, 6], [9, 9, 8]))

    def test_padding_never_wins(self, solution):
        """Padding never wins, not even where every pixel is negative."""
        out, _ = solution.max_pool2d_forward(image([-5, -2, -7], [-1, -4, -3]), kernel_size=2, padding=1)
        assert_close(out, image([-5, -2], [-1, -3]))

    def test_nan_wins(self, solution):
        """A window that holds a NaN has the output NaN; the windows beside it do not notice."""
        out, _ = solution.max_pool2d_forward(image([1, np.nan, 3, 2], [4, 0, 1, 6]), kernel_size=2)
        assert_close(out, image([np.nan, 6]))

    def test_padding_of_more_than_half_the_window(self, solution):
        """Padding of more than half the window is an error that names padding and window, on either axis."""
        with assert_rejects(2, 3):
            solution.max_pool2d_forward(np.zeros((1, 1, 7, 8)), kernel_size=3, padding=2)
        with assert_rejects(3, 5):
            solution.max_pool2d_forward(np.zeros((1, 1, 7, 8)), kernel_size=(4, 5), padding=(2, 3))

    def test_one_image_without_the_batch_axis(self, solution):
        """An x of three axes is an error that names its shape."""
        with assert_rejects((3, 7, 8)):
            solution.max_pool2d_forward(np.zeros((3, 7, 8)), kernel_size=2)

    @given(seeds, pairs(1, 4), pairs(1, 3), pairs(0, 2))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding):
        """For any window, stride and padding every output number is the largest pixel of its window."""
        x, padding = normal(seed, 2, 3, 5, 4), at_most_half(padding, kernel)
        out, _ = solution.max_pool2d_forward(x, kernel, stride, padding)
        assert_close(out, slow_max_pool(x, kernel, stride, padding), "out")

    def test_a_pixel_that_moves_inside_its_window(self, solution):
        """A bright pixel may move inside its window unnoticed; over the border to the next window it may not."""
        for row, column, expected in [(1, 0, [9, 0]), (0, 1, [9, 0]), (0, 2, [0, 9])]:
            x = np.zeros((1, 1, 2, 4))
            x[0, 0, row, column] = 9
            out, _ = solution.max_pool2d_forward(x, kernel_size=2)
            assert_close(out, image(expected), f"out for a bright pixel {(row, column)}")

    def test_no_loop_over_the_image(self, solution):
        """No Python loop runs over images, channels, rows or columns; over the cells of a window one may."""

        def make_call(N, C, H, W):
            x = normal(1, N, C, H, W)
            return lambda: solution.max_pool2d_forward(x, (3, 2), stride=(2, 1), padding=1)

        assert_vectorized(make_call, SMALL, LARGE)


@exercise("max_pool2d_backward")
class TestMaxPool2dBackward:
    def test_gradient_goes_to_the_winner(self, solution):
        """The gradient of a window goes to its largest pixel; the other pixels get zero."""
        _, cache = solution.max_pool2d_forward(image([1, 5, 2, 0], [3, 4, 6, 1]), kernel_size=2)
        dx = solution.max_pool2d_backward(image([10, -20]), cache)
        assert_close(dx, image([0, 10, 0, 0], [0, 0, -20, 0]), "dx")

    def test_overlapping_windows_add_up(self, solution):
        """A pixel that wins several windows gets the sum of their gradients."""
        _, cache = solution.max_pool2d_forward(image([1, 2, 1], [0, 9, 3], [4, 5, 6]), kernel_size=2, stride=1)
        dx = solution.max_pool2d_backward(image([1, 10], [100, 1000]), cache)
        assert_close(dx, image([0, 0, 0], [0, 1111, 0], [0, 0, 0]), "dx")

    def test_tie_goes_to_the_first(self, solution):
        """A tie sends the whole gradient to the first maximum, counted along the rows."""
        _, cache = solution.max_pool2d_forward(image([1, 7, 7, 7], [7, 7, 7, 7]), kernel_size=2)
        dx = solution.max_pool2d_backward(image([10, 20]), cache)
        assert_close(dx, image([0, 10, 20, 0], [0, 0, 0, 0]), "dx")

    def test_gradient_is_a_slope(self, solution):
        """The gradient is the slope of sum(out * dout), for a random dout."""
        x = np.random.default_rng(1).permutation(84).reshape(2, 2, 7, 3) / 10
        settings = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}
        out, cache = solution.max_pool2d_forward(x, **settings)
        dout = normal(2, *out.shape)
        dx = solution.max_pool2d_backward(dout, cache)
        assert_gradient(dx, lambda x: slow_max_pool(x, *settings.values()), x, dout, "dx")

    @given(seeds, pairs(1, 4), pairs(1, 3), pairs(0, 2))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding):
        """For any window, stride and padding each gradient goes to one pixel, the first of many that tie."""
        x, padding = few_values(seed, 2, 3, 5, 4), at_most_half(padding, kernel)
        out, cache = solution.max_pool2d_forward(x, kernel, stride, padding)
        dout = normal(seed, *out.shape)
        dx = solution.max_pool2d_backward(dout, cache)
        assert_close(dx, slow_max_pool_backward(dout, x, kernel, stride, padding), "dx")

    def test_dout_of_another_shape(self, solution):
        """A dout that is not shaped like the output is an error that names both shapes; nothing broadcasts."""
        _, cache = solution.max_pool2d_forward(normal(1, 2, 3, 4, 6), kernel_size=2)
        with assert_rejects((2, 3, 2, 1), (2, 3, 2, 3)):
            solution.max_pool2d_backward(np.ones((2, 3, 2, 1)), cache)

    def test_no_loop_over_the_image(self, solution):
        """No Python loop runs over images, channels, rows or columns."""

        def make_call(N, C, H, W):
            out, cache = solution.max_pool2d_forward(normal(1, N, C, H, W), (3, 2), stride=(2, 1), padding=1)
            return lambda: solution.max_pool2d_backward(out, cache)

        assert_vectorized(make_call, SMALL, LARGE)


@exercise("avg_pool2d_forward")
class TestAvgPool2dForward:
    def test_mean_of_each_window(self, solution):
        """Each output number is the mean of its window."""
        out, _ = solution.avg_pool2d_forward(image([1, 3, 0, 4], [5, 7, -8, 2]), kernel_size=2)
        assert_close(out, image([4, -0.5]))

    def test_padding_counts(self, solution):
        """By default the padding counts: a corner window of one pixel and three zeros is a quarter of the pixel."""
        out, _ = solution.avg_pool2d_forward(image([8, 4, 6], [2, 0, 12]), kernel_size=2, padding=1)
        assert_close(out, image([2, 2.5], [0.5, 3]))

    def test_padding_left_out_of_the_count(self, solution):
        """With count_include_pad=False a window is divided by the number of its pixels, not of its cells."""
        out, _ = solution.avg_pool2d_forward(image([8, 4, 6], [2, 0, 12]), 2, padding=1, count_include_pad=False)
        assert_close(out, image([8, 5], [2, 6]))

    def test_padding_of_more_than_half_the_window(self, solution):
        """Padding of more than half the window is an error that names padding and window, as in max pooling."""
        with assert_rejects(2, 3):
            solution.avg_pool2d_forward(np.zeros((1, 1, 7, 8)), kernel_size=3, padding=2)

    @given(seeds, pairs(1, 4), pairs(1, 3), pairs(0, 2))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding):
        """For any window, stride and padding, counted or not, every output number is the mean of its window."""
        x, padding = normal(seed, 2, 3, 5, 4), at_most_half(padding, kernel)
        for counted in (True, False):
            out, _ = solution.avg_pool2d_forward(x, kernel, stride, padding, counted)
            assert_close(out, slow_avg_pool(x, kernel, stride, padding, counted), f"out, {counted},")

    def test_float32_stays_float32(self, solution):
        """A float32 image has a float32 mean, whether the padding counts or not."""
        x = normal(1, 2, 3, 5, 4, dtype=np.float32)
        for counted in (True, False):
            out, _ = solution.avg_pool2d_forward(x, 3, padding=1, count_include_pad=counted)
            assert_close(out, slow_avg_pool(x, (3, 3), (3, 3), (1, 1), counted), dtype=np.float32)

    def test_no_loop_over_the_image(self, solution):
        """No Python loop runs over images, channels, rows or columns, also where the padding is not counted."""

        def make_call(N, C, H, W):
            x = normal(1, N, C, H, W)
            return lambda: solution.avg_pool2d_forward(x, (3, 2), stride=(2, 1), padding=1, count_include_pad=False)

        assert_vectorized(make_call, SMALL, LARGE)


@exercise("avg_pool2d_backward")
class TestAvgPool2dBackward:
    def test_every_pixel_gets_its_share(self, solution):
        """Every pixel of a window of four gets a quarter of its gradient."""
        _, cache = solution.avg_pool2d_forward(normal(1, 1, 1, 2, 4), kernel_size=2)
        dx = solution.avg_pool2d_backward(image([8, -20]), cache)
        assert_close(dx, image([2, 2, -5, -5], [2, 2, -5, -5]), "dx")

    def test_overlapping_windows_add_up(self, solution):
        """A pixel that lies in several windows gets a share of each gradient."""
        _, cache = solution.avg_pool2d_forward(normal(1, 1, 1, 1, 5), kernel_size=(1, 3), stride=1)
        dx = solution.avg_pool2d_backward(image([3, 30, 300]), cache)
        assert_close(dx, image([1, 11, 111, 110, 100]), "dx")

    def test_share_of_the_padding(self, solution):
        """The padding's share is dropped where it counts, and goes to the pixels where it does not."""
        x, dout = normal(1, 1, 1, 1, 3), image([12, 20])
        _, cache = solution.avg_pool2d_forward(x, (1, 2), padding=(0, 1))
        assert_close(solution.avg_pool2d_backward(dout, cache), image([6, 10, 10]), "dx with the padding counted")
        _, cache = solution.avg_pool2d_forward(x, (1, 2), padding=(0, 1), count_include_pad=False)
        assert_close(solution.avg_pool2d_backward(dout, cache), image([12, 10, 10]), "dx with the padding left out")

    def test_gradient_is_a_slope(self, solution):
        """The gradient is the slope of sum(out * dout), for a random dout, counted or not."""
        x = normal(1, 2, 2, 7, 3)
        for counted in (True, False):
            settings = (3, 2), (2, 1), (1, 0), counted
            out, cache = solution.avg_pool2d_forward(x, *settings)
            dout = normal(2, *out.shape)
            dx = solution.avg_pool2d_backward(dout, cache)
            assert_gradient(dx, lambda x, settings=settings: slow_avg_pool(x, *settings), x, dout, "dx")

    @given(seeds, pairs(1, 4), pairs(1, 3), pairs(0, 2))
    def test_equals_the_definition(self, solution, seed, kernel, stride, padding):
        """For any window, stride and padding, counted or not, every pixel gets its share of every window it is in."""
        x, padding = normal(seed, 2, 3, 5, 4), at_most_half(padding, kernel)
        for counted in (True, False):
            out, cache = solution.avg_pool2d_forward(x, kernel, stride, padding, counted)
            dout = normal(seed, *out.shape)
            dx = solution.avg_pool2d_backward(dout, cache)
            assert_close(dx, slow_avg_pool_backward(dout, x, kernel, stride, padding, counted), "dx")

    def test_no_loop_over_the_image(self, solution):
        """No Python loop runs over images, channels, rows or columns."""

        def make_call(N, C, H, W):
            out, cache = solution.avg_pool2d_forward(normal(1, N, C, H, W), (3, 2), stride=(2, 1), padding=1)
            return lambda: solution.avg_pool2d_backward(out, cache)

        assert_vectorized(make_call, SMALL, LARGE)


@exercise("global_avg_pool2d_forward")
class TestGlobalAvgPool2dForward:
    def test_one_number_a_channel(self, solution):
        """Each channel of each image becomes its mean: (2, 3, 3, 5) in, (2, 3) out."""
        out, _ = solution.global_avg_pool2d_forward(coordinates(2, 3, 3, 5))
        assert_close(out, np.array([[12.0, 112.0, 212.0], [1012.0, 1112.0, 1212.0]]))

    def test_any_size_of_map(self, solution):
        """Maps of any size give the same shape, so one dense layer behind can read them all."""
        for H, W in [(1, 1), (2, 5), (9, 4)]:
            out, _ = solution.global_avg_pool2d_forward(normal(1, 2, 3, H, W))
            expected = [[normal(1, 2, 3, H, W)[n, c].mean() for c in range(3)] for n in range(2)]
            assert_close(out, np.array(expected), f"out of {H} by {W} maps")

    def test_flat_input(self, solution):
        """An x that is flattened already is an error that names its shape."""
        with assert_rejects((2, 30)):
            solution.global_avg_pool2d_forward(np.zeros((2, 30)))

    def test_no_loop_over_the_image(self, solution):
        """No Python loop runs over images, channels, rows or columns."""

        def make_call(N, C, H, W):
            x = normal(1, N, C, H, W)
            return lambda: solution.global_avg_pool2d_forward(x)

        assert_vectorized(make_call, SMALL, LARGE)


@exercise("global_avg_pool2d_backward")
class TestGlobalAvgPool2dBackward:
    def test_equal_shares(self, solution):
        """Every pixel of a 2 x 3 map gets a sixth of its channel's gradient."""
        _, cache = solution.global_avg_pool2d_forward(normal(1, 1, 2, 2, 3))
        dx = solution.global_avg_pool2d_backward(np.array([[6.0, -12.0]]), cache)
        assert_close(dx, np.array([[[[1.0] * 3] * 2, [[-2.0] * 3] * 2]]), "dx")

    def test_gradient_is_a_slope(self, solution):
        """The gradient is the slope of sum(out * dout), for a random dout."""
        x, dout = normal(1, 2, 3, 2, 5), normal(2, 2, 3)
        _, cache = solution.global_avg_pool2d_forward(x)
        dx = solution.global_avg_pool2d_backward(dout, cache)
        assert_gradient(dx, lambda x: np.einsum("nchw->nc", x) / 10, x, dout, "dx")

    def test_result_can_be_written_to(self, solution):
        """The result is an array of its own: writing to one of its pixels changes that pixel alone, and not dout."""
        dout = normal(1, 2, 3)
        _, cache = solution.global_avg_pool2d_forward(normal(2, 2, 3, 4, 1))
        dx = solution.global_avg_pool2d_backward(dout, cache)
        assert_no_alias(dx, "dx", dout=dout)
        assert_equal(dx.flags.writeable, True, "dx.flags.writeable")
        dx[0, 1, 2, 0] += 1
        assert_close(dx.sum(), np.float64(dout.sum() + 1), "sum of dx")

    def test_no_loop_over_the_image(self, solution):
        """No Python loop runs over images, channels, rows or columns."""

        def make_call(N, C, H, W):
            out, cache = solution.global_avg_pool2d_forward(normal(1, N, C, H, W))
            return lambda: solution.global_avg_pool2d_backward(out, cache)

        assert_vectorized(make_call, SMALL, LARGE)


@exercise("MaxPool2d")
class TestMaxPool2d:
    def test_settings_reach_forward(self, solution):
        """The layer pools with its window, stride and padding, and returns the output alone."""
        x, layer = normal(1, 2, 3, 5, 4), solution.MaxPool2d((3, 2), stride=(2, 1), padding=(1, 0))
        assert_close(layer(x), slow_max_pool(x, (3, 2), (2, 1), (1, 0)), "out")

    def test_window_alone(self, solution):
        """Given a window alone, the layer's windows tile the image."""
        out = solution.MaxPool2d(2)(coordinates(1, 1, 4, 6))
        assert_close(out, image([11, 13, 15], [31, 33, 35]))

    def test_backward_follows_forward(self, solution):
        """The layer's backward sends each gradient to the pixel that won in the last forward, and leaves x alone."""
        x, layer = few_values(1, 2, 3, 5, 4), solution.MaxPool2d(2, stride=1)
        with assert_unchanged(x=x):
            dout = normal(2, *layer(x).shape)
            dx = layer.backward(dout)
        assert_close(dx, slow_max_pool_backward(dout, x, (2, 2), (1, 1), (0, 0)), "dx")

    def test_nothing_to_learn(self, solution):
        """Pooling has no parameters and nothing to save."""
        layer = solution.MaxPool2d(2)
        layer(normal(1, 2, 3, 4, 6))
        assert_equal(len(layer.parameters()), 0, "number of parameters")
        assert_equal(list(layer.state_dict()), [], "names in state_dict()")


@exercise("AvgPool2d")
class TestAvgPool2d:
    def test_settings_reach_forward(self, solution):
        """The layer pools with its window, stride, padding and count_include_pad."""
        x, settings = normal(1, 2, 3, 5, 4), ((3, 2), (2, 1), (1, 1))
        for counted in (True, False):
            layer = solution.AvgPool2d(*settings, count_include_pad=counted)
            assert_close(layer(x), slow_avg_pool(x, *settings, counted), f"out, {counted},")

    def test_window_alone(self, solution):
        """Given a window alone, the layer's windows tile the image."""
        out = solution.AvgPool2d((1, 2))(coordinates(1, 1, 2, 6))
        assert_close(out, image([0.5, 2.5, 4.5], [10.5, 12.5, 14.5]))

    def test_backward_follows_forward(self, solution):
        """The layer's backward shares each gradient out among the pixels of its window."""
        x, layer = normal(1, 2, 3, 5, 4), solution.AvgPool2d(2, 1, 1, count_include_pad=False)
        dout = normal(2, *layer(x).shape)
        assert_close(layer.backward(dout), slow_avg_pool_backward(dout, x, (2, 2), (1, 1), (1, 1), False), "dx")


@exercise("GlobalAvgPool2d")
class TestGlobalAvgPool2d:
    def test_forward(self, solution):
        """The layer returns one mean a channel, two axes in all, ready for a dense layer."""
        out = solution.GlobalAvgPool2d()(coordinates(2, 3, 3, 5))
        assert_close(out, np.array([[12.0, 112.0, 212.0], [1012.0, 1112.0, 1212.0]]))

    def test_backward(self, solution):
        """The layer's backward repeats a fifteenth of each channel's gradient over its 3 x 5 pixels."""
        layer = solution.GlobalAvgPool2d()
        layer(normal(1, 2, 3, 3, 5))
        dx = layer.backward(np.array([[15.0, 0.0, -30.0], [45.0, 30.0, 1.5]]))
        expected = [[[[share] * 5] * 3 for share in shares] for shares in [[1.0, 0.0, -2.0], [3.0, 2.0, 0.1]]]
        assert_close(dx, np.array(expected), "dx")
