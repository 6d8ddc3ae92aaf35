"""Topic 11's page: the window slides, and whoever turns the kernel around sees it."""

import numpy as np
import pytest

from kata.pictures import studio
from kata.pictures.conv2d import KERNELS
from kata.topics import find_topic

NAMES = list(KERNELS)


def definition(image, kernel, stride, padding):
    """The sum of products at every position, in loops."""
    padded, side = np.pad(np.array(image, float), padding), len(kernel)
    high, wide = ((length - side) // stride + 1 for length in padded.shape)
    out = np.zeros((high, wide))
    for i, j in np.ndindex(out.shape):
        window = padded[i * stride : i * stride + side, j * stride : j * stride + side]
        out[i, j] = (window * np.array(kernel, float)).sum()
    return out


def number(text):
    return float(text.replace("\u2212", "-"))


def sum_shown(page):
    return number(page.text("#sum").rpartition("=")[2].strip())


def test_shows_what_python_computes(reference_page, opened):
    """At twenty-five random settings the sum written out and the cell drawn are Python's number."""
    path, drawing = reference_page(11)
    page, rng = opened(path), np.random.default_rng(11)
    for _ in range(25):
        name, stride, padding = rng.choice(NAMES), int(rng.integers(1, 4)), int(rng.integers(0, 3))
        page.choose(preset=name, stride=stride, padding=padding)
        out = definition(drawing.numbers["image"], KERNELS[name], stride, padding)
        i, j = (int(rng.integers(side)) for side in out.shape)
        page.at(i * out.shape[1] + j)
        assert sum_shown(page) == pytest.approx(out[i, j], rel=1e-5, abs=1e-5)
        assert number(page.grid("output")[i][j]) == pytest.approx(out[i, j], rel=0.06, abs=0.06)
        assert drawing.numbers["outputs"][name][str(stride)][str(padding)][i][j] == pytest.approx(out[i, j])
        assert "at all" in page.text("#verdict")


def test_own_weights_are_computed_in_the_page(reference_page, opened):
    """Weights typed into the fields take part in the sum at once; what is no number is marked and changes nothing."""
    path, drawing = reference_page(11)
    page = opened(path)
    kernel = np.random.default_rng(12).integers(-5, 6, (3, 3))
    for (u, v), weight in np.ndenumerate(kernel):
        page.page.fill(f"#weight-{u}-{v}", str(weight))
    out = definition(drawing.numbers["image"], kernel, 1, 0)
    page.at(out.size - 1)
    assert page.grid("output") == [[shown(value) for value in row] for row in out]
    assert page.page.input_value("#preset") == "your own"
    page.page.fill("#weight-1-1", "x")
    assert page.page.get_attribute("#weight-1-1", "aria-invalid") == "true"
    assert sum_shown(page) == out[-1, -1]


def shown(value):
    return str(int(value)).replace("-", "\u2212")


def test_output_grows(reference_page, opened):
    """Cells of the output stay empty until the window has been there; hovering over the image moves the window."""
    page = opened(reference_page(11)[0])
    page.at(16)
    cells = [cell for row in page.grid("output") for cell in row]
    assert "" not in cells[:17]
    assert set(cells[17:]) == {""}
    page.page.locator("#image > i").nth(5 * 16 + 7).hover()
    assert page.text("#sentence").startswith("Output row 4, column 6:")


def test_arrow_keys_go_up_and_down(reference_page, opened):
    """An arrow down moves the window one row, and at the last row not at all."""
    page = opened(reference_page(11)[0])
    page.at(3)
    page.page.focus("#stage")
    for row in (*range(1, 10), 9):
        page.page.keyboard.press("ArrowDown")
        assert page.text("#sentence").startswith(f"Output row {row}, column 3:")


@pytest.fixture(scope="module")
def solution(tmp_path_factory):
    """Write the reference's Topic 11 with pieces of it replaced to a file; return its path."""
    folder = tmp_path_factory.mktemp("solutions with a space")

    def write(**twists):
        text = find_topic(11).reference.read_text(encoding="utf-8")
        for right, wrong in twists.items():
            assert text.count(TWISTS[right]) == 1
            text = text.replace(TWISTS[right], wrong)
        path = folder / "conv2d.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


TWISTS = {"product": "np.sum(window * weight[o])", "loop": "    padded = pad2d(x, (ph, pw))\n    out = np.zeros("}


def test_a_flipped_kernel_is_drawn_wrong(solution, opened, tmp_path):
    """The page of a learner who flips the kernel shows their number, the definition's, and where they differ."""
    drawing = studio.drawn(11, str(solution(product="np.sum(window * weight[o, :, ::-1, ::-1])")))
    page = opened(studio.write_page(drawing, tmp_path / "a folder"))
    name = "Sobel, left to right"
    wanted = definition(drawing.numbers["image"], KERNELS[name], 1, 0)
    page.choose(preset=name)
    i, j = np.unravel_index(wanted.argmax(), wanted.shape)
    page.at(i * wanted.shape[1] + j)
    assert f"gives {shown(-wanted[i, j])}, the definition gives {shown(wanted[i, j])}" in page.text("#verdict")
    page.at(wanted.size - 1)
    assert number(page.grid("output")[i][j]) == -wanted[i, j] != 0
    assert page.wrong_cells("output") == np.count_nonzero(wanted)
    assert f"differs from the definition at {np.count_nonzero(wanted)} of {wanted.size}" in page.text("#verdict")
    page.choose(preset="blur")
    assert page.wrong_cells("output") == 0
