"""A headless browser for the pages, one for the whole session, and pages opened in it under watch."""

import os
import sys

import pytest

from kata.pictures import studio
from kata.pictures.browser import NONE, find

FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE = 120_000  # milliseconds: on a busy machine everything takes its time
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def browser():
    """The browser of all tests. A machine without one skips them and says so; with KATA_BROWSER=required they fail."""
    missing = pytest.fail if os.environ.get("KATA_BROWSER") == "required" else pytest.skip
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        pytest.fail('playwright is not installed: python -m pip install -e ".[dev]"', pytrace=False)
    with sync_playwright() as play:
        path = find(play.chromium.executable_path)
        if path is None:
            missing(NONE)
        flags = [*FLAGS, "--no-sandbox"] if sys.platform == "linux" else list(FLAGS)  # our own files; root has none
        chromium = play.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


class Opened:
    """A page in the browser that remembers what it asked for and what went wrong in it."""

    def __init__(self, browser, path, size, **settings):
        self.context = browser.new_context(viewport=size, **settings)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.asked, self.complaints = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.address = path.resolve().as_uri()
        self.page.goto(self.address)

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def choose(self, **choices):
        """Set selects by their id, as a person does: those that show something else."""
        for name, value in choices.items():
            if self.run("(id) => document.getElementById(id).value", name) != str(value):
                self.page.select_option(f"#{name}", str(value))

    def at(self, position):
        """Go to a position with the slider."""
        self.page.locator("#player-at").fill(str(position))

    def run(self, script, argument=None):
        return self.page.evaluate(script, argument)

    def grid(self, name):
        """Return the texts of a grid's cells, row by row."""
        return self.run(
            """(id) => {
                const grid = document.getElementById(id), cells = [...grid.querySelectorAll(':scope > i')];
                const columns = Number(grid.style.getPropertyValue('--columns'));
                return Array.from({length: cells.length / columns}, (_, row) =>
                    cells.slice(row * columns, (row + 1) * columns).map((cell) => cell.textContent));
            }""",
            name,
        )

    def wrong_cells(self, name):
        """Return how many cells of a grid carry the mark that the solution's number is wrong."""
        return self.page.locator(f"#{name} > i.wrong").count()

    def violations(self):
        """Return what axe has to complain about, one line each."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]

    def reached_by_tab(self):
        """Press Tab from the page's beginning until it comes round; return the ids or texts of what had the focus."""
        describe = "() => { const e = document.activeElement; return e.id || e.ariaLabel || e.textContent.trim(); }"
        self.run("() => document.activeElement.blur()")
        found = []
        while True:
            self.page.keyboard.press("Tab")
            name = self.run(describe) if self.run("() => document.activeElement !== document.body") else None
            if name is None or name in found:
                return found
            found.append(name)

    def focusable(self):
        """Return the ids or texts of everything a person must be able to reach."""
        return self.run(
            """() => [...document.querySelectorAll('button, select, input, summary, a, [tabindex="0"]')]
                .filter((e) => e.checkVisibility())
                .filter((e) => e.type !== 'radio' || e.checked)
                .map((e) => e.id || e.ariaLabel || e.textContent.trim())"""
        )


@pytest.fixture
def opened(browser):
    """Open pages: opened(path, size=PHONE, color_scheme="dark", reduced_motion="reduce"); closed after the test."""
    pages = []

    def open_page(path, size=DESKTOP, **settings):
        pages.append(Opened(browser, path, size, **settings))
        return pages[-1]

    yield open_page
    for page in pages:
        page.context.close()


@pytest.fixture(scope="session")
def reference_page(tmp_path_factory):
    """Return a topic's page drawn from the reference, and its drawing; made once."""
    made, folder = {}, tmp_path_factory.mktemp("pages of the reference")

    def make(number):
        if number not in made:
            drawing = studio.drawn(number)
            made[number] = studio.write_page(drawing, folder), drawing
        return made[number]

    return make
