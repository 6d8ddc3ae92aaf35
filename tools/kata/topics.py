"""The folders are the manifest: which topics there are, and where each keeps its files.

A topic is a folder `Module02-CNNs/Topic NN-Title`; its stem comes from `hints/NN-stem`, and starter,
reference and hints share it.
"""

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kata.errors import KataError

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "Module02-CNNs"
REFERENCE = ROOT / "reference"
HINTS = ROOT / "hints"
TOOLS = ROOT / "tools"
STARTERS = TOOLS / "starters"  # only in a repository that `release.py` made


@dataclass(frozen=True)
class Topic:
    """One topic: its number, its stem, and every path that belongs to it."""

    number: int
    stem: str
    folder: Path

    def __str__(self):
        return f"topic {self.number} {self.stem}"

    @property
    def starter(self):
        """The file the learner writes."""
        return self.folder / f"{self.stem}.py"

    @property
    def reference(self):
        return REFERENCE / f"{self.stem}.py"

    @property
    def outline(self):
        """The file that lists the exercises: the reference or, in a student's repository, the pristine starter."""
        return self.reference if self.reference.exists() else STARTERS / f"{self.stem}.py"

    @property
    def is_released(self):
        """Tell whether this is a student's repository, which ships neither solution nor hidden suite."""
        return not self.reference.exists() and self.outline.exists()

    @property
    def hints(self):
        return HINTS / f"{self.number}-{self.stem}"

    @property
    def mistakes(self):
        return self.hints / "mistakes.py"

    @property
    def visible(self):
        return self.folder / "test_visible.py"

    @property
    def hidden(self):
        return self.folder / "test_hidden.py"


@cache
def all_topics():
    """Return every topic, in order of number."""
    stems = {}
    for folder in HINTS.glob("[0-9]*-*"):
        number, _, stem = folder.name.partition("-")
        stems[int(number)] = stem
    found = []
    for folder in MODULE.glob("Topic *-*"):
        number = int(re.match(r"Topic (\d+)-", folder.name).group(1))
        if number not in stems:
            raise KataError(f"{folder.name} has no hints folder. Make hints/{number}-STEM, STEM its file's name.")
        found.append(Topic(number, stems[number], folder))
    return tuple(sorted(found, key=lambda topic: topic.number))


def find_topic(text):
    """Return the topic that `text` names: a number, a stem, a folder's name, or a path in it.

    Raises
    ------
    KataError
        If no topic answers to it; the message lists those there are.
    """
    wanted = str(text).strip().rstrip("/\\")
    for topic in all_topics():
        if wanted.lower() in (str(topic.number), topic.stem.lower(), topic.folder.name.lower(), topic.hints.name):
            return topic
    path = Path(wanted)
    if path.exists():
        resolved = path.resolve()
        for topic in all_topics():
            places = (topic.folder, topic.hints, topic.reference)
            if any(resolved == place or place in resolved.parents for place in places):
                return topic
    known = ", ".join(f"{topic.number} {topic.stem}" for topic in all_topics())
    raise KataError(f"No topic is called {wanted!r}. Give a number, a name or a path: {known}.")


@cache
def topic_of_suite(path):
    """Return the topic whose suite the file at `path` is, or None; links on the way there are followed."""
    path = Path(path)
    if path.name not in ("test_visible.py", "test_hidden.py"):
        return None
    folder = path.parent.resolve()
    return next((topic for topic in all_topics() if topic.folder == folder), None)


def solution_path(topic, choice, base=None):
    """Return the file that `choice` means for a topic: "mine", "reference", a file, or a folder that holds it.

    Relative paths count from `base`, the current folder by default.
    """
    if choice == "mine":
        return topic.starter
    if choice == "reference":
        if topic.is_released:
            raise KataError("this repository ships no solutions, so there is no reference to run.")
        return topic.reference
    path = Path(os.path.realpath(Path(base or Path.cwd()) / choice))
    if os.path.isdir(path):  # unlike Path's own, these take a path that no system can have
        inside = [path / topic.starter.name, path / topic.folder.name / topic.starter.name]
        path = next((file for file in inside if file.exists()), inside[0])
    if not os.path.isfile(path):
        raise KataError(
            f"--solution {choice}: there is no file {path}. Give mine, reference, or a path to {topic.stem}.py."
        )
    return path
