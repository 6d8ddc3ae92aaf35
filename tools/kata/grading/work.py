"""Grading one submission: its files in a fresh scratch copy of the course, checked there by `alone.py`.

Submissions never meet: each has its own copy of suites, tools and memory, thrown away afterwards. This module needs
nothing but the standard library and is sent as it is to a cluster's workers; the course comes along as an archive.
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

SECONDS = 1800  # for a topic; the checks have limits of their own, far below
MOMENT = 0.2  # seconds between two looks at whether to stop


def grade(order, course, stop=None):
    """Return {"verdicts": [...]} for one submission, or {"problem": sentence} where the check itself failed.

    Parameters
    ----------
    order : dict
        files, {path in the course: bytes}; topics, their numbers in the order to check them; seconds, the limit of
        one test.
    course : bytes
        The zip archive that `course.pack` made.
    stop : threading.Event or None
        Ends it early when set.

    Returns
    -------
    result : dict
        Paths in it are relative to the course's root, so that it says the same wherever it was made.
    """
    with tempfile.TemporaryDirectory(prefix="kata-grade-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder).resolve()
        root = scratch / "course"
        with zipfile.ZipFile(io.BytesIO(course)) as archive:
            archive.extractall(root)
        for place, content in order["files"].items():
            (root / place).write_bytes(content)
        (scratch / "tmp").mkdir()
        with open(scratch / "words", "wb") as words:
            status = _run(scratch, words, order, stop)
        return _answer(scratch, root, status)


def _run(scratch, words, order, stop):
    """Run `alone.py` on the order; return its exit status, or why there is none."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch / "tmp"))
    process = subprocess.Popen(
        [sys.executable, str(scratch / "course" / "tools" / "kata" / "grading" / "alone.py")],
        stdin=subprocess.PIPE,
        stdout=words,
        stderr=subprocess.STDOUT,
        cwd=scratch,
        env=environment,
        start_new_session=True,
    )
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"topics": order["topics"], "seconds": order["seconds"]}).encode() + b"\n")
            process.stdin.flush()
        return _wait(process, time.monotonic() + SECONDS * len(order["topics"]), stop)
    finally:
        _end(process)


def _wait(process, overdue, stop):
    while time.monotonic() < overdue:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(MOMENT)
        if stop and stop.is_set():
            return "stopped"
    return "time is up"


def _end(process):
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    if process.poll() is None:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()


def _answer(scratch, root, status):
    try:
        verdicts = json.loads((scratch / "answer").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = (scratch / "words").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return {"problem": f"the check ended without an answer ({status}): {said[-1] if said else 'it said nothing'}"}
    unready = [verdict["problem"] for verdict in verdicts if verdict.get("setup")]
    if unready:
        return {"problem": _without(unready[0], root)}
    return {"verdicts": [_without(verdict, root) for verdict in verdicts]}


def _without(value, root):
    """The value with no trace of where the copy lay."""
    if isinstance(value, str):
        return value.replace(str(root) + os.sep, "").replace(str(root), ".")
    if isinstance(value, list):
        return [_without(inner, root) for inner in value]
    if isinstance(value, dict):
        return {key: _without(inner, root) for key, inner in value.items() if key not in ("cached", "remembered")}
    return value
