"""Whose code is drawn, what is said where it can't be, and what a picture is made of."""

import json
import re

import numpy as np
import pytest

from kata.errors import KataError
from kata.pictures import browser as browsers
from kata.pictures import page, scene, studio
from kata.pictures.collect import Drawing, collect
from kata.topics import find_topic

FORWARD = "    padded = pad2d(x, (ph, pw))\n    out = np.zeros("
LINE = 1 + find_topic(11).reference.read_text(encoding="utf-8").partition(FORWARD)[0].count("\n")


@pytest.fixture
def twisted(tmp_path):
    """Write a topic's reference with pieces replaced; return its path, in a folder with a space and an umlaut."""

    def write(number, **twists):
        reference = find_topic(number).reference
        text = reference.read_text(encoding="utf-8")
        for right, wrong in twists.values():
            assert text.count(right) == 1
            text = text.replace(right, wrong)
        path = tmp_path / "mein Übungsheft" / reference.name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def drawn(path, number=11, seconds=10):
    return collect(find_topic(number), path, scene.drawn().tolist(), seconds)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("[][3]", f"raises IndexError at conv2d.py:{LINE}: list index out of range."),
        ("raise SystemExit(3)", f"raises SystemExit at conv2d.py:{LINE}: 3."),
        ("return None", "returns None, not the pair (out, cache)."),
        ("return x[0], None", "returns float64 of shape (1, 12, 16), not numbers of shape (1, 1, 10, 14)."),
    ],
)
def test_what_cannot_be_drawn_is_said(line, problem, twisted):
    """An exercise that raises or returns something else is named with its line, and the reference's is drawn."""
    drawing = drawn(twisted(11, forward=(FORWARD, f"    {line}\n{FORWARD}")))
    assert drawing.problems == [f"conv2d.py's conv2d_forward {problem} The reference is drawn instead."]
    assert drawing.says.startswith("Drawn from the reference (conv2d.py's r")
    assert drawing.is_reference
    assert drawing.numbers == studio.drawn(11).numbers


def test_a_loop_without_end(twisted):
    """A loop that never ends is ended after the time it is given, and named with its line."""
    drawing = drawn(twisted(11, forward=(FORWARD, f"    while True: pass\n{FORWARD}")), seconds=1)
    (problem,) = drawing.problems
    assert problem.startswith(f"conv2d.py's conv2d_forward does not end within 1 seconds at conv2d.py:{LINE}")
    assert drawing.numbers == studio.drawn(11).numbers


def test_a_file_that_cannot_be_loaded(twisted):
    """A syntax error is said with its line, and all is the reference's."""
    drawing = drawn(twisted(11, forward=("def pad2d(", "def pad2d(:")))
    (problem,) = drawing.problems
    assert re.match(r"conv2d.py:\d+ has a syntax error", problem)
    assert drawing.says == "Drawn from the reference (conv2d.py can't be loaded)."


def test_the_reference_by_its_path():
    """The reference's file given as a path is the reference."""
    drawing = drawn(str(find_topic(11).reference))
    assert (drawing.says, drawing.is_reference, drawing.problems) == ("Drawn from the reference.", True, [])


def test_a_process_that_ends_itself(twisted):
    """Code that ends Python at once is refused with one sentence."""
    path = twisted(11, forward=(FORWARD, f"    __import__('os')._exit(3)\n{FORWARD}"))
    with pytest.raises(KataError, match=r"conv2d\.py could not be run for its picture: it ended Python with status 3"):
        drawn(path)


def test_the_middle_of_a_topic(twisted):
    """A stub inside the learner's own code is the reference's there too; both are named."""
    stub = ("    N, C, H, W = x.shape\n    padded = np.full", "    raise NotImplementedError\n    padded = np.full")
    drawing = drawn(twisted(11, stub=stub))
    assert drawing.problems == []
    assert drawing.says == (
        "Drawn from conv2d.py's conv2d_forward and the reference's pad2d (conv2d.py's is still to do)."
    )


def test_a_backward_goes_with_its_forward(twisted):
    """A forward alone is drawn; in place of a backward alone the reference's is, and it says why."""
    stub = "    raise NotImplementedError\n"
    backward = "    shape, dtype, winner = cache\n"
    drawing = drawn(twisted(13, stub=(backward, stub + backward)), 13)
    assert "pooling.py's max_pool2d_forward, " in drawing.says
    assert "the reference's max_pool2d_backward (pooling.py's is still to do)" in drawing.says
    forward = "    cells = _cells(pad2d(x, padding, -np.inf), kernel, stride)\n"
    drawing = drawn(twisted(13, stub=(forward, stub + forward)), 13)
    assert "the reference's max_pool2d_backward (pooling.py's needs its own forward)" in drawing.says
    assert drawing.numbers == studio.drawn(13).numbers


def test_a_fresh_clone_draws_the_reference(clone, tmp_path):
    """Before anything is written the reference is drawn, and terminal and page say so."""
    done = clone.run("picture.py", "conv2d", "--html", "--out", tmp_path / "a folder", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said = "Drawn from the reference (yours is still to do)."
    assert done.stdout.split("\n")[0] == said
    assert said in (tmp_path / "a folder" / "11-conv2d.html").read_text(encoding="utf-8")


def test_stills_are_written(clone, tmp_path):
    """Without --html every still of the topic is written as PNG and as SVG that says whose it is."""
    done = clone.run("picture.py", 12, "--out", tmp_path, "--solution", "reference")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "12-columns.png", "12-columns.svg", "12-counts.png", "12-counts.svg",
    ]  # fmt: skip
    assert (tmp_path / "12-columns.png").read_bytes().startswith(b"\x89PNG")
    assert ">Drawn from the reference.<" in (tmp_path / "12-columns.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["11", "--image", "none.png"], "--image none.png: not an image that can be read"),
        (["12", "--image", "none.png"], "--image: the picture of topic 12 im2col shows numbers of its own."),
        (["11", "--solution", "none.py"], "--solution none.py: there is no file"),
        (["11", "--lesson", "--html"], "--lesson draws the reference into the topic's own folder."),
    ],
)
def test_wrong_calls(arguments, says, clone, tmp_path):
    """A call that can't be obeyed ends with one sentence and status 2."""
    done = clone.run("picture.py", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"picture: {says}")
    assert len(done.stderr.strip().split("\n")) == 1


@pytest.mark.parametrize(("high", "wide"), [(12, 16), (36, 48), (24, 64), (60, 32), (6, 9)])
@pytest.mark.parametrize("channels", [None, 3, 4])
def test_an_image_of_ones_own(high, wide, channels, tmp_path):
    """An image file becomes twelve rows of sixteen grey levels of one digit, cut out of its middle."""
    from matplotlib.image import imsave

    grey = np.zeros((high, wide, channels or 1))
    grey[: (high + 1) // 2, ..., :3] = 1
    grey[..., 3:] = 1
    imsave(tmp_path / "image.png", grey if channels else grey[..., 0], cmap="gray", vmin=0, vmax=1)
    pixels = scene.read(tmp_path / "image.png")
    assert pixels.shape == (scene.HEIGHT, scene.WIDTH)
    assert set(pixels[:5].flat) == {9}
    assert set(pixels[7:].flat) == {0}


def test_the_drawn_image_is_uneven():
    """The drawn image is no mirror image of itself, so that whoever swaps an axis sees it."""
    image = scene.drawn()
    assert set(image.flat) <= set(range(10))
    assert not np.array_equal(image, image[::-1])
    assert not np.array_equal(image, image[:, ::-1])


def test_nothing_on_a_page_is_taken_for_html():
    """File names and sentences with angle brackets are shown as they are, also within the numbers."""
    numbers = studio.drawn(11).numbers
    drawing = Drawing(find_topic(11), numbers, None, "</script>.py's", ["conv2d_forward"], {}, ["<b> raises"])
    text = page.make(drawing)
    assert text.count("</script>") == 2
    assert "&lt;b&gt; raises" in text
    held = json.loads(re.search(r'id="numbers">(.*?)</script>', text).group(1))
    assert held["about"]["owner"] == "</script>.py's"


def test_which_browser(monkeypatch, tmp_path):
    """CHROME_PATH goes before PATH, PATH before Playwright's own; where there is none, None."""
    monkeypatch.setattr(browsers, "PLACES", ())
    monkeypatch.delenv("CHROME_PATH", raising=False)
    monkeypatch.setattr(browsers.shutil, "which", lambda name: None)
    own = tmp_path / "own"
    assert browsers.find(str(own)) is None
    own.write_text("")
    assert browsers.find(str(own)) == str(own)
    installed = tmp_path / "installed"
    installed.write_text("")
    monkeypatch.setattr(browsers.shutil, "which", lambda name: str(installed) if name == "google-chrome" else None)
    assert browsers.find(str(own)) == str(installed)
    monkeypatch.setenv("CHROME_PATH", "elsewhere")
    assert browsers.find(str(own)) == "elsewhere"
