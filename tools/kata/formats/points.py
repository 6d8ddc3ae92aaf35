"""What a verdict is worth.

Every exercise is worth one point. All or nothing, it gives its point when all its tests pass, visible and hidden.
Counted in part, it gives the share of its tests that pass; a test that was not run did not pass.
"""

from dataclasses import dataclass

DIGITS = 4
VISIBLE, HIDDEN = "test_visible.py", "test_hidden.py"


@dataclass(frozen=True)
class Part:
    """What one suite contributes to an exercise: tests passed and expected, points earned and possible."""

    passed: int
    tests: int
    points: float
    of: float

    @property
    def green(self):
        return self.passed == self.tests


def of_exercise(exercise, partial):
    """Return the points of an exercise, 0 to 1."""
    return round(sum(part.points for part in parts(exercise, partial)), DIGITS)


def of_verdict(verdict, partial):
    """Return (points, possible points) of a topic."""
    exercises = verdict["exercises"]
    return round(sum(of_exercise(exercise, partial) for exercise in exercises), DIGITS), len(exercises)


def of_all(verdicts, partial):
    """Return (points, possible points) of several topics."""
    counted = [of_verdict(verdict, partial) for verdict in verdicts]
    return round(sum(points for points, _ in counted), DIGITS), sum(possible for _, possible in counted)


def parts(exercise, partial):
    """Return the `Part`s of the visible and of the hidden suite.

    In part, the point is shared by number of tests. All or nothing, the last suite that has tests of the exercise
    holds the whole point, and gives it when both pass.
    """
    outcomes = {
        suite: [r["outcome"] for r in exercise["results"] if r["suite"] == suite] for suite in (VISIBLE, HIDDEN)
    }
    counts = [(sum(outcome == "passed" for outcome in found), len(found)) for found in outcomes.values()]
    return _shared(counts) if partial else _whole(counts)


def _shared(counts):
    total = sum(tests for _, tests in counts)
    if not total:
        return _whole(counts)
    first = round(counts[0][1] / total, DIGITS)
    worth = first, round(1 - first, DIGITS)
    return tuple(
        Part(passed, tests, round(of * passed / tests, DIGITS) if tests else 0.0, of)
        for (passed, tests), of in zip(counts, worth, strict=True)
    )


def _whole(counts):
    earned = any(tests for _, tests in counts) and all(passed == tests for passed, tests in counts)
    hidden = counts[1][1] > 0
    worth = (0.0, 1.0) if hidden else (1.0, 0.0)
    return tuple(
        Part(passed, tests, of if earned else 0.0, of) for (passed, tests), of in zip(counts, worth, strict=True)
    )
