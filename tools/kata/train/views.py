"""Looking more than once: the scores of an image averaged over views of it, as fast recipes do for the last word.

A network that has seen mirrored and moved images in training is right about a view it likes and unsure about
others; the mean of its scores is right more often than any one. Nothing is learned and no label is seen.
(Krizhevsky et al. 2012, section 4.1, average over ten crops; Jordan 2024, arXiv:2404.00498, over these six views.)
"""

import numpy as np

from kata.train.models import evaluating

SHIFTS = ((0, 0), (-1, -1), (1, 1))  # pixels down and across


def of(images):
    """Yield six views of images (N, C, H, W): as they are and moved by a pixel each way, each also mirrored."""
    H, W = images.shape[2:]
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for down, across in SHIFTS:
        view = padded[:, :, 1 - down : 1 - down + H, 1 - across : 1 - across + W]
        yield view
        yield view[:, :, :, ::-1]


def accuracy(model, data, chunk=500):
    """Return the share of the held-out images whose mean score over all views is highest for their label."""
    right = 0
    with evaluating(model):
        for start in range(0, len(data.held_images), chunk):
            piece = slice(start, start + chunk)
            scores = sum(model(data.normalized(view)) for view in of(data.held_images[piece]))
            right += int(np.count_nonzero(scores.argmax(axis=1) == data.held_labels[piece]))
    return right / len(data.held_labels)
