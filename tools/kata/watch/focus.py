"""Which failing test the learner is shown: the one they are working on as long as it fails, else the first."""

from kata.finding import short_name


def id_of(failure):
    """A failure's test id: test_visible.py::TestCol2im::test_overlaps_add_up."""
    name, bracket, case = failure["test"].partition("[")
    return f"{failure['suite']}::{name.replace('.', '::')}{bracket}{case}"


def failing(shown, first):
    """Return the failure to show of a run in progress, None while there is none."""
    found = [result["finding"] for result in shown.results.values() if result["finding"]]
    real = [finding for finding in found if finding["kind"] != "todo"]
    known = [finding for finding in real if id_of(finding) == first]
    preview = [shown.preview] if shown.preview and first not in shown.results else []
    return next(iter([*known, *preview, *real]), None)


def decided(verdict, first):
    """Return (exercise, failure) to show of a verdict, (exercise, None) where it is only to be written, or None."""
    pairs = [
        (exercise, failure)
        for exercise in verdict["exercises"]
        if exercise["status"] == "fail"
        for failure in exercise["failures"]
        if failure["kind"] != "todo"
    ]
    known = [pair for pair in pairs if id_of(pair[1]) == first]
    waiting = [(exercise, None) for exercise in verdict["exercises"] if exercise["status"] != "pass"]
    return next(iter([*known, *pairs, *waiting]), None)


def begin_with(verdict, first):
    """Return the id of the test to begin the next run with, "" where any will do."""
    exercise, failure = decided(verdict, first) or (None, None)
    if exercise is None:
        return ""
    failure = failure or next(iter(exercise["failures"]), None)
    return id_of(failure) if failure else ""


def name_of(test_id):
    """test_overlaps_add_up for test_visible.py::TestCol2im::test_overlaps_add_up."""
    return short_name(test_id).partition("[")[0].rpartition(".")[2]
