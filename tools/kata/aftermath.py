"""What a process that ended before its tests did leaves to be told: which test it was, how it ended, on which line."""

import contextlib
import re
import signal
from dataclasses import asdict
from pathlib import Path

from kata.finding import of_test


def blame(shown, culprit, kind, message, line):
    """Record the test that ended the process, and that the rest of its exercise was not run."""
    exercise = next((test["exercise"] for test in shown.tests if test["id"] == culprit), None)
    also = f"not run: {culprit.rpartition('::')[2]} {'hung' if kind == 'hang' else 'crashed'}"
    for test in shown.tests:
        name = test["id"]
        if name not in shown.results and (name == culprit or test["exercise"] == exercise):
            finding = of_test(test, kind, message if name == culprit else also, line)
            shown.results[name] = {"outcome": "failed", "finding": asdict(finding)}


def blame_all(shown, message, line):
    """Record of every test without a result that the solution can't be tested at all."""
    for test in shown.tests:
        finding = of_test(test, "broken", message, line)
        shown.results.setdefault(test["id"], {"outcome": "failed", "finding": asdict(finding)})


def cause(process, order, follow, excess):
    """Return (kind, sentence, line of the solution as "path:number" or "") for what ended a process.

    Parameters
    ----------
    process
        Its `returncode` is read.
    order : dict
        What it was told.
    follow : Follower
        What it reported.
    excess : str
        What it took too much of and was ended for, "time" or "room"; "" where nobody ended it.
    """
    text = _read(Path(order["stacks"]))
    number = _innermost(text, order["solution"])
    place = f" at {Path(order['solution']).name}:{number}" if number else ""
    line = f"{order['solution']}:{number}" if number else ""
    if excess == "room":
        return "crash", f"wrote more than {order['room'] / 2**20:.0f} MB into its scratch folder{place}", line
    if excess:
        return "hang", f"did not end within {order['seconds']:g} seconds{place}: is a loop's end never reached?", line
    if _signal(process.returncode) == "SIGXCPU":
        return "hang", f"took more than {order['processor']} seconds of processor time{place}", line
    if follow.broke:
        return "crash", f"left the tests in pieces ({follow.broke})", line
    return "crash", f"took Python down with it ({_ending(process.returncode)}){place}", line


def _read(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _innermost(text, solution):
    """The solution's innermost line on the stack that counts: that of the fault, else that of the main thread."""
    stacks = re.split(r"^(?=(?:Current thread|Thread) )", text, flags=re.MULTILINE)
    current = [stack for stack in stacks if stack.startswith("Current thread")]
    for stack in [*current, *reversed(stacks)]:
        lines = lines_of(stack, solution)
        if lines:
            return lines[0]
    return ""


def lines_of(stack, path):
    """The lines of a file on a stack as faulthandler writes it, innermost first."""
    written = str(path).encode("ascii", "backslashreplace").decode()
    return re.findall(rf'File "{re.escape(written)}", line (\d+)', stack)


def _signal(status):
    if status is not None and status < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
    return ""


def _ending(status):
    return _signal(status) or f"exit status {status}: does it call os._exit?"
