"""One result, told to programs: a list of verdicts as JSON, JUnit, Gradescope's results.json or Classroom's payload.

Each module makes its text from the verdicts alone (`verdict.py` says what they hold) and from how points are counted
(`points.py`); `schemas/` describes the JSON ones.
"""

from importlib import import_module

FORMS = ("json", "junit", "gradescope", "classroom")
GRADED = ("gradescope", "classroom")  # they carry points, so the hidden suite runs whatever the visible one shows


def text(form, verdicts, partial=False):
    """Return the verdicts in one of the `FORMS`; `partial` counts points test by test, see `points`."""
    return _module(form).text(verdicts, partial)


def failure(form, message, topics=()):
    """Return what a graded form says when there are no verdicts: no points, and why."""
    return _module(form).failure(message, topics)


def _module(form):
    return import_module(f"kata.formats.{'verdicts' if form == 'json' else form}")
