"""Ten classes of small drawn colour images, in the files and the format of CIFAR-10.

A class is a texture: rows, columns, checks, rings. A patch of it lies at a random place, in two random colours,
before a background of random colours, bars and noise. So no pixel and no colour tells anything about the class,
which is what a dense network reads; a small window that is moved across the image sees it at once.
Textures look alike mirrored, so flips do no harm.
"""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from kata.errors import KataError

CLASSES = ("rows", "columns", "diagonals", "checks", "dots", "zigzags", "bricks", "rings", "crosses", "noise")
SIDE, PATCH = 32, 12
SIGNATURE = (83, 89, 78)  # the first pixel of every drawn image, wherever its file goes: SYN
FOLDER = "cifar-10-batches-bin"


def is_synthetic(images):
    """Tell whether the images are drawn ones, by their first pixel."""
    return len(images) > 0 and bool((images[:, :, 0, 0] == SIGNATURE).all())


def draw(count, rng):
    """Return `count` images, uint8 (count, 3, 32, 32), and their labels, all classes alike and in random order."""
    labels = rng.permutation(np.arange(count) % len(CLASSES))
    images = _background(count, rng)
    top, left = rng.integers(0, SIDE - PATCH + 1, size=(2, count, 1, 1))
    y, x = np.arange(SIDE)[:, None] - top, np.arange(SIDE) - left
    inside = (y >= 0) & (y < PATCH) & (x >= 0) & (x < PATCH)
    ink = np.zeros(inside.shape, bool)
    for label in range(len(CLASSES)):
        chosen = labels == label
        ink[chosen] = _texture(label, y[chosen], x[chosen], rng)
    dark, light = _two_colours(count, rng)
    patch = np.where(ink[:, None], light, dark)
    images = np.where(inside[:, None], patch, images)
    images += 6 * rng.standard_normal(images.shape, np.float32)
    images = np.clip(images, 0, 255).astype(np.uint8)
    images[:, :, 0, 0] = SIGNATURE
    return images, labels


def _texture(label, y, x, rng):
    """Return where the patches of one class have ink, y (n, 32, 1) and x (n, 1, 32) counted from their corners."""
    n = len(y)
    centre = (PATCH - 1) / 2
    middle = np.hypot(y - centre, x - centre)
    y, x = y + rng.integers(0, 4, (n, 1, 1)), x + rng.integers(0, 4, (n, 1, 1))
    slope = np.where(rng.random((n, 1, 1)) < 0.5, 1, -1)
    if label == CLASSES.index("noise"):
        return np.repeat(np.repeat(rng.random((n, SIDE // 2, SIDE // 2)) < 0.5, 2, axis=1), 2, axis=2)
    shapes = {
        "rows": lambda: y % 4 < 2,
        "columns": lambda: x % 4 < 2,
        "diagonals": lambda: (y + slope * x) % 4 < 2,
        "checks": lambda: (y // 2 + x // 2) % 2 == 0,
        "dots": lambda: (y % 4 < 2) & (x % 4 < 2),
        "zigzags": lambda: (y + abs(x % 8 - 4)) % 4 < 2,
        "bricks": lambda: (y % 4 == 0) | ((x + 4 * (y // 4 % 2)) % 8 == 0),
        "rings": lambda: middle % 4 < 2,
        "crosses": lambda: ((y % 6 == 2) & (x % 6 < 5)) | ((x % 6 == 2) & (y % 6 < 5)),
    }
    return np.broadcast_to(shapes[CLASSES[label]](), (n, SIDE, SIDE))


def _background(count, rng):
    """Return a soft slope of colours with a few bars across it, float32."""
    corners = rng.uniform(50, 205, (count, 3, 1, 1)) + rng.uniform(-30, 30, (count, 3, 2, 2))
    across = np.linspace(0, 1, SIDE, dtype=np.float32)
    mix = np.stack([1 - across, across])
    images = np.einsum("ncij,iy,jx->ncyx", corners.astype(np.float32), mix, mix)
    y, x = np.arange(SIDE)[:, None], np.arange(SIDE)
    for _ in range(3):
        top, left = rng.integers(-4, SIDE, size=(2, count, 1, 1))
        high, wide = rng.choice([(2, 14), (14, 2), (5, 5)], size=count).T[:, :, None, None]
        bar = (y >= top) & (y < top + high) & (x >= left) & (x < left + wide)
        images = np.where(bar[:, None], rng.uniform(50, 205, (count, 3, 1, 1)).astype(np.float32), images)
    return images


def _two_colours(count, rng):
    """Return two colours an image, 80 to 160 apart in every channel, either the lighter one."""
    middle = rng.uniform(90, 165, (count, 3, 1, 1))
    half = rng.uniform(40, 80, (count, 3, 1, 1)) * rng.choice([-1, 1], (count, 3, 1, 1))
    return (middle - half).astype(np.float32), (middle + half).astype(np.float32)


def records(images, labels):
    """Return the bytes of a batch file: label, red, green, blue, image after image."""
    rows = np.concatenate([labels[:, None].astype(np.uint8), images.reshape(len(images), -1)], axis=1)
    return rows.tobytes()


def make(folder, seed=0, train=5_000, test=1_000):
    """Write the drawn data set into `folder` unless it lies there already; return the folder.

    Parameters
    ----------
    folder : Path
        Gets a folder cifar-10-batches-bin of the usual six files and the names of the classes.
    seed : int
        The same seed draws the same bytes.
    train, test : int
        Images of the five training files together, and of the test file.

    Raises
    ------
    KataError
        If it can't be written; nothing is left behind then.
    """
    folder = Path(folder)
    place = folder / FOLDER
    if place.is_dir():
        return folder
    names = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
    temporary = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder, prefix=f".{FOLDER}."))
        for number, name in enumerate(names):
            count = train // 5 if number < 5 else test
            (temporary / name).write_bytes(records(*draw(count, np.random.default_rng([seed, number]))))
        (temporary / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
        os.replace(temporary, place)
    except OSError as error:
        raise KataError(
            f"the synthetic images can't be written to {folder} ({error.strerror}). Make room, or use --data DIR."
        ) from None
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder
