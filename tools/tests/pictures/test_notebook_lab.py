"""A real JupyterLab in a real browser: a learner types a solution into a cell, runs its check, and sees green."""

import os
import re
import secrets
import subprocess
import sys
import time
import urllib.request
from urllib.parse import quote

import pytest

SECONDS = 300
WRONG = """def conv_output_size(size, kernel_size, stride=1, padding=0):
    if kernel_size < 1 or stride < 1 or padding < 0:
        raise ValueError(f"kernel_size {kernel_size}, stride {stride}, padding {padding}: no such window")
    if kernel_size > size + 2 * padding:
        raise ValueError(f"kernel {kernel_size} is larger than the padded axis, {size + 2 * padding}")
    return (size + 2 * padding - kernel_size) // stride"""


@pytest.fixture
def lab(clone, tmp_path):
    """A JupyterLab that serves a course of the test's own; yields the address of the Topic 11 notebook."""
    course = clone.copy(tmp_path / "my course")
    assert course.run("notebook.py", 11).returncode == 0
    token = secrets.token_hex(8)
    own = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    options = [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={course.root}", "--ServerApp.ip=127.0.0.1"]
    options += ["--ServerApp.port=0", "--no-browser", "--allow-root", "--LabApp.news_url=None"]
    with open(tmp_path / "words", "wb") as words:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], stderr=words, env={**os.environ, **own}, cwd=course.root
        )
    try:
        notebook = course.topic(11).starter.with_suffix(".ipynb").relative_to(course.root).as_posix()
        yield f"{address(server, tmp_path / 'words')}lab/tree/{quote(notebook)}?token={token}"
    finally:
        server.terminate()
        server.wait(60)


def address(server, words):
    """The server's address as it tells it, once it answers."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, words.read_text(errors="replace")
        told = re.search(r"http://127\.0\.0\.1:\d+/", words.read_text(errors="replace"))
        if told:
            try:
                urllib.request.urlopen(told[0] + "api", timeout=10).close()
                return told[0]
            except OSError:
                pass
        time.sleep(0.1)
    raise AssertionError(words.read_text(errors="replace"))


class Notebook:
    """A notebook in a browser's page, used as a person uses it."""

    def __init__(self, page):
        self.page = page
        page.set_default_timeout(1000 * SECONDS)
        page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()

    def cell(self, text):
        return self.page.locator(".jp-CodeCell", has_text=text).first

    def run(self, text, typed=None):
        """Click into the cell that holds a text, type something else where given, and press Shift-Enter."""
        cell = self.cell(text)
        cell.scroll_into_view_if_needed()
        cell.locator(".cm-content").click()
        if typed is not None:
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.insert_text(typed)
        self.page.keyboard.press("Shift+Enter")
        cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[[*0-9]+\]")).wait_for()
        return cell

    def says(self, cell, text):
        """Wait for a text in a cell's output."""
        cell.locator(".jp-OutputArea-output", has_text=text).first.wait_for()


def test_solution_in_a_cell(browser, lab, tmp_path):
    """In the Topic 11 notebook the stub's check is red, a mistake is named, and the solution's check is green."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    try:
        page.goto(lab)
        notebook = Notebook(page)
        notebook.run("Run this cell first")
        notebook.run("import numpy as np")
        check = notebook.run("%check conv_output_size")
        notebook.says(check, "conv_output_size is still to do")
        notebook.run("def conv_output_size", WRONG)
        notebook.says(notebook.run("%check conv_output_size"), "the steps are counted, not the positions")
        notebook.run("def conv_output_size", f"{WRONG} + 1")
        notebook.says(notebook.run("%check conv_output_size"), "visible tests pass")
        badge = check.locator(".jp-OutputArea-output span", has_text="pass").first
        assert badge.evaluate("badge => getComputedStyle(badge).backgroundColor") == "rgb(26, 127, 55)"
    finally:
        page.screenshot(path=tmp_path / "notebook.png")
        page.close()
