"""One self-contained page: template, styles, scripts and the numbers in one file that asks nothing of anybody."""

import json
from html import escape

from kata.pictures import ASSETS, picture_of


def make(drawing):
    """Return the text of a topic's page.

    Parameters
    ----------
    drawing : Drawing
    """
    topic, stem = drawing.topic, drawing.topic.stem
    title = f"Topic {topic.number}: {picture_of(topic).TITLE}"
    about = {
        "topic": topic.number,
        "owner": drawing.owner,
        "reference": drawing.is_reference,
        "used": drawing.used,
        "replaced": drawing.replaced,
    }
    parts = {
        "<title>": f"<title>{escape(title)}",
        "<h1>": f"<h1>{escape(title)}",
        "<!--whose-->": escape(drawing.says),
        "<!--problems-->": "\n".join(f'<p class="problem">{escape(text)}</p>' for text in drawing.problems),
        "<!--body-->": _asset(f"{stem}.html"),
        "/*style*/": _asset("page.css") + _asset(f"{stem}.css", optional=True),
        "<!--numbers-->": _json({"about": about, "numbers": drawing.numbers, "right": drawing.right}),
        "/*script*/": _asset("page.js") + _asset(f"{stem}.js"),
    }
    page = _asset("page.html")
    for mark, text in parts.items():
        head, tail = page.split(mark)
        page = head + text + tail
    return page


def _asset(name, optional=False):
    path = ASSETS / name
    return "" if optional and not path.exists() else path.read_text(encoding="utf-8")


def _json(value):
    """JSON that can stand inside a script element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
