"""What practitioners look at before they train: a network that fails here is not worth an hour of waiting.

Each check returns a Finding: whether it is as it should be, and one sentence with the numbers.
"""

import math
from typing import NamedTuple

import numpy as np

from cnn import cifar10
from kata.train import models

FEW = 32
TOLERANCE = 0.5  # how far the first loss may be from ln 10
STEPS = 150
COMPARED = 2500, 500, 5  # images learned from, images measured on, epochs


class Finding(NamedTuple):
    fine: bool
    sentence: str


def short_checks(settings, data):
    """Yield the findings that take a second: the first loss, and whether a few steps move every filter."""
    yield first_loss(settings, data)
    model, before = _fresh(settings), None
    before = _filters(model)
    _learn_few(model, settings, data, steps=5)
    yield moved(before, _filters(model))


def all_checks(settings, data):
    """Yield all findings, the long ones last."""
    yield first_loss(settings, data)
    model = _fresh(settings)
    before = _filters(model)
    yield overfits(model, settings, data)
    yield moved(before, _filters(model))
    yield beats_frozen(settings, data)


def _fresh(settings):
    """The model as the run begins with it."""
    return models.build(settings.model, np.random.default_rng(settings.seed).spawn(2)[0])


def first_loss(settings, data):
    """Before it has learned, a network should give every class the same odds."""
    model = _fresh(settings)
    images, labels = data.images[:256], data.labels[:256]
    loss, _ = cifar10.cross_entropy_forward(model(data.normalized(images)), labels)
    near = abs(loss - math.log(10)) <= TOLERANCE
    verdict = "knows nothing yet and says so" if near else "is sure of things it can't know: look at the initialisation"
    return Finding(near, f"The first loss is {loss:.2f}, ln 10 is {math.log(10):.2f}: the untrained network {verdict}.")


def overfits(model, settings, data):
    """A network that can't learn 32 images by heart has a fault in its gradients, not too little data."""
    steps, accuracy = _learn_few(model, settings, data, STEPS)
    if accuracy == 1:
        return Finding(True, f"It learns {FEW} images by heart in {steps} steps: the gradients lead somewhere.")
    return Finding(
        False,
        f"After {steps} steps on the same {FEW} images it knows {100 * accuracy:.0f} % of them: "
        "look for a wrong gradient, or labels that belong to other images.",
    )


def _learn_few(model, settings, data, steps):
    """Train on the same 32 images over and over; return the steps it took to know all, and the share known."""
    images, labels = data.normalized(data.images[:FEW]), data.labels[:FEW]
    optimizer = cifar10.SGD(model.parameters(), settings.lr / 2, momentum=0.9)
    accuracy = 0.0
    for step in range(1, steps + 1):
        cifar10.train_epoch(model, optimizer, images, labels, batch_size=FEW)
        if step % 5 == 0:
            accuracy = cifar10.evaluate(model, images, labels)
            if accuracy == 1:
                break
    return step, accuracy


def _filters(model):
    """Return copies of the filters, (filters, numbers) each: of convolutions, or the first dense layer's."""
    chosen = models.filters(model) or model.parameters()[:1]
    return [weight.value.reshape(len(weight.value), -1).copy() for weight in chosen]


def moved(before, after):
    """A filter that stays as it was drawn gets no gradient: it is dead, or left out of the optimizer."""
    still = [int((a == b).all(axis=1).sum()) for a, b in zip(before, after, strict=True)]
    total = sum(map(len, before))
    if not any(still):
        return Finding(True, f"All {total} filters have moved: every one of them gets a gradient.")
    layer = next(index for index, count in enumerate(still) if count)
    return Finding(
        False,
        f"{sum(still)} of {total} filters have not moved, the first of them in convolution {layer}: "
        "no gradient reaches them, or the optimizer does not have them.",
    )


def beats_frozen(settings, data):
    """If learned filters are no better than the random ones they began as, the convolutions have learned nothing."""
    learned, of, epochs = COMPARED
    count = min(learned, len(data.images) * learned // (learned + of))
    train = data.normalized(data.images[:count]), data.labels[:count]
    kept = data.normalized(data.images[count : count + of]), data.labels[count : count + of]
    losses, accuracies = zip(
        *(_compared(settings, train, kept, epochs, frozen) for frozen in (False, True)), strict=True
    )
    figures = (
        f"after {epochs} epochs on {count} images: loss {losses[0]:.2f} against {losses[1]:.2f}, "
        f"{100 * accuracies[0]:.0f} % against {100 * accuracies[1]:.0f} % of {len(kept[1])} held-out images"
    )
    if losses[0] < losses[1]:
        return Finding(True, f"Learned filters beat frozen ones {figures}.")
    return Finding(False, f"Learned filters are no better than frozen ones {figures}.")


def _compared(settings, train, kept, epochs, frozen):
    """Train a fresh network, with its filters or without; return the last epoch's loss and the accuracy."""
    model = _fresh(settings)
    still = {id(weight) for weight in (models.filters(model) or model.parameters()[:1])} if frozen else set()
    parameters = [parameter for parameter in model.parameters() if id(parameter) not in still]
    optimizer = cifar10.SGD(parameters, settings.lr, momentum=0.9, nesterov=True)
    rng = np.random.default_rng(settings.seed)
    batches = -(-len(train[1]) // 64)
    for epoch in range(epochs):
        loss = cifar10.train_epoch(
            model,
            optimizer,
            *train,
            batch_size=64,
            rng=rng,
            lr=lambda k, done=epoch * batches: cifar10.one_cycle_lr(done + k, epochs * batches, settings.lr),
        )
    return loss, cifar10.evaluate(model, *kept)
