"""Carrying edits between a topic's notebook and its starter, both ways, against the text they last agreed on.

Where one side changed, the other gets it. Where both did, part by part, each gets the other's; where both changed
the same part, nothing is touched, and the notebook's version is written beside the starter. What would vanish from a
file is kept beside it first.
"""

import difflib
import re
import time
from dataclasses import dataclass

from kata import source, starters
from kata.errors import KataError
from kata.notebook import remote
from kata.notebook.cells import agree, base, gathered, path_of
from kata.notebook.making import make, read, take_over, write
from kata.notebook.parts import decoded, defined, join, merged, split, styled
from kata.progress import write_atomically

NEW, SAME, FROM_STARTER, FROM_NOTEBOOK, BOTH, CONFLICT = "new", "same", "starter", "notebook", "both", "conflict"


@dataclass(frozen=True)
class Outcome:
    """What a sync did: its kind, the differences as text, the files kept beside."""

    kind: str
    difference: str = ""
    kept: tuple = ()


def create(topic):
    """Write the topic's notebook from the starter; return the copy kept of the one that was there, or None."""
    path, kept = path_of(topic), None
    text, _ = _starter(topic)
    if path.exists():
        kept = _keep(path, path.read_bytes())
    write(path, make(topic, text, remote.address()))
    return kept


def sync(topic, take=None):
    """Carry edits between the topic's notebook and its starter.

    Parameters
    ----------
    topic : Topic
    take : "starter", "notebook" or None
        Whose version is right where both changed the same part; the other is kept beside.

    Returns
    -------
    outcome : Outcome

    Raises
    ------
    KataError
        If a file is missing, unreadable, or can't be written.
    """
    if not path_of(topic).exists():
        create(topic)
        return Outcome(NEW)
    notebook, (mine, style) = read(path_of(topic)), _starter(topic)
    exercises = source.exercises(topic.outline)
    yours = gathered(notebook, exercises)
    old = base(notebook)
    if old is None and starters.is_pristine(topic):
        old = mine  # nothing of a learner's is in the starter yet
    kind, text = _decide(old, mine, yours, exercises, take)
    difference = _difference(topic, mine, yours)
    if kind == CONFLICT:
        beside = topic.starter.with_name(f"{topic.stem}.from-notebook.py")
        return Outcome(kind, difference, (_keep_version(beside, styled(yours, style).encode()),))
    kept = _write_both(topic, notebook, style, (mine, yours, text), overruled=bool(take) and kind != BOTH)
    return Outcome(kind, difference, kept)


def _decide(old, mine, yours, exercises, take):
    """Return what is to be done, and the text that both sides are to have."""
    if mine == yours:
        return SAME, mine
    if old == yours:
        return FROM_STARTER, mine
    if old == mine:
        return FROM_NOTEBOOK, yours
    both = None if old is None else merged(*(split(text, exercises) for text in (old, mine, yours)))
    if both is not None:
        return BOTH, join(both)
    return {FROM_STARTER: (FROM_STARTER, mine), FROM_NOTEBOOK: (FROM_NOTEBOOK, yours), None: (CONFLICT, None)}[take]


def _write_both(topic, notebook, style, texts, overruled):
    """Give both sides the text they agree on; keep what one of them would lose."""
    mine, yours, text = texts
    kept = []
    if mine != text and (overruled or _loses(mine, text)):
        kept.append(starters.keep(topic))
    if yours != text and (overruled or _loses(yours, text)):
        kept.append(_keep(path_of(topic), path_of(topic).read_bytes()))
    if mine != text:
        _write(topic.starter, styled(text, style))
    if yours != text:
        exercises = source.exercises(topic.outline)
        take_over(notebook, split(text, exercises), exercises)
    if yours != text or base(notebook) != text:
        agree(notebook, text)
        write(path_of(topic), notebook)
    return tuple(kept)


def _write(path, text):
    try:
        write_atomically(path, text)
    except OSError as error:
        raise KataError(f"{path} can't be written ({error.strerror}). Check the folder's permissions.") from None


def _loses(text, other):
    """Tell whether a function or class of a text is missing from the other."""
    return not set(defined(text)) <= set(defined(other))


def _starter(topic):
    if not topic.starter.is_file():
        raise KataError(f"{topic.starter} is missing. python tools/reset.py {topic.number} makes a fresh one.")
    try:
        return decoded(topic.starter.read_bytes(), topic.starter)
    except OSError as error:
        raise KataError(f"{topic.starter} can't be read: {error.strerror}.") from None


def _difference(topic, mine, yours):
    """What the notebook has and the starter has not, as a unified diff."""
    sides = [re.findall(r"[^\n]*\n|[^\n]+", text) for text in (mine, yours)]
    lines = difflib.unified_diff(*sides, topic.starter.name, path_of(topic).name, n=2)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _keep(path, content):
    """Write content beside a file, under the name of a backup, and return where."""
    return _keep_version(path.with_name(f"{path.stem}.backup-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}"), content)


def _keep_version(path, content):
    """Write content to the path, or to one beside it where another version lies there already; return where."""
    numbered = (path.with_name(f"{path.stem}-{number:02}{path.suffix}") for number in range(2, 10_000))
    while path.exists() and path.read_bytes() != content:
        path = next(numbered)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise KataError(f"{path} can't be written ({error.strerror}), so nothing was touched.") from None
    return path
