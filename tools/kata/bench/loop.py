"""How long a learner waits: the commands of the daily loop against a bare import of what they stand on."""

import subprocess
import sys

from kata.bench import interleaved, table
from kata.topics import ROOT, TOOLS, find_topic

BARE = "import numpy, pytest, hypothesis"


def measure(rounds):
    """Return the table of ratios to `python -c "import numpy, pytest, hypothesis"`, all run in turn."""
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--solution", "reference"]
    check = [sys.executable, str(TOOLS / "check.py"), "--all"]
    commands = {
        BARE: ([sys.executable, "-c", BARE], ""),
        "hint.py 12 --level 2": ([sys.executable, str(TOOLS / "hint.py"), "12", "--level", "2"], "0.5"),
        "pytest, topic 11 visible": ([*suite, str(find_topic(11).folder)], "8"),
        "pytest, topic 12 visible": ([*suite, str(find_topic(12).folder)], "8"),
        "check.py --all, remembered": (check, "0.7"),
        "check.py --all --fresh": ([*check, "--fresh"], ""),
    }
    calls = {name: lambda command=command: _quiet(command) for name, (command, _) in commands.items()}
    seconds = interleaved(calls, rounds)
    base = seconds[BARE]
    rows = [
        (name, f"{1000 * seconds[name]:.0f} ms", f"{seconds[name] / base:.2f}", goal)
        for name, (_, goal) in commands.items()
    ]
    return table(("command", "median", "of bare import", "goal"), rows)


def _quiet(command):
    subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
