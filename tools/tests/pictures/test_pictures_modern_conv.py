"""Topic 15's page: what an output reads, how the view grows, and what separating saves."""

import itertools

import numpy as np
import pytest

from kata.pictures import studio
from kata.pictures.modern_conv import DILATIONS, GROUPS, KERNELS, OUTPUTS, STACKS, C, O, W, weights
from kata.topics import find_topic

LAYER, STACK = "one layer: connections", "three layers: the view"


def reads(o, j, dilation, groups):
    """The definition: {(channel, column): weight} of what an output reads."""
    share, weight = C // groups, weights(groups)
    first = o // (O // groups) * share
    return {(first + c, j + v * dilation): weight[o, c, 0, v] for c in range(share) for v in range(weight.shape[3])}


def times_read(stack, depth, side):
    """Every way from the middle through the layers, counted one by one."""
    counts = np.zeros((side, side), int)
    steps = [sum(way) for way in itertools.product(*[(-d, 0, d) for d in stack[:depth]])]
    for down in steps:
        for across in steps:
            counts[side // 2 + down, side // 2 + across] += 1
    return counts


def number(text):
    return float(text.replace("\N{MINUS SIGN}", "-").replace("\u202f", ""))


def test_an_output_reads_what_python_says(reference_page, opened):
    """At twenty-five random settings the pixels lit, the sum and the output are those of the definition."""
    path, drawing = reference_page(15)
    page, rng, x = opened(path), np.random.default_rng(15), drawing.numbers["x"]
    for _ in range(25):
        dilation, groups = int(rng.choice(DILATIONS)), int(rng.choice(GROUPS))
        wide = W - 2 * dilation
        o, j = int(rng.integers(O)), int(rng.integers(wide))
        page.choose(dilation=dilation, groups=groups)
        page.at(o * wide + j)
        wanted = reads(o, j, dilation, groups)
        lit = page.run(
            "() => [...document.querySelectorAll('#input > i')].map((cell) => cell.classList.contains('lit'))"
        )
        assert {divmod(place, W) for place in np.flatnonzero(lit)} == set(wanted)
        assert page.page.locator("#wires .wire").count() == len(wanted)
        value = sum(weight * x[c][q] for (c, q), weight in wanted.items())
        assert number(page.text("#sum").rpartition("=")[2].strip()) == value
        assert number(page.grid("output")[o][j + dilation]) == value
        assert drawing.numbers["layers"][str(dilation)][str(groups)]["out"][o][j] == value
        assert "in all" in page.text("#verdict")


def test_the_view_grows(reference_page, opened):
    """After each layer the map shows how often every pixel is read, and says how many of those in view are."""
    page = opened(reference_page(15)[0])
    for (index, stack), depth in itertools.product(enumerate(STACKS), range(4)):
        page.choose(view=STACK, stack=index)
        page.at(depth)
        shown = page.grid("map")
        wanted, across = times_read(stack, depth, len(shown)), 1 + 2 * sum(stack[:depth])
        read = np.count_nonzero(wanted)
        assert [[number(cell or "0") for cell in row] for row in shown] == wanted.tolist()
        assert f"{read} of {across**2}" in page.text("#map-size")
        assert page.page.locator("#map > i.border").count() == across**2 - read
        assert page.page.get_attribute("#verdict", "class") == "right"
    assert f"sees {across} pixels across" in page.text("#sentence")


def test_the_cost_is_counted(reference_page, opened):
    """For every kernel and number of outputs the page counts both ways and finds the ratio Python gives."""
    path, drawing = reference_page(15)
    page = opened(path)
    for o in OUTPUTS:
        for kernel in KERNELS:
            page.choose(outputs=o, kernel=kernel)
            full, depthwise, pointwise, both = (
                number(text) for text in page.page.locator("#cost-table tbody td:nth-child(2)").all_inner_texts()
            )
            assert (full, depthwise, pointwise) == (64 * o * kernel**2 * 1024, 64 * kernel**2 * 1024, 64 * o * 1024)
            assert both / full == pytest.approx(drawing.numbers["ratios"][str(o)][str(kernel)])
            assert "that is what the counts give" in page.text("#cost-verdict")


DEALT = {
    "    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(N": (
        "    dealt = np.argsort(np.arange(C) % groups, kind='stable')\n"
        "    return windows[:, dealt].transpose(0, 1, 4, 5, 2, 3).reshape(N"
    ),
    "return 1 / out_channels + 1 / (kh * kw)": "return 1 / out_channels + 1 / kh",
}


def test_dealt_channels_are_drawn_wrong(opened, tmp_path):
    """The page of a learner who deals the channels to the groups in turn shows what is read, and what should be."""
    text = find_topic(15).reference.read_text(encoding="utf-8")
    for right, wrong in DEALT.items():
        assert right in text
        text = text.replace(right, wrong)
    path = tmp_path / "modern_conv.py"
    path.write_text(text, encoding="utf-8")
    page = opened(studio.write_page(studio.drawn(15, str(path)), tmp_path / "a folder"))
    assert page.wrong_cells("input") == 0
    page.choose(groups=2)
    page.at(0)
    assert page.wrong_cells("input") == 6
    assert page.page.locator("#wires .missing").count() == 3
    assert "what it should not: channel 2 column 0" in page.text("#verdict")
    assert "It leaves out, dashed: channel 1 column 0" in page.text("#verdict")
    page.at(4 * 10 - 1)
    assert page.wrong_cells("output") == 40
    assert "but the counts give 0.1189" in page.text("#cost-verdict")
