"""The convolutions of `cnn` on real photographs: loops and matrix product must show the same picture."""

import time
from pathlib import Path

import numpy as np

from cnn import conv2d, im2col
from kata.errors import KataError

RECORD = 1 + 3 * 32 * 32  # a label and a planar RGB image, bytes
EDGES = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)  # Sobel, left to right


def read_images(folder, count):
    """Return the first images of CIFAR-10's test batch, (count, 3, 32, 32) float32 in [0, 1]."""
    path = Path(folder) / "test_batch.bin"
    try:
        records = np.fromfile(path, np.uint8, count * RECORD)
    except OSError as error:
        raise KataError(
            f"{path} can't be read ({error.strerror}). --data names the folder of the .bin files."
        ) from None
    if records.size < count * RECORD:
        raise KataError(f"{path} holds {records.size} bytes, {count} images take {count * RECORD}. Is it complete?")
    return records.reshape(count, RECORD)[:, 1:].reshape(count, 3, 32, 32).astype(np.float32) / np.float32(255)


def compare(folder, count=128):
    """Return the report on an edge filter and a 16-channel layer over `count` images, both ways."""
    images = read_images(folder, count)
    rng = np.random.default_rng(0)
    layers = {
        "edge filter, 3-1": (np.stack([EDGES] * 3)[None] / 3, None),
        "random layer, 3-16": (rng.standard_normal((16, 3, 3, 3), dtype=np.float32), np.ones(16, np.float32)),
    }
    lines = [f"{count} CIFAR-10 images, 3x3, padding 1, float32:"]
    for name, (weight, bias) in layers.items():
        lines.append(f"  {name}: {_both_ways(images, weight, bias, rng)}")
    return "\n".join(lines)


def _both_ways(images, weight, bias, rng):
    dout = rng.standard_normal((len(images), len(weight), 32, 32), dtype=np.float32)
    results, seconds = [], []
    for module, name in ((conv2d, "conv2d"), (im2col, "conv2d_im2col")):
        start = time.perf_counter()
        out, cache = getattr(module, f"{name}_forward")(images, weight, bias, 1, 1)
        gradients = getattr(module, f"{name}_backward")(dout, cache)
        seconds.append(time.perf_counter() - start)
        results.append([out, *(g for g in gradients if g is not None)])
    far = max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(*results, strict=True))
    return (
        f"loops {seconds[0]:.1f} s, matrix product {seconds[1]:.3f} s; forward and gradients differ by at most "
        f"{far:.1e} of the largest value (float32 rounds at {np.finfo(np.float32).eps:.1e})"
    )
