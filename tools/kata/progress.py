"""What is remembered between runs, under `.kata/`: verdicts, finished files, hints seen.

One JSON file a topic, replaced atomically, so that parallel checks and a full disk leave the old or the
new one, never half of one. A file that can't be read is moved aside and counts as empty: deleting all of
`.kata/` loses nothing but history.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

from kata.topics import ROOT, all_topics

FOLDER = ROOT / ".kata"
FORMAT = 1
HUGE = 2**24  # bytes; no file of a course has as many
SHAPE = {"key": str, "solution": str, "passed": list, "hints": dict, "verdict": dict}
VERDICT = {"topic", "stem", "file", "complete", "visible", "hidden", "problem", "fault", "exercises"}


def digest(*paths):
    """Return the SHA-256 of the files' bytes, in order; a missing file counts as empty, of a huge one the start."""
    total = hashlib.sha256()
    for path in paths:
        content = _start(path) if Path(path).is_file() else b""
        total.update(len(content).to_bytes(8, "little") + content)
    return total.hexdigest()


def _start(path):
    with open(path, "rb") as file:
        return file.read(HUGE)


def _file(topic):
    return FOLDER / f"{topic.number}-{topic.stem}.json"


def recall(topic):
    """Return what is remembered of a topic, {} where nothing is."""
    path = _file(topic)
    try:
        memory = json.loads(path.read_text(encoding="utf-8"))
        if memory.get("format") == FORMAT and _is_whole(memory):
            return memory
        problem = "format"
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError):
        problem = "unreadable"
    with contextlib.suppress(OSError):
        path.replace(path.with_suffix(f".{problem}"))
    return {}


def _is_whole(memory):
    """Tell whether every entry has the type it is written with."""
    fine = all(isinstance(memory.get(name, kind()), kind) for name, kind in SHAPE.items())
    return fine and ("verdict" not in memory or memory["verdict"].keys() >= VERDICT)


def remember(topic, **news):
    """Add to what is remembered of a topic; return whether it could be written."""
    memory = {"format": FORMAT, **recall(topic), **news}
    try:
        write_atomically(_file(topic), json.dumps(memory, indent=1))
    except OSError:
        return False
    return True


def write_atomically(path, content):
    """Replace the file at `path` by one that holds a text or bytes, or leave it untouched and raise OSError."""
    content = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def finished_topics():
    """Return the topics whose present file is exactly one that `check.py` found complete."""
    return [topic for topic in all_topics() if is_finished(topic)]


def was_finished(topic):
    """Tell whether a file of the topic was complete, the present one is another and was not checked since."""
    memory = recall(topic)
    return bool(memory.get("passed")) and memory.get("solution") != digest(topic.starter)


def is_finished(topic):
    """Tell whether the learner's present file is exactly one that `check.py` found complete."""
    passed = recall(topic).get("passed", [])
    return bool(passed) and topic.starter.is_file() and digest(topic.starter) in passed
