"""Topic 12's page: a window is a column, and a column goes back to its window."""

import itertools

import numpy as np
import pytest

from kata.pictures import studio
from kata.pictures.im2col import CHANNELS, PADDINGS, SIDES, STRIDES
from kata.topics import find_topic

SETTINGS = list(itertools.product(CHANNELS, SIDES, STRIDES, PADDINGS))
H, W = 4, 5


def reads(channels, kernel, stride, padding):
    """Return, for every column, what its entries read: (channel, row, column), row and column outside in the border."""
    (kh, kw), sides = kernel, (H, W)
    down, across = ((side + 2 * padding - k) // stride + 1 for side, k in zip(sides, kernel, strict=True))
    return [
        [(c, i * stride + u - padding, j * stride + v - padding)
         for c in range(channels) for u in range(kh) for v in range(kw)]
        for i in range(down) for j in range(across)
    ]  # fmt: skip


def inside(place):
    return 0 <= place[1] < H and 0 <= place[2] < W


def pixel(place):
    return 100 * place[0] + 10 * place[1] + place[2] if inside(place) else 0


def choose(page, setting, way):
    channels, kernel, stride, padding = setting
    page.choose(way=way, channels=channels, side=f"{kernel[0]}x{kernel[1]}", stride=stride, padding=padding)


def test_columns_are_pythons(reference_page, opened):
    """In every setting the matrix is what the definition gives, and so is what the reference gave."""
    path, drawing = reference_page(12)
    page = opened(path)
    for setting in SETTINGS:
        choose(page, setting, "im2col")
        wanted = [[pixel(place) for place in column] for column in reads(*setting)]
        page.at(len(wanted) - 1)
        assert page.grid("columns") == [list(map(str, row)) for row in zip(*wanted, strict=True)]
        channels, (kh, kw), stride, padding = setting
        given = drawing.numbers["settings"][f"{channels} {kh}x{kw} {stride} {padding}"]["columns"]
        assert given == [list(row) for row in zip(*wanted, strict=True)]
        assert "at all" in page.text("#verdict")


@pytest.mark.parametrize("way", ["ones", "columns"])
def test_what_comes_back_is_pythons(way, reference_page, opened):
    """At a random column of twelve settings the image holds the sum of the columns that are back."""
    page, rng = opened(reference_page(12)[0]), np.random.default_rng(12)
    for index in sorted(rng.choice(len(SETTINGS), 12, replace=False)):
        setting = SETTINGS[index]
        choose(page, setting, way)
        columns, padding = reads(*setting), setting[3]
        position = int(rng.integers(len(columns)))
        page.at(position)
        wanted = np.zeros((2, H, W), int)
        for place in filter(inside, itertools.chain(*columns[: position + 1])):
            wanted[place] += 1 if way == "ones" else pixel(place)
        for channel, name in enumerate(("image", "image1")[: setting[0]]):
            shown = [row[padding : padding + W] for row in page.grid(name)[padding : padding + H]]
            assert shown == [list(map(str, row)) for row in wanted[channel]]
        assert "at all" in page.text("#verdict")


def test_same_pixel_is_lit_in_image_and_column(reference_page, opened):
    """Down goes to the column's next entry, lit in matrix and image; pointing at a pixel lights all its copies."""
    page = opened(reference_page(12)[0])
    page.at(6)
    page.page.focus("#stage")
    for _ in range(3):
        page.page.keyboard.press("ArrowDown")
    lit = "(id) => [...document.querySelectorAll(`#${id} > i.lit`)].map((cell) => cell.textContent)"
    assert (page.run(lit, "image"), page.run(lit, "columns")) == (["23"], ["23"])
    assert "Its entry 3 (window row 1, column 1) is the pixel at row 2, column 3: 23." in page.text("#sentence")
    page.page.locator("#image > i").nth(6).hover()
    assert page.run(lit, "columns") == ["11"] * 4
    assert page.text("#sentence").endswith("is read by 4 windows: columns 0, 1, 4, 5.")


def test_wrong_solutions_are_drawn_wrong(opened, tmp_path):
    """Who assigns where col2im adds, and who cuts where im2col transposes, sees it."""
    text = find_topic(12).reference.read_text(encoding="utf-8")
    for right, wrong in (
        ("sw * W_out : sw] += cols[:, :, u, v]", "sw * W_out : sw] = cols[:, :, u, v]"),
        ("windows.transpose(0, 1, 4, 5, 2, 3).copy()", "windows.copy()"),
    ):
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    (tmp_path / "im2col.py").write_text(text, encoding="utf-8")
    page = opened(studio.write_page(studio.drawn(12, str(tmp_path)), tmp_path))
    page.at(11)
    assert page.wrong_cells("columns") > 10
    assert "im2col.py's im2col differs from the definition" in page.text("#verdict")
    page.choose(way="ones")
    page.at(11)
    assert page.grid("image")[1][1] == "1"
    assert page.wrong_cells("image") > 10
    assert "im2col.py's col2im differs from the definition" in page.text("#verdict")
