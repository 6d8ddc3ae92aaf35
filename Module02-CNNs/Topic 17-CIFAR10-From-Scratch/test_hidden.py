"""Topic 17, hidden suite: what is easily forgotten."""

import contextlib

import numpy as np
from hypothesis import given

from kata.testing import (
    assert_close,
    assert_equal,
    assert_no_alias,
    assert_rejects,
    assert_unchanged,
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


def two_clouds(seed, N, K=3):
    """Images whose pixel k is bright for class k: a problem that a dense layer can solve."""
    labels = np.arange(N) % K
    x = 0.3 * normal(seed, N, 1, 1, K)
    x[np.arange(N), 0, 0, labels] += 2
    return x.astype(np.float32), labels


class Stumbling(Reader):
    """A model that fails on its second batch."""

    def forward(self, x):
        if self.modes:
            raise ArithmeticError("the second batch")
        return super().forward(x)


@exercise("read_batch")
class TestReadBatch:
    @given(seeds, sizes(1, 4))
    def test_any_records(self, solution, tmp_path_factory, seed, M):
        """Each record's first byte is its label, the other 3072 its pixels, plane by plane and row by row."""
        data = byte_images(seed, M, 3073)
        data[:, 0] %= 10
        images, labels = solution.read_batch(write(tmp_path_factory.mktemp("any") / "b.bin", data.tobytes()))
        assert_close(labels, data[:, 0].astype(np.int64), "labels")
        assert_close(images, data[:, 1:].reshape(M, 3, 32, 32), "images")

    def test_path_as_text(self, solution, tmp_path):
        """The path may be a plain string."""
        images, labels = solution.read_batch(str(write(tmp_path / "one.bin", record(8, 3, 2, 1))))
        assert_close(labels, np.array([8], np.int64), "labels")
        assert_close(images[0, :, 9, 9], np.array([3, 2, 1], np.uint8), "a pixel")

    def test_one_byte_too_many(self, solution, tmp_path):
        """One byte more than whole records is an error that has the path and the size."""
        path = write(tmp_path / "long.bin", record(1), record(2), b"x")
        with assert_rejects(path, 6147):
            solution.read_batch(path)

    def test_less_than_one_record(self, solution, tmp_path):
        """Less than one record is an error that has the path and the size."""
        path = write(tmp_path / "short.bin", record(1)[:3072])
        with assert_rejects(path, 3072):
            solution.read_batch(path)

    def test_first_of_two_bad_labels(self, solution, tmp_path):
        """Of several records with a wrong label, the first is the one that is named."""
        path = write(tmp_path / "odd.bin", *(record(label) for label in [0, 9, 3, 9, 1, 10, 255]))
        with assert_rejects(path, "10", "record 5"):
            solution.read_batch(path)

    def test_label_ten(self, solution, tmp_path):
        """The label 10 is already none: ten classes counted from 0 end at 9."""
        path = write(tmp_path / "ten.bin", record(9), record(10), record(0))
        with assert_rejects(path, "10", "record 1"):
            solution.read_batch(path)

    def test_missing_file(self, solution, tmp_path):
        """A file that is not there is an error that has its path."""
        sentence = failure(lambda: solution.read_batch(tmp_path / "absent.bin"))
        assert "absent.bin" in sentence, f"the message does not name absent.bin: {sentence}"

    def test_labels_as_large_as_pixels(self, solution, tmp_path):
        """Pixels may be over 9: only first bytes of records are labels."""
        images, labels = solution.read_batch(write(tmp_path / "bright.bin", *[record(9, 255, 254, 253)] * 3))
        assert_close(labels, np.array([9, 9, 9], np.int64), "labels")
        assert_close(images[2, :, 0, 31], np.array([255, 254, 253], np.uint8), "a pixel")


@exercise("load_cifar10")
class TestLoadCifar10:
    def test_folder_as_text(self, solution, tmp_path):
        """The folder may be a plain string."""
        write_split(tmp_path)
        images, labels = solution.load_cifar10(str(tmp_path), "train")
        assert_equal((images.shape, str(images.dtype)), ((7, 3, 32, 32), "uint8"), "images")
        assert_equal((labels.shape, str(labels.dtype)), ((7,), "int64"), "labels")

    def test_each_split_needs_its_own_files_only(self, solution, tmp_path):
        """Training files are enough for the training split, the test file for the test split."""
        write_split(tmp_path / "a")
        write_split(tmp_path / "b")
        (tmp_path / "a" / "test_batch.bin").unlink()
        for number in range(1, 6):
            (tmp_path / "b" / f"data_batch_{number}.bin").unlink()
        assert_equal(len(solution.load_cifar10(tmp_path / "a", "train")[1]), 7, "training labels")
        assert_equal(len(solution.load_cifar10(tmp_path / "b", "test")[1]), 1, "test labels")

    def test_folder_that_is_not_there(self, solution, tmp_path):
        """Where there is no such folder, the error names it, or the file looked for in it."""
        sentence = failure(lambda: solution.load_cifar10(tmp_path / "nowhere", "test"))
        assert "nowhere" in sentence or "test_batch.bin" in sentence, f"the message names neither: {sentence}"

    def test_last_file_missing(self, solution, tmp_path):
        """Four files of five are no training split: the error names data_batch_5.bin."""
        write_split(tmp_path / "cifar-10-batches-bin")
        (tmp_path / "cifar-10-batches-bin" / "data_batch_5.bin").unlink()
        sentence = failure(lambda: solution.load_cifar10(tmp_path, "train"))
        assert "data_batch_5.bin" in sentence, f"the message does not name data_batch_5.bin: {sentence}"

    def test_truncated_file_among_them(self, solution, tmp_path):
        """A truncated file of the split is an error that names it and its size."""
        write_split(tmp_path)
        write(tmp_path / "data_batch_3.bin", record(3)[:-1])
        with assert_rejects("data_batch_3.bin", 3072):
            solution.load_cifar10(tmp_path, "train")

    def test_images_and_labels_stay_together(self, solution, tmp_path):
        """Every training image keeps its own label: image m has red 10 times its label."""
        write_split(tmp_path)
        images, labels = solution.load_cifar10(tmp_path, "train")
        assert_close(images[:, 0, 0, 0], (10 * labels).astype(np.uint8), "the red of each image")
        assert_close(images[:, 2, 0, 0], np.zeros(7, np.uint8), "the blue of each image")

    def test_split_in_capitals(self, solution, tmp_path):
        """The splits are called "train" and "test", nothing else."""
        write_split(tmp_path)
        with assert_rejects("Train"):
            solution.load_cifar10(tmp_path, "Train")


@exercise("channel_statistics")
class TestChannelStatistics:
    @given(seeds, sizes(1, 5))
    def test_transposed_images(self, solution, seed, N):
        """Images need not lie in memory in the order of their axes."""
        images = byte_images(seed, 4, 3, 2, N).transpose(3, 1, 0, 2)
        with assert_unchanged(images=images):
            mean, std = solution.channel_statistics(images)
        expected = [(images[:, c] / 255).mean() for c in range(3)], [(images[:, c] / 255).std() for c in range(3)]
        assert_close(mean, np.array(expected[0], np.float32), "mean")
        assert_close(std, np.array(expected[1], np.float32), "std")

    def test_many_white_images(self, solution):
        """A million white pixels have mean 1 and standard deviation 0: no sum runs over or loses count."""
        mean, std = solution.channel_statistics(np.full((250, 1, 64, 64), 255, np.uint8))
        assert_close(mean, np.ones(1, np.float32), "mean", tolerance=1e-6)
        assert_close(std, np.zeros(1, np.float32), "std", tolerance=1e-6)

    def test_small_spread_around_a_large_mean(self, solution):
        """Of 40000 pixels one is 254 and the others 255: the deviation is 1/255 of sqrt(p - p^2), p = 1/40000."""
        images = np.full((4, 1, 100, 100), 255, np.uint8)
        images[2, 0, 50, 7] = 254
        _, std = solution.channel_statistics(images)
        assert_close(255 * std, np.sqrt([1 / 40000 - 1 / 40000**2]).astype(np.float32), "255 std", tolerance=1e-5)

    def test_no_image(self, solution):
        """No image is an error that names the shape."""
        with assert_rejects((0, 3, 5, 4)):
            solution.channel_statistics(np.zeros((0, 3, 5, 4), np.uint8))

    def test_single_image_without_its_axis(self, solution):
        """Three axes are an error that names the shape."""
        with assert_rejects((3, 5, 4)):
            solution.channel_statistics(np.zeros((3, 5, 4), np.uint8))


@exercise("normalize")
class TestNormalize:
    @given(seeds, sizes(0, 4), sizes(1, 5))
    def test_equals_the_definition(self, solution, seed, N, C):
        """Every value is (byte / 255 - mean) / std of its channel, for any number of channels and images."""
        images, rng = byte_images(seed, N, C, 2, 3), np.random.default_rng(seed)
        mean, std = rng.uniform(0, 1, C), rng.uniform(0.1, 1, C)
        expected = np.zeros(images.shape, np.float32)
        for n, c, h, w in np.ndindex(*images.shape):
            expected[n, c, h, w] = (images[n, c, h, w] / 255 - mean[c]) / std[c]
        with assert_unchanged(images=images, mean=mean, std=std):
            x = solution.normalize(images, mean, std)
        assert_close(x, expected, "x")

    def test_reversed_and_sliced_images(self, solution):
        """Images may be a view with gaps and steps backwards."""
        whole = byte_images(31, 4, 3, 6, 5)
        images, mean, std = whole[::2, :, ::-1], np.array([0.1, 0.2, 0.3]), np.array([0.4, 0.5, 0.6])
        expected = (images / 255 - mean[:, None, None]) / std[:, None, None]
        assert_close(solution.normalize(images, mean, std), expected.astype(np.float32), "x")

    def test_statistics_in_float32(self, solution):
        """Statistics in float32 do as well as in float64, and the result is float32 for both."""
        images = np.full((2, 1, 3, 4), 102, np.uint8)
        for dtype in (np.float32, np.float64):
            x = solution.normalize(images, np.array([0.2], dtype), np.array([0.1], dtype))
            assert_close(x, np.full((2, 1, 3, 4), 2, np.float32), f"x, {np.dtype(dtype)} statistics")

    def test_channel_without_spread(self, solution):
        """A standard deviation of 0 is an error that shows it, not a division by it."""
        with assert_rejects("0.25", "0."):
            solution.normalize(byte_images(32, 2, 2, 3, 5), np.array([0.5, 1.0]), np.array([0.25, 0.0]))

    def test_one_number_for_all_channels(self, solution):
        """A plain number as the mean or the std is an error that names the images' shape: nothing broadcasts."""
        images = byte_images(33, 2, 3, 4, 5)
        with assert_rejects((2, 3, 4, 5)):
            solution.normalize(images, np.float64(0.5), np.array([0.2, 0.2, 0.2]))
        with assert_rejects((2, 3, 4, 5), (5,)):
            solution.normalize(images, np.array([0.5, 0.5, 0.5]), np.full(5, 0.2))

    def test_normalised_twice(self, solution):
        """Images that are float already are an error that names their dtype."""
        x = normal(34, 2, 1, 3, 5, dtype=np.float32)
        with assert_rejects("float32"):
            solution.normalize(x, np.array([0.5]), np.array([0.25]))

    def test_rank(self, solution):
        """An image without the batch axis is an error that names its shape."""
        with assert_rejects((3, 4, 5)):
            solution.normalize(byte_images(35, 3, 4, 5), np.full(3, 0.5), np.full(3, 0.2))


@exercise("random_crop")
class TestRandomCrop:
    def test_unequal_paddings(self, solution):
        """Padding (1, 2) moves an image by up to one row and two columns: 15 places, all of them taken."""
        images = np.broadcast_to(coordinates(1, 2, 3, 4) + 1, (400, 2, 3, 4))
        found = places(solution.random_crop(images, (1, 2), np.random.default_rng(31)), images, 1, 2)
        assert_equal(sorted(set(found)), [(t, f) for t in range(3) for f in range(5)], "places")

    def test_one_more_column_than_rows(self, solution):
        """Padding (0, 3) moves columns alone."""
        images = coordinates(30, 1, 2, 5) + 1
        found = places(solution.random_crop(images, (0, 3), np.random.default_rng(32)), images, 0, 3)
        assert_equal([place for place in found if place is None], [], "images that are no crop")
        assert len({left for _, left in found}) > 3, "the columns hardly move"

    def test_float32_stays_float32(self, solution):
        """The result has the dtype of the images, and is theirs no longer: nothing is written or shared."""
        images = normal(36, 5, 3, 4, 6, dtype=np.float32)
        for padding in (0, 2):
            with assert_unchanged(images=images):
                cropped = solution.random_crop(images, padding, np.random.default_rng(33))
            assert_equal((cropped.shape, str(cropped.dtype)), ((5, 3, 4, 6), "float32"), "shape and dtype")
            assert_no_alias(cropped, "cropped", images=images)

    def test_result_can_be_written_to(self, solution):
        """The crops overlap in the padded image, but each has memory of its own."""
        cropped = solution.random_crop(coordinates(3, 2, 4, 5), 1, np.random.default_rng(34))
        cropped[...] = 7
        cropped[0] = 1
        assert_close(cropped[1:], np.full((2, 2, 4, 5), 7.0), "the other images")

    def test_same_generator_same_crops(self, solution):
        """Two generators of one seed cut alike; one generator cuts differently the second time."""
        images, rng = byte_images(37, 40, 3, 5, 4), np.random.default_rng(35)
        first, second = solution.random_crop(images, 2, rng), solution.random_crop(images, 2, rng)
        again = solution.random_crop(images, 2, np.random.default_rng(35))
        assert_close(again, first, "cropped")
        assert not np.array_equal(first, second), "two calls with one generator cut alike"

    def test_transposed_images(self, solution):
        """Images need not lie in memory in the order of their axes."""
        images = (coordinates(5, 2, 4, 3) + 1).transpose(3, 1, 2, 0)
        cropped = solution.random_crop(images, 1, np.random.default_rng(36))
        assert_equal(places(cropped, images, 1, 1).count(None), 0, "images that are no crop")

    def test_no_images(self, solution):
        """No images give no crops."""
        cropped = solution.random_crop(np.zeros((0, 3, 4, 5), np.float32), 2, np.random.default_rng(0))
        assert_close(cropped, np.zeros((0, 3, 4, 5), np.float32), "cropped")

    def test_rank(self, solution):
        """An image without the batch axis is an error that names its shape."""
        with assert_rejects((3, 4, 5)):
            solution.random_crop(byte_images(38, 3, 4, 5), 2, np.random.default_rng(0))

    def test_rows_and_columns_are_drawn_apart(self, solution):
        """The top and the left of a crop are independent: over 300 images they differ as often as chance has it."""
        images = np.broadcast_to(coordinates(1, 1, 4, 3) + 1, (300, 1, 4, 3))
        found = places(solution.random_crop(images, 2, np.random.default_rng(37)), images, 2, 2)
        equal = sum(top == left for top, left in found)
        assert 25 <= equal <= 110, f"expected about 60 of 300 crops with top = left, got {equal}"


@exercise("random_flip")
class TestRandomFlip:
    def test_nothing_is_written_or_shared(self, solution):
        """The images are left as they are, and the result is memory of its own."""
        images = normal(39, 9, 2, 3, 4, dtype=np.float32)
        for seed in range(6):
            with assert_unchanged(images=images):
                flipped = solution.random_flip(images[seed : seed + 1], np.random.default_rng(seed))
            assert_equal(str(flipped.dtype), "float32", "dtype")
            assert_no_alias(flipped, "flipped", images=images)

    def test_every_image_decides_alone(self, solution):
        """Over 64 images the pattern of flips is neither all nor nothing, nor one image in turn."""
        images = np.broadcast_to(coordinates(1, 1, 2, 3), (64, 1, 2, 3))
        mirrored = solution.random_flip(images, np.random.default_rng(38))[:, 0, 0, 0] == 2
        changes = int(np.sum(mirrored[1:] != mirrored[:-1]))
        assert 10 <= changes <= 54, f"expected about 32 changes from one image to the next, got {changes}"

    def test_two_calls_two_patterns(self, solution):
        """One generator flips other images the second time."""
        images, rng = byte_images(40, 60, 1, 2, 5), np.random.default_rng(39)
        first, second = solution.random_flip(images, rng), solution.random_flip(images, rng)
        assert not np.array_equal(first, second), "two calls with one generator flip alike"

    def test_bytes_in_any_memory_order(self, solution):
        """Bytes stay bytes, also where the images are a transposed view."""
        images = byte_images(41, 5, 2, 3, 40).transpose(3, 1, 2, 0)
        flipped = solution.random_flip(images, np.random.default_rng(40))
        assert_equal(str(flipped.dtype), "uint8", "dtype")
        kinds = [
            0 if np.array_equal(f, image) else 1 if np.array_equal(f, image[:, :, ::-1]) else 2
            for f, image in zip(flipped, images, strict=True)
        ]
        assert_equal(sorted(set(kinds)), [0, 1], "plain and mirrored")

    def test_no_images(self, solution):
        """No images give no images."""
        flipped = solution.random_flip(np.zeros((0, 3, 4, 5), np.uint8), np.random.default_rng(0))
        assert_close(flipped, np.zeros((0, 3, 4, 5), np.uint8), "flipped")

    def test_rank(self, solution):
        """An image without the batch axis is an error that names its shape."""
        with assert_rejects((3, 4, 5)):
            solution.random_flip(byte_images(42, 3, 4, 5), np.random.default_rng(0))


@exercise("iterate_batches")
class TestIterateBatches:
    @given(seeds, sizes(0, 12), sizes(1, 15))
    def test_drop_last_leaves_out_less_than_a_batch(self, solution, seed, N, batch_size):
        """With drop_last every batch is full, and fewer than batch_size images are left out, none comes twice."""
        images, labels = np.arange(N).reshape(N, 1, 1, 1), np.arange(N)
        batches = list(solution.iterate_batches(images, labels, batch_size, np.random.default_rng(seed), True))
        seen = [int(label) for _, ys in batches for label in ys]
        assert_equal([len(x) for x, _ in batches], [batch_size] * (N // batch_size), "batch sizes")
        assert_equal(len(set(seen)), N // batch_size * batch_size, "different images")

    def test_data_set_is_not_reordered(self, solution):
        """Shuffling draws an order; the images and labels themselves stay where they are."""
        images, labels = coordinates(9, 1, 2, 3), np.arange(9)
        with assert_unchanged(images=images, labels=labels):
            list(solution.iterate_batches(images, labels, 4, np.random.default_rng(41)))

    def test_same_generator_same_order(self, solution):
        """Two generators of one seed give one order."""
        images, labels = coordinates(9, 1, 2, 3), np.arange(9)
        orders = [
            [y.tolist() for _, y in solution.iterate_batches(images, labels, 4, np.random.default_rng(42))]
            for _ in range(2)
        ]
        assert_equal(orders[1], orders[0], "labels")

    def test_batch_larger_than_the_data(self, solution):
        """Three images in batches of eight are one batch of three."""
        (batch,) = solution.iterate_batches(coordinates(3, 1, 2, 2), np.arange(3), 8)
        assert_close(batch[0], coordinates(3, 1, 2, 2), "images")
        assert_close(batch[1], np.arange(3), "labels")

    def test_full_batches_and_nothing_left(self, solution):
        """Six images in threes are two batches, with no empty one behind them; no images are no batch."""
        found = [y.tolist() for _, y in solution.iterate_batches(coordinates(6, 1, 2, 2), np.arange(6), 3)]
        assert_equal(found, [[0, 1, 2], [3, 4, 5]], "labels")
        empty = list(solution.iterate_batches(coordinates(6, 1, 2, 2)[:0], np.arange(0), 3))
        assert_equal(empty, [], "batches of no images")

    def test_dtypes_and_axes_are_kept(self, solution):
        """Batches have the dtypes and axes of the data, bytes and flat rows alike."""
        rng = np.random.default_rng(43)
        for images in (byte_images(43, 5, 3, 2, 4), normal(44, 5, 7, dtype=np.float32)):
            for x, y in solution.iterate_batches(images, np.arange(5, dtype=np.uint8), 2, rng):
                assert_equal((x.shape[1:], x.dtype, str(y.dtype)), (images.shape[1:], images.dtype, "uint8"), "a batch")

    def test_negative_batch_size(self, solution):
        """A negative batch size is an error that has it."""
        with assert_rejects("batch_size is -2"):
            list(solution.iterate_batches(coordinates(3, 1, 2, 2), np.arange(3), -2))

    def test_one_label_too_many(self, solution):
        """Three images with seven labels are an error that has both numbers, shuffled or not."""
        with assert_rejects(3, 7):
            list(solution.iterate_batches(coordinates(3, 1, 2, 2), np.arange(7), 2, np.random.default_rng(0)))


@exercise("cross_entropy_forward")
class TestCrossEntropyForward:
    def test_minus_a_thousand(self, solution):
        """Scores of -1000 and -1001 do not vanish: only their difference counts."""
        with np.errstate(all="ignore"):
            loss, _ = solution.cross_entropy_forward(np.array([[-1000.0, -1001.0]]), np.array([1]))
        assert_close(np.float64(loss), 1 + np.log(1 + np.exp(-1.0)), "loss")

    def test_every_row_has_its_own_largest_score(self, solution):
        """Rows far apart, one around 1000 and one around -1000, cost what each costs alone."""
        with np.errstate(all="ignore"):
            logits = np.array([[1000.0, 998.0], [-1000.0, -1001.0]])
            loss, _ = solution.cross_entropy_forward(logits, np.array([1, 1]))
        assert_close(np.float64(loss), (3 + np.log(1 + np.exp(-2.0)) + np.log(1 + np.exp(-1.0))) / 2, "loss")

    def test_hopeless_label_in_float32(self, solution):
        """A label whose odds are smaller than any float32 still has a finite loss, 300 for 300 less in score."""
        with np.errstate(all="ignore"):
            loss, _ = solution.cross_entropy_forward(np.array([[300.0, 0.0]], np.float32), np.array([1]))
        assert_close(np.float64(loss), np.float64(300), "loss", tolerance=1e-6)

    @given(seeds, sizes(1, 5), sizes(1, 6))
    def test_float32(self, solution, seed, N, K):
        """In float32 the loss agrees with the definition to rounding, smoothed or not."""
        logits, rng = 2 * normal(seed, N, K, dtype=np.float32), np.random.default_rng(seed)
        labels = rng.integers(0, K, N)
        for smoothing in (0.0, 0.1, 1.0):
            loss, _ = solution.cross_entropy_forward(logits, labels, smoothing)
            expected = slow_loss(logits.astype(np.float64), labels, smoothing)
            assert_close(np.float64(loss), expected, f"loss, smoothing {smoothing}", tolerance=1e-5)

    def test_loss_is_a_number(self, solution):
        """The loss is a Python float, whatever the dtype of the logits."""
        for dtype in (np.float32, np.float64, np.int64):
            loss, _ = solution.cross_entropy_forward(np.array([[1, 2, 3]], dtype), np.array([0]))
            assert isinstance(loss, float), f"the loss is a {type(loss).__name__}"
            assert_close(np.float64(loss), np.log(1 + np.e + np.e**2), "loss", tolerance=1e-6)

    def test_arguments_are_left_alone(self, solution):
        """Neither logits nor labels are written to, also where logits are a transposed view."""
        logits, labels = normal(45, 4, 6).T, np.array([0, 3, 1, 2, 2, 0])
        with assert_unchanged(logits=logits, labels=labels):
            loss, cache = solution.cross_entropy_forward(logits, labels, 0.2)
            solution.cross_entropy_backward(cache)
        assert_close(np.float64(loss), slow_loss(logits, labels, 0.2), "loss")

    def test_empty_batch(self, solution):
        """No images have loss 0 and an empty gradient."""
        loss, cache = solution.cross_entropy_forward(np.zeros((0, 5)), np.zeros(0, np.int64))
        assert_close(np.float64(loss), np.float64(0), "loss")
        assert_close(solution.cross_entropy_backward(cache), np.zeros((0, 5)), "dlogits")

    def test_labels_as_a_column_or_too_few(self, solution):
        """Labels of another shape than (N,) are an error that has both shapes."""
        with assert_rejects((4, 3), (4, 1)):
            solution.cross_entropy_forward(np.zeros((4, 3)), np.zeros((4, 1), np.int64))
        with assert_rejects((4, 3), (1,)):
            solution.cross_entropy_forward(np.zeros((4, 3)), np.zeros(1, np.int64))

    def test_logits_of_one_axis(self, solution):
        """Logits without the batch axis are an error that has their shape."""
        with assert_rejects((7,)):
            solution.cross_entropy_forward(np.zeros(7), np.zeros(7, np.int64))

    def test_labels_that_are_no_integers(self, solution):
        """Labels as floats are an error that names their dtype."""
        with assert_rejects("float64"):
            solution.cross_entropy_forward(np.zeros((2, 3)), np.array([0.0, 1.0]))

    def test_smoothing_out_of_range(self, solution):
        """A smoothing above 1 or below 0 is an error that has it."""
        for smoothing in (1.5, -0.1):
            with assert_rejects(smoothing):
                solution.cross_entropy_forward(np.zeros((2, 3)), np.array([0, 1]), smoothing)

    def test_labels_as_bytes(self, solution):
        """Labels may be bytes, and a smoothing a NumPy number."""
        loss, cache = solution.cross_entropy_forward(
            np.zeros((2, 4), np.float32), np.array([0, 3], np.uint8), np.float64(0.1)
        )
        assert_close(np.float64(loss), np.log(4), "loss", tolerance=1e-6)
        assert_equal(str(solution.cross_entropy_backward(cache).dtype), "float32", "dtype of dlogits")


@exercise("cross_entropy_backward")
class TestCrossEntropyBackward:
    @given(seeds, sizes(1, 6), sizes(1, 6))
    def test_odds_minus_target(self, solution, seed, N, K):
        """For any smoothing the gradient is (softmax - target) / N."""
        logits, rng = 3 * normal(seed, N, K), np.random.default_rng(seed)
        labels = rng.integers(0, K, N)
        for smoothing in (0.0, 0.1, 1.0):
            _, cache = solution.cross_entropy_forward(logits, labels, smoothing)
            expected = slow_slope(logits, labels, smoothing)
            assert_close(solution.cross_entropy_backward(cache), expected, f"dlogits, smoothing {smoothing}")

    def test_cache_can_be_used_twice(self, solution):
        """A second backward gives the same gradient, also after the first one was written to."""
        logits, labels = normal(46, 3, 5), np.array([4, 0, 2])
        _, cache = solution.cross_entropy_forward(logits, labels, 0.1)
        first = solution.cross_entropy_backward(cache)
        first += 100
        assert_close(solution.cross_entropy_backward(cache), slow_slope(logits, labels, 0.1), "dlogits")

    def test_two_forwards_before_two_backwards(self, solution):
        """Each cache remembers its own batch."""
        pairs = [(normal(47, 3, 5), np.array([4, 0, 2])), (normal(48, 2, 4), np.array([1, 1]))]
        caches = [solution.cross_entropy_forward(logits, labels)[1] for logits, labels in pairs]
        for (logits, labels), cache in zip(pairs, caches, strict=True):
            assert_close(solution.cross_entropy_backward(cache), slow_slope(logits, labels), "dlogits")

    def test_float32_in_float32_out(self, solution):
        """The gradient has the dtype of the logits."""
        logits, labels = normal(49, 3, 5, dtype=np.float32), np.array([4, 0, 2])
        _, cache = solution.cross_entropy_forward(logits, labels, 0.1)
        assert_close(solution.cross_entropy_backward(cache), slow_slope(logits, labels, 0.1).astype(np.float32), "d")

    def test_integer_scores(self, solution):
        """Integer scores are taken as float64."""
        logits, labels = np.array([[3, 0, -2], [1, 1, 0]]), np.array([2, 0])
        _, cache = solution.cross_entropy_forward(logits, labels)
        assert_close(solution.cross_entropy_backward(cache), slow_slope(logits, labels), "dlogits")

    def test_scores_of_a_thousand(self, solution):
        """Scores of 1000 and -1000 give odds of 1 and 0, and no NaN."""
        with np.errstate(all="ignore"):
            _, cache = solution.cross_entropy_forward(np.array([[1000.0, -1000.0]]), np.array([1]))
            dlogits = solution.cross_entropy_backward(cache)
        assert_close(dlogits, np.array([[1.0, -1.0]]), "dlogits")


@exercise("SGD")
class TestSGD:
    @given(seeds, sizes(1, 6))
    def test_equals_the_rule_number_by_number(self, solution, seed, steps):
        """For any momentum and decay, with Nesterov or without, every number follows the rule."""
        rng = np.random.default_rng(seed)
        lr, decay = float(rng.uniform(0.01, 0.5)), float(rng.choice([0.0, 0.1]))
        momentum, nesterov = ((0.0, False), (0.7, False), (0.7, True))[int(rng.integers(3))]
        weights = [Weight(normal(seed, 3)), Weight(normal(seed, 2, 2))]
        expected = [weight.value.astype(np.float64) for weight in weights]
        velocity = [np.zeros(weight.value.shape) for weight in weights]
        optimizer = solution.SGD(weights, lr, momentum, decay, nesterov)
        for step in range(steps):
            for i, weight in enumerate(weights):
                weight.grad[...] = gradient = normal(seed + step, *weight.value.shape)
                for at in np.ndindex(*gradient.shape):
                    g = gradient[at] + decay * expected[i][at]
                    velocity[i][at] = momentum * velocity[i][at] + g
                    expected[i][at] -= lr * (g + momentum * velocity[i][at] if nesterov else velocity[i][at])
            optimizer.step()
        for weight, value in zip(weights, expected, strict=True):
            assert_close(weight.value, value.astype(np.float32), "value")

    def test_learning_rate_set_anew(self, solution):
        """The rate may change between steps: it scales the step, not what the velocity remembers."""
        weight = Weight([10.0])
        optimizer = solution.SGD([weight], lr=1.0, momentum=0.5)
        weight.grad[...] = 4
        optimizer.step()
        optimizer.lr = 0.1
        optimizer.step()
        assert_close(weight.value, np.array([10 - 4 - 0.6], np.float32), "value")

    def test_rate_as_a_numpy_number(self, solution):
        """A rate that is a float64 of NumPy makes no value or velocity float64."""
        weight = Weight([10.0, 2.0])
        optimizer = solution.SGD([weight], np.float64(0.1), np.float64(0.5), np.float64(0.2), nesterov=True)
        weight.grad[...] = 4
        optimizer.step()
        assert_close(weight.value, np.array([10 - 0.1 * 9, 2 - 0.1 * 6.6], np.float32), "value")
        assert_equal(str(optimizer.velocities[0].dtype), "float32", "dtype of the velocity")

    def test_parameters_from_a_generator(self, solution):
        """Parameters may come from a generator; all steps reach them all."""
        weights = [Weight([1.0]), Weight([2.0, 3.0])]
        optimizer = solution.SGD((weight for weight in weights), lr=0.5)
        for weight in weights:
            weight.grad[...] = 1
        optimizer.step()
        optimizer.step()
        optimizer.zero_grad()
        assert_close(weights[1].value, np.array([1.0, 2.0], np.float32), "value")
        assert_close(weights[1].grad, np.zeros(2, np.float32), "grad")
        assert_equal(len(optimizer.parameters), 2, "parameters")

    def test_velocities_are_kept_and_can_be_restored(self, solution):
        """The list velocities holds what a training needs to go on; written back in place, it does go on."""
        weight, twin = Weight([10.0]), Weight([10.0])
        first, second = (solution.SGD([w], lr=0.1, momentum=0.5) for w in (weight, twin))
        assert_close(second.velocities[0], np.zeros(1, np.float32), "velocity at first")
        weight.grad[...] = twin.grad[...] = 4
        first.step()
        assert_close(first.velocities[0], np.full(1, 4, np.float32), "velocity")
        twin.value[...], second.velocities[0][...] = weight.value, first.velocities[0]
        first.step()
        second.step()
        assert_close(twin.value, np.full(1, 9, np.float32), "value after going on")
        assert_close(weight.value, twin.value, "value without a break")

    def test_zero_grad_in_place(self, solution):
        """Gradients are cleared in the arrays they are in, which layers add to."""
        weight = Weight([1.0, 2.0])
        held = weight.grad
        held[...] = 5
        solution.SGD([weight], lr=0.1).zero_grad()
        assert_close(held, np.zeros(2, np.float32), "the array held")
        assert weight.grad is held, "zero_grad put another array in place of .grad"

    def test_zero_grad_leaves_the_momentum(self, solution):
        """After zero_grad the velocity still rolls on: 4, then 2 with gradient 0 and momentum 0.5."""
        weight = Weight([10.0])
        optimizer = solution.SGD([weight], lr=0.1, momentum=0.5)
        weight.grad[...] = 4
        optimizer.step()
        optimizer.zero_grad()
        optimizer.step()
        assert_close(weight.value, np.array([9.4], np.float32), "value")

    def test_gradients_are_not_changed_by_a_step(self, solution):
        """Weight decay and momentum are worked out beside the gradient, not in it."""
        weight = Weight([1.0, 2.0])
        optimizer = solution.SGD([weight], 0.1, 0.9, 0.5, True)
        weight.grad[...] = 3, -4
        optimizer.step()
        optimizer.step()
        assert_close(weight.grad, np.array([3.0, -4.0], np.float32), "grad")

    def test_refusals(self, solution):
        """A negative rate, momentum or decay, and a momentum of 1, are errors that have the number."""
        for name, number in (("lr", -0.1), ("momentum", -0.5), ("weight_decay", -3)):
            with assert_rejects(number):
                solution.SGD([Weight([1.0])], **{"lr": 0.1, name: number})
        with assert_rejects("momentum is 1"):
            solution.SGD([Weight([1.0])], lr=0.1, momentum=1)

    def test_nesterov_without_momentum(self, solution):
        """Nesterov without momentum is an error that says so."""
        with assert_rejects("nesterov", "momentum", 0):
            solution.SGD([Weight([1.0])], lr=0.1, nesterov=True)


@exercise("one_cycle_lr")
class TestOneCycleLr:
    def test_warmup_zero_starts_at_the_peak(self, solution):
        """Without warm-up the rate falls from the peak at step 0."""
        rates = [solution.one_cycle_lr(step, 4, 0.8, warmup=0) for step in range(5)]
        assert_close(np.array(rates), np.array([0.8, 0.6, 0.4, 0.2, 0.0]), "rates")

    def test_peak_between_two_steps(self, solution):
        """Where the peak lies between steps 2 and 3, at 2.5 of 10, the rates beside it are 0.8 and 14/15 of it."""
        rates = [solution.one_cycle_lr(step, 10, 1.0) for step in (2, 3)]
        assert_close(np.array(rates), np.array([0.8, 14 / 15]), "rates")

    def test_plain_float(self, solution):
        """The rate is a Python float, whatever the numbers it is made of, so that no float32 becomes float64."""
        for rate in (solution.one_cycle_lr(np.int64(3), 10, np.float64(0.5)), solution.one_cycle_lr(10, 10, 1)):
            assert_equal(type(rate).__name__, "float", "type")

    def test_training_of_one_step(self, solution):
        """A training of one step begins and ends at 0, beside the peak."""
        rates = [solution.one_cycle_lr(step, 1, 0.7) for step in (0, 1)]
        assert_close(np.array(rates), np.zeros(2), "rates")

    def test_refusals(self, solution):
        """A negative step, a training of no steps and a warm-up of 1 or more or below 0 are errors."""
        with assert_rejects(-1, 8):
            solution.one_cycle_lr(-1, 8, 0.6)
        with assert_rejects(0):
            solution.one_cycle_lr(0, 0, 0.6)
        for warmup in (1.0, -0.25, 1.5):
            with assert_rejects(warmup):
                solution.one_cycle_lr(2, 8, 0.6, warmup=warmup)


def shifted_sum(x, weight, bias):
    """A 3x3 convolution with padding 1, as a sum over the nine places of the kernel."""
    H, W = x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.zeros((len(x), len(weight), H, W))
    for u in range(3):
        for v in range(3):
            out += np.einsum("nchw,oc->nohw", padded[:, :, u : u + H, v : v + W], weight[:, :, u, v])
    return out + bias[:, None, None]


def largest_of_four(x):
    """2x2 max pooling."""
    return np.maximum(
        np.maximum(x[:, :, ::2, ::2], x[:, :, 1::2, ::2]), np.maximum(x[:, :, ::2, 1::2], x[:, :, 1::2, 1::2])
    )


@exercise("simple_cnn")
class TestSimpleCnn:
    def test_equals_the_layers_written_out(self, solution):
        """The scores are convolution, ReLU and pooling twice, a dense layer with ReLU, and a dense layer."""
        net = solution.simple_cnn(num_classes=4, rng=np.random.default_rng(31))
        for index, parameter in enumerate(net.parameters()):
            parameter.value += 0.1 * normal(index, *parameter.value.shape, dtype=np.float32)
        w1, b1, w2, b2, w3, b3, w4, b4 = (p.value.astype(np.float64) for p in net.parameters())
        x = normal(50, 2, 3, 32, 32, dtype=np.float32)
        h = largest_of_four(np.maximum(shifted_sum(x.astype(np.float64), w1, b1), 0))
        h = largest_of_four(np.maximum(shifted_sum(h, w2, b2), 0)).reshape(2, 4096)
        expected = np.maximum(h @ w3.T + b3, 0) @ w4.T + b4
        assert_close(net(x), expected.astype(np.float32), "scores")

    def test_first_weights(self, solution):
        """Weights start normal with deviation sqrt(2 / fan_in), the last one's at most that; biases at 0."""
        values = [p.value for p in solution.simple_cnn(rng=np.random.default_rng(32)).parameters()]
        ratios = [
            float(weight.std() / np.sqrt(2 / fan_in))
            for weight, fan_in in zip(values[::2], (27, 288, 4096, 128), strict=True)
        ]
        assert_close(np.array(ratios[:3]), np.ones(3), "deviations", tolerance=0.12)
        assert 0 < ratios[3] < 1.12, f"the last weight has {ratios[3]:.2f} of He's deviation"
        assert_equal([float(np.abs(bias).max()) for bias in values[1::2]], [0.0] * 4, "biases")

    def test_same_generator_same_network(self, solution):
        """Two generators of one seed make one network, another seed another."""
        first, again, other = (solution.simple_cnn(rng=np.random.default_rng(seed)) for seed in (33, 33, 34))
        for one, same, different in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
            assert_close(same.value, one.value, "weight")
            assert one.value.ndim == 1 or not np.array_equal(one.value, different.value), "the seed changes nothing"

    def test_no_generator(self, solution):
        """Without a generator two networks differ in every weight, and no two layers draw the same numbers."""
        one, other = solution.simple_cnn(), solution.simple_cnn()
        same = [i for i in (0, 2, 4, 6) if np.array_equal(one.parameters()[i].value, other.parameters()[i].value)]
        assert_equal(same, [], "weights that agree")
        dense, last = (10 * p.value.ravel()[:5] for p in (one.parameters()[4], one.parameters()[6]))
        assert not np.allclose(dense / dense[0], last / last[0]), "two layers drew the same numbers"

    def test_float32_throughout(self, solution):
        """A float32 batch gives float32 scores, a float32 gradient of the images, and float32 gradients."""
        net = solution.simple_cnn(rng=np.random.default_rng(35))
        scores = net(normal(51, 3, 3, 32, 32, dtype=np.float32))
        dx = net.backward(normal(52, 3, 10, dtype=np.float32))
        assert_equal((dx.shape, str(dx.dtype)), ((3, 3, 32, 32), "float32"), "dx")
        dtypes = {str(a.dtype) for p in net.parameters() for a in (p.value, p.grad)} | {str(scores.dtype)}
        assert_equal(sorted(dtypes), ["float32"], "dtypes")

    def test_state_dict_round_trip(self, solution):
        """What state_dict saves makes another network compute the same."""
        one, other = (solution.simple_cnn(num_classes=3, rng=np.random.default_rng(seed)) for seed in (36, 37))
        x = normal(53, 1, 3, 32, 32, dtype=np.float32)
        other.load_state_dict(one.state_dict())
        assert_equal(len(one.state_dict()), 8, "arrays saved")
        assert_close(other(x), one(x), "scores")


@exercise("train_epoch")
class TestTrainEpoch:
    def test_smoothing_reaches_the_loss(self, solution):
        """Label smoothing is that of the loss returned and of the gradient stepped along."""
        model, x, y = Dense(6, 3), normal(54, 4, 1, 2, 3, dtype=np.float32), np.array([0, 2, 1, 2])
        scores = x.reshape(4, 6) @ model.weight.value.T
        expected = model.weight.value - 0.5 * slow_slope(scores, y, 0.3).T @ x.reshape(4, 6)
        loss = solution.train_epoch(model, solution.SGD(model.parameters(), 0.5), x, y, label_smoothing=0.3)
        assert_close(np.float64(loss), slow_loss(scores, y, 0.3), "loss", tolerance=1e-5)
        assert_close(model.weight.value, expected.astype(np.float32), "weight")

    def test_rate_is_set_before_the_step(self, solution):
        """Batch k is stepped with lr(k): at rates 0.5 and 0 only the first batch moves the weight."""
        model, x, y = Dense(6, 3), normal(55, 4, 1, 2, 3, dtype=np.float32), np.array([0, 2, 1, 2])
        slope = slow_slope(x[:2].reshape(2, 6) @ model.weight.value.T, y[:2])
        expected = model.weight.value - 0.5 * slope.T @ x[:2].reshape(2, 6)
        optimizer = solution.SGD(model.parameters(), 7.0)
        solution.train_epoch(model, optimizer, x, y, batch_size=2, lr=lambda k: (0.5, 0.0)[k])
        assert_close(model.weight.value, expected.astype(np.float32), "weight")

    def test_rate_is_left_alone_without_lr(self, solution):
        """Without lr the optimizer keeps the rate it has."""
        model = Dense(2, 3)
        optimizer = solution.SGD(model.parameters(), 0.125)
        solution.train_epoch(model, optimizer, np.ones((3, 1, 1, 2), np.float32), np.zeros(3, np.int64), 2)
        assert_equal(optimizer.lr, 0.125, "lr")

    def test_images_come_with_their_labels(self, solution):
        """Shuffled, every image is still trained towards its own label: two classes apart are learned."""
        model = Dense(2, 2)
        x = np.zeros((40, 1, 1, 2), np.float32)
        labels = np.arange(40) // 20
        x[np.arange(40), 0, 0, labels] = 1
        optimizer, rng = solution.SGD(model.parameters(), 1.0), np.random.default_rng(44)
        losses = [solution.train_epoch(model, optimizer, x, labels, 8, rng) for _ in range(6)]
        assert losses[-1] < 0.2, f"the loss is still {losses[-1]:.3f} after six epochs"

    def test_same_generator_same_training(self, solution):
        """Two trainings with generators of one seed, order and augmentation drawn, are the same to the bit."""
        x, y = normal(56, 11, 1, 2, 3, dtype=np.float32), np.arange(11) % 3

        def noisy(images, rng):
            return images + rng.standard_normal(images.shape, np.float32)

        weights = []
        for _ in range(2):
            model = Dense(6, 3)
            optimizer = solution.SGD(model.parameters(), 0.1, 0.9)
            solution.train_epoch(model, optimizer, x, y, 4, np.random.default_rng(45), augment=noisy)
            weights.append(model.weight.value)
        assert np.array_equal(*weights), "two trainings of one seed differ"

    def test_augment_may_normalise_bytes(self, solution):
        """Bytes may be given where augment makes float32 of them; the data set itself is not written to."""
        model, images, labels = Dense(6, 3), byte_images(57, 5, 1, 2, 3), np.array([0, 2, 1, 1, 0])
        optimizer = solution.SGD(model.parameters(), 0.1)
        with assert_unchanged(images=images, labels=labels):
            solution.train_epoch(
                model, optimizer, images, labels, 2, augment=lambda batch, rng: batch.astype(np.float32) / 255
            )
        assert_close(np.concatenate(model.batches), images.astype(np.float32) / 255, "what the model saw")

    def test_everything_stays_float32(self, solution):
        """Smoothing, decay, momentum and a rate of NumPy's float64 leave weights, gradients, velocities float32."""
        model, x = Dense(6, 3), normal(58, 5, 1, 2, 3, dtype=np.float32)
        optimizer = solution.SGD(model.parameters(), 0.1, 0.9, 5e-4, True)
        loss = solution.train_epoch(
            model, optimizer, x, np.array([0, 2, 1, 1, 0]), 2, label_smoothing=0.1, lr=lambda k: np.float64(0.1)
        )
        arrays = [a for p in model.parameters() for a in (p.value, p.grad)] + list(optimizer.velocities)
        assert_equal(sorted({str(a.dtype) for a in arrays}), ["float32"], "dtypes")
        assert isinstance(loss, float), f"the loss is a {type(loss).__name__}"

    def test_model_gets_float32(self, solution):
        """The gradient that goes back into the model has the dtype of its scores."""
        given_back = []

        class Listening(Dense):
            def backward(self, dout):
                given_back.append(str(dout.dtype))
                return super().backward(dout)

        model = Listening(6, 3)
        x = normal(59, 5, 1, 2, 3, dtype=np.float32)
        solution.train_epoch(model, solution.SGD(model.parameters(), 0.1), x, np.array([0, 2, 1, 1, 0]), 2)
        assert_equal(given_back, ["float32"] * 3, "dtypes of dlogits")

    def test_no_images(self, solution):
        """An empty data set is an error that names its shape."""
        model = Dense(6, 3)
        with assert_rejects((0, 1, 2, 3)):
            solution.train_epoch(
                model, solution.SGD(model.parameters(), 0.1), np.zeros((0, 1, 2, 3), np.float32), np.zeros(0, np.int64)
            )

    def test_batch_size_zero(self, solution):
        """A batch size below 1 is an error that has it."""
        model, x = Dense(6, 3), normal(60, 4, 1, 2, 3, dtype=np.float32)
        with assert_rejects("batch_size is 0"):
            solution.train_epoch(model, solution.SGD(model.parameters(), 0.1), x, np.zeros(4, np.int64), 0)


@exercise("evaluate")
class TestEvaluate:
    @given(seeds, sizes(1, 9), sizes(1, 10))
    def test_any_batch_size(self, solution, seed, N, batch_size):
        """The accuracy is the share of images whose label has the largest score, for any size of the batches."""
        x, labels = normal(seed, N, 1, 2, 2, dtype=np.float32), np.random.default_rng(seed).integers(0, 4, N)
        right = sum(max(range(4), key=lambda j: row[j]) == y for row, y in zip(x.reshape(N, 4), labels, strict=True))
        with assert_unchanged(x=x, labels=labels):
            accuracy = solution.evaluate(Reader(), x, labels, batch_size)
        assert_close(np.float64(accuracy), np.float64(right / N), "accuracy")
        assert isinstance(accuracy, float), f"the accuracy is a {type(accuracy).__name__}"

    def test_mode_after_a_failure(self, solution):
        """The model's mode is put back also where the model fails on the way."""
        model = Stumbling()
        with contextlib.suppress(ArithmeticError):
            solution.evaluate(model, np.ones((5, 1, 1, 2), np.float32), np.zeros(5, np.int64), 2)
        assert_equal((model.modes, model.training), ([False], True), "mode on the way and afterwards")

    def test_model_sees_batches(self, solution):
        """No more than batch_size images are in the model at once, every image once, in order."""
        model, x = Dense(2, 3), np.arange(14, dtype=np.float32).reshape(7, 1, 1, 2)
        solution.evaluate(model, x, np.zeros(7, np.int64), 3)
        assert_equal([len(batch) for batch in model.batches], [3, 3, 1], "batch sizes")
        assert_close(np.concatenate(model.batches), x, "images")

    def test_bytes_are_refused(self, solution):
        """Images that are still bytes are an error that names the dtype."""
        with assert_rejects("uint8"):
            solution.evaluate(Reader(), np.ones((4, 1, 1, 2), np.uint8), np.zeros(4, np.int64))

    def test_one_label_too_few(self, solution):
        """Five images with three labels are an error that has both numbers."""
        with assert_rejects(5, 3):
            solution.evaluate(Reader(), np.ones((5, 1, 1, 2), np.float32), np.zeros(3, np.int64))


@exercise("fit")
class TestFit:
    def test_momentum_zero_is_plain_descent(self, solution):
        """With momentum 0 two batches are two plain steps, the first at rate 0 and the second at 2/3 of the peak."""
        x, y = two_clouds(62, 5)
        model = Dense(3, 3)
        slope = slow_slope(x[3:].reshape(2, 3) @ model.weight.value.T, y[3:])
        expected = model.weight.value - 0.6 * slope.T @ x[3:].reshape(2, 3)
        solution.fit(model, (x, y), batch_size=3, peak_lr=0.9, momentum=0.0, weight_decay=0.0)
        assert_close(model.weight.value, expected.astype(np.float32), "weight")

    def test_accuracy_is_that_of_the_end_of_the_epoch(self, solution):
        """Accuracy is measured on the test images, after the epoch's last step: wrong weights have been put right."""
        train, test = two_clouds(63, 60), (normal(64, 9, 1, 1, 3, dtype=np.float32), np.arange(9) % 3)
        test[0][np.arange(9), 0, 0, test[1]] += 2
        model = Dense(3, 3)
        model.weight.value[...] = -np.eye(3)
        history = solution.fit(model, train, test, epochs=1, batch_size=4, peak_lr=0.5)
        scores = test[0].reshape(9, 3) @ model.weight.value.T + model.bias.value
        right = float(np.mean([row.argmax() == label for row, label in zip(scores, test[1], strict=True)]))
        assert_close(np.float64(history[-1]["accuracy"]), np.float64(right), "accuracy")
        assert isinstance(history[-1]["accuracy"], float), "the accuracy is no float"

    def test_test_images_are_never_learned_from(self, solution):
        """With test images or without, the weights come out the same to the bit."""
        train, weights = two_clouds(65, 13), []
        for test in (None, (normal(66, 8, 1, 1, 3, dtype=np.float32), np.arange(8) % 3)):
            model = Dense(3, 3)
            solution.fit(model, train, test, epochs=2, batch_size=5, rng=np.random.default_rng(46))
            weights.append(model.weight.value)
        assert np.array_equal(*weights), "the test images changed the weights"

    def test_losses_are_those_of_the_epochs(self, solution):
        """At rate 0 every epoch's loss is that of the untrained model, smoothing included."""
        x, y = two_clouds(67, 7)
        model = Dense(3, 3)
        expected = slow_loss(x.reshape(7, 3) @ model.weight.value.T, y, 0.2)
        history = solution.fit(model, (x, y), epochs=2, batch_size=3, peak_lr=0.0, label_smoothing=0.2)
        losses = np.array([entry["loss"] for entry in history])
        assert_close(losses, np.full(2, expected), "losses", tolerance=1e-5)

    def test_augment_and_generator_are_handed_on(self, solution):
        """The generator draws order and augmentation of every epoch; one seed, one training."""
        train, seen = two_clouds(68, 10), []

        def noisy(images, rng):
            seen.append(len(images))
            return images + rng.standard_normal(images.shape, np.float32)

        histories = [
            solution.fit(Dense(3, 3), train, epochs=2, batch_size=4, rng=np.random.default_rng(47), augment=noisy)
            for _ in range(2)
        ]
        assert_equal(seen, [4, 4, 2] * 4, "batches augmented")
        assert_equal([e["loss"] for e in histories[1]], [e["loss"] for e in histories[0]], "losses")
        assert histories[0][0]["loss"] != histories[0][1]["loss"], "both epochs have the same loss"

    def test_order_is_kept_without_a_generator(self, solution):
        """Without a generator the images come in the given order in every epoch."""
        x, y = two_clouds(69, 5)
        model = Dense(3, 3)
        solution.fit(model, (x, y), epochs=2, batch_size=2)
        assert_close(np.concatenate(model.batches), np.concatenate([x, x]), "what the model saw")

    def test_weight_decay_shrinks(self, solution):
        """Where nothing is to be learned, all images black, weight decay alone makes the weights smaller."""
        model = Dense(3, 3)
        start = model.weight.value.copy()
        x = np.zeros((6, 1, 1, 3), np.float32)
        solution.fit(model, (x, np.arange(6) % 3), epochs=4, batch_size=2, momentum=0.0, weight_decay=0.5)
        factor = float(np.prod([1 - 0.1 * 0.5 * np.interp(k, [0, 3, 12], [0, 1, 0]) for k in range(12)]))
        assert_close(model.weight.value, (factor * start).astype(np.float32), "weight")

    def test_refusals(self, solution):
        """A negative number of epochs, a batch size of 0 and an empty data set are errors."""
        with assert_rejects(-2):
            solution.fit(Dense(3, 3), two_clouds(70, 4), epochs=-2)
        with assert_rejects("batch_size is 0"):
            solution.fit(Dense(3, 3), two_clouds(71, 4), batch_size=0)
        with assert_rejects((0, 1, 1, 3)):
            solution.fit(Dense(3, 3), (np.zeros((0, 1, 1, 3), np.float32), np.zeros(0, np.int64)))
