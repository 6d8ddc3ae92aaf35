"""Topic 13: one number a window, and the way its gradient goes back."""

import itertools

import numpy as np

from kata.pictures import still

TITLE = "pooling, there and back"
COMPARE = True
LESSON = {
    "pooling": "A 6 by 7 map under windows of 2 by 2: the largest pixel of each window, framed, is the output of max "
    "pooling; average pooling keeps the mean.",
    "gradient": "Back through overlapping windows of 3 by 3, stride 1: max pooling hands each window's gradient to its "
    "winner alone, average pooling shares it among all nine pixels.",
}

KINDS = {
    "max": ("max_pool2d", {}),
    "average": ("avg_pool2d", {}),
    "average of real pixels": ("avg_pool2d", {"count_include_pad": False}),
}
SIDES, STRIDES, PADDINGS = (2, 3), (1, 2, 3), (0, 1)
MAP = np.array(
    [
        [1, 5, 2, 0, -3, 4, 1],
        [3, 4, 6, 1, -2, -1, 0],
        [7, 0, 1, 2, 2, 3, -4],
        [2, 7, 3, 8, 0, -6, -2],
        [-5, -1, 0, 4, 4, 9, 5],
        [-2, -3, 6, 1, 4, 0, 2],
    ],
    float,
)  # the sevens at the left and the fours below are ties; the corner below them is all negative


def numbers(code, image):
    """Return, for every setting, the output, where each window's gradient goes, and where all of them go together.

    `shares[l]` lists [pixel, share] of what window l sends back when it alone has a gradient; `dx` is what comes
    back when all have one, window l's being l + 1.
    """
    settings = {key(*setting): pooled(code, *setting) for setting in itertools.product(KINDS, SIDES, STRIDES, PADDINGS)}
    return {
        "map": MAP,
        "kinds": list(KINDS),
        "sides": SIDES,
        "strides": STRIDES,
        "paddings": PADDINGS,
        "settings": settings,
    }


def key(kind, side, stride, padding):
    """Return a setting as text: max 2 1 0."""
    return f"{kind} {side} {stride} {padding}"


def pooled(code, kind, side, stride, padding):
    """Run one pair forward and back: the map alone, and once more for every window by itself."""
    name, more = KINDS[kind]
    rows, columns = ((length + 2 * padding - side) // stride + 1 for length in MAP.shape)
    count = rows * columns
    alone = np.eye(count) * np.arange(1, count + 1)[:, None]
    dout = np.concatenate([alone, alone.sum(axis=0, keepdims=True)]).reshape(count + 1, 1, rows, columns)
    x = np.broadcast_to(MAP, (count + 1, 1, *MAP.shape)).copy()
    out, cache = code.forward(f"{name}_forward", dout.shape, x, side, stride, padding, **more)
    dx = code.array(f"{name}_backward", x.shape, dout, cache)[:, 0]
    shares = [[[int(pixel), part.flat[pixel]] for pixel in np.flatnonzero(part)] for part in dx[:-1]]
    return {"out": out[0, 0], "shares": shares, "dx": dx[-1]}


def stills(drawing):
    """Return max and average of windows that tile the map, and the gradients of overlapping windows."""
    return {"pooling": _pooling(drawing), "gradient": _gradient(drawing)}


_paint = still.painter(14)


def _tenths(value):
    return still.shown(round(value, 1))


def _pooling(drawing):
    shown = drawing.numbers["settings"]
    largest, mean = shown[key("max", 2, 2, 0)], shown[key("average", 2, 2, 0)]
    figure = still.figure(9.2, 3.3, drawing)
    left, middle, right = figure.subplots(1, 3, width_ratios=[7, 3.4, 3.4])
    still.cells(left, MAP, _paint, size=10)
    for index, shares in enumerate(largest["shares"]):
        still.frame(left, *(2 * place for place in divmod(index, 3)), 2, 2, color=still.GREY, width=1.5)
        for pixel, _ in shares:
            still.frame(left, *divmod(pixel, MAP.shape[1]))
    left.set_title("map, windows of 2 by 2, their winners")
    for axes, values, name in ((middle, largest["out"], "max"), (right, mean["out"], "average")):
        still.cells(axes, values, _paint, size=10)
        axes.set_title(name)
    return figure


def _gradient(drawing):
    shown = drawing.numbers["settings"]
    kinds = {"max: to the winners": "max", "average: shared out": "average"}
    figure = still.figure(9.2, 3.2, drawing)
    dout, *others = figure.subplots(1, 3, width_ratios=[5, 7, 7])
    rows, columns = np.shape(shown[key("max", 3, 1, 0)]["out"])
    upstream = np.arange(1.0, rows * columns + 1).reshape(rows, columns)
    still.cells(dout, upstream, still.painter(40), size=9)
    dout.set_title("gradient that arrives")
    for axes, (title, kind) in zip(others, kinds.items(), strict=True):
        dx = np.array(shown[key(kind, 3, 1, 0)]["dx"], float)
        still.cells(axes, dx, still.painter(1.4 * np.abs(dx).max()), _tenths, 9)
        axes.set_title(title)
    return figure
