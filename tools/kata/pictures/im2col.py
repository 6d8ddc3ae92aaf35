"""Topic 12: the window at a position is a column of the matrix, and a column goes back to its window."""

import itertools

import numpy as np

from kata.pictures import still

TITLE = "the image as columns"
LESSON = {
    "columns": "A window of 2 by 2 over rows 1 and 2, columns 2 and 3 of a 4 by 5 image, and column 6 of the matrix, "
    "which holds its four pixels 12, 13, 22, 23 from top to bottom.",
    "counts": "Twelve columns of ones go back to the 4 by 5 image: corners receive 1, sides 2, "
    "the six pixels inside 4.",
}

CHANNELS, SIDES, STRIDES, PADDINGS = (1, 2), ((2, 2), (2, 3), (3, 3)), (1, 2), (0, 1)
H, W = 4, 5


def numbers(code, image):
    """Return, for every setting, the columns, and the image after each column has gone back.

    `settings` has an entry a setting, under a key as `key` makes it; in "ones" and "columns" the l-th image is what
    col2im makes of the first l + 1 columns.
    """
    settings = {}
    for channels, kernel, stride, padding in itertools.product(CHANNELS, SIDES, STRIDES, PADDINGS):
        x = pixels(channels)[None]
        right = columns(x, kernel, stride, padding)
        settings[key(channels, kernel, stride, padding)] = {
            "columns": code.array("im2col", right.shape, x, kernel, stride, padding)[0],
            "back": {
                "ones": _back(code, np.ones_like(right), x.shape, kernel, stride, padding),
                "columns": _back(code, right, x.shape, kernel, stride, padding),
            },
        }
    return {
        "channels": CHANNELS, "sides": SIDES, "strides": STRIDES, "paddings": PADDINGS,
        "image": pixels(max(CHANNELS)), "settings": settings,
    }  # fmt: skip


def pixels(channels):
    """Return the image, (C, H, W): 100 * channel + 10 * row + column."""
    c, h, w = np.ogrid[:channels, :H, :W]
    return (100.0 * c + 10 * h + w).astype(float)


def key(channels, kernel, stride, padding):
    """Return a setting as text: 1 2x3 1 0."""
    return f"{channels} {kernel[0]}x{kernel[1]} {stride} {padding}"


def columns(x, kernel, stride, padding):
    """Return the columns of x (1, C, H, W) as they are defined, (1, C * kh * kw, L)."""
    (kh, kw), padded = kernel, np.pad(x[0], ((0, 0), (padding, padding), (padding, padding)))
    rows, across = ((side - k) // stride + 1 for side, k in zip(padded.shape[1:], kernel, strict=True))
    corners = [(i * stride, j * stride) for i in range(rows) for j in range(across)]
    return np.stack([padded[:, r : r + kh, s : s + kw].ravel() for r, s in corners], axis=1)[None]


def _back(code, cols, x_shape, kernel, stride, padding):
    """Return what col2im makes of the first column, of the first two, and so on, as one batch: (L, C, H, W)."""
    length = cols.shape[2]
    growing = cols * (np.arange(length) <= np.arange(length)[:, None])[:, None]
    shape = (length, *x_shape[1:])
    return code.array("col2im", shape, growing, shape, kernel, stride, padding)


def stills(drawing):
    """Return one window and its column, and the counts of columns of ones gone back."""
    return {"columns": _columns(drawing), "counts": _counts(drawing)}


def _tint(value):
    """A pixel's colour by its place, so that copies of one pixel are known by it."""
    from matplotlib import colormaps

    return colormaps["viridis"]((10 * (value // 10) + 2 * (value % 10)) / 38)[:3]


def _columns(drawing, position=6):
    shown = drawing.numbers["settings"][key(1, (2, 2), 1, 0)]
    figure = still.figure(9.2, 3.0, drawing)
    left, right = figure.subplots(1, 2, width_ratios=[5, 12])
    still.cells(left, drawing.numbers["image"][0], _tint, size=10)
    still.frame(left, position // (W - 1), position % (W - 1), 2, 2)
    left.set_title("image")
    still.cells(right, shown["columns"], _tint, size=10)
    still.frame(right, 0, position, 4, 1)
    for column in range(12):
        right.text(column + 0.5, 4.45, str(column), ha="center", va="center", fontsize=8, color=still.GREY)
    right.set(ylim=(4.8, -0.1), title="im2col: one column a window, numbered below")
    return figure


def _counts(drawing):
    shown = np.array(drawing.numbers["settings"][key(1, (2, 2), 1, 0)]["back"]["ones"], float)[:, 0]
    figure = still.figure(9.2, 2.9, drawing)
    chosen = (0, 1, 5, 11)
    for axes, count in zip(figure.subplots(1, len(chosen)), chosen, strict=True):
        still.cells(axes, shown[count], still.painter(6), size=10)
        still.frame(axes, count // (W - 1), count % (W - 1), 2, 2)
        axes.set_title(f"column {count} is back" if count < 11 else "all twelve are back")
    return figure
