"""What every topic's page does in a real browser, and what its stills are."""

import base64
import io
import re

import numpy as np
import pytest

from kata.pictures import ASSETS, still, studio
from kata.topics import all_topics

DRAWN = [topic for topic in all_topics() if (ASSETS / f"{topic.stem}.html").exists()]
topics = pytest.mark.parametrize("topic", DRAWN, ids=str)
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


@topics
def test_loads_quietly(topic, reference_page, opened):
    """A page asks for nothing but itself, writes nothing to the console and is smaller than 1 MB."""
    path, drawing = reference_page(topic.number)
    page = opened(path)
    assert (page.asked, page.complaints) == ([page.address], [])
    assert path.stat().st_size < 1_000_000
    assert page.text("#whose") == drawing.says


@topics
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_accessible(topic, scheme, reference_page, opened):
    """axe finds no violation on a phone, light or dark, and nothing is wider than the screen."""
    page = opened(reference_page(topic.number)[0], PHONE, color_scheme=scheme)
    page.run("() => document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    assert page.violations() == []
    assert page.run("() => document.documentElement.scrollWidth") <= PHONE["width"]


@topics
def test_keyboard_reaches_everything(topic, reference_page, opened):
    """Tab alone reaches every control, and every control has a name."""
    page = opened(reference_page(topic.number)[0])
    wanted = page.focusable()
    assert "" not in wanted
    assert len(wanted) > 5
    assert page.reached_by_tab() == wanted


@topics
def test_play_and_step(topic, reference_page, opened):
    """Step and the arrow keys move by one, space plays until it is pressed again, End and Home go to the ends."""
    page = opened(reference_page(topic.number)[0])
    at = "() => Number(document.getElementById('player-at').value)"
    page.at(0)
    page.page.get_by_role("button", name="One step on").click()
    assert page.run(at) == 1
    page.page.get_by_role("button", name="One step back").click()
    assert page.run(at) == 0
    page.page.focus("#stage")
    page.page.keyboard.press("ArrowRight")
    assert page.run(at) == 1
    page.page.keyboard.press("End")
    last = page.run(at)
    assert last == int(page.page.get_attribute("#player-at", "max")) > 1
    page.page.keyboard.press("Home")
    page.page.keyboard.press("+")
    page.page.keyboard.press("Space")
    page.page.wait_for_function(f"() => ({at})() >= 2")
    page.page.keyboard.press("Space")
    assert page.page.get_by_role("button", name="Play").is_visible()
    assert page.complaints == []


@topics
def test_motion_can_be_reduced(topic, reference_page, opened):
    """Where less motion is wanted nothing glides; elsewhere the frames do."""
    path = reference_page(topic.number)[0]
    glides = """() => [...document.querySelectorAll('*')].filter((element) =>
        getComputedStyle(element).transitionDuration.split(', ').some((time) => time !== '0s')).length"""
    assert opened(path, reduced_motion="reduce").run(glides) == 0
    page = opened(path, reduced_motion="no-preference")
    assert page.run(glides) == page.page.locator(".frame").count()


@topics
def test_lesson_pictures_are_current(topic):
    """The lesson shows, with the alt text, the pictures that the reference draws today; each is smaller than 60 KB."""
    lesson = (topic.folder / "README.md").read_text(encoding="utf-8")
    alt = studio.picture_of(topic).LESSON
    for path, figure in studio.lesson_pictures(topic).items():
        shown = path.read_text(encoding="utf-8")
        assert content(shown) == content(still.content(figure, "svg").decode())
        assert len(shown.encode()) < 60_000
        assert f"![{alt[path.stem]}](images/{path.name})" in " ".join(lesson.split())


def content(svg):
    """Return what can be seen in an SVG whatever version of matplotlib wrote it: texts, and images as pixels."""
    from matplotlib.image import imread

    images = re.findall(r'data:image/png;base64,([^"]+)"', svg)
    pixels = [np.rint(255 * imread(io.BytesIO(base64.b64decode(image)))).tolist() for image in images]
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg), pixels
