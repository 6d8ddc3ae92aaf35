"""A last word from several looks at an image."""

from types import SimpleNamespace

import numpy as np

from kata.train import views


def test_six_views():
    """The views are the image, moved a pixel up and left and down and right with zeros behind, each also mirrored."""
    image = np.arange(1, 13, dtype=np.uint8).reshape(1, 1, 3, 4)
    found = [view[0, 0].tolist() for view in views.of(image)]
    assert found[0] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    assert found[2] == [[6, 7, 8, 0], [10, 11, 12, 0], [0, 0, 0, 0]]
    assert found[4] == [[0, 0, 0, 0], [0, 1, 2, 3], [0, 5, 6, 7]]
    assert found[1::2] == [[row[::-1] for row in view] for view in found[::2]]


def test_accuracy_is_that_of_the_mean_score():
    """What counts is the class whose scores over all views add up to most, over every chunk of images."""
    images = np.random.default_rng(0).integers(0, 256, (7, 1, 2, 3)).astype(np.uint8)

    class Model:
        training = True

        def eval(self):
            self.training = False

        def train(self):
            self.training = True

        def __call__(self, x):
            assert not self.training
            return np.stack([x[:, 0, 0, 0], x[:, 0, 1, 2], x[:, 0, 0, 1]], axis=1)

    scores = sum(Model.__call__(SimpleNamespace(training=False), view.astype(float)) for view in views.of(images))
    labels = scores.argmax(axis=1)
    labels[2] = (labels[2] + 1) % 3
    data = SimpleNamespace(held_images=images, held_labels=labels, normalized=lambda view: view.astype(float))
    model = Model()
    assert views.accuracy(model, data, chunk=3) == 6 / 7
    assert len(set(labels)) > 1 and model.training
