"""What the stills share: colours, cells with numbers in them, and writing them as PNG and SVG.

Every figure has a light ground of its own, so that it reads in light and dark surroundings alike. Colours are told
apart by people with colour-blindness (Okabe and Ito), and what colour says is said by a number or a mark as well.
"""

import io
import re
from pathlib import Path

import numpy as np

from kata.errors import KataError

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#57606A"
GROUND, INK = "#FCFCFA", "#1B1F24"
FONTS = "DejaVu Sans, Verdana, Arial, sans-serif"
STYLE = {
    "svg.fonttype": "none",  # text stays text: smaller files, and a screen reader can find it
    "svg.hashsalt": "kata",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.titlesize": 11,
    "xtick.color": INK,
    "ytick.color": INK,
}
DPI = 150


def figure(width, height, drawing, title=""):
    """Return an empty figure, inches; in its lower right corner it says whose code is drawn."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise KataError("matplotlib is not installed. In the repository run: python -m pip install -e .") from None
    with rc_context(STYLE):
        made = Figure(figsize=(width, height), layout="constrained", facecolor=GROUND)
        made.get_layout_engine().set(w_pad=0.1, h_pad=0.12)
        if title:
            made.suptitle(title, fontsize=13, weight="bold")
        made.supxlabel(drawing.says, fontsize=8, color=GREY, ha="right", x=0.99)
    return made


def write(figure, path):
    """Write a figure as the file's name ends, .png or .svg; return the path."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(figure, path.suffix[1:]))
    except OSError as error:
        raise KataError(f"{path} can't be written ({error.strerror}). Use --out DIR.") from None
    return path


def content(figure, kind):
    """Return a figure as the bytes of a file, "png" or "svg"."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    with rc_context(STYLE):
        if kind == "png":
            FigureCanvasAgg(figure)
            figure.savefig(buffer, format="png", dpi=DPI)
            return buffer.getvalue()
        FigureCanvasSVG(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _lean(buffer.getvalue().decode()).encode()


def _lean(svg):
    """Drop from matplotlib's SVG what every number repeats: comments, names of groups, fonts, rotations by nothing."""
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(
        r' transform="rotate\(-0 [^"]*\)"| id="(text|patch|matplotlib\.axis|LineCollection|line2d)_\d+"', "", svg
    )
    svg = re.sub(r"font-family: [^;\"]*;? ?|font: (?=[\d.]+px)", "", svg)
    svg = re.sub(r'style="([\d.]+px) [^;"]*; ?', r'style="font-size: \1; ', svg)
    svg = svg.replace("<svg ", f'<svg font-family="{FONTS}" ', 1)
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


def grey(value, top=9):
    """The colour of a pixel from 0, black, to `top`, white."""
    level = float(np.clip(value / top, 0, 1))
    return (level, level, level)


def diverging(value, reach):
    """Blue below 0, orange above, near white at 0; `reach` is where a colour is full."""
    part = float(np.clip(value / (reach or 1), -1, 1))
    full = np.array((0, 114, 178) if part < 0 else (213, 94, 0)) / 255
    white = np.array((247, 247, 245)) / 255
    return tuple(white + (full - white) * abs(part))


def painter(reach):
    """Return `diverging` with its reach given."""
    return lambda value: diverging(value, reach)


def ink(color):
    """Black or white, whichever is read better on a colour."""
    linear = [(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in color]
    return "black" if np.dot(linear, (0.2126, 0.7152, 0.0722)) > 0.179 else "white"


def shown(value):
    """A number as short as it can be read: -3, 0.11, 12.5."""
    if not np.isfinite(value):
        return str(float(value)).replace("inf", "∞").replace("-", "\u2212")
    text = f"{value:.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"
    return "0" if text == "-0" else text.replace("-", "\u2212")


def cells(axes, values, color, text=shown, size=8, hidden=()):
    """Draw a matrix as squares with numbers in them; `color(value)` paints one, cells in `hidden` stay empty."""
    values = np.asarray(values, float)
    rows, columns = values.shape
    paint = np.array([[color(value) for value in row] for row in values], float)
    for place in hidden:
        paint[place] = [int(GROUND[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    axes.imshow(paint, extent=(0, columns, rows, 0), interpolation="none")
    axes.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal")
    axes.set_axis_off()
    axes.hlines(range(rows + 1), 0, columns, color=GREY, linewidth=0.3)
    axes.vlines(range(columns + 1), 0, rows, color=GREY, linewidth=0.3)
    for (row, column), value in np.ndenumerate(values):
        if text is not None and (row, column) not in hidden:
            style = {"ha": "center", "va": "center", "fontsize": size, "color": ink(paint[row, column])}
            axes.text(column + 0.5, row + 0.52, text(value), **style)


def frame(axes, row, column, high=1, wide=1, color=ORANGE, style="-", width=2.5):
    """Draw a window around cells."""
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle((column, row), wide, high, fill=False, edgecolor=color, linewidth=width, linestyle=style, zorder=3)
    )
