"""The numbers of a picture, from a solution that runs in a process of its own, and whose they are."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from kata.aftermath import lines_of
from kata.errors import KataError
from kata.pictures import picture_of
from kata.pictures.solution import TODO, exercise_at
from kata.runner import FOREIGN, MEMORY, ONE_THREAD, OUTPUT, START_SECONDS
from kata.topics import solution_path

SECONDS = 10  # of processor time for a solution to give its numbers; on a busy machine it may take PATIENCE times that
PATIENCE = 6
OVER_TIME = -signal.SIGXCPU if hasattr(signal, "SIGXCPU") else None  # a process's status


@dataclass
class Drawing:
    """What is drawn and whose it is.

    `numbers` are the picture's, from the solution; `right` the reference's where the picture compares them, else None.
    `owner` is "your", "the reference's" or a file's name; `used` the exercises they come from; `replaced` maps those
    of them that are the reference's to the reason; `problems` are sentences about code that could not be drawn.
    """

    topic: object
    numbers: dict
    right: dict | None
    owner: str
    used: list
    replaced: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)

    @property
    def says(self):
        """Whose code is drawn, in one sentence; exercises are named where not all are the same person's."""
        own = [name for name in self.used if name not in self.replaced]
        reasons = sorted(set(self.replaced.values()))
        if not reasons:
            return f"Drawn from {'the reference' if self.is_reference else f'{self.owner} {_listed(own)}'}."
        if not own and len(reasons) == 1:
            return f"Drawn from the reference ({reasons[0]})."
        parts = [f"{self.owner} {_listed(own)}"] if own else []
        for reason in reasons:
            names = [name for name in self.used if self.replaced.get(name) == reason]
            parts.append(f"the reference's {_listed(names)} ({reason})")
        return f"Drawn from {' and '.join(parts)}."

    @property
    def is_reference(self):
        """Tell whether nothing drawn is the solution's own."""
        return self.owner == "the reference's" or set(self.used) <= set(self.replaced)


def _listed(names):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def collect(topic, choice, image, seconds=SECONDS, run=None):
    """Run a solution for its picture, without the exercises that can't be drawn.

    Parameters
    ----------
    topic : Topic
    choice : str
        "mine", "reference", or a path.
    image : list of lists
        What `scene` gives.
    seconds : float
        Limit for the solution.
    run : dict or None
        A finished training, as the picture's `read_run` gives it.

    Returns
    -------
    drawing : Drawing

    Raises
    ------
    KataError
        If the topic has no picture, the reference itself can't be drawn, or there is none to draw in the place of
        what the solution lacks.
    """
    picture_of(topic)
    path = asked = solution_path(topic, choice)
    owner = "the reference's" if path == topic.reference else "your" if choice == "mine" else f"{path.name}'s"
    without, problems = {}, []
    while True:
        result = _run(topic, path, image, list(without), seconds, [run] if run else [])
        if "numbers" in result:
            break
        exercise, why = result["exercise"], result["why"]
        if topic.is_released:
            what = f"{exercise} {'is ' * (why == TODO)}{why}" if exercise else why
            raise KataError(f"{what}. This repository ships no solution to draw in its place.")
        if path == topic.reference or exercise in without:
            raise KataError(f"the picture of {topic} itself failed: {exercise} {why}. Please report it.")
        if why != TODO:
            problems.append(_problem(owner, exercise, why))
        if exercise is None:
            path, without = topic.reference, {}
        else:
            without[exercise] = _is(why)
    used = result["used"]
    if path != asked:
        replaced = dict.fromkeys(used, f"{asked.name} can't be loaded")
    else:
        whose = "yours" if owner == "your" else owner
        why = dict.fromkeys(result["partners"], "needs its own forward") | without
        replaced = {name: f"{whose} {why.get(name, _is(TODO))}" for name in result["replaced"] if name in used}
    return Drawing(topic, result["numbers"], result["right"], owner, used, replaced, problems)


def _problem(owner, exercise, why):
    whose = owner.capitalize() if owner == "your" else owner
    what = f"{whose} {exercise} {why}" if exercise else why
    end = "" if what.endswith("?") else "."
    return f"{what}{end} The reference is drawn instead."


def _is(why):
    """is still to do; raises IndexError, for raises IndexError at conv2d.py:88: index 5 is out of bounds."""
    return f"is {TODO}" if why == TODO else re.split(r" at |, not |: ", why)[0]


def _run(topic, path, image, without, seconds, extra):
    """Run the child once; return what it wrote, or the exercise in which it hung or crashed."""
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    environment |= ONE_THREAD | {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    with tempfile.TemporaryDirectory(prefix="kata-", ignore_cleanup_errors=True) as folder:
        stacks, written = Path(folder) / "stacks", Path(folder) / "result"
        order = {
            "topic": topic.number,
            "solution": str(path),
            "image": image,
            "without": without,
            "seconds": seconds,
            "patience": PATIENCE * seconds,
            "extra": extra,
            "memory": MEMORY,
            "output": OUTPUT,
            "temp": str(Path(folder) / "temp"),
            "stacks": str(stacks),
            "result": str(written),
        }
        with open(Path(folder) / "words", "wb") as words:
            status = subprocess.run(
                [sys.executable, str(Path(__file__).with_name("child.py"))],
                input=json.dumps(order).encode() + b"\n",
                stdout=subprocess.DEVNULL,
                stderr=words,
                cwd=folder,
                env=environment,
                timeout=PATIENCE * seconds + START_SECONDS,
                check=False,
            ).returncode
        if written.exists():
            return json.loads(written.read_text(encoding="utf-8"))
        return _ended(path, status, stacks, Path(folder) / "words", seconds)


def _ended(path, status, stacks, words, seconds):
    """Return the exercise that hung or took Python down, by its place in the stack.

    Raises
    ------
    KataError
        If the stack doesn't tell; the message has the process's last words.
    """
    text = stacks.read_text(encoding="utf-8", errors="replace") if stacks.exists() else ""
    lines = [int(line) for line in lines_of(text, path)]
    hung = text.startswith("Timeout") or status == OVER_TIME
    if lines or hung:
        place = f" at {path.name}:{lines[0]}" if lines else ""
        why = f"does not end within {seconds:g} seconds" if hung else "takes Python down"
        why += place + (": is a loop's end never reached?" if hung else "")
        exercise = exercise_at(path, lines)
        return {"exercise": exercise, "why": why if exercise else f"{path.name} {why}"}
    said = words.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = said[-1] if said else f"it ended Python with status {status}; does it call os._exit?"
    raise KataError(f"{path.name} could not be run for its picture: {last}")
