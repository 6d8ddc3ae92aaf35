"""The verdicts as Gradescope's results.json: `schemas/gradescope.json`.

Each exercise has an entry for its visible tests, shown at once, and one for its hidden tests, shown after the grades
are published. Gradescope shows a student no total while a test is withheld that may still count: every visibility but
"visible" and "hidden" does that, an entry's own or the one it takes from the top level. So that a total is never
withheld by accident, the top level sets none, every entry says its own, nothing with points is "hidden" (it would count
unseen), and a hidden entry whose tests did not run, or could not matter any more, is shown: it gives no secret away.
`output` says what is still to come.
"""

import json

from kata.formats import points, said

SHOWN, LATER = "visible", "after_published"


def text(verdicts, partial):
    """Return results.json as text."""
    tests = [entry for verdict in verdicts for entry in _entries(verdict, partial)]
    return _document(tests, [line for verdict in verdicts for line in said.about_topic(_as_shown(verdict))])


def failure(message, topics):
    """Return results.json for a check that gave no verdicts."""
    return _document([_entry("check", 0.0, 1.0, "failed", SHOWN, [message])], [message])


def total_is_shown(document):
    """Tell whether a student sees the total before the grades are published, by Gradescope's rule."""
    general = document.get("visibility", SHOWN)
    return all(test.get("visibility", general) in (SHOWN, "hidden") for test in document["tests"])


def _as_shown(verdict):
    """The verdict without a fault that only hidden tests found."""
    fault = verdict["fault"]
    found = fault and any(test.startswith(points.VISIBLE) for test in fault["tests"])
    return verdict if found else {**verdict, "fault": None}


def _document(tests, lines):
    document = {"output": "\n".join([*lines, _summary(tests)]), "stdout_visibility": "hidden", "tests": tests}
    return json.dumps(document, indent=1)


def _summary(tests):
    """How many points are shown now and how many are still to come."""
    now = [test for test in tests if test["visibility"] == SHOWN]
    later = sum(test["max_score"] for test in tests if test["visibility"] == LATER)
    shown = f"{_sum(now, 'score'):g} of {_sum(now, 'max_score'):g} points are shown now"
    return f"{shown}; hidden tests decide {later:g} more when the grades are published." if later else f"{shown}."


def _sum(tests, key):
    return round(sum(test[key] for test in tests), points.DIGITS)


def _entries(verdict, partial):
    for number, exercise in enumerate(verdict["exercises"], 1):
        visible, hidden = points.parts(exercise, partial)
        place = f"{verdict['topic']}.{number}"
        name = f"{verdict['stem']}: {exercise['name']}"
        lines = _lines(exercise, points.VISIBLE) if visible.tests else ["its tests could not be run."]
        green = visible.tests and visible.green
        yield _entry(name, visible.points, visible.of, _status(green), SHOWN, lines, f"{place}.1")
        if hidden.tests:
            decided = _is_run(exercise) and (partial or visible.green)
            lines = _lines(exercise, points.HIDDEN) if decided else [_why_not(visible)]
            yield _entry(
                f"{name}, hidden tests", hidden.points, hidden.of, _status(hidden.points == hidden.of),
                LATER if decided else SHOWN, lines, f"{place}.2",
            )  # fmt: skip


def _is_run(exercise):
    return any(r["outcome"] != "not run" for r in exercise["results"] if r["suite"] == points.HIDDEN)


def _why_not(visible):
    return "not run." if visible.green else "they count once the visible tests pass."


def _lines(exercise, suite):
    """What is said of one suite's tests of an exercise."""
    failures = [failure for failure in exercise["failures"] if failure["suite"] == suite]
    own = said.lines({**exercise, "failures": failures}) if failures else []
    results = [result["outcome"] for result in exercise["results"] if result["suite"] == suite]
    return [f"{results.count('passed')} of {len(results)} tests pass.", *own]


def _status(green):
    return "passed" if green else "failed"


def _entry(name, score, possible, status, visibility, lines, number=None):
    entry = {"name": name, "score": score, "max_score": possible, "status": status, "visibility": visibility}
    return entry | {"output": "\n".join(lines)} | ({"number": number} if number else {})
