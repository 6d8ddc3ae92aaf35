"""What %check and %hint show: HTML that reads on light and dark pages, and the same as plain text."""

from html import escape

from kata import render
from kata.cli import click

BADGE = "color:#fff;background:{};border-radius:3px;padding:1px 7px;font-weight:600"
COLORS = {"pass": "#1a7f37", "fail": "#c62828", "todo": "#c62828", "wait": "#8a5a00"}
QUIET = "border-left:3px solid {};padding:2px 0 2px 12px;margin:4px 0;max-width:60em"
PRE = (
    "margin:4px 0;white-space:pre-wrap;background:rgba(128,128,128,.14);padding:6px 8px;border-radius:3px;color:inherit"
)
FRAME = "width:100%;height:760px;border:1px solid rgba(128,128,128,.5);border-radius:3px"


class Report:
    """How exercises stand, the first that fails in full.

    Parameters
    ----------
    exercises : list of dict
        As in a verdict.
    steps : list of str
        What to do next.
    """

    def __init__(self, exercises, steps):
        self.exercises, self.steps = [_plain(exercise) for exercise in exercises], steps

    def _repr_mimebundle_(self, **kwargs):
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __repr__(self):
        lines = []
        for exercise in self.exercises:
            status, name, said = exercise
            lines += [f"{status}  {name}", *(f"      {line}" for line in said)]
        return "\n".join([*lines, *self.steps])

    def _repr_html_(self):
        return "\n".join([*map(_html, self.exercises), *(f"<div>{_step(step)}</div>" for step in self.steps)])


def _plain(exercise):
    """(status, name, what is said) of an exercise, in the words of check.py."""
    failures, said = exercise["failures"], render.evidence(exercise, in_full=True)
    if exercise["status"] == "todo" and failures:
        said = failures[0]["details"]
    elif failures and all(failure["kind"] == "broken" for failure in failures):
        said = failures[0]["details"][:1]
    elif exercise["status"] == "pass":
        said = [f"{exercise['tests']} visible tests pass" if exercise["tests"] != 1 else "its visible test passes"]
    return exercise["status"], exercise["name"], [click.unstyle(line) for line in said]


def _html(exercise):
    status, name, said = exercise
    badge = f'<span style="{BADGE.format(COLORS[status])}">{status}</span>'
    head = f"<div>{badge} <code>{escape(name)}</code>{'' if status == 'fail' else _after(said)}</div>"
    body = _failure(said) if status == "fail" else ""
    return f'<div style="{QUIET.format(COLORS[status])}">{head}{body}</div>'


def _after(said):
    return " " + " ".join(map(escape, said))


def _failure(said):
    """The sentence, the evidence in columns that stay columns, what it looks like."""
    sentence, *rest = said or [""]
    looks = [line for line in rest if line.startswith(("looks like: ", "follows from "))]
    evidence = "\n".join(line for line in rest if line not in looks)
    parts = [f'<div style="margin-top:4px"><strong>{escape(sentence)}</strong></div>']
    parts += [f'<pre style="{PRE}">{escape(evidence)}</pre>'] if evidence else []
    return "".join([*parts, *(f"<div>{escape(line)}</div>" for line in looks)])


def _step(text):
    """A step as HTML; what stands between backticks is code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))


class Hint:
    """One hint, its markdown rendered where that can be done."""

    def __init__(self, heading, text, step):
        self.heading, self.text, self.step = heading, text, step

    def _repr_mimebundle_(self, **kwargs):
        return {"text/plain": repr(self), "text/markdown": f"**{self.heading}**\n\n{self.text}\n\n{self.step}"}

    def __repr__(self):
        return f"{self.heading}\n\n{self.text}\n\n{self.step}"


class Page:
    """A page in a frame of its own, which needs no network, with what is to be said about it."""

    def __init__(self, said, page):
        self.said, self.page = said, page

    def _repr_mimebundle_(self, **kwargs):
        said = "".join(f"<div>{escape(line)}</div>" for line in self.said)
        frame = (
            f'<iframe srcdoc="{escape(self.page)}" sandbox="allow-scripts" title="picture" style="{FRAME}"></iframe>'
        )
        return {"text/plain": repr(self), "text/html": said + frame}

    def __repr__(self):
        return "\n".join(self.said)
