"""Topic 13's page: windows, winners, and the gradient's way back."""

import itertools

import numpy as np
import pytest

from kata.pictures import studio
from kata.pictures.pooling import KINDS, MAP, PADDINGS, SIDES, STRIDES
from kata.topics import find_topic

SETTINGS = list(itertools.product(KINDS, SIDES, STRIDES, PADDINGS))
H, W = MAP.shape


def windows(side, stride, padding):
    """Return, for every window, the pixels of the map it holds."""
    down, across = ((length + 2 * padding - side) // stride + 1 for length in MAP.shape)
    corners = [(i * stride - padding, j * stride - padding) for i in range(down) for j in range(across)]
    return across, [
        [(r, c) for r in range(top, top + side) for c in range(left, left + side) if 0 <= r < H and 0 <= c < W]
        for top, left in corners
    ]


def pooled(kind, side, held):
    """Return a window's number and its pixels' shares of a gradient."""
    values = [MAP[pixel] for pixel in held]
    if kind == "max":
        return max(values), {held[values.index(max(values))]: 1.0}
    count = side * side if kind == "average" else len(held)
    return sum(values) / count, dict.fromkeys(held, 1 / count)


def number(text):
    return float(text.replace("\u2212", "-"))


def test_shows_what_python_computes(reference_page, opened):
    """At a random window of twenty-four settings output and gradient are what loops over the windows give."""
    page, rng = opened(reference_page(13)[0]), np.random.default_rng(13)
    for index in sorted(rng.choice(len(SETTINGS), 24, replace=False)):
        kind, side, stride, padding = SETTINGS[index]
        page.choose(kind=kind, side=side, stride=stride, padding=padding)
        across, held = windows(side, stride, padding)
        last = int(rng.integers(len(held)))
        page.at(last)
        dx = np.zeros(MAP.shape)
        for gradient, pixels in enumerate(held[: last + 1], 1):
            value, shares = pooled(kind, side, pixels)
            for pixel, share in shares.items():
                dx[pixel] += gradient * share
        shown = [
            [number(cell) for cell in row[padding : padding + W]] for row in page.grid("dx")[padding : padding + H]
        ]
        np.testing.assert_allclose(shown, dx, rtol=0.06, atol=0.006)
        assert number(page.grid("output")[last // across][last % across]) == pytest.approx(value, rel=0.06)
        said = page.text("#sentence").partition(" is ")[2].partition(". Its gradient")[0]
        assert number(said) == pytest.approx(value, rel=1e-3)


def test_winner_is_lit(reference_page, opened):
    """Of two sevens in a window the first is lit, in the map and in the gradient."""
    page = opened(reference_page(13)[0])
    page.at(3)
    lit = """(id) => [...document.querySelectorAll(`#${id} > i`)]
        .flatMap((cell, at) => (cell.classList.contains('lit') ? [at] : []))"""
    assert page.run(lit, "map") == page.run(lit, "dx") == [2 * W]


@pytest.mark.parametrize(
    ("right", "wrong", "settings", "grid", "says"),
    [
        ("pad2d(x, padding, -np.inf)", "pad2d(x, padding, 0.0)", {"padding": 1}, "output",
         "max_pool2d_forward differs"),
        ("W_out * sw : sw] += share", "W_out * sw : sw] = share", {"kind": "average", "side": 3, "stride": 1}, "dx",
         "avg_pool2d_backward differs"),
    ],
)  # fmt: skip
def test_wrong_solutions_are_drawn_wrong(right, wrong, settings, grid, says, opened, tmp_path):
    """Who pads the maximum with zeros, or assigns gradients where windows overlap, sees where it shows."""
    text = find_topic(13).reference.read_text(encoding="utf-8")
    assert text.count(right) == 1
    (tmp_path / "pooling.py").write_text(text.replace(right, wrong), encoding="utf-8")
    page = opened(studio.write_page(studio.drawn(13, str(tmp_path)), tmp_path))
    page.choose(**settings)
    page.page.focus("#stage")
    page.page.keyboard.press("End")
    assert page.wrong_cells(grid) > 0
    assert says in page.text("#verdict")
