"""The notebook of a topic: a view of the starter in which an exercise is checked where it is written.

`parts` cuts a file into parts and joins them, `cells` reads them from a notebook, `making` writes one, `sync` carries
edits both ways; `session` and `report` are %check, %hint and %picture inside it. Here is what the notebook's first
cell calls, before anything is known to be installed.
"""

import importlib
import subprocess
import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parents[3]


class CannotStart(Exception):
    """What stands in the way, and what to do; a notebook shows it without a traceback."""

    def _render_traceback_(self):
        return [str(self)]


def begin(topic):
    """Make %check, %hint and %picture known in this kernel; install what the course needs where it is missing."""
    try:
        _begin(topic)
    except ModuleNotFoundError as missing:
        print(f"{missing.name} is not installed. Installing what the course needs ...")
        _install()
        _begin(topic)


def _begin(topic):
    importlib.invalidate_caches()
    importlib.import_module("kata.notebook.session").begin(topic)


def _install():
    command = [sys.executable, "-m", "pip", "install", "--quiet", "-e", str(COURSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise CannotStart(
            f"That did not work: {said}\nOnline, in a terminal: {_shown(command)}\n"
            f"What else may be missing: {_shown([sys.executable, str(COURSE / 'tools' / 'doctor.py')])}"
        ) from None


def _shown(command):
    return " ".join(f'"{word}"' if " " in word else word for word in command)
