"""How long from a save to the verdict on the screen of watch.py, and whether a save is ever lost."""

import contextlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kata import source
from kata.bench import table
from kata.bench.terminal import Terminal
from kata.mistakes import load_bank, twisted_source
from kata.topics import HINTS, MODULE, REFERENCE, ROOT, TOOLS, find_topic

TOPIC, EXERCISE = 12, "col2im"
SAVES, COLD, TORTURE = 50, 7, 200
KEPT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.backup-*", "tests")


class Watched:
    """watch.py on a terminal, at one topic of the course in the folder `root`."""

    def __init__(self, root, topic, stem, *options, env=None, columns=80, rows=24):
        self.file = next((root / "Module02-CNNs").glob(f"Topic {topic}-*")) / f"{stem}.py"
        environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES")}
        environment |= {"TERM": "xterm-256color", "PYTHONUTF8": "1"} | (env or {})
        command = [sys.executable, str(root / "tools" / "watch.py"), str(topic), *options]
        self.terminal = Terminal(command, root, environment, columns, rows)

    def save(self, text, how="write"):
        """Save as editors do: write in place, by a renamed copy, or twice; None deletes the file."""
        if text is None:
            self.file.unlink(missing_ok=True)
        elif how == "rename":
            copy = self.file.with_name(f".{self.file.name}.swp")
            copy.write_text(text, "utf-8")
            os.replace(copy, self.file)
        else:
            if how == "twice":
                self.file.write_text(text[: len(text) // 2], "utf-8")
            self.file.write_text(text, "utf-8")

    def wait(self, said, seconds=120):
        """Wait until the screen says something, however its lines are broken; return when that was."""
        return self.terminal.wait(lambda text: said in flat(text), seconds)

    def wait_settled(self, said, seconds=120):
        """Wait until it says something and nothing runs any more."""
        return self.terminal.wait(lambda text: said in flat(text) and " ..." not in text.split("\n")[0], seconds)

    def processes(self):
        """Return the processes watch.py has started, theirs included, as {pid: command line} (Linux)."""
        parents, commands = {}, {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, IndexError):
                state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(process.name)] = int(parent)
                    commands[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        found = {self.terminal.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return {pid: commands[pid] for pid in found - {self.terminal.process.pid}}

    def memory(self):
        """Return the watcher's resident memory in MB (Linux)."""
        status = Path(f"/proc/{self.terminal.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def close(self):
        self.terminal.close()


def flat(text):
    """The text on one line."""
    return " ".join(text.split())


@contextlib.contextmanager
def course():
    """A copy of the course in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "a course"
        for tree in (HINTS, MODULE, REFERENCE, TOOLS):
            shutil.copytree(tree, root / tree.name, ignore=KEPT_OUT)
        for name in ("conftest.py", "pyproject.toml"):
            shutil.copy2(ROOT / name, root / name)
        yield root


# --- how long -----------------------------------------------------------------------------------


def measure(saves=SAVES):
    """Return the table: from the save of a wrong file to its verdict, and a cold pytest of the same tests.

    The files are the topic's known mistakes in one exercise, saved in turn; the verdict is on the screen when
    the sentence that names the mistake is, under the failing test's.
    """
    topic = find_topic(TOPIC)
    mistakes = [mistake for mistake in load_bank(topic).mistakes if mistake.exercise == EXERCISE][:5]
    with course() as root:
        watched = Watched(root, topic.number, topic.stem)
        try:
            watched.save(source.read(topic.reference))
            watched.wait_settled("is complete")
            cold, taken = [], []
            for turn in range(-len(mistakes), saves):
                mistake = mistakes[turn % len(mistakes)]
                taken.append(_seconds(watched, twisted_source(topic, mistake), mistake.says))
                watched.wait_settled(mistake.says)
                test = watched.terminal.lines()[3].split()[1]
                if turn % (max(1, saves // COLD)) == 0:
                    cold.append(_cold(watched.file.parent, test))
        finally:
            watched.close()
    taken = sorted(taken[len(mistakes) :])
    median, late = statistics.median(taken), taken[int(0.95 * (len(taken) - 1))]
    rows = [
        (f"save to verdict, median of {len(taken)}", _ms(median), f"{median / statistics.median(cold):.2f}", "0.25"),
        ("save to verdict, 95th percentile", _ms(late), f"{late / statistics.median(cold):.2f}", ""),
        (f"cold pytest of the same test, median of {len(cold)}", _ms(statistics.median(cold)), "1.00", ""),
    ]
    return table(("", "time", "of cold pytest", "goal"), rows)


def _seconds(watched, text, says):
    start = time.perf_counter()
    watched.save(text)
    return watched.wait(says) - start


def _cold(folder, test):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder), "-k", test]
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return time.perf_counter() - start


def _ms(seconds):
    return f"{1000 * seconds:.0f} ms"


# --- whether any save is lost -------------------------------------------------------------------


def torture(saves=TORTURE, seed=1):
    """Save at random moments; return a line on what came of it. See `storm`."""
    topic = find_topic(TOPIC)
    right = source.read(topic.reference)
    mistakes = [mistake for mistake in load_bank(topic).mistakes if mistake.exercise == EXERCISE][:5]
    contents = [(twisted_source(topic, mistake), mistake.says) for mistake in mistakes]
    contents += [(right, "is complete"), (f"{right}\ndef broken(:\n", "has a syntax error"), (None, "is missing")]
    endless = right.replace("cols = as_float(cols)", "while True:\n        pass")
    with course() as root:
        watched = Watched(root, topic.number, topic.stem)
        try:
            watched.wait_settled("exercises pass")
            return storm(watched, contents, endless, saves, seed)
        finally:
            watched.close()


def storm(watched, contents, endless, saves, seed):
    """Save `saves` times at random moments, now and then waiting for the verdict on what was saved last.

    Parameters
    ----------
    watched : Watched
    contents : list of (text or None, what the screen says of it)
    endless : str
        A file whose tests never end; it is always replaced before their time is up.

    Raises
    ------
    AssertionError
        If a verdict is not that of the last content, if a process is left, or if the watcher grows.
    """
    draw = random.Random(seed)
    waited, memory = 0, []
    for turn in range(saves):
        text, says = draw.choice([*contents, (endless, None)])
        watched.save(text, draw.choice(["write", "rename", "twice"]))
        if draw.random() < 0.2 or turn == saves - 1:
            if says is None:
                text, says = draw.choice(contents)
                watched.save(text)
            watched.wait_settled(says)
            waited += 1
            memory.append(watched.memory())
            busy = [command for command in watched.processes().values() if "worker.py" in command]
            assert len(watched.processes()) <= 1 and not busy, f"left running: {watched.processes()}"
        else:
            time.sleep(draw.random() * draw.choice([0.02, 0.2, 1.0]))
    growth = memory[-1] - memory[len(memory) // 4]
    assert growth < 16, f"the watcher grew by {growth:.0f} MB: {memory}"
    return f"{saves} saves, {waited} verdicts awaited and right, no process left, the watcher grew by {growth:.1f} MB"
