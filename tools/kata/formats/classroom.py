"""The verdicts as the payload that GitHub Classroom's autograding reporter reads: base64 of `schemas/classroom.json`.

One entry an exercise, one point each. There is always a payload with at least one test: a reporter that finds none
reports nothing, and a student without a report can't tell a time-out from a pass.
"""

import base64
import json

from kata import source
from kata.formats import points, said

VERSION = 1


def text(verdicts, partial):
    """Return the payload on one line."""
    tests = [_entry(verdict, exercise, partial) for verdict in verdicts for exercise in verdict["exercises"]]
    statuses = {test["status"] for test in tests} or {"error"}
    worst = next(status for status in ("error", "fail", "pass") if status in statuses)
    return _encoded(worst, points.of_all(verdicts, partial)[1], tests or [_error("there is no exercise to check.")])


def failure(message, topics):
    """Return the payload of a check that gave no verdicts: the points there were to earn, and none of them earned."""
    possible = sum(len(source.exercises(topic.outline)) for topic in topics)
    return _encoded("error", possible, [_error(message)])


def _entry(verdict, exercise, partial):
    earned = points.of_exercise(exercise, partial)
    why = [*said.about_topic(verdict), *(said.lines(exercise) if exercise["results"] else [])]
    status = "pass" if earned == 1 else "error" if verdict["problem"] else "fail"
    message = "" if status == "pass" else "\n".join(why) or "not all its tests were run."
    return {"name": f"{verdict['stem']}: {exercise['name']}", "status": status, "score": earned, "message": message}


def _error(message):
    return {"name": "check", "status": "error", "score": 0, "message": message}


def _encoded(status, possible, tests):
    document = {"version": VERSION, "status": status, "max_score": possible, "tests": tests}
    return base64.b64encode(json.dumps(document).encode()).decode()
