"""Topic 15: which inputs a dilated, grouped convolution reads, how a stack's view grows, and what separating saves."""

import functools

import numpy as np

from kata.pictures import still

TITLE = "dilation, groups and what they save"
IMAGE = True
LESSON = {
    "connections": "One output number and the input pixels it reads in four channels of twelve. Plain: three "
    "neighbours in every channel. Dilation 3: three pixels that stand apart. Two groups: the channels of its own half "
    "only. Four groups: one channel.",
    "receptive-field": "The pixels that one output pixel reads after one, two and three layers. Dilations 1, 1, 1: a "
    "full square of 7 by 7. Dilations 1, 2, 4: a full square of 15 by 15. Dilations 2, 2, 2: 13 by 13, of which every "
    "second row and column stays empty.",
}

C, O, W, TAPS = 4, 4, 12, 3
ROWS, LEFT = (2, 5, 8, 10), 2  # of the image: each row is one channel
DILATIONS, GROUPS = (1, 2, 3), (1, 2, 4)
STACKS = ((1, 1, 1), (1, 2, 4), (2, 2, 2), (1, 2, 5))
SIDE = 17  # of the map that all stacks fit into
OUTPUTS, KERNELS = (1, 16, 64, 128, 256), (1, 3, 5, 7)


def numbers(code, image):
    """Return the layer's connections for every dilation and groups, the stacks' views and the cost ratios."""
    x = image[list(ROWS), LEFT : LEFT + W]
    return {
        "x": x,
        "weights": {groups: weights(groups)[:, :, 0] for groups in GROUPS},
        "layers": {d: {groups: layer(code, x, d, groups) for groups in GROUPS} for d in DILATIONS},
        "reach": {d: code.value("effective_kernel_size", TAPS, d) for d in sorted({*DILATIONS, *sum(STACKS, ())})},
        "stacks": [{"dilations": stack, **views(code, stack)} for stack in STACKS],
        "ratios": {o: {k: code.value("separable_cost_ratio", o, k) for k in KERNELS} for o in OUTPUTS},
    }


def weights(groups):
    """Return the layer's weight, (O, C / groups, 1, TAPS), none of it 0."""
    o, c, v = np.ogrid[:O, : C // groups, :TAPS]
    return np.array([1.0, 2.0, -1.0, 3.0, -2.0])[(o + 2 * c + v) % 5][:, :, None]


def layer(code, x, dilation, groups):
    """Return a layer's output on x, and for each output the pixels it reads as [channel, column, weight].

    What it reads is seen by giving the layer one image a pixel, in which that pixel alone is 1.
    """
    single = np.eye(C * W).reshape(C * W, C, 1, W)
    images = np.concatenate([x[None, :, None], single])
    wide = W - dilation * (TAPS - 1)
    settings = {"dilation": (1, dilation), "groups": groups}
    out, _ = code.forward("conv2d_forward", (1 + C * W, O, 1, wide), images, weights(groups), **settings)
    answers = out[1:, :, 0].reshape(C, W, O, wide)
    reads = [[[[c, q, answers[c, q, o, j]] for c, q in np.argwhere(answers[:, :, o, j])] for j in range(wide)]
             for o in range(O)]  # fmt: skip
    return {"out": out[0, :, 0], "reads": reads}


def views(code, stack):
    """Return which pixels the middle output of the first 0, 1, ... layers reads, and how often.

    `rows` are along one row, a list for each depth: the output pixel, what it reads a layer down, ..., the input.
    `maps` are the inputs in two dimensions, one for each depth.
    """
    depths = range(len(stack) + 1)
    return {
        "rows": [list(seen(code, stack[:depth], 1)) for depth in depths],
        "maps": [list(seen(code, stack[:depth], SIDE))[-1] for depth in depths],
    }


def seen(code, stack, high):
    """Send a single 1 from the output back through layers of ones; yield it before and after each layer."""
    tall = TAPS if high > 1 else 1
    counts, ones = np.zeros((1, 1, high, SIDE)), np.ones((1, 1, tall, TAPS))
    counts[0, 0, high // 2, SIDE // 2] = 1
    yield counts[0, 0].squeeze()
    for dilation in reversed(stack):
        settings = {"padding": (dilation * (tall // 2), dilation), "dilation": dilation}
        _, cache = code.forward("conv2d_forward", counts.shape, np.zeros_like(counts), ones, **settings)
        counts = code.arrays("conv2d_backward", [counts.shape, None, None], counts, cache)[0]
        yield counts[0, 0].squeeze()


def stills(drawing):
    """Return what one output reads, how the view of a stack grows, and what a separated convolution costs."""
    return {"connections": _connections(drawing), "receptive-field": _growth(drawing), "cost": _cost(drawing)}


PANELS = {
    "plain: dilation 1, 1 group": (1, 1),
    "dilation 3": (3, 1),
    "2 groups": (1, 2),
    "4 groups, as many as channels: depthwise": (1, 4),
}


def _connections(drawing, o=2, column=6):
    figure = still.figure(9.2, 6.2, drawing)
    for axes, (title, (dilation, groups)) in zip(figure.subplots(2, 2).ravel(), PANELS.items(), strict=True):
        shown = drawing.numbers["layers"][str(dilation)][str(groups)]
        _wired(axes, shown, o, column - dilation, dilation, groups)
        axes.set_title(title)
    return figure


def _wired(axes, shown, o, j, dilation, groups, gap=2):
    """Input channels above, output channels below, a line from every pixel that the output at (o, j) reads."""
    reads = {(c, q): weight for c, q, weight in shown["reads"][o][j]}
    top = C + gap
    values = np.full((top + O, W), np.nan)
    values[:C] = 0
    values[top:, dilation : dilation + len(shown["reads"][0])] = 0
    for place, weight in reads.items():
        values[place] = weight
    at = top + o, j + dilation
    values[at] = shown["out"][o][j]
    blank = {tuple(place) for place in np.argwhere(np.isnan(values))}
    lit = {at, *reads}
    still.cells(
        axes, np.nan_to_num(values), lambda value: still.diverging(value, 4), size=8, hidden=blank,
        text=lambda value: still.shown(value) if value else "",
    )  # fmt: skip
    _erase_lines(axes, gap, top)
    for c, q in reads:
        axes.plot([q + (c + 0.5) / C, at[1] + 0.5], [C, top], color=still.GREEN, linewidth=1.3, zorder=4)
    for place in lit:
        still.frame(axes, *place, width=1.6)
    for cut in range(1, groups):
        for edge in (cut * C // groups, top + cut * O // groups):
            axes.hlines(edge, 0, W, color=still.INK, linewidth=2, linestyle="--")
    for channel in range(C):
        axes.text(-0.3, channel + 0.5, f"in {channel}", ha="right", va="center", fontsize=8)
        axes.text(-0.3, top + channel + 0.5, f"out {channel}", ha="right", va="center", fontsize=8)
    axes.set_xlim(-1.8, W + 0.1)


def _erase_lines(axes, gap, top):
    """Cover the cells' lines between input and output."""
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((-0.1, top - gap + 0.1), W + 0.2, gap - 0.2, color=still.GROUND, zorder=2.5))


def _growth(drawing):
    figure = still.figure(9.2, 8, drawing)
    stacks = [stack for stack in drawing.numbers["stacks"] if stack["dilations"][-1] != 5]
    for panels, stack in zip(figure.subplots(3, 3), stacks, strict=True):
        dilations = ", ".join(map(str, stack["dilations"]))
        for depth, axes in enumerate(panels, 1):
            counts = np.array(stack["maps"][depth], float)
            still.cells(axes, counts, functools.partial(_heat, top=counts.max()), text=None)
            read, across = np.count_nonzero(counts), _extent(counts)
            title = f"{depth} layer{'s' * (depth > 1)}: {read} of {across}\N{MULTIPLICATION SIGN}{across} read"
            axes.set_title(f"dilations {dilations}\n{title}" if depth == 1 else title)
    return figure


def _heat(value, top):
    """White where nothing is read, then from light to dark blue."""
    return (1.0, 1.0, 1.0) if not value else still.diverging(-(0.35 + 0.65 * value / top), 1)


def _extent(counts):
    """How many columns lie from the first that is read to the last."""
    columns = np.flatnonzero(counts.any(axis=0))
    return int(columns[-1] - columns[0] + 1) if len(columns) else 0


def _cost(drawing):
    figure = still.figure(7.2, 4.2, drawing)
    axes = figure.subplots()
    looks = zip(KERNELS, (still.GREY, still.BLUE, still.ORANGE, still.GREEN), "ods^", strict=True)
    for kernel, color, marker in looks:
        values = [drawing.numbers["ratios"][str(o)][str(kernel)] for o in OUTPUTS]
        label = f"{kernel} by {kernel} kernel: {values[-1]:.3f} at the end"
        axes.plot(OUTPUTS, values, color=color, marker=marker, label=label)
    axes.set(xscale="log", yscale="log", xlabel="output channels", ylabel="cost of depthwise and pointwise / full")
    axes.set_xticks(OUTPUTS, OUTPUTS)
    axes.set_yticks((0.03, 0.1, 0.3, 1), ("0.03", "0.1", "0.3", "1"))
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.axhline(1, color=still.INK, linestyle="--", linewidth=1)
    axes.legend()
    return figure
