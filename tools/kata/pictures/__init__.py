"""Pictures of what the solution computes: stills for lessons and terminals, one explorer page a topic.

A topic's picture is the module here that bears its stem, with assets/STEM.html (what the page shows) and
assets/STEM.js (how it moves). The module has

    TITLE               the page's title
    numbers(code, image)    run the solution, return plain lists and numbers; in a process of its own
    stills(drawing)     {name: matplotlib Figure}, drawn from those numbers alone
    LESSON              {name: alt text} of the stills that the lesson shows
    COMPARE             True where the page compares with the reference's numbers: `Drawing.right` (optional)
    IMAGE               True where `image` is looked at, so that --image FILE means something (optional)

`collect` runs `numbers`, `page` makes the page, `still` holds what the stills share.
"""

import importlib
from pathlib import Path

from kata.errors import KataError

ASSETS = Path(__file__).parent / "assets"


def picture_of(topic):
    """Return the module that draws a topic.

    Raises
    ------
    KataError
        If nothing draws it.
    """
    try:
        return importlib.import_module(f"kata.pictures.{topic.stem}")
    except ModuleNotFoundError as missing:
        if missing.name != f"kata.pictures.{topic.stem}":
            raise
        raise KataError(f"{topic} has no picture. See python tools/picture.py --help for those that have.") from None
