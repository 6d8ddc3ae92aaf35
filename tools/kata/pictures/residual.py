"""Topic 14: how large the gradient is at every depth, with shortcuts and without."""

import numpy as np

from kata.pictures import still
from kata.pictures.solution import Unusable

TITLE = "the gradient's way through a deep network"
COMPARE = True
LESSON = {
    "gradients": "The norm of every 3 by 3 weight's gradient, on a logarithmic scale, in networks of 20 and of 56 "
    "layers: on the way back to the first of 56 layers it grows 2000 times without shortcuts, 8 times with them.",
}

BLOCKS = (1, 3, 5, 9)  # a stage; 6n + 2 layers with weights
IMAGES, SIDE, CLASSES = 8, 16, 10
WIDTHS = ((16, 1), (32, 2), (64, 2))


def numbers(code, image):
    """Return for each depth the norms of the gradients of all 3x3 weights, first layer to last, on a first batch."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((IMAGES, 3, SIDE, SIDE)).astype(np.float32)
    labels = rng.integers(0, CLASSES, IMAGES)
    depths = {}
    for blocks in BLOCKS:
        nets = {"plain": plain(code, blocks), "residual": residual(code, blocks)}
        depths[6 * blocks + 2] = {
            name: gradient_norms(net, x, labels, owner, 6 * blocks + 1) for name, (owner, net) in nets.items()
        }
    return {"depths": depths}


def residual(code, blocks):
    """Return the course's ResNet, and whose weights they are: the exercise to blame."""
    return "ResNet", code.ResNet([blocks] * len(WIDTHS), shortcut="pad", rng=np.random.default_rng(1))


def plain(code, blocks):
    """Return the same convolutions and batch norms in a row, no shortcut around any."""
    from cnn.foundations import Linear, ReLU, Sequential
    from cnn.im2col import Conv2d
    from cnn.pooling import GlobalAvgPool2d

    rng, layers, channels = np.random.default_rng(1), [], 3
    for stage, (width, stride) in enumerate(WIDTHS):
        for index in range(2 * blocks + (stage == 0)):
            step = stride if index == 0 else 1
            layers.append(Conv2d(channels, width, 3, step, padding=1, bias=False, rng=rng))
            layers += [code.BatchNorm2d(width), ReLU()]
            channels = width
    return "BatchNorm2d", Sequential(*layers, GlobalAvgPool2d(), Linear(channels, CLASSES, rng=rng))


def gradient_norms(net, x, labels, owner, count):
    """Run one batch forward and back; return the norm of every 3x3 weight's gradient."""
    scores = np.asarray(net(x))
    if scores.shape != (len(x), CLASSES):
        raise Unusable(owner, f"gives scores of shape {scores.shape}, not {(len(x), CLASSES)}")
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    chances[np.arange(len(x)), labels] -= 1  # softmax minus truth: the gradient of the cross-entropy
    net.backward(chances / len(x))
    norms = [float(np.linalg.norm(p.grad)) for p in net.parameters() if p.value.shape[2:] == (3, 3)]
    if len(norms) != count:
        raise Unusable(owner, f"has {len(norms)} weights of 3 by 3, not {count}")
    return norms


def stills(drawing):
    """Return the norms by depth for a shallow and a deep network."""
    figure = still.figure(9.2, 3.6, drawing)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, depth, ticks in zip(panels, ("20", "56"), ((1, 5, 10, 15, 19), (1, 10, 20, 30, 40, 55)), strict=True):
        for name, color, style, label in (
            ("plain", still.ORANGE, "--s", "without shortcuts"),
            ("residual", still.BLUE, "-o", "with shortcuts"),
        ):
            norms = np.array(drawing.numbers["depths"][depth][name], float)
            label += f": first / last {_roughly(norms[0] / norms[-1])}"
            axes.plot(range(1, len(norms) + 1), norms, style, color=color, markersize=3.5, linewidth=1.4, label=label)
        axes.set(yscale="log", xlabel="layer, first to last", title=f"{depth} layers", facecolor=still.GROUND)
        axes.set(xticks=ticks, yticks=[1, 10, 100, 1000], yticklabels=["1", "10", "100", "1000"])
        axes.grid(alpha=0.3)
        axes.legend(loc="upper right", facecolor=still.GROUND)
    panels[0].set_ylabel("norm of the weight's gradient")
    return {"gradients": figure}


def _roughly(value):
    """One digit that counts: 2000 for 1923.8. More would differ from one machine to the next."""
    return f"{float(f'{value:.1g}'):g}" if np.isfinite(value) else str(value)
