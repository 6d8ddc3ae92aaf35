"""What practitioners look at before they train: a network that fails here is not worth an hour of waiting.

Each check returns a Finding: whether it is as it should be, and one sentence with the numbers.
"""

import math
from typing import NamedTuple

import numpy as np

from cnn import cifar10
from kata.errors import KataError
from kata.train import models
from kata.train.display import lasting

FEW = 32
TOLERANCE = 0.5  # how far the first loss may be from ln 10
STEPS = 150
COMPARED = 2500, 500, 5  # images learned from, images measured on, epochs
SPEED = 20e9  # operations a second in the layers as they are, on a usual core: for the time that is announced


class Finding(NamedTuple):
    fine: bool
    sentence: str


def short_checks(settings, data):
    """Yield the findings that take a second: the first loss, and whether a few steps move every filter."""
    yield first_loss(settings, data)
    model = _fresh(settings)
    before = _filters(model)
    _learn_few(model, settings, data, steps=5)
    yield moved(before, _filters(model), _kind(model))


def all_checks(settings, data):
    """Yield all findings, the long ones last."""
    yield first_loss(settings, data)
    model = _fresh(settings)
    before = _filters(model)
    yield overfits(model, settings, data)
    yield moved(before, _filters(model), _kind(model))
    yield beats_frozen(settings, data)


def announced(settings, data):
    """Say how long all checks take, before they begin; refuse images too few for them."""
    if len(data.images) < FEW:
        raise KataError(f"--sanity learns {FEW} images by heart, and there are {len(data.images)}. Give more.")
    learned, _ = _compared_counts(data)
    _, step = models.products(_fresh(settings))
    flop = step * (2 * COMPARED[2] * learned + STEPS * FEW)
    return f"Four checks, about {lasting(max(flop / SPEED, 1))} at {SPEED / 1e9:.0f} GFLOP/s:"


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


def _kind(model):
    """What the rows of a weight are called: a convolution's filters, a dense layer's units."""
    return "filters" if models.filters(model) else "units"


def _filters(model):
    """Return copies of the filters, (filters, numbers) each: of convolutions, or the first dense layer's units."""
    chosen = models.filters(model) or model.parameters()[:1]
    return [weight.value.reshape(len(weight.value), -1).copy() for weight in chosen]


def moved(before, after, kind="filters"):
    """A filter that stays as it was drawn gets no gradient: it is dead, or left out of the optimizer."""
    still = [int((a == b).all(axis=1).sum()) for a, b in zip(before, after, strict=True)]
    total = sum(map(len, before))
    if not any(still):
        return Finding(True, f"All {total} {kind} have moved: every one of them gets a gradient.")
    layer = next(index for index, count in enumerate(still) if count)
    place = f"convolution {layer}" if kind == "filters" else "the first layer"
    return Finding(
        False,
        f"{sum(still)} of {total} {kind} have not moved, the first of them in {place}: "
        "no gradient reaches them, or the optimizer does not have them.",
    )


def beats_frozen(settings, data):
    """If learned filters are no better than the random ones they began as, the convolutions have learned nothing."""
    (count, of), epochs, kind = _compared_counts(data), COMPARED[2], _kind(_fresh(settings))
    train = data.normalized(data.images[:count]), data.labels[:count]
    kept = data.normalized(data.images[count : count + of]), data.labels[count : count + of]
    losses, accuracies = zip(
        *(_compared(settings, train, kept, epochs, frozen) for frozen in (False, True)), strict=True
    )
    errors = [math.sqrt(share * (1 - share) / len(kept[1])) for share in accuracies]
    figures = (
        f"after {epochs} epochs on {count} images: training loss {losses[0]:.2f} against {losses[1]:.2f}; right of "
        f"{len(kept[1])} held-out images {100 * accuracies[0]:.0f} % against {100 * accuracies[1]:.0f} %, standard "
        f"errors {100 * errors[0]:.1f} % and {100 * errors[1]:.1f} %"
    )
    if losses[0] < losses[1]:
        return Finding(True, f"Learned {kind} beat frozen ones {figures}.")
    return Finding(False, f"Learned {kind} are no better than frozen ones {figures}.")


def _compared_counts(data):
    """The images learned from and measured on; fewer, in the same proportion, where there are not enough."""
    learned, measured, _ = COMPARED
    return min(learned, len(data.images) * learned // (learned + measured)), measured


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
