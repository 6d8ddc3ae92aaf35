"""Topic 16's page: which numbers share a mean, and what becomes of a picked one."""

import numpy as np
import pytest

from kata.pictures import studio
from kata.pictures.normalization import EPS, NAMES, C, H, N, W
from kata.topics import find_topic

SHARED = {"batch": (0, 2, 3), "layer": (1, 2, 3), "instance": (2, 3)}


def members(name, place):
    """The definition: the elements that share a mean with the one at `place`, as an array of bools."""
    found = np.zeros((N, C, H, W), bool)
    kind, axes = name.split()[0], tuple(slice(at, at + 1) for at in place)
    if kind == "group":
        per_group = C // int(name.split()[2])
        first = place[1] // per_group * per_group
        found[place[0], first : first + per_group] = True
    else:
        found[tuple(slice(None) if axis in SHARED[kind] else at for axis, at in enumerate(axes))] = True
    return found


def position(place):
    n, c, h, w = place
    return (c * H + h) * N * W + n * W + w


def number(text):
    return float(text.replace("\N{MINUS SIGN}", "-"))


def after_last_equals(page, selector):
    return number(page.text(selector).rpartition("=")[2].strip())


def coloured(page):
    """Return what the page lights, in the picture's rows and columns."""
    lit = page.run(
        "() => [...document.querySelectorAll('#input > i')].map((cell) => cell.classList.contains('member'))"
    )
    return np.reshape(lit, (C, H, N, W)).transpose(2, 0, 1, 3)


def test_a_picked_value_is_normalised_with_its_set(reference_page, opened):
    """At thirty-five random settings the set, its mean and variance, and the output are Python's."""
    path, drawing = reference_page(16)
    page, rng, x = opened(path), np.random.default_rng(16), np.array(drawing.numbers["x"], float)
    for name in [*NAMES] * 5:
        place = tuple(int(rng.integers(side)) for side in (N, C, H, W))
        page.choose(norm=name)
        page.at(position(place))
        found = members(name, place)
        mean, variance = x[found].mean(), x[found].var()
        assert np.array_equal(coloured(page), found)
        assert after_last_equals(page, "#mean") == pytest.approx(mean, rel=1e-4)
        assert after_last_equals(page, "#variance") == pytest.approx(variance, rel=1e-4)
        wanted = (x[place] - mean) / np.sqrt(variance + EPS)
        assert after_last_equals(page, "#result") == pytest.approx(wanted, rel=1e-3, abs=1e-3)
        assert np.array(drawing.numbers["norms"][name]["out"])[place] == pytest.approx(wanted)
        row, column = divmod(position(place), N * W)
        assert number(page.grid("output")[row][column]) == pytest.approx(wanted, abs=0.051)
        assert page.page.get_attribute("#verdict", "class") == "right"


def test_batch_norm_is_topic_14s(reference_page, opened):
    """The page says that batch norm comes from another topic, and whose it is."""
    page = opened(reference_page(16)[0])
    page.choose(norm="batch norm")
    assert page.text("#verdict").startswith("The reference's batch_norm_forward (Topic 14) gives what")


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """The page of a learner who deals channels to groups in turn, and takes the root before adding eps."""
    text = find_topic(16).reference.read_text(encoding="utf-8")
    for right, twisted in TWISTS.items():
        assert text.count(right) == 1
        text = text.replace(right, twisted)
    folder = tmp_path_factory.mktemp("solutions with a space")
    path = folder / "normalization.py"
    path.write_text(text, encoding="utf-8")
    return studio.write_page(studio.drawn(16, str(path)), folder)


TWISTS = {
    "    grouped = x.reshape(N, num_groups, C // num_groups, H, W)\n"
    "    xhat, scale = _normalize(grouped, (2, 3, 4), eps)\n": (
        "    grouped = x.reshape(N, C // num_groups, num_groups, H, W)\n"
        "    xhat, scale = _normalize(grouped, (1, 3, 4), eps)\n"
    ),
    "    xhat, scale = _normalize(x, (2, 3), eps)\n": "    xhat, scale = _normalize(x, (2, 3), eps + 1)\n",
}


def test_dealt_channels_are_drawn_wrong(wrong, opened):
    """Groups of every second channel are lit as they are, and what differs from the definition is framed."""
    page = opened(wrong)
    page.choose(norm="group norm, 2 groups")
    page.at(position((1, 0, 0, 0)))
    expected = np.zeros((N, C, H, W), bool)
    expected[1, ::2] = True
    assert np.array_equal(coloured(page), expected)
    assert page.wrong_cells("input") == 2 * H * W
    assert "takes in 8 it should not and leaves out 8" in page.text("#verdict")
    page.choose(norm="group norm, 1 group")
    assert page.page.get_attribute("#verdict", "class") == "right"


def test_another_eps_is_drawn_wrong(wrong, opened):
    """Where the set is right and the number is not, both numbers are said."""
    page = opened(wrong)
    page.choose(norm="instance norm")
    assert page.wrong_cells("input") == 0
    assert page.wrong_cells("output") == N * C * H * W
    assert "gives 144 numbers" not in page.text("#verdict")
    assert "gives 144 of 144 numbers that differ from the definition; here it gives" in page.text("#verdict")
