"""The images of a run: read through `cnn`, named for what they are, with their statistics."""

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cnn import cifar10
from kata.errors import KataError
from kata.train import places, synthetic

CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
HOLDOUT_SEED = 10  # the same images are held out whatever the run's own seed is


class Data(NamedTuple):
    """What a run learns from and what it is measured on; images uint8 (N, 3, 32, 32), labels int64 (N,)."""

    name: str  # "CIFAR-10" or "synthetic"
    images: np.ndarray
    labels: np.ndarray
    held_images: np.ndarray
    held_labels: np.ndarray
    held: str  # "test" or "holdout"
    classes: tuple
    mean: np.ndarray
    std: np.ndarray
    fingerprint: str

    def normalized(self, images):
        """Return images as the network reads them, float32."""
        return cifar10.normalize(images, self.mean, self.std)


def load(source, limit=0, holdout=0):
    """Return the Data in a folder, or the synthetic ones.

    Parameters
    ----------
    source : "synthetic" or path
    limit : int
        Learn from the first `limit` images alone, from all with 0.
    holdout : int
        Measure on this many images taken out of the training split; the test split is not read then.

    Raises
    ------
    KataError
        If there is no such folder, a file is missing or broken, or there are fewer images than asked for.
    """
    folder = synthetic.make(places.home() / "synthetic") if source == "synthetic" else _folder(source)
    images, labels = _read(folder, "train")
    if holdout:
        images, labels, held_images, held_labels = _split(images, labels, holdout)
    else:
        held_images, held_labels = _read(folder, "test")
    if limit > len(images):
        raise KataError(f"--limit {limit}, but there are {len(images)} training images. Give at most that.")
    images, labels = (images[:limit], labels[:limit]) if limit else (images, labels)
    mean, std = cifar10.channel_statistics(images)
    if not np.all(std > 0):
        raise KataError(f"the images in {folder} have a channel of one value only; there is nothing to learn from.")
    drawn = synthetic.is_synthetic(images)
    return Data(
        "synthetic" if drawn else "CIFAR-10",
        images,
        labels,
        held_images,
        held_labels,
        "holdout" if holdout else "test",
        _classes(folder, synthetic.CLASSES if drawn else CIFAR_CLASSES),
        mean,
        std,
        _fingerprint(images, labels, held_images, held_labels),
    )


def _folder(source):
    folder = Path(source)
    if not folder.is_dir():
        raise KataError(f"--data {source}: there is no such folder. Name the one that holds cifar-10-batches-bin.")
    if not any(folder.iterdir()):
        raise KataError(f"--data {source}: the folder is empty. Name the one that holds cifar-10-batches-bin.")
    return folder


def _read(folder, split):
    try:
        return cifar10.load_cifar10(folder, split)
    except (OSError, ValueError) as error:
        message = str(error) if not isinstance(error, OSError) or error.errno is None else f"{folder}: {error.strerror}"
        raise KataError(message) from None


def _split(images, labels, holdout):
    """Take `holdout` images out of the training split, at random but always the same ones."""
    if holdout >= len(images):
        raise KataError(f"--holdout {holdout} of {len(images)} training images leaves none to learn from. Give fewer.")
    order = np.random.default_rng(HOLDOUT_SEED).permutation(len(images))
    held, kept = np.sort(order[:holdout]), np.sort(order[holdout:])
    return images[kept], labels[kept], images[held], labels[held]


def _classes(folder, otherwise):
    """Return the names of the classes in batches.meta.txt, or those they would have."""
    for place in (folder / synthetic.FOLDER, folder):
        try:
            names = (place / "batches.meta.txt").read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError):
            continue
        if len(names) == len(otherwise):
            return tuple(names)
    return tuple(otherwise)


def _fingerprint(*arrays):
    total = 0
    for array in arrays:
        total = zlib.crc32(np.ascontiguousarray(array).data, total)
    return f"{total:08x}"
