"""The image under the window: drawn here, or read from a file of the learner's. Small enough to see every pixel."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from kata.errors import KataError

HEIGHT, WIDTH = 12, 16
LEVELS = 9  # the brightest; whole numbers of one digit, so that a sum can be checked by eye


def drawn():
    """Return a moon over a roof and a wall with a door, numbers from 0 to 9, (HEIGHT, WIDTH)."""
    y, x = np.arange(HEIGHT)[:, None], np.arange(WIDTH)
    image = np.broadcast_to(1 + y // 4, (HEIGHT, WIDTH)).copy()
    image[np.hypot(y - 2.5, x - 12.5) < 2] = 9
    image[(y >= 2) & (y <= 5) & (abs(x - 4.5) <= y - 1.5)] = 6
    image[(y >= 6) & (y <= 10) & (x >= 2) & (x <= 7)] = 8
    image[(y >= 8) & (y <= 10) & (x >= 4) & (x <= 5)] = 0
    image[(y >= 7) & (y <= 10) & (x == 12)] = 0
    image[(y == 11) & (x >= 0)] = 4
    return image


def read(path):
    """Return the middle of an image file as grey levels from 0 to 9, (HEIGHT, WIDTH).

    Raises
    ------
    KataError
        If the file can't be read as an image.
    """
    from matplotlib import image as files

    path = Path(path)
    try:
        pixels = np.asarray(files.imread(path))
    except (OSError, ValueError, SyntaxError) as error:
        raise KataError(f"--image {path}: not an image that can be read ({error}). Give a PNG file.") from None
    grey = pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=2) if pixels.shape[2] > 2 else pixels[..., 0]
    grey = grey.astype(float) / (255 if pixels.dtype == np.uint8 else 1)
    return np.rint(LEVELS * np.clip(_shrunk(grey), 0, 1)).astype(int)


def _shrunk(grey):
    """Cut the middle out in the shape WIDTH : HEIGHT and average it down to that many pixels."""
    high, wide = grey.shape
    scale = min(high / HEIGHT, wide / WIDTH)
    top, left = (high - scale * HEIGHT) / 2, (wide - scale * WIDTH) / 2
    rows, columns = (_spans(start, scale, count, limit) for start, count, limit in
                     ((top, HEIGHT, high), (left, WIDTH, wide)))  # fmt: skip
    return np.array([[grey[row, column].mean() for column in columns] for row in rows])


def _spans(start, scale, count, limit):
    """Return `count` slices of the pixels that lie under one pixel of the result, each at least one long."""
    edges = [int(start + scale * index) for index in range(count + 1)]
    return [slice(min(a, limit - 1), max(b, min(a, limit - 1) + 1)) for a, b in pairwise(edges)]
