"""A training in five pictures: curves, confusion, filters, feature maps, worst mistakes.

Colours are of palettes that people with colour-blindness can tell apart (viridis, cividis; blue and orange), and
what colour says is also said by a number, a marker or a line style.
"""

import io
from pathlib import Path

import numpy as np

from kata.errors import KataError
from kata.progress import write_atomically
from kata.train import models

BLUE, ORANGE = "#0072B2", "#D55E00"  # Okabe and Ito
DPI = 110
MOST = 32  # filters or maps in one picture


def draw_all(folder, training, odds, counts):
    """Write the pictures into the folder; return their paths. A network without convolutions has no feature maps."""
    model, data = training.model, training.data
    title = f"{training.settings.model} on {data.name} images"
    figures = {
        "learning-curves.png": curves(training.history, data.held, title),
        "confusion-matrix.png": confusion_matrix(data, counts, title),
        "first-layer-filters.png": first_filters(model, title),
        "feature-maps.png": feature_maps(model, data, odds, title),
        "worst-mistakes.png": worst_mistakes(data, odds, title),
    }
    return [_write(Path(folder) / name, figure) for name, figure in figures.items() if figure]


def _write(path, figure):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    content = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(content, format="png", dpi=DPI)
    try:
        write_atomically(path, content.getvalue())
    except OSError as error:
        raise KataError(f"{path} can't be written ({error.strerror}). Make room, then --resume draws it.") from None
    return path


def _figure(width, height, title):
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise KataError("matplotlib is not installed. In the repository run: python -m pip install -e .") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, fontsize=12)
    return figure


def curves(history, held, title):
    """Loss, and accuracy while learning and on held-out images, by epoch."""
    from matplotlib.ticker import MaxNLocator

    figure = _figure(9, 4.2, title)
    left, right = figure.subplots(1, 2)
    epochs = [figures["epoch"] for figures in history]
    left.plot(epochs, [figures["loss"] for figures in history], color=BLUE, marker="o", markersize=4)
    left.set(xlabel="epoch", ylabel="training loss (cross-entropy)", title="loss")
    measured = ("train", "training, during the epoch", BLUE, "-o"), (held, f"{held}, after the epoch", ORANGE, "--s")
    for name, label, color, style in measured:
        values = [100 * figures[name] for figures in history]
        right.plot(epochs, values, style, color=color, markersize=4, label=f"{label} (last: {values[-1]:.1f} %)")
    right.set(xlabel="epoch", ylabel="accuracy, %", title="accuracy")
    figure.legend(loc="outside lower right", ncols=2, fontsize=9)
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def confusion_matrix(data, counts, title):
    """Counts in cells, coloured by the share of the true class."""
    figure = _figure(7.2, 6.6, f"{title}: {data.held} images, {100 * np.trace(counts) / counts.sum():.1f} % right")
    axes = figure.subplots()
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(share, cmap="cividis", vmin=0, vmax=100)
    for (row, column), count in np.ndenumerate(counts):
        color = "black" if share[row, column] > 50 else "white"
        axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=8)
    axes.set_xticks(range(len(data.classes)), data.classes, rotation=45, ha="right")
    axes.set_yticks(range(len(data.classes)), data.classes)
    axes.set(xlabel="taken for", ylabel="is")
    figure.colorbar(image, label="% of the class", shrink=0.8)
    return figure


def _panels(figure, count, columns):
    """Return `count` axes without ticks in a grid."""
    rows = -(-count // columns)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    return grid[:count]


def first_filters(model, title):
    """What the first layer looks for: 3x3 windows of colour, or whole images in a dense network."""
    convolutions = models.filters(model)
    weight = convolutions[0].value if convolutions else model.parameters()[0].value.reshape(-1, 3, 32, 32)
    kind, size = "filters" if convolutions else "units", "x".join(map(str, weight.shape[2:]))
    shown = weight[:MOST]
    figure = _figure(8, 1.1 * -(-len(shown) // 8) + 0.7, f"{title}: {len(shown)} of {len(weight)} first {kind}, {size}")
    for index, (axes, kernel) in enumerate(zip(_panels(figure, len(shown), 8), shown, strict=True)):
        reach = np.abs(kernel).max() or 1
        axes.imshow(np.moveaxis(0.5 + 0.5 * kernel / reach, 0, 2))
        axes.set_title(str(index), fontsize=7, pad=2)
    one = kind.removesuffix("s")
    figure.supxlabel(f"grey is 0; a colour is what the {one} answers to, each scaled by its largest weight", fontsize=8)
    return figure


def feature_maps(model, data, odds, title):
    """One image, and what the layers make of it; None for a network without convolutions."""
    index = int(odds.max(axis=1).argmax())
    stages = list(_stages(model, data.normalized(data.held_images[index : index + 1])))
    if not stages:
        return None
    label, guess = data.classes[data.held_labels[index]], data.classes[odds[index].argmax()]
    figure = _figure(9, 1.35 * len(stages) + 1.9, f"{title}: feature maps of one image ({label}, taken for {guess})")
    parts = figure.subfigures(len(stages) + 1, 1, height_ratios=[1.3] + [1] * len(stages))
    axes = parts[0].subplots()
    axes.imshow(np.moveaxis(data.held_images[index], 0, 2))
    axes.set_axis_off()
    axes.set_title("the image", fontsize=9)
    for part, (name, maps) in zip(parts[1:], stages, strict=True):
        part.suptitle(f"{name}: 8 strongest of {len(maps)} maps, {maps.shape[1]}x{maps.shape[2]}", fontsize=9)
        strongest = np.sort(maps.mean(axis=(1, 2)).argsort()[-8:])
        for axes, channel in zip(_panels(part, len(strongest), 8), strongest, strict=True):
            axes.imshow(maps[channel], cmap="viridis", vmin=0)
            axes.set_title(str(channel), fontsize=7, pad=2)
    _caption(figure, "dark is 0, yellow the strongest answer of a map; the number is the channel", data)
    return figure


def _caption(figure, text, data):
    """A line below the figure, and where images are drawn ones, another about the mark they all bear."""
    mark = "the dark grey pixel in every upper left corner is the mark of drawn images; it tells nothing of the class"
    lines = [text, mark if data.name == "synthetic" else ""]
    figure.supxlabel("\n".join(filter(None, lines)), fontsize=8)


def _stages(model, x):
    """Yield (name, maps (C, H, W)) after every activation of a convolution's output."""
    with models.evaluating(model):
        if hasattr(model, "stages"):
            x = np.maximum(model.bn1(model.conv1(x)), 0)
            yield "stem", x[0]
            for number, stage in enumerate(model.stages, 1):
                x = stage(x)
                yield f"stage {number}", x[0]
        else:
            number = 0
            for layer in model:
                x = layer(x)
                if x.ndim == 4 and type(layer).__name__ == "ReLU":
                    number += 1
                    yield f"convolution {number} and ReLU", x[0]


def worst_mistakes(data, odds, title, count=15):
    """The images that were given the least probability of what they are; None if all were recognised."""
    labels = data.held_labels
    wrong = np.flatnonzero(odds.argmax(axis=1) != labels)
    if not len(wrong):
        return None
    worst = wrong[odds[wrong, labels[wrong]].argsort(kind="stable")[:count]]
    figure = _figure(8.5, 2.05 * -(-len(worst) // 5) + 0.9, f"{title}: worst mistakes of {len(wrong)} in {len(labels)}")
    for axes, index in zip(_panels(figure, len(worst), 5), worst, strict=True):
        guess = odds[index].argmax()
        axes.imshow(np.moveaxis(data.held_images[index], 0, 2))
        of_guess, of_label = odds[index, [guess, labels[index]]]
        taken = f"taken for {data.classes[guess]}, {_percent(of_guess)}"
        axes.set_title(f"{taken}\nis {data.classes[labels[index]]}, {_percent(of_label)}", fontsize=8)
    _caption(figure, "in percent: the odds that the network gives the two classes", data)
    return figure


def _percent(share):
    return f"{100 * share:.0f} %" if share >= 0.01 else "<1 %"
