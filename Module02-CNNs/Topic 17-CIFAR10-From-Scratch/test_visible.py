"""Topic 17, visible suite: read a test, make it pass, go on to the next."""

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
    seeds,
    sizes,
)

# --- what the tests make for themselves: files, images, a model ---------------------------------


def record(label, red=0, green=0, blue=0):
    """The 3073 bytes of one image of a single colour."""
    return bytes([label]) + bytes([red]) * 1024 + bytes([green]) * 1024 + bytes([blue]) * 1024


def write(path, *records):
    """Write records into a file, make its folder if need be, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(records))
    return path


def write_split(folder):
    """Write a data set of seven training images in five files, labels 1 to 7, and one test image, label 0."""
    for number, labels in enumerate([(1, 2), (3,), (4,), (5, 6), (7,)], 1):
        write(folder / f"data_batch_{number}.bin", *(record(label, red=10 * label) for label in labels))
    write(folder / "test_batch.bin", record(0, blue=99))


def failure(call):
    """Return the sentence of the error that a call ends with."""
    try:
        call()
    except (FileNotFoundError, ValueError) as error:
        return str(error)
    raise AssertionError("expected a FileNotFoundError or a ValueError, got no error at all")


def byte_images(seed, *shape):
    """Random bytes, for images."""
    return np.random.default_rng([seed, *shape]).integers(0, 256, shape).astype(np.uint8)


class Weight:
    """A parameter: a value and its gradient."""

    def __init__(self, value):
        self.value = np.array(value, np.float32)
        self.grad = np.zeros_like(self.value)


class Dense:
    """The smallest model: one dense layer on the flattened images. It notes the modes and batches it sees."""

    def __init__(self, features, classes, seed=0):
        self.weight, self.bias = Weight(0.1 * normal(seed, classes, features)), Weight(np.zeros(classes))
        self.training, self.modes, self.batches = True, [], []

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.modes.append(self.training)
        self.batches.append(x.copy())
        self._x = x.reshape(len(x), -1)
        return self._x @ self.weight.value.T + self.bias.value

    def backward(self, dout):
        self.weight.grad += dout.T @ self._x
        self.bias.grad += dout.sum(axis=0)
        return (dout @ self.weight.value).reshape(self.batches[-1].shape)

    def parameters(self):
        return [self.weight, self.bias]

    def train(self):
        self.training = True
        return self

    def eval(self):
        self.training = False
        return self


class Reader:
    """A model without weights: the image's own first channel, row by row, is its logits."""

    def __init__(self):
        self.training, self.modes = True, []

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.modes.append(self.training)
        return x[:, 0].reshape(len(x), -1)

    def train(self):
        self.training = True
        return self

    def eval(self):
        self.training = False
        return self


# --- oracles: the definitions, one number at a time ---------------------------------------------


def slow_softmax(row):
    powers = [float(np.exp(z - max(row))) for z in row]
    return [power / sum(powers) for power in powers]


def slow_target(label, K, smoothing):
    return [(1 - smoothing) * (j == label) + smoothing / K for j in range(K)]


def slow_loss(logits, labels, smoothing=0.0):
    """The mean over the rows of -sum target * log p."""
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        target, p = slow_target(label, len(row), smoothing), slow_softmax(row)
        total -= sum(target[j] * np.log(p[j]) for j in range(len(row)))
    return total / len(labels)


def slow_slope(logits, labels, smoothing=0.0):
    """(p - target) / N."""
    dlogits = np.zeros(np.shape(logits))
    for n, (row, label) in enumerate(zip(logits, labels, strict=True)):
        target, p = slow_target(label, len(row), smoothing), slow_softmax(row)
        for j in range(len(row)):
            dlogits[n, j] = (p[j] - target[j]) / len(labels)
    return dlogits


def places(cropped, images, ph, pw):
    """For every image the (top, left) from which its crop was cut, None where it is no crop of it."""
    found = []
    H, W = images.shape[2:]
    for crop, image in zip(cropped, images, strict=True):
        padded = np.pad(image, ((0, 0), (ph, ph), (pw, pw)))
        offsets = [(top, left) for top in range(2 * ph + 1) for left in range(2 * pw + 1)]
        fits = [(t, f) for t, f in offsets if np.array_equal(crop, padded[:, t : t + H, f : f + W])]
        found.append(fits[0] if fits else None)
    return found


@exercise("read_batch")
class TestReadBatch:
    def test_label_then_three_colour_planes(self, solution, tmp_path):
        """A record is its label, 1024 bytes of red, 1024 of green, 1024 of blue."""
        path = write(tmp_path / "two.bin", record(6, 200, 50, 7), record(9, 1, 2, 3))
        images, labels = solution.read_batch(path)
        assert_close(labels, np.array([6, 9], np.int64), "labels")
        assert_equal(images.shape, (2, 3, 32, 32), "the shape of images")
        assert_close(images[:, :, 5, 8], np.array([[200, 50, 7], [1, 2, 3]], np.uint8), "pixel (5, 8)")

    def test_planes_are_written_row_by_row(self, solution, tmp_path):
        """The second byte of a plane is the pixel to the right of the first, the 33rd the one below it."""
        plane = bytes([11, 12] + [0] * 30 + [21] + [0] * 991)
        path = write(tmp_path / "one.bin", bytes([4]) + bytes(1024) + plane + bytes(1024))
        images, _ = solution.read_batch(path)
        assert_close(images[0, 1, :2, :2], np.array([[11, 12], [21, 0]], np.uint8), "the green corner")

    def test_every_byte_of_a_random_file(self, solution, tmp_path):
        """Byte 3073 m + 1 + 1024 c + 32 h + w of the file is images[m, c, h, w]."""
        data = byte_images(1, 3, 3073)
        data[:, 0] %= 10
        images, labels = solution.read_batch(write(tmp_path / "three.bin", data.tobytes()))
        expected = [
            [[[data[m, 1 + 1024 * c + 32 * h + w] for w in range(32)] for h in range(32)] for c in range(3)]
            for m in range(3)
        ]
        assert_close(images, np.array(expected, np.uint8), "images")
        assert_close(labels, data[:, 0].astype(np.int64), "labels")

    def test_truncated_file(self, solution, tmp_path):
        """A file whose size is no multiple of 3073 is an error that names the file and its size."""
        path = write(tmp_path / "cut.bin", record(3), record(5)[:-10])
        with assert_rejects(path, 6136):
            solution.read_batch(path)

    def test_empty_file(self, solution, tmp_path):
        """An empty file is an error that names it."""
        path = write(tmp_path / "empty.bin", b"")
        with assert_rejects(path, 0):
            solution.read_batch(path)

    def test_label_over_nine(self, solution, tmp_path):
        """A label over 9 is an error that names the file, the label and the record's number, counted from 0."""
        path = write(tmp_path / "odd.bin", *(record(label) for label in [9, 1, 2, 0, 9, 5, 77, 3]))
        with assert_rejects(path, "77", "record 6"):
            solution.read_batch(path)


@exercise("load_cifar10")
class TestLoadCifar10:
    def test_training_split_is_five_files_in_order(self, solution, tmp_path):
        """The training split is data_batch_1.bin to data_batch_5.bin, one after the other."""
        write_split(tmp_path)
        images, labels = solution.load_cifar10(tmp_path, "train")
        assert_close(labels, np.arange(1, 8), "labels", np.int64)
        assert_close(images[:, 0, 31, 0], np.arange(10, 80, 10).astype(np.uint8), "the red of each image")

    def test_test_split_is_one_file(self, solution, tmp_path):
        """The test split is test_batch.bin alone."""
        write_split(tmp_path)
        images, labels = solution.load_cifar10(tmp_path, "test")
        assert_close(labels, np.array([0], np.int64), "labels")
        assert_close(images[:, :, 0, 0], np.array([[0, 0, 99]], np.uint8), "the first pixel")

    def test_folder_around_the_official_one(self, solution, tmp_path):
        """A folder that holds cifar-10-batches-bin serves as well as that folder itself."""
        write_split(tmp_path / "cifar-10-batches-bin")
        _, labels = solution.load_cifar10(tmp_path, "train")
        assert_close(labels, np.arange(1, 8), "labels", np.int64)

    def test_missing_file_is_named(self, solution, tmp_path):
        """Where a file of the split is missing, the error names it."""
        write_split(tmp_path)
        (tmp_path / "data_batch_4.bin").unlink()
        sentence = failure(lambda: solution.load_cifar10(tmp_path, "train"))
        assert "data_batch_4.bin" in sentence, f"the message does not name data_batch_4.bin: {sentence}"

    def test_unknown_split(self, solution, tmp_path):
        """A split of another name is an error that has the name."""
        write_split(tmp_path)
        with assert_rejects("validation"):
            solution.load_cifar10(tmp_path, "validation")


@exercise("channel_statistics")
class TestChannelStatistics:
    def test_two_channels_by_hand(self, solution):
        """The bytes 0 51 102 255 have mean 102 / 255 = 0.4; each channel is measured alone."""
        images = np.array([[[[0, 51]], [[255, 255]]], [[[102, 255]], [[255, 255]]]], np.uint8)
        mean, std = solution.channel_statistics(images)
        assert_close(mean, np.array([0.4, 1.0], np.float32), "mean")
        assert_close(std, np.array([np.sqrt(0.14), 0.0], np.float32), "std")

    def test_spread_between_images_counts(self, solution):
        """A black and a white image have standard deviation 0.5, though each alone has none."""
        images = np.zeros((2, 1, 3, 5), np.uint8)
        images[1] = 255
        mean, std = solution.channel_statistics(images)
        assert_close(mean, np.array([0.5], np.float32), "mean")
        assert_close(std, np.array([0.5], np.float32), "std")

    @given(seeds, sizes(1, 4))
    def test_equals_the_definition(self, solution, seed, channels):
        """For any images, mean and standard deviation are over all values of a channel."""
        images = byte_images(seed, 3, channels, 5, 2)
        mean, std = solution.channel_statistics(images)
        values = [[float(v) / 255 for v in images[:, c].ravel()] for c in range(channels)]
        means = [sum(row) / len(row) for row in values]
        spreads = [sum((v - m) ** 2 for v in row) / len(row) for row, m in zip(values, means, strict=True)]
        assert_close(mean, np.array(means, np.float32), "mean")
        assert_close(std, np.sqrt(spreads).astype(np.float32), "std")

    def test_normalised_images_are_refused(self, solution):
        """Images that are no bytes are an error that names their dtype."""
        with assert_rejects("float32"):
            solution.channel_statistics(normal(2, 2, 3, 5, 4, dtype=np.float32))

    def test_no_python_loop(self, solution):
        """The number of Python instructions does not depend on how many images there are, nor on their size."""

        def make_call(N, H, W):
            images = byte_images(3, N, 3, H, W)
            return lambda: solution.channel_statistics(images)

        assert_vectorized(make_call, {"N": 2, "H": 5, "W": 7}, {"N": 62, "H": 55, "W": 57})


@exercise("normalize")
class TestNormalize:
    def test_bytes_become_distances_from_the_mean(self, solution):
        """With mean 0.6 and std 0.4 the bytes 51, 153 and 255 become -1, 0 and 1, in float32."""
        x = solution.normalize(np.array([[[[51, 153, 255]]]], np.uint8), np.array([0.6]), np.array([0.4]))
        assert_close(x, np.array([[[[-1.0, 0.0, 1.0]]]], np.float32), "x")

    def test_each_channel_has_its_own_numbers(self, solution):
        """Channel c is moved by mean[c] and divided by std[c], also where an image is as wide as it has channels."""
        images = np.full((2, 3, 5, 3), 51, np.uint8)
        x = solution.normalize(images, np.array([0.2, 0.0, 0.7]), np.array([0.5, 0.1, 0.25]))
        assert_close(x[1, :, 4, 2], np.array([0.0, 2.0, -2.0], np.float32), "one pixel")
        assert_close(x, np.broadcast_to(x[:1, :, :1, :1], x.shape), "x")

    def test_training_split_gets_mean_0_and_deviation_1(self, solution):
        """By their own statistics, images come to mean 0 and standard deviation 1 in every channel."""
        images = byte_images(4, 11, 3, 7, 5)
        flat = images.transpose(1, 0, 2, 3).reshape(3, -1) / 255
        x = solution.normalize(images, flat.mean(axis=1), flat.std(axis=1))
        assert_close(x.mean(axis=(0, 2, 3)), np.zeros(3, np.float32), "mean")
        assert_close(x.std(axis=(0, 2, 3)), np.ones(3, np.float32), "std")

    def test_statistics_of_another_number_of_channels(self, solution):
        """A mean that is not one number a channel is an error that names both shapes."""
        with assert_rejects((2, 3, 5, 4), (1,)):
            solution.normalize(byte_images(5, 2, 3, 5, 4), np.array([0.5]), np.array([0.5, 0.5, 0.5]))

    def test_no_python_loop(self, solution):
        """The number of Python instructions does not depend on how many images there are, nor on their size."""
        mean, std = np.array([0.1, 0.2, 0.3], np.float32), np.array([0.3, 0.2, 0.1], np.float32)

        def make_call(N, H, W):
            images = byte_images(6, N, 3, H, W)
            return lambda: solution.normalize(images, mean, std)

        assert_vectorized(make_call, {"N": 2, "H": 5, "W": 7}, {"N": 62, "H": 55, "W": 57})


@exercise("random_crop")
class TestRandomCrop:
    def test_padding_zero_moves_nothing(self, solution):
        """Without padding there is one place to cut from: the image itself."""
        images = coordinates(2, 3, 4, 5) + 1
        assert_close(solution.random_crop(images, 0, np.random.default_rng(0)), images, "cropped")

    @given(seeds)
    def test_every_crop_is_a_window_of_the_padded_image(self, solution, seed):
        """Each image, all its channels together, is moved over zeros by at most the padding."""
        images = coordinates(6, 3, 4, 5) + 1
        cropped = solution.random_crop(images, 2, np.random.default_rng(seed))
        assert_equal((cropped.shape, cropped.dtype), (images.shape, images.dtype), "shape and dtype")
        assert_equal(places(cropped, images, 2, 2).count(None), 0, "images that are no crop")

    def test_each_image_is_cut_from_a_place_of_its_own(self, solution):
        """Over 300 images, padding 1 gives all nine places, each to at least 10 of them."""
        images = np.broadcast_to(coordinates(1, 2, 3, 4) + 1, (300, 2, 3, 4))
        found = places(solution.random_crop(images, 1, np.random.default_rng(1)), images, 1, 1)
        counts = {place: found.count(place) for place in [(t, f) for t in range(3) for f in range(3)]}
        rare = [place for place, count in counts.items() if count < 10]
        assert_equal(rare, [], "places that hardly occur")

    def test_bytes_stay_bytes(self, solution):
        """The result has the dtype of the images, also where they are bytes."""
        cropped = solution.random_crop(byte_images(7, 2, 3, 4, 5), 2, np.random.default_rng(2))
        assert_equal(str(cropped.dtype), "uint8", "dtype")

    def test_negative_padding(self, solution):
        """A negative padding is an error that has the number."""
        with assert_rejects(-3):
            solution.random_crop(byte_images(8, 2, 3, 4, 5), -3, np.random.default_rng(0))

    def test_no_python_loop(self, solution):
        """The number of Python instructions does not depend on how many images there are."""

        def make_call(N):
            images = byte_images(9, N, 3, 4, 5)
            return lambda: solution.random_crop(images, 2, np.random.default_rng(3))

        assert_vectorized(make_call, {"N": 2}, {"N": 82})


@exercise("random_flip")
class TestRandomFlip:
    @given(seeds)
    def test_each_image_is_plain_or_mirrored(self, solution, seed):
        """Every image is what it was, or has its columns in reverse; its rows and channels stay in place."""
        images = coordinates(7, 2, 3, 4)
        flipped = solution.random_flip(images, np.random.default_rng(seed))
        assert_equal((flipped.shape, flipped.dtype), (images.shape, images.dtype), "shape and dtype")
        kinds = []
        for got, image in zip(flipped, images, strict=True):
            mirror = np.array([[[row[3 - w] for w in range(4)] for row in channel] for channel in image])
            fits = np.array_equal(got, image), np.array_equal(got, mirror)
            kinds.append({(True, False): "plain", (False, True): "mirrored"}.get(fits, "neither"))
        assert_equal(kinds.count("neither"), 0, "images neither plain nor mirrored")

    def test_about_half_are_mirrored(self, solution):
        """Of 400 images between 150 and 250 are mirrored."""
        images = np.broadcast_to(coordinates(1, 1, 2, 3), (400, 1, 2, 3))
        flipped = solution.random_flip(images, np.random.default_rng(4))
        mirrored = int(np.sum(flipped[:, 0, 0, 0] == 2))
        assert 150 <= mirrored <= 250, f"expected 150 to 250 mirrored images of 400, got {mirrored}"

    def test_same_generator_same_flips(self, solution):
        """Two generators of one seed flip the same images."""
        images = byte_images(10, 40, 3, 4, 5)
        first = solution.random_flip(images, np.random.default_rng(5))
        assert_close(solution.random_flip(images, np.random.default_rng(5)), first, "flipped")

    def test_no_python_loop(self, solution):
        """The number of Python instructions does not depend on how many images there are."""

        def make_call(N):
            images = byte_images(11, N, 3, 4, 5)
            return lambda: solution.random_flip(images, np.random.default_rng(6))

        assert_vectorized(make_call, {"N": 2}, {"N": 82})


@exercise("iterate_batches")
class TestIterateBatches:
    def test_seven_images_in_threes(self, solution):
        """Seven images in batches of three are three, three, and the one that is left."""
        images, labels = coordinates(7, 2, 3, 4), np.arange(7)
        batches = list(solution.iterate_batches(images, labels, 3))
        assert_equal([y.tolist() for _, y in batches], [[0, 1, 2], [3, 4, 5], [6]], "labels")
        assert_close(batches[1][0], images[3:6], "the second batch")

    def test_drop_last(self, solution):
        """With drop_last a last batch that is not full is left out; a full one stays."""
        images, labels = coordinates(7, 2, 3, 4), np.arange(7)
        kept = [y.tolist() for _, y in solution.iterate_batches(images, labels, 3, drop_last=True)]
        assert_equal(kept, [[0, 1, 2], [3, 4, 5]], "labels of 7 in threes")
        kept = [len(y) for _, y in solution.iterate_batches(images[:6], labels[:6], 3, drop_last=True)]
        assert_equal(kept, [3, 3], "batches of 6 in threes")

    @given(seeds, sizes(0, 11), sizes(1, 5))
    def test_shuffled_every_image_once_with_its_label(self, solution, seed, N, batch_size):
        """With a generator every image comes exactly once, and its label beside it."""
        images = np.arange(10.0, 10.0 + N)[:, None, None, None] * np.ones((1, 2, 1, 3))
        batches = list(solution.iterate_batches(images, np.arange(N), batch_size, np.random.default_rng(seed)))
        seen = [(float(x[0, 0, 0]), int(y)) for xs, ys in batches for x, y in zip(xs, ys, strict=True)]
        assert_equal(sorted(seen), [(10.0 + n, n) for n in range(N)], "images and labels")
        assert_equal([len(x) for x, _ in batches[:-1]], [batch_size] * max(0, len(batches) - 1), "batch sizes")

    def test_a_new_order_at_every_call(self, solution):
        """One generator gives a new order at every call, none of them the given one."""
        images, labels, rng = np.zeros((50, 1, 1, 1)), np.arange(50), np.random.default_rng(7)
        orders = [
            [int(label) for _, ys in solution.iterate_batches(images, labels, 9, rng) for label in ys] for _ in range(2)
        ]
        assert len({tuple(order) for order in [*orders, range(50)]}) == 3, f"two orders are the same: {orders}"

    def test_one_label_too_few(self, solution):
        """Five images with four labels are an error that has both numbers."""
        with assert_rejects(5, 4):
            list(solution.iterate_batches(np.zeros((5, 1, 1, 1)), np.arange(4), 2))

    def test_batch_size_zero(self, solution):
        """A batch size below 1 is an error that has it."""
        with assert_rejects("batch_size is 0"):
            list(solution.iterate_batches(np.zeros((5, 1, 1, 1)), np.arange(5), 0))


@exercise("cross_entropy_forward")
class TestCrossEntropyForward:
    def test_equal_scores_cost_the_log_of_the_classes(self, solution):
        """A network that gives all ten classes the same score has loss ln 10."""
        loss, _ = solution.cross_entropy_forward(np.zeros((3, 10)), np.array([7, 0, 9]))
        assert_close(np.float64(loss), np.log(10), "loss")

    def test_odds_that_can_be_read(self, solution):
        """Odds of 1 : 2 : 5 give p = 1/8, 2/8, 5/8; the loss is the mean of -log p of the labels."""
        logits = np.log([[1.0, 2.0, 5.0], [1.0, 2.0, 5.0]])
        loss, _ = solution.cross_entropy_forward(logits, np.array([2, 0]))
        assert_close(np.float64(loss), (np.log(8 / 5) + np.log(8)) / 2, "loss")

    def test_scores_of_a_thousand(self, solution):
        """Only differences of scores count: 1000 against 998 is 2 against 0, without overflow."""
        with np.errstate(all="ignore"):
            loss, _ = solution.cross_entropy_forward(np.array([[1000.0, 998.0]]), np.array([1]))
        assert_close(np.float64(loss), 2 + np.log(1 + np.exp(-2.0)), "loss")

    def test_label_smoothing_by_hand(self, solution):
        """Smoothing 0.3 over three classes makes the target 0.1, 0.8, 0.1: the label keeps a third of its share."""
        logits = np.log([[1.0, 2.0, 5.0]])
        loss, _ = solution.cross_entropy_forward(logits, np.array([1]), label_smoothing=0.3)
        assert_close(np.float64(loss), 0.1 * np.log(8) + 0.8 * np.log(4) + 0.1 * np.log(8 / 5), "loss")

    @given(seeds, sizes(1, 6), sizes(2, 5))
    def test_equals_the_definition(self, solution, seed, N, K):
        """For any logits, labels and smoothing the loss is the mean of -sum target * log p."""
        logits, rng = 3 * normal(seed, N, K), np.random.default_rng(seed)
        labels, smoothing = rng.integers(0, K, N), float(rng.choice([0.0, 0.1, 0.35]))
        loss, _ = solution.cross_entropy_forward(logits, labels, smoothing)
        assert_close(np.float64(loss), slow_loss(logits, labels, smoothing), "loss")

    def test_label_that_is_no_class(self, solution):
        """The label 5 for five classes is an error that has label and classes; so is -1."""
        with assert_rejects("label 5", "5 classes"):
            solution.cross_entropy_forward(np.zeros((3, 5)), np.array([0, 5, 2]))
        with assert_rejects(-1, 5):
            solution.cross_entropy_forward(np.zeros((3, 5)), np.array([0, -1, 2]))

    def test_no_python_loop(self, solution):
        """The number of Python instructions does not depend on how many images and classes there are."""

        def make_call(N, K):
            logits, labels = normal(12, N, K), np.arange(N) % K
            return lambda: solution.cross_entropy_forward(logits, labels, 0.1)

        assert_vectorized(make_call, {"N": 2, "K": 5}, {"N": 62, "K": 55})


@exercise("cross_entropy_backward")
class TestCrossEntropyBackward:
    def test_odds_minus_one_at_the_label(self, solution):
        """With p = 1/8, 2/8, 5/8 and label 1 the gradient is 1/8, -6/8, 5/8; a batch of two halves it."""
        logits = np.log([[1.0, 2.0, 5.0], [1.0, 2.0, 5.0]])
        _, cache = solution.cross_entropy_forward(logits, np.array([1, 2]))
        dlogits = solution.cross_entropy_backward(cache)
        assert_close(dlogits, np.array([[1.0, -6.0, 5.0], [1.0, 2.0, -3.0]]) / 16, "dlogits")

    def test_smoothed_target_pushes_back_from_certainty(self, solution):
        """With target 0.1, 0.8, 0.1 every class has its own share taken away."""
        _, cache = solution.cross_entropy_forward(np.log([[1.0, 2.0, 5.0]]), np.array([1]), label_smoothing=0.3)
        expected = np.array([[1 / 8 - 0.1, 2 / 8 - 0.8, 5 / 8 - 0.1]])
        assert_close(solution.cross_entropy_backward(cache), expected, "dlogits")

    @given(seeds, sizes(1, 5), sizes(2, 5))
    def test_equals_differences_of_the_loss(self, solution, seed, N, K):
        """The gradient is what a small change of each logit does to the loss."""
        logits, labels = 2 * normal(seed, N, K), np.random.default_rng(seed).integers(0, K, N)
        _, cache = solution.cross_entropy_forward(logits, labels, 0.2)
        dlogits = solution.cross_entropy_backward(cache)

        def loss(moved):
            return np.asarray(slow_loss(moved, labels, 0.2))

        assert_gradient(dlogits, loss, logits, np.asarray(1.0), "dlogits")

    def test_rows_sum_to_zero(self, solution):
        """What is pushed up in a row is pulled down in it: every row of the gradient sums to 0."""
        _, cache = solution.cross_entropy_forward(5 * normal(13, 7, 4), np.arange(7) % 4, 0.1)
        dlogits = solution.cross_entropy_backward(cache)
        assert_close(dlogits.sum(axis=1), np.zeros(7), "sums")
        assert np.abs(dlogits).max() > 0.01, "the gradient is 0 everywhere"

    def test_no_python_loop(self, solution):
        """The number of Python instructions does not depend on how many images and classes there are."""

        def make_call(N, K):
            _, cache = solution.cross_entropy_forward(normal(14, N, K), np.arange(N) % K, 0.1)
            return lambda: solution.cross_entropy_backward(cache)

        assert_vectorized(make_call, {"N": 2, "K": 5}, {"N": 62, "K": 55})


@exercise("SGD")
class TestSGD:
    def test_plain_step(self, solution):
        """Without momentum a step is value -= lr * grad."""
        weight = Weight([10.0, -2.0])
        optimizer = solution.SGD([weight], lr=0.1)
        weight.grad[...] = 4, -5
        optimizer.step()
        assert_close(weight.value, np.array([9.6, -1.5], np.float32), "value")

    def test_momentum_keeps_going(self, solution):
        """With gradient 4, momentum 0.5 and lr 0.1 the velocities are 4, 6, 7 and the value 10 goes 9.6, 9.0, 8.3."""
        weight = Weight([10.0])
        optimizer = solution.SGD([weight], lr=0.1, momentum=0.5)
        weight.grad[...] = 4
        values = []
        for _ in range(3):
            optimizer.step()
            values.append(float(weight.value[0]))
        assert_close(np.array(values), np.array([9.6, 9.0, 8.3]), "values", tolerance=1e-5)

    def test_nesterov_looks_ahead(self, solution):
        """Nesterov steps along 4 + 0.5 * velocity: 6, 7, 7.5 after another."""
        weight = Weight([10.0])
        optimizer = solution.SGD([weight], lr=0.1, momentum=0.5, nesterov=True)
        weight.grad[...] = 4
        values = []
        for _ in range(3):
            optimizer.step()
            values.append(float(weight.value[0]))
        assert_close(np.array(values), np.array([9.4, 8.7, 7.95]), "values", tolerance=1e-5)

    def test_new_rate_scales_the_whole_velocity(self, solution):
        """The velocities are 4 and 6 at any rate: a step at 0.2 and one at 0.1 move 10 to 9.2 and 8.6."""
        weight = Weight([10.0])
        optimizer = solution.SGD([weight], lr=0.2, momentum=0.5)
        weight.grad[...] = 4
        optimizer.step()
        assert_close(weight.value, np.array([9.2], np.float32), "value after the step at 0.2")
        optimizer.lr = 0.1
        optimizer.step()
        assert_close(weight.value, np.array([8.6], np.float32), "value after the step at 0.1")

    def test_weight_decay_joins_the_gradient(self, solution):
        """Weight decay 0.2 adds 0.2 * value to the gradient, and the momentum carries it on."""
        weight = Weight([10.0])
        optimizer = solution.SGD([weight], lr=0.1, momentum=0.5, weight_decay=0.2)
        weight.grad[...] = 4
        optimizer.step()
        assert_close(weight.value, np.array([9.4], np.float32), "value after one step")
        optimizer.step()
        assert_close(weight.value, np.array([9.4 - 0.1 * (3 + 4 + 1.88)], np.float32), "value after two")

    def test_values_change_in_place(self, solution):
        """A step writes into the parameter's own array, which others may hold."""
        weight = Weight([10.0, 3.0])
        held = weight.value
        optimizer = solution.SGD([weight], lr=0.5)
        weight.grad[...] = 2, 1
        optimizer.step()
        assert_close(held, np.array([9.0, 2.5], np.float32), "the array held")

    def test_zero_grad(self, solution):
        """A step leaves gradients alone; zero_grad sets every one of them to 0."""
        weights = [Weight([1.0, 2.0]), Weight([3.0])]
        optimizer = solution.SGD(weights, lr=0.5)
        for weight in weights:
            weight.grad[...] = 7
        optimizer.step()
        assert_close(weights[0].grad, np.array([7.0, 7.0], np.float32), "a gradient after step")
        optimizer.zero_grad()
        assert_close(weights[0].grad, np.zeros(2, np.float32), "the first gradient")
        assert_close(weights[1].grad, np.zeros(1, np.float32), "the second gradient")


@exercise("one_cycle_lr")
class TestOneCycleLr:
    def test_eight_steps_by_hand(self, solution):
        """Eight steps to a peak of 0.6 with warmup 0.25 are two steps up and six down."""
        rates = [solution.one_cycle_lr(step, 8, 0.6) for step in range(9)]
        assert_close(np.array(rates), np.array([0, 0.3, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0]), "rates")

    def test_warmup_of_a_half(self, solution):
        """With warmup 0.5 the way up is as long as the way down."""
        rates = [solution.one_cycle_lr(step, 4, 3.0, warmup=0.5) for step in range(5)]
        assert_close(np.array(rates), np.array([0, 1.5, 3.0, 1.5, 0]), "rates")

    @given(seeds, sizes(1, 40))
    def test_two_straight_lines(self, solution, seed, total):
        """For any peak and warmup the rate lies on the line from 0 to the peak or on that from the peak to 0."""
        peak, warmup = np.random.default_rng(seed).uniform(0.05, 0.95, 2)
        rates = [solution.one_cycle_lr(step, total, float(peak), float(warmup)) for step in range(total + 1)]
        expected = np.interp(np.arange(total + 1), [0, warmup * total, total], [0, peak, 0])
        assert_close(np.array(rates), expected, "rates")

    def test_step_beyond_the_last(self, solution):
        """Step 9 of 8 is an error that has both numbers."""
        with assert_rejects(9, 8):
            solution.one_cycle_lr(9, 8, 0.6)


@exercise("simple_cnn")
class TestSimpleCnn:
    def test_images_to_scores(self, solution):
        """Two images of 3 by 32 by 32 become two rows of ten scores, in float32."""
        scores = solution.simple_cnn(rng=np.random.default_rng(0))(normal(15, 2, 3, 32, 32, dtype=np.float32))
        assert_equal((scores.shape, str(scores.dtype)), ((2, 10), "float32"), "shape and dtype")

    def test_parameters_layer_by_layer(self, solution):
        """The eight parameters are weight and bias of two convolutions and two dense layers."""
        shapes = [p.value.shape for p in solution.simple_cnn(num_classes=7).parameters()]
        expected = [(32, 3, 3, 3), (32,), (64, 32, 3, 3), (64,), (128, 4096), (128,), (7, 128), (7,)]
        assert_equal(shapes, expected, "shapes")

    def test_untrained_loss_is_of_the_size_of_ln_10(self, solution):
        """Before training no class is much favoured: the loss is above 1.5 and below 8; ln 10 is 2.3."""
        net = solution.simple_cnn(rng=np.random.default_rng(1))
        scores, labels = net(normal(16, 10, 3, 32, 32, dtype=np.float32)), np.arange(10)
        loss = slow_loss(scores, labels)
        assert 1.5 < loss < 8, f"the untrained loss is {loss:.2f}"

    def test_one_step_lowers_the_loss_and_moves_every_parameter(self, solution):
        """A small step against the gradient lowers the loss, and no parameter stands still."""
        net = solution.simple_cnn(rng=np.random.default_rng(2))
        x, labels = normal(17, 5, 3, 32, 32, dtype=np.float32), np.array([2, 0, 7, 7, 4])
        before, scores = [p.value.copy() for p in net.parameters()], net(x)
        net.backward(slow_slope(scores, labels).astype(np.float32))
        for parameter in net.parameters():
            parameter.value -= np.float32(0.0003) * parameter.grad
        start, end = slow_loss(scores, labels), slow_loss(net(x), labels)
        assert end < start, f"the loss went from {start:.4f} to {end:.4f} in a step at rate 0.0003"
        still = [i for i, p in enumerate(net.parameters()) if np.array_equal(p.value, before[i])]
        assert_equal(still, [], "parameters that did not move")


@exercise("train_epoch")
class TestTrainEpoch:
    def test_one_batch_is_one_step_against_the_gradient(self, solution):
        """One batch is forward, loss, backward, step; what is returned is the loss before the step."""
        model, x, y = Dense(6, 3), normal(18, 4, 1, 2, 3, dtype=np.float32), np.array([0, 2, 1, 2])
        scores = x.reshape(4, 6) @ model.weight.value.T
        slope, start = slow_slope(scores, y), model.weight.value.copy()
        loss = solution.train_epoch(model, solution.SGD(model.parameters(), 0.5), x, y)
        assert_close(np.float64(loss), slow_loss(scores, y), "loss", tolerance=1e-5)
        assert_close(model.weight.value, (start - 0.5 * slope.T @ x.reshape(4, 6)).astype(np.float32), "weight")
        assert_close(model.bias.value, (-0.5 * slope.sum(axis=0)).astype(np.float32), "bias")

    def test_gradients_of_earlier_batches_are_cleared(self, solution):
        """Each step uses the gradient of its own batch alone, whatever .grad held before."""
        x, y = normal(19, 7, 1, 2, 3, dtype=np.float32), np.array([0, 2, 1, 2, 0, 0, 1])
        clean, stale = Dense(6, 3), Dense(6, 3)
        stale.weight.grad[...] = 5
        for model in (clean, stale):
            solution.train_epoch(model, solution.SGD(model.parameters(), 0.1), x, y, batch_size=3)
        assert_close(stale.weight.value, clean.weight.value, "weight")
        two = Dense(6, 3)
        slope = slow_slope(x[:3].reshape(3, 6) @ two.weight.value.T, y[:3])
        weight, bias = two.weight.value - 0.1 * slope.T @ x[:3].reshape(3, 6), -0.1 * slope.sum(axis=0)
        slope = slow_slope(x[3:6].reshape(3, 6) @ weight.T + bias, y[3:6])
        solution.train_epoch(two, solution.SGD(two.parameters(), 0.1), x[:6], y[:6], batch_size=3)
        assert_close(two.weight.value, (weight - 0.1 * slope.T @ x[3:6].reshape(3, 6)).astype(np.float32), "two steps")

    def test_loss_is_the_mean_over_images(self, solution):
        """Where the last batch is short, its images count no more than the others."""
        model, x, y = Dense(6, 3), normal(20, 5, 1, 2, 3, dtype=np.float32), np.array([0, 2, 1, 2, 0])
        expected = slow_loss(x.reshape(5, 6) @ model.weight.value.T, y)
        loss = solution.train_epoch(model, solution.SGD(model.parameters(), 0.0), x, y, batch_size=4)
        assert_close(np.float64(loss), expected, "loss", tolerance=1e-5)

    def test_every_image_once_in_training_mode(self, solution):
        """The model, set to training mode, sees every image once, in an order that the generator draws."""
        model, x = Dense(2, 3).eval(), np.arange(60, dtype=np.float32).reshape(30, 1, 1, 2)
        optimizer = solution.SGD(model.parameters(), 0.0)
        solution.train_epoch(model, optimizer, x, np.arange(30) % 3, batch_size=8, rng=np.random.default_rng(8))
        assert_equal(sorted(set(model.modes)), [True], "the modes")
        assert_equal([len(batch) for batch in model.batches], [8, 8, 8, 6], "batch sizes")
        seen = [float(v) for v in np.concatenate(model.batches)[:, 0, 0, 0]]
        assert_equal(sorted(seen), [float(v) for v in x[:, 0, 0, 0]], "the images")
        assert sorted(seen) != seen, "the images come in the given order, in spite of the generator"

    def test_learning_rate_of_every_batch(self, solution):
        """The function lr is asked for batch 0, 1, 2, and its answer rules that batch's step."""
        model, x, y = Dense(2, 3), np.ones((6, 1, 1, 2), np.float32), np.zeros(6, np.int64)
        optimizer, start, asked = solution.SGD(model.parameters(), 9.0), model.weight.value.copy(), []

        def rate(k):
            asked.append(k)
            return 0.0

        solution.train_epoch(model, optimizer, x, y, batch_size=2, lr=rate)
        assert_equal(asked, [0, 1, 2], "the batches asked for")
        assert_close(model.weight.value, start, "weight, trained at rate 0")

    def test_augment_sees_every_batch(self, solution):
        """The function augment gets the batch's images and the generator, and the model sees what it returns."""
        model, x, y = Dense(2, 3), np.ones((5, 1, 1, 2), np.float32), np.zeros(5, np.int64)
        rng, given_rngs = np.random.default_rng(9), []

        def triple(images, generator):
            given_rngs.append(generator)
            return images * np.float32(3)

        solution.train_epoch(model, solution.SGD(model.parameters(), 0.1), x, y, 2, rng, augment=triple)
        assert_close(np.concatenate(model.batches), np.full((5, 1, 1, 2), 3, np.float32), "what the model saw")
        assert [generator is rng for generator in given_rngs] == [True] * 3, "augment was not given the generator"

    def test_bytes_are_refused(self, solution):
        """Bytes that would reach the model are an error that names their dtype."""
        model = Dense(2, 3)
        with assert_rejects("uint8"):
            solution.train_epoch(
                model, solution.SGD(model.parameters(), 0.1), np.ones((4, 1, 1, 2), np.uint8), np.zeros(4, np.int64)
            )


@exercise("evaluate")
class TestEvaluate:
    def test_three_of_four(self, solution):
        """Where the largest of the scores is the label's in three images of four, the accuracy is 0.75."""
        x = np.array([[1, 5, 3], [2, 0, 1], [0, 1, 9], [4, 6, 5]], np.float32).reshape(4, 1, 1, 3)
        accuracy = solution.evaluate(Reader(), x, np.array([1, 0, 2, 0]))
        assert_close(np.float64(accuracy), np.float64(0.75), "accuracy")

    def test_short_last_batch_counts_by_its_images(self, solution):
        """Five images, the last one wrong, are 0.8 in batches of any size."""
        x = np.array([[1, 5], [1, 5], [5, 1], [5, 1], [5, 1]], np.float32).reshape(5, 1, 1, 2)
        labels = np.array([1, 1, 0, 0, 1])
        found = [float(solution.evaluate(Reader(), x, labels, batch_size)) for batch_size in (1, 2, 3, 4, 5, 99)]
        assert_close(np.array(found), np.full(6, 0.8), "accuracies")

    def test_of_equal_scores_the_first_counts(self, solution):
        """Where all scores are equal the first is taken, as argmax does: two of five images are of class 0."""
        accuracy = solution.evaluate(Reader(), np.ones((5, 1, 1, 3), np.float32), np.array([0, 2, 1, 0, 2]))
        assert_close(np.float64(accuracy), np.float64(0.4), "accuracy")

    def test_eval_mode_for_the_while(self, solution):
        """The model is in eval mode while it is evaluated, and afterwards in the mode it had."""
        for training in (True, False):
            model = Reader()
            model.training = training
            solution.evaluate(model, np.ones((5, 1, 1, 2), np.float32), np.zeros(5, np.int64), 2)
            assert_equal(sorted(set(model.modes)), [False], "the modes while it was evaluated")
            assert_equal(model.training, training, "the mode afterwards")

    def test_no_images(self, solution):
        """The accuracy on no images is an error that names the shape."""
        with assert_rejects((0, 1, 1, 2)):
            solution.evaluate(Reader(), np.ones((0, 1, 1, 2), np.float32), np.zeros(0, np.int64))


def two_clouds(seed, N, K=3):
    """Images whose pixel k is bright for class k: a problem that a dense layer can solve."""
    labels = np.arange(N) % K
    x = 0.3 * normal(seed, N, 1, 1, K)
    x[np.arange(N), 0, 0, labels] += 2
    return x.astype(np.float32), labels


@exercise("fit")
class TestFit:
    def test_one_record_an_epoch(self, solution):
        """The history has epoch, loss and accuracy of every epoch; without test data the accuracy is None."""
        history = solution.fit(Dense(3, 3), two_clouds(21, 12), epochs=3, batch_size=5)
        assert_equal([set(entry) for entry in history], [{"epoch", "loss", "accuracy"}] * 3, "keys")
        assert_equal([entry["epoch"] for entry in history], [0, 1, 2], "epochs")
        assert_equal([entry["accuracy"] for entry in history], [None, None, None], "accuracies")

    def test_learns_what_can_be_separated(self, solution):
        """On separable images the loss falls from near ln 3, and images never seen are told apart."""
        model = Dense(3, 3)
        history = solution.fit(
            model, two_clouds(22, 60), two_clouds(23, 30), epochs=10, batch_size=10, rng=np.random.default_rng(10)
        )
        losses = [entry["loss"] for entry in history]
        assert abs(losses[0] - np.log(3)) < 0.4, f"the first loss is {losses[0]:.3f}, ln 3 is 1.099"
        assert losses[-1] < 0.3, f"the loss fell from {losses[0]:.3f} to no less than {losses[-1]:.3f}"
        assert_close(np.float64(history[-1]["accuracy"]), np.float64(1.0), "accuracy")

    def test_accuracy_is_that_after_the_epoch(self, solution):
        """An epoch's accuracy is measured with what it has learned: the last one is the model's in the end."""
        model, test = Dense(3, 3, seed=2), two_clouds(23, 30)
        before = solution.evaluate(model, *test)
        (entry,) = solution.fit(model, two_clouds(22, 60), test, epochs=1, batch_size=10, peak_lr=0.3)
        assert_close(np.float64(entry["accuracy"]), np.float64(solution.evaluate(model, *test)), "accuracy")
        assert entry["accuracy"] > before, f"it was {before:.2f} before and is {entry['accuracy']:.2f} after it"

    def test_memorises_a_handful_of_images(self, solution):
        """The network learns eight images of noise by heart: accuracy 1 on them, and every parameter has moved."""
        net = solution.simple_cnn(rng=np.random.default_rng(3))
        noise = normal(24, 8, 3, 32, 32, dtype=np.float32), np.array([3, 1, 4, 1, 5, 9, 2, 6])
        before = [p.value.copy() for p in net.parameters()]
        history = solution.fit(net, noise, noise, epochs=24, batch_size=8, peak_lr=0.01, weight_decay=0.0)
        assert_close(np.float64(history[-1]["accuracy"]), np.float64(1.0), "accuracy")
        still = [i for i, p in enumerate(net.parameters()) if np.array_equal(p.value, before[i])]
        assert_equal(still, [], "parameters that did not move")

    def test_equals_the_steps_written_out(self, solution):
        """Two epochs of two batches are four Nesterov steps at rates 0, peak, 2/3 of it and 1/3 of it."""
        x, y = two_clouds(25, 5)
        flat, model = x.reshape(5, 3).astype(np.float64), Dense(3, 3)
        value = np.hstack([model.weight.value, model.bias.value[:, None]]).astype(np.float64)
        velocity = np.zeros_like(value)
        for k, rows in enumerate([slice(0, 3), slice(3, 5)] * 2):
            seen = np.hstack([flat[rows], np.ones((len(y[rows]), 1))])
            gradient = slow_slope(seen @ value.T, y[rows]).T @ seen + 0.01 * value
            velocity = 0.8 * velocity + gradient
            value -= 0.6 * [0, 1, 2 / 3, 1 / 3][k] * (gradient + 0.8 * velocity)
        solution.fit(model, (x, y), epochs=2, batch_size=3, peak_lr=0.6, momentum=0.8, weight_decay=0.01)
        assert_close(model.weight.value, value[:, :3].astype(np.float32), "weight")
        assert_close(model.bias.value, value[:, 3].astype(np.float32), "bias")

    def test_no_epochs(self, solution):
        """Zero epochs are an error that has the number."""
        with assert_rejects("epochs is 0"):
            solution.fit(Dense(3, 3), two_clouds(26, 6), epochs=0)
