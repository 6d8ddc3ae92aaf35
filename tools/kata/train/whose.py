"""Whose code trains: the learner's topics and the reference's, read off the modules that were really imported."""

import importlib
from pathlib import Path

from kata.bench import table
from kata.carry import carry, carry_only_reference
from kata.progress import digest, finished_topics, was_finished
from kata.render import note_edited
from kata.topics import REFERENCE, all_topics

NEEDED = ("cifar10", "residual")


def choose(using):
    """Make `cnn` the learner's finished topics ("mine") or the reference alone."""
    if using == "reference":
        carry_only_reference()
    else:
        carry(finished_topics())


def origins():
    """Return {topic: file} of the topics whose modules are imported; imports what every training needs."""
    import sys

    for stem in NEEDED:
        importlib.import_module(f"cnn.{stem}")
    modules = {topic: sys.modules.get(f"cnn.{topic.stem}") for topic in all_topics()}
    return {topic: Path(module.__file__) for topic, module in modules.items() if module}


def whose_table():
    """Return the table: every topic, whose its code is, in which folder's file."""
    used = origins()
    rows = []
    for topic in all_topics():
        path = used.get(topic)
        whose = "not needed" if path is None else "reference" if REFERENCE in path.parents else "mine"
        rows.append((f"{topic.number} {topic.stem}", whose, f"{path.parent.name}/{path.name}" if path else ""))
    width = max(len(row[2]) for row in rows)
    return table(("topic", "whose", "file".ljust(width)), [(*row[:2], row[2].ljust(width)) for row in rows])


def left_out(using):
    """Name the learner's topics that were complete, were edited since, and so give way to the reference; "" for none.

    With --using reference nobody expects them.
    """
    used = origins()
    edited = [topic for topic in used if was_finished(topic) and REFERENCE in used[topic].parents]
    return note_edited(edited) if using == "mine" else ""


def code_digest():
    """Return one text that changes whenever the code does that trains."""
    return digest(*(path for _, path in sorted(origins().items(), key=lambda item: item[0].number)))
