"""The networks that can be trained, made of `cnn`, and what can be counted in them."""

import contextlib

import numpy as np

from cnn import cifar10, residual
from cnn.foundations import Flatten, Layer, Linear, ReLU, Sequential

CLASSES = 10
RESNET = {
    "resnet": {"blocks_per_stage": [1, 1, 1, 1], "widths": (16, 64, 128, 256)},
    "resnet20": {"blocks_per_stage": [3, 3, 3], "widths": (16, 32, 64)},
}


def build(name, rng):
    """Return a fresh network: "simple_cnn", "mlp", "resnet" or "resnet20".

    The last layer of each starts small, so that the first loss is near ln 10.
    """
    if name == "simple_cnn":
        return cifar10.simple_cnn(CLASSES, rng)
    if name == "mlp":
        return mlp(rng)
    net = residual.ResNet(**RESNET[name], num_classes=CLASSES, rng=rng)
    net.fc.weight.value *= 0.1
    return net


def mlp(rng, hidden=170):
    """Return a dense network of as many parameters as simple_cnn: 545,588 to its 545,098."""
    net = Sequential(
        Flatten(),
        Linear(3072, hidden, rng=rng),
        ReLU(),
        Linear(hidden, 128, rng=rng),
        ReLU(),
        Linear(128, CLASSES, rng=rng),
    )
    net[-1].weight.value *= 0.1
    return net


def leaves(layer, prefix=""):
    """Yield (dotted name, layer) of every layer that holds no other, in order of assignment."""
    inner = {name: value for name, value in vars(layer).items() if isinstance(value, Layer) and name[0] != "_"}
    if not inner:
        yield prefix.rstrip("."), layer
    for name, value in inner.items():
        yield from leaves(value, f"{prefix}{name}.")


def filters(model):
    """Return the convolutions' weights, (O, I, kh, kw) each, first layer first."""
    return [parameter for parameter in model.parameters() if parameter.value.ndim == 4]


def size(model):
    """Return the number of trained numbers."""
    return sum(parameter.value.size for parameter in model.parameters())


@contextlib.contextmanager
def evaluating(model):
    """Have the model in eval mode for a while, and then in the mode it had."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        if was_training:
            model.train()


def products(model, shape=(3, 32, 32)):
    """Return the floating-point operations of the matrix products for one image: forward, and all of a step.

    Backward takes twice the forward, less the gradient that the image itself would get.
    """
    flop = []

    def watched(layer):
        def forward(x):
            out = type(layer).forward(layer, x)
            flop.append(2 * layer.weight.value.size * (out[0, 0].size if out.ndim == 4 else 1))
            return out

        return forward

    computing = [layer for _, layer in leaves(model) if np.ndim(getattr(getattr(layer, "weight", 0), "value", 0)) > 1]
    for layer in computing:
        layer.forward = watched(layer)
    try:
        with evaluating(model):
            model(np.zeros((1, *shape), np.float32))
    finally:
        for layer in computing:
            del layer.forward
    return sum(flop), 3 * sum(flop) - flop[0]
