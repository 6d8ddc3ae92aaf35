"""Topic 11: a window slides over an image, and the sums it takes are the output."""

import numpy as np

from kata.pictures import still

TITLE = "the sliding window"
IMAGE = True
LESSON = {
    "sliding-window": "A 3 by 3 window over rows 4 to 6, columns 1 to 3 of a small image; its nine products with the "
    "Sobel kernel add up to the one output number at row 4, column 1.",
    "kernels": "The same image under seven kernels: identity, blur, sharpen, edge, two Sobel kernels and emboss.",
}

KERNELS = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "blur": [[1 / 9] * 3] * 3,
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "edge": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "Sobel, left to right": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "Sobel, top to bottom": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
}
STRIDES, PADDINGS = (1, 2, 3), (0, 1, 2)
SIDE = 3


def numbers(code, image):
    """Return the image, the kernels and the outputs for every kernel, stride and padding: outputs[kernel][s][p]."""
    return {
        "image": image,
        "kernels": KERNELS,
        "strides": STRIDES,
        "paddings": PADDINGS,
        "outputs": {
            name: {s: {p: convolved(code, image, kernel, s, p) for p in PADDINGS} for s in STRIDES}
            for name, kernel in KERNELS.items()
        },
    }


def convolved(code, image, kernel, stride, padding):
    """Return what the solution makes of one image and one kernel, (H_out, W_out)."""
    H, W = ((side + 2 * padding - SIDE) // stride + 1 for side in image.shape)
    x, weight = image[None, None], np.array(kernel, float)[None, None]
    out, _ = code.forward("conv2d_forward", (1, 1, H, W), x, weight, None, stride, padding)
    return out[0, 0]


def stills(drawing):
    """Return the window at one position with its sum written out, and the image under every kernel."""
    return {"sliding-window": _window(drawing), "kernels": _kernels(drawing)}


def _window(drawing, name="Sobel, left to right", row=4, column=1):
    shown = drawing.numbers
    image, kernel = np.array(shown["image"], float), np.array(shown["kernels"][name], float)
    out = np.array(shown["outputs"][name]["1"]["0"], float)
    figure = still.figure(9.2, 3.8, drawing)
    axes = figure.subplot_mosaic(
        [["image", "kernel", "out"], ["sum"] * 3], width_ratios=[16, 5, 14], height_ratios=[12, 1.2]
    )
    still.cells(axes["image"], image, still.grey)
    still.frame(axes["image"], row, column, SIDE, SIDE)
    axes["image"].set_title("image")
    reach = np.abs(kernel).max()
    still.cells(axes["kernel"], kernel, still.painter(2 * reach), size=10)
    axes["kernel"].set_title("kernel")
    later = {place for place in np.ndindex(out.shape) if place > (row, column)}
    still.cells(axes["out"], out, still.painter(np.abs(out).max()), size=6.3, hidden=later)
    still.frame(axes["out"], row, column)
    axes["out"].set_title("output, up to this position")
    axes["sum"].set_axis_off()
    window = image[row : row + SIDE, column : column + SIDE]
    axes["sum"].text(0.5, 0.55, _written_out(window, kernel, out[row, column]), ha="center", va="center", fontsize=11)
    return figure


def _written_out(window, kernel, result):
    """The products row by row, and what the solution makes of them; where that is another number, it says so."""
    rows = [
        " + ".join(f"{still.shown(pixel)}·{_bracketed(weight)}" for pixel, weight in zip(*row, strict=True))
        for row in zip(window, kernel, strict=True)
    ]
    total = (window * kernel).sum()
    end = f" = {still.shown(total)}"
    if not np.isclose(total, result):
        end += f"     but this code gives {still.shown(result)}"
    return "  +  ".join(rows) + end


def _bracketed(weight):
    return f"({still.shown(weight)})" if weight < 0 else still.shown(weight)


def _kernels(drawing):
    shown = drawing.numbers
    figure = still.figure(9.2, 4.3, drawing)
    panels = figure.subplots(2, 4).ravel()
    still.cells(panels[0], shown["image"], still.grey, text=None)
    panels[0].set_title("image")
    for axes, name in zip(panels[1:], shown["kernels"], strict=True):
        out = np.array(shown["outputs"][name]["1"]["1"], float)
        if np.array(shown["kernels"][name]).min() < 0:
            still.cells(axes, out, still.painter(np.abs(out).max()), text=None)
        else:
            still.cells(axes, out, still.grey, text=None)
        axes.set_title(name)
    return figure
