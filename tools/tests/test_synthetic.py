"""The drawn images: CIFAR-10's format, the same for the same seed, with nothing to learn from colour or place."""

import numpy as np
import pytest

from cnn import cifar10
from kata.errors import KataError
from kata.train import synthetic


def drawn(count, seed=3):
    return synthetic.draw(count, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def many():
    return drawn(1200)


def test_same_seed_same_bytes(tmp_path):
    """The same seed draws the same files, another seed others."""
    first, again, other = (
        synthetic.make(tmp_path / name, seed, train=50, test=20) / synthetic.FOLDER / "data_batch_4.bin"
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()


def test_format(tmp_path):
    """The files are read as CIFAR-10's are: five batches, a test batch, ten names."""
    folder = synthetic.make(tmp_path, train=50, test=20)
    images, labels = cifar10.load_cifar10(folder, "train")
    assert images.shape == (50, 3, 32, 32) and images.dtype == np.uint8
    assert np.array_equal(np.bincount(labels), [5] * 10)
    assert len(cifar10.load_cifar10(folder, "test")[0]) == 20
    assert tuple((folder / synthetic.FOLDER / "batches.meta.txt").read_text("utf-8").split()) == synthetic.CLASSES


def test_made_once(tmp_path):
    """What lies there already is left as it is."""
    path = synthetic.make(tmp_path, train=50, test=20) / synthetic.FOLDER / "test_batch.bin"
    path.write_bytes(b"mine")
    synthetic.make(tmp_path, train=50, test=20)
    assert path.read_bytes() == b"mine"


def test_nothing_half_written(tmp_path, monkeypatch):
    """A disk that fills up leaves nothing behind, and one sentence."""

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(synthetic.os, "replace", full)
    with pytest.raises(KataError, match=r"can't be written .*No space left on device.*--data DIR"):
        synthetic.make(tmp_path, train=50, test=20)
    assert list(tmp_path.iterdir()) == []


def test_recognised():
    """A drawn image is known by its first pixel, wherever it went; photographs are not taken for drawn."""
    images, _ = drawn(20)
    assert synthetic.is_synthetic(images)
    images[7, :, 0, 0] = 0
    assert not synthetic.is_synthetic(images) and not synthetic.is_synthetic(images[:0])


def test_mirrored_classes_stay(many):
    """Mirrored left to right, a class has the same statistics: differences along rows, columns and diagonals."""
    images, labels = many
    plain, mirrored = _textures(images), _textures(images[..., ::-1])
    for label in range(10):
        chosen = labels == label
        np.testing.assert_allclose(plain[chosen].mean(0), mirrored[chosen].mean(0), rtol=0.35)


def test_pixels_tell_nothing(many):
    """A linear reading of the pixels stays near chance on images it has not seen."""
    assert _linear_accuracy(lambda images: images.reshape(len(images), -1)[:, ::7], *many) < 0.2


def test_neighbours_tell_the_class(many):
    """Differences between near pixels, averaged over the image, tell most classes: a small window is enough."""
    assert _linear_accuracy(_textures, *many) > 0.4


def _textures(images):
    """Return the mean squared difference of pixels some steps apart."""
    grey = images.astype(np.float32) / 255
    steps = [(0, 1), (0, 2), (0, 4), (1, 0), (2, 0), (4, 0), (1, 1), (1, -1), (2, 2), (2, -2), (3, 3), (3, -3)]
    moved = [np.roll(grey, step, (2, 3)) for step in steps]
    return np.stack([((grey - other) ** 2).mean(axis=(1, 2, 3)) for other in moved], axis=1)


def _linear_accuracy(read, images, labels):
    """Fit the classes to what is read of 900 images; return the share recognised of 300 others."""
    features = read(images).astype(np.float64)
    features = (features - features.mean(0)) / (features.std(0) + 1e-9)
    features = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    seen, unseen = features[:900], features[900:]
    gram = seen.T @ seen + 10 * np.eye(seen.shape[1])
    weights = np.linalg.solve(gram, seen.T @ np.eye(10)[labels[:900]])
    return float(((unseen @ weights).argmax(1) == labels[900:]).mean())
