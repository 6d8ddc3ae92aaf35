"""Topic 17: a training and what came out of it: curves, confusion, first filters, feature maps layer by layer.

Without a run it trains on the spot, a small network on a few drawn images, in double precision so that the numbers are
the same everywhere. With `--run DIR` it reads what train.py left there.
"""

import re
from pathlib import Path

import numpy as np

from kata.errors import KataError
from kata.pictures import still

TITLE = "a training, looked into"
COMPARE = True
LESSON = {
    "learning-curves": "Six epochs of a small network on drawn textures. The training loss falls from 2.3 towards 0, "
    "the accuracy on held-out images rises from 35 to 92 percent.",
    "feature-maps": "One drawn image and the eight strongest maps after every layer of the small network: convolution, "
    "ReLU, pooling, twice. The maps shrink, and most of what is left after each ReLU is 0.",
}

SIDE, TRAIN, HELD, WIDTH = 12, 400, 200, 8
EPOCHS, BATCH, PEAK = 6, 20, 0.05
MAPS, SHOWN, STEPS = 8, 6, 999  # maps a layer; images of a run; values are whole STEPS of a map's largest
FILTERS = 32


def numbers(code, image, run=None):
    """Return the history, the confusion matrix, the first filters and what the layers make of some images."""
    return _finished(code, run) if run else _on_the_spot(code)


# --- on the spot ----------------------------------------------------------------------------------


def _on_the_spot(code):
    rng = np.random.default_rng(17)
    (images, labels), (held_images, held_labels) = textures(TRAIN, rng), textures(HELD, rng)
    statistics = [value.astype(np.float32) for value in code.arrays("channel_statistics", [(3,), (3,)], images)]
    x = code.array("normalize", images.shape, images, *statistics)
    held = code.array("normalize", held_images.shape, held_images, *statistics)
    net = small_network(rng)
    history = _trained(code, net, (x, labels), (held, held_labels), rng)
    odds = _odds(net.eval() or net, held)
    chosen = [int(np.flatnonzero(held_labels == label)[0]) for label in range(10)]
    return {
        "data": f"Drawn images (synthetic), not CIFAR-10: ten textures of {SIDE} by {SIDE} pixels, {TRAIN} to learn "
        f"from and {HELD} held out; a small network, trained on the spot in {EPOCHS} epochs.",
        "short": "drawn images (synthetic), trained on the spot",
        "history": history,
        "classes": _textures(),
        "confusion": _confusion(held_labels, odds.argmax(axis=1)),
        "filters": net[0].weight.value,
        "images": looked_at(net, held_images[chosen], held[chosen], held_labels[chosen]),
    }


def _textures():
    from kata.train.synthetic import CLASSES

    return CLASSES


def textures(count, rng):
    """Return `count` images full of one texture each, uint8 (count, 3, SIDE, SIDE), and their labels."""
    from kata.train import synthetic

    labels = rng.permutation(np.arange(count) % len(synthetic.CLASSES))
    y = np.broadcast_to(np.arange(synthetic.SIDE)[:, None], (count, synthetic.SIDE, 1))
    ink = np.zeros((count, synthetic.SIDE, synthetic.SIDE), bool)
    for label in range(len(synthetic.CLASSES)):
        chosen = labels == label
        ink[chosen] = synthetic._texture(label, y[chosen], y[chosen].swapaxes(1, 2), rng)
    dark, light = synthetic._two_colours(count, rng)
    images = np.where(ink[:, None, :SIDE, :SIDE], light, dark) + 6 * rng.standard_normal((count, 3, SIDE, SIDE))
    return np.clip(images, 0, 255).astype(np.uint8), labels


def small_network(rng):
    """Return two convolutions with pooling and one dense layer, float64."""
    from cnn.foundations import Flatten, Linear, ReLU, Sequential
    from cnn.im2col import Conv2d
    from cnn.pooling import MaxPool2d

    net = Sequential(
        Conv2d(3, WIDTH, 3, padding=1, rng=rng), ReLU(), MaxPool2d(2),
        Conv2d(WIDTH, 2 * WIDTH, 3, padding=1, rng=rng), ReLU(), MaxPool2d(2),
        Flatten(), Linear(2 * WIDTH * (SIDE // 4) ** 2, 10, rng=rng),
    )  # fmt: skip
    net[-1].weight.value *= 0.1
    net.astype(np.float64)
    return net


def _trained(code, net, train, held, rng):
    """Train as `fit` does, from the solution's parts; return the history."""
    optimizer = code.SGD(net.parameters(), PEAK, momentum=0.9, weight_decay=5e-4, nesterov=True)
    batches, history = -(-TRAIN // BATCH), []
    for epoch in range(EPOCHS):
        rates = [code.value("one_cycle_lr", epoch * batches + k, EPOCHS * batches, PEAK) for k in range(batches)]
        loss = code.value("train_epoch", net, optimizer, *train, BATCH, rng, lr=rates.__getitem__)
        history.append({"epoch": epoch + 1, "loss": loss, "held out": code.value("evaluate", net, *held)})
    return history


# --- a finished run -------------------------------------------------------------------------------


def read_run(folder):
    """Return what train.py wrote about a finished run, plain data.

    Raises
    ------
    KataError
        If the folder holds no finished run.
    """
    import json

    from kata.train import checkpoint

    folder = Path(folder).absolute()
    record = checkpoint.read_record(folder)
    if record is None:
        raise KataError(f"--run {folder}: no checkpoint there. Name the --out folder of a train.py run.")
    try:
        history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
        classes, confusion = parsed((folder / "report.txt").read_text(encoding="utf-8"))
        held = "holdout" if "holdout" in history[0] else "test"
        shown = [
            {"epoch": row["epoch"], "loss": row["loss"], "training": row["train"], held: row[held]} for row in history
        ]
    except (OSError, ValueError, KeyError, IndexError):
        raise KataError(f"--run {folder}: not finished, or damaged. Finish it: train.py --out DIR --resume.") from None
    return {
        "folder": str(folder), "settings": record["settings"], "name": history[0]["data"], "held": held,
        "history": shown, "classes": classes, "confusion": confusion,
    }  # fmt: skip


def parsed(report):
    """Return the names of the classes and the confusion matrix that a report ends with."""
    rows = re.findall(r"^(\S+)((?: +\d+)+)$", report.partition("confusion matrix")[2], re.MULTILINE)
    classes, counts = [name for name, _ in rows], [[int(count) for count in row.split()] for _, row in rows]
    if not rows or any(len(row) != len(rows) for row in counts):
        raise ValueError("no confusion matrix")
    return classes, counts


def _finished(code, run):
    from kata.train import checkpoint, models

    settings = run["settings"]
    rng = np.random.default_rng(0)
    own = settings["model"] == "simple_cnn"
    net = code.simple_cnn(10, rng) if own else models.build(settings["model"], rng)
    arrays = checkpoint.read_arrays(run["folder"])
    net.load_state_dict({name[6:]: array for name, array in arrays.items() if name.startswith("model/")})
    net.eval()
    images, labels, statistics, found = _photographs(code, run)
    x = code.array("normalize", images.shape, images, *statistics).astype(np.float32)
    weights = models.filters(net)
    first = weights[0].value[:FILTERS] if weights else net.parameters()[0].value[:MAPS].reshape(-1, 3, 32, 32)
    held = {"test": "test images", "holdout": "training images held out"}[run["held"]]
    kind = run["name"] if run["name"] == "CIFAR-10" else "drawn images (synthetic), not CIFAR-10"
    return {
        "data": f"A finished training: {settings['model']} on {kind}, {len(run['history'])} epochs, measured on "
        f"{int(np.sum(run['confusion']))} {held}; trained with --using {settings['using']}.{found}",
        "short": f"{settings['model']} on {kind}",
        "history": run["history"],
        "classes": run["classes"],
        "confusion": run["confusion"],
        "filters": first,
        "images": looked_at(net, images, x, labels),
    }


def _photographs(code, run):
    """Return a few images that were not learned from, labels, the channels' statistics, and what to say of them."""
    from kata.train import places, synthetic
    from kata.train.data import HOLDOUT_SEED

    settings = run["settings"]
    place = Path(places.home() / "synthetic" if settings["data"] == "synthetic" else settings["data"])
    place = place / synthetic.FOLDER if (place / synthetic.FOLDER).is_dir() else place
    first = place / "data_batch_1.bin"
    if not first.is_file() or not (place / "test_batch.bin").is_file():
        images, labels = synthetic.draw(SHOWN, np.random.default_rng(17))
        said = " Its images are not where they were: those below are drawn, and mean nothing to it."
        return images, labels, (np.full(3, 0.5, np.float32), np.full(3, 0.25, np.float32)), said
    train, train_labels = code.arrays("read_batch", [None, None], first)
    if settings["holdout"]:
        total = sum(path.stat().st_size for path in place.glob("data_batch_*.bin")) // 3073
        held = np.sort(np.random.default_rng(HOLDOUT_SEED).permutation(total)[: settings["holdout"]])
        held = held[held < len(train)]
        images, labels = train[held], train_labels[held]
    else:
        images, labels = code.arrays("read_batch", [None, None], place / "test_batch.bin")
    chosen = np.sort([np.flatnonzero(labels == label)[0] for label in np.unique(labels)[:SHOWN]])
    statistics = [value.astype(np.float32) for value in code.arrays("channel_statistics", [(3,), (3,)], train)]
    return images[chosen], labels[chosen], statistics, ""


# --- what a network makes of images ---------------------------------------------------------------


def _odds(net, x):
    logits = np.asarray(net(x), float)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _confusion(labels, guesses):
    return np.bincount(labels * 10 + guesses, minlength=100).reshape(10, 10)


def looked_at(net, images, x, labels):
    """Return for each image its pixels, label, the classes' odds, and the strongest maps of every layer."""
    odds, stages = _odds(net, x), list(layers(net, x))
    return [
        {
            "pixels": images[index],
            "label": labels[index],
            "odds": odds[index],
            "layers": [{"name": name, "of": maps.shape[1], **strongest(maps[index])} for name, maps in stages],
        }
        for index in range(len(images))
    ]


def layers(net, x):
    """Yield (name, maps (N, C, H, W)) of every layer that gives maps."""
    if hasattr(net, "stages"):
        x = np.maximum(net.bn1(net.conv1(x)), 0)
        yield "first convolution", x
        for number, stage in enumerate(net.stages, 1):
            x = stage(x)
            yield f"stage {number}", x
        return
    names = {"Conv2d": "convolution", "ReLU": "ReLU", "MaxPool2d": "max pooling"}
    for layer in net:
        x = layer(x)
        if x.ndim == 4:
            yield names.get(type(layer).__name__, type(layer).__name__), x


def strongest(maps):
    """Return the MAPS maps of largest mean, in their order, as whole parts of the largest value among them."""
    chosen = np.sort(maps.mean(axis=(1, 2)).argsort(kind="stable")[-MAPS:])
    top = float(np.abs(maps[chosen]).max()) or 1.0
    return {"channels": chosen, "top": top, "maps": np.rint(STEPS * maps[chosen] / top).astype(int)}


# --- stills ---------------------------------------------------------------------------------------


def stills(drawing):
    """Return curves, confusion matrix, first filters and, where there are any, the maps of the first image."""
    made = {
        "learning-curves": _curves(drawing),
        "confusion-matrix": _confusion_matrix(drawing),
        "first-filters": _filters(drawing),
    }
    return made | ({"feature-maps": _maps(drawing)} if drawing.numbers["images"][0]["layers"] else {})


def _curves(drawing):
    shown = drawing.numbers
    figure = still.figure(9.2, 4, drawing, shown["short"])
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in shown["history"]]
    left.plot(
        epochs,
        [float(row["loss"]) for row in shown["history"]],
        "-o",
        color=still.BLUE,
        markersize=4,
        label="this code",
    )
    names = [name for name in shown["history"][0] if name not in ("epoch", "loss")]
    for name, color, style in zip(names, (still.ORANGE, still.BLUE), ("-o", "--s"), strict=False):
        values = [100 * float(row[name]) for row in shown["history"]]
        right.plot(epochs, values, style, color=color, markersize=4, label=f"{name}: {values[-1]:.0f} % at the end")
    if drawing.right and drawing.right["history"] != shown["history"]:
        reference = [float(row["loss"]) for row in drawing.right["history"]]
        left.plot(epochs, reference, ":", color=still.INK, label="the reference")
        left.legend()
    left.set(xlabel="epoch", ylabel="training loss (cross-entropy)", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="accuracy, %", ylim=(0, 100))
    right.legend(loc="lower right")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.set_xticks(epochs)
    return figure


def _confusion_matrix(drawing):
    shown = drawing.numbers
    counts = np.array(shown["confusion"])
    figure = still.figure(7.4, 7, drawing, f"{shown['short']}: {100 * np.trace(counts) / counts.sum():.1f} % right")
    axes = figure.subplots()
    part = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    texts = iter(counts.ravel().tolist())
    still.cells(axes, part, lambda value: still.diverging(-value, 1), size=9, text=lambda value: str(next(texts)))
    for index, name in enumerate(shown["classes"]):
        axes.text(-0.2, index + 0.5, name, ha="right", va="center", fontsize=9)
        axes.text(index + 0.5, -0.2, name, ha="left", va="bottom", rotation=45, fontsize=9)
    axes.set(xlim=(-2.6, 11), ylim=(10.1, -2.2))
    axes.text(5, 10.6, "a row is what it is, a column what it is taken for", ha="center", va="top", fontsize=9)
    return figure


def _panels(part, count, columns):
    rows = -(-count // columns)
    panels = part.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    return panels[:count]


def _filters(drawing):
    filters = np.array(drawing.numbers["filters"], float)
    figure = still.figure(8, 1.1 * -(-len(filters) // 8) + 1.2, drawing, f"{drawing.numbers['short']}: first filters")
    for index, (axes, kernel) in enumerate(zip(_panels(figure, len(filters), 8), filters, strict=True)):
        axes.imshow(np.moveaxis(0.5 + 0.5 * kernel / (np.abs(kernel).max() or 1), 0, 2))
        axes.set_title(str(index), fontsize=8, pad=2)
    return figure


def _maps(drawing, index=4):
    shown = drawing.numbers
    picked = shown["images"][index]
    stages, classes = picked["layers"], shown["classes"]
    guess = classes[int(np.argmax(np.array(picked["odds"], float)))]
    figure = still.figure(
        7.4, 1.1 * len(stages) + 2.4, drawing, f"{shown['short']}: {classes[picked['label']]}, taken for {guess}"
    )
    parts = figure.subfigures(len(stages) + 1, 1, height_ratios=[1.4] + [1] * len(stages))
    axes = parts[0].subplots()
    axes.imshow(np.moveaxis(np.array(picked["pixels"], np.uint8), 0, 2))
    axes.set_axis_off()
    for part, stage in zip(parts[1:], stages, strict=True):
        part.set_facecolor("none")
        part.suptitle(f"{stage['name']}: {len(stage['maps'])} strongest of {stage['of']}", fontsize=9)
        for axes, channel, values in zip(
            _panels(part, len(stage["maps"]), MAPS), stage["channels"], stage["maps"], strict=True
        ):
            axes.imshow(np.array(values), cmap="viridis", vmin=min(0, np.min(stage["maps"])), vmax=STEPS)
            axes.set_title(str(channel), fontsize=7, pad=2)
    return figure
