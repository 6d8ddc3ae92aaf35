"""The process that runs a solution for its picture; `collect` starts it and reads the one JSON it writes.

A solution that loops for ever, takes all memory or takes Python down harms only this process.
"""

import faulthandler
import json
import os
import sys
from pathlib import Path


def plain(value):
    """Return arrays and numbers as what JSON holds: 9 significant digits; NaN and infinities as text."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        if value != value or value in (float("inf"), -float("inf")):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
        short = float(f"{value:.9g}")
        return int(short) if short == int(short) and abs(short) < 1e15 else short
    return value


def draw(order):
    """Return what a run gave: numbers and whose they are, or the exercise to do without and why."""
    import numpy as np

    from kata.carry import carry_only_reference
    from kata.errors import SolutionError
    from kata.pictures import picture_of
    from kata.pictures.solution import Code
    from kata.source import exercises
    from kata.topics import find_topic

    topic, path = find_topic(order["topic"]), Path(order["solution"])
    if path == topic.reference:
        carry_only_reference()
    picture, image = picture_of(topic), np.array(order["image"], float)
    try:
        solution = Code(topic, path, order["without"])
    except SolutionError as error:
        return {"exercise": None, "why": str(error)}
    try:
        numbers = picture.numbers(solution, image, *order["extra"])
    except BaseException as error:
        blamed = solution.blamed(error)
        if blamed is None or blamed.exercise in solution.replaced or path == topic.reference:
            raise
        return {"exercise": blamed.exercise, "why": blamed.why}
    right = None
    if not (path == topic.reference or topic.is_released) and getattr(picture, "COMPARE", False):
        right = plain(picture.numbers(Code(topic, topic.reference), image, *order["extra"]))
    return {
        "numbers": plain(numbers),
        "right": right,
        "used": [name for name in exercises(topic.outline) if name in solution.used],
        "replaced": sorted(solution.replaced),
        "partners": sorted(solution.partners),
    }


def main():
    order = json.loads(sys.stdin.readline())
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from kata.limits import allow_processor, confine

    sys.dont_write_bytecode = True
    with open(order["stacks"], "w") as stacks:
        confine(order, stacks)
        faulthandler.dump_traceback_later(order["patience"], exit=True, file=stacks)
        allow_processor(order["seconds"])
        result = draw(order)
        Path(order["result"]).write_text(json.dumps(result), encoding="utf-8")
    os._exit(0)  # whatever threads or exit handlers the solution left are not waited for


if __name__ == "__main__":
    main()
