"""Which browser the tests of the pages use. `python -m kata.pictures.browser` prints its path; status 1 if none."""

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
NONE = (
    "no browser was found for the tests of the pages: bash .ci/install-browser gets one, "
    "or set CHROME_PATH to a Chrome, Chromium or Edge."
)


def find(own):
    """Return the path of a browser: CHROME_PATH's, one on PATH, Playwright's `own`, one in a usual place; else None."""
    named = os.environ.get("CHROME_PATH")
    if named:
        return named
    on_path = [path for path in map(shutil.which, NAMES) if path]
    return next((place for place in (*on_path, own, *PLACES) if Path(place).is_file()), None)


def main():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        path = find(play.chromium.executable_path)
    print(path or NONE)
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
