"""Topic 16: which numbers share a mean, in batch, layer, group and instance norm."""

from pathlib import Path

import numpy as np

from kata.pictures import still
from kata.topics import REFERENCE

TITLE = "which numbers share a mean"
LESSON = {
    "shared-means": "Three images of six channels, as columns and rows of small maps; orange is what shares a mean "
    "with one picked value. Batch norm: its channel in all images. Layer norm: its whole image. Group norm, two "
    "groups: three channels of its image. Instance norm: its own map alone.",
    "one-value": "The value 79 among the values that share its mean, with mean and standard deviation, under four "
    "norms. Among its channel in all images it becomes 0.79, among its whole image 3.05, among its group 2.37, in "
    "its own map 1.60.",
}

N, C, H, W = 3, 6, 2, 4
EPS = 1e-5
GROUPS = (1, 2, 3, 6)
NAMES = {
    "batch norm": "batch_norm_forward",
    "layer norm over (C, H, W)": "layer_norm_forward",
    "instance norm": "instance_norm_forward",
    **{f"group norm, {groups} group{'s' * (groups > 1)}": "group_norm_forward" for groups in GROUPS},
}


def numbers(code, image):
    """Return the block, and for every norm its output and, element by element, which elements share its mean.

    `sets` are lists of elements, `of[k]` is the number of the set that k is normalised with; an element is
    counted through x in its order, ((n * C + c) * H + h) * W + w.
    """
    from cnn import residual  # here only: whoever shows pictures does not run Topic 14

    x = block()
    return {
        "x": x,
        "shape": x.shape,
        "eps": EPS,
        "norms": {name: probed(norm, x) for name, norm in norms(code, residual.batch_norm_forward).items()},
        "exercises": NAMES,
        "batch_is_reference": REFERENCE in Path(residual.__file__).parents,
    }


def block():
    """Return (N, C, H, W) whole numbers from 0 to 99; images differ in brightness, channels in contrast."""
    rng = np.random.default_rng(16)
    middle = np.array([20, 45, 70])[:, None] + np.array([0, 8, -8, 15, -12, 4])
    reach = np.array([3, 9, 5, 14, 6, 10])[None, :]
    x = middle[..., None, None] + reach[..., None, None] * rng.uniform(-1.6, 1.6, (N, C, H, W))
    return np.rint(np.clip(x, 0, 99))


def norms(code, batch_norm_forward):
    """Return {name: function of x} of everything that is drawn, without weight and bias."""

    def batch(x):
        ones, zeros = np.ones(C), np.zeros(C)
        return batch_norm_forward(x.copy(), ones, zeros, zeros.copy(), ones.copy(), True, eps=EPS)[0]

    def topic(name, *choice):
        return lambda x: code.forward(name, x.shape, x, *choice, eps=EPS)[0]

    batch_name, layer_name, instance_name, *group_names = NAMES
    groups = zip(group_names, GROUPS, strict=True)
    return {
        batch_name: batch,
        layer_name: topic("layer_norm_forward", (C, H, W)),
        instance_name: topic("instance_norm_forward"),
        **{name: topic("group_norm_forward", count) for name, count in groups},
    }


def probed(norm, x):
    """Return the output, and what each of its numbers depends on: one element of x after the other is moved."""
    out = norm(x)
    depends = np.zeros((x.size, x.size), bool)
    for k in range(x.size):
        moved = x.copy()
        moved.flat[k] += 7
        depends[:, k] = ~np.isclose(norm(moved), out, rtol=1e-9, atol=1e-9, equal_nan=True).ravel()
    sets, of = np.unique(depends, axis=0, return_inverse=True)
    return {"out": out, "sets": [np.flatnonzero(row) for row in sets], "of": of.ravel()}


def stills(drawing):
    """Return the sets of four norms as letters, and one value among those it is measured with."""
    return {"shared-means": _letters(drawing), "one-value": _one_value(drawing)}


SHOWN = {
    "batch norm": "batch norm",
    "layer norm": "layer norm over (C, H, W)",
    "group norm, 2 groups": "group norm, 2 groups",
    "instance norm": "instance norm",
}
PICKED = (1, 3, 1, 0)  # image, channel, row, column


def _members(norm, place):
    """Return the elements that a value is normalised with, as an array of bools shaped like x."""
    found = np.zeros(N * C * H * W, bool)
    found[norm["sets"][norm["of"][np.ravel_multi_index(place, (N, C, H, W))]]] = True
    return found.reshape(N, C, H, W)


def _flat(values):
    """Lay (N, C, H, W) out as rows of channels and columns of images."""
    return np.transpose(values, (1, 2, 0, 3)).reshape(C * H, N * W)


def _letters(drawing):
    figure = still.figure(9.2, 7.4, drawing)
    for axes, (title, name) in zip(figure.subplots(2, 2).ravel(), SHOWN.items(), strict=True):
        norm = drawing.numbers["norms"][name]
        lit = _flat(_members(norm, PICKED))
        still.cells(axes, lit, lambda value: still.diverging(0.55 * value, 1), text=None)
        axes.hlines(range(0, C * H + 1, H), 0, N * W, color=still.INK, linewidth=1.2)
        axes.vlines(range(0, N * W + 1, W), 0, C * H, color=still.INK, linewidth=1.2)
        for (n, c), letter in _names(norm).items():
            style = {"ha": "center", "va": "center", "fontsize": 10, "color": still.INK}
            axes.text(n * W + W / 2, c * H + H / 2, letter, weight="bold" if lit[c * H, n * W] else "normal", **style)
        n, c, h, w = PICKED
        still.frame(axes, c * H + h, n * W + w)
        for n in range(N):
            axes.text(n * W + W / 2, -0.35, f"image {n}", ha="center", fontsize=8)
        for c in range(C):
            axes.text(-0.3, c * H + H / 2, f"c{c}", ha="right", va="center", fontsize=8)
        axes.set(title=f"{title}: {lit.sum()} values share a mean", xlim=(-1, N * W + 0.1), ylim=(C * H + 0.1, -1.1))
    return figure


def _names(norm):
    """Return {(image, channel): letter}, equal letters for maps of one set, a dot where a map holds several."""
    of = np.reshape(norm["of"], (N, C, H * W))
    order = list(dict.fromkeys(of.ravel().tolist()))
    letter = {number: chr(ord("A") + index) if index < 26 else str(index) for index, number in enumerate(order)}
    return {(n, c): letter[of[n, c, 0]] if len(set(of[n, c])) == 1 else "·" for n, c in np.ndindex(N, C)}


def _one_value(drawing):
    x, eps = np.array(drawing.numbers["x"], float), drawing.numbers["eps"]
    value = x[PICKED]
    figure = still.figure(9.2, 4.6, drawing)
    for axes, (title, name) in zip(figure.subplots(4, 1, sharex=True), SHOWN.items(), strict=True):
        norm = drawing.numbers["norms"][name]
        members = x[_members(norm, PICKED)]
        mean, spread = members.mean(), np.sqrt(members.var() + eps)
        axes.axvspan(mean - spread, mean + spread, color=still.BLUE, alpha=0.15, linewidth=0)
        axes.axvline(mean, color=still.BLUE, linewidth=2)
        axes.plot(members, np.zeros(len(members)), "o", color=still.GREY, markersize=4, alpha=0.6)
        axes.plot([value], [0], "D", color=still.ORANGE, markersize=8)
        out, right = np.array(norm["out"], float)[PICKED], (value - mean) / spread
        sentence = f"({value:.0f} - {mean:.1f}) / {spread:.2f} = {right:.2f}".replace("-", "\N{MINUS SIGN}")
        if not np.isclose(out, right, rtol=1e-5, atol=1e-5):
            sentence += f", but this code gives {still.shown(out)}"
        axes.set_title(f"{title}, {len(members)} values: {sentence}", loc="left", fontsize=10)
        axes.set(yticks=[], ylim=(-1, 1), xlim=(-2, 101))
        axes.spines[["left", "right", "top"]].set_visible(False)
    axes.set_xlabel("the values; the line is their mean, the band one standard deviation to each side")
    return figure
