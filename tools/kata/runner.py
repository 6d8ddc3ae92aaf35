"""Running one topic's suites on one solution in a process group of its own, within limits.

The parent never imports the solution. A test that hangs or takes the process down is recorded as that
test's failure, the rest of its exercise is not run, and every other test goes on in a fresh process: a bad
exercise costs only itself.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from kata.aftermath import blame, blame_all, cause
from kata.channel import Follower
from kata.clock import Clock
from kata.errors import KataError
from kata.limits import takes_more
from kata.topics import TOOLS

TEST_SECONDS = 20
TOPIC_SECONDS = 300
START_SECONDS = 60  # for a worker to import what it needs
GRACE = 0.5  # seconds a test may be overdue
ASKED = 5  # seconds in which a process that hangs may write its stack and end
MEMORY = 4 * 2**30
OUTPUT = 64 * 2**20  # bytes of any one file, what a solution prints included
ROOM = 4 * OUTPUT  # bytes of all files in its scratch folder together
POLL = 0.01
SWEEP = 0.5  # seconds between two looks at that folder
MARK = "KATA_RUN"  # the environment variable that tells the processes of one run

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
FOREIGN = (
    "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTHONSTARTUP", "PYTHONPATH", "PYTHONWARNINGS", "PYTHONINSPECT",
    "PYTHONOPTIMIZE",
)  # fmt: skip


@dataclass
class Run:
    """What a run of a topic's suites showed.

    `tests` are the collected tests ({id, exercise, suite, sentence}, in order), `results` maps an id to
    {outcome, finding}; a test without a result was not run. `diagnoses` maps an exercise to what it looks like.
    `preview` is the finding of a test whose smallest failing example is still being looked for.
    """

    tests: list = field(default_factory=list)
    results: dict = field(default_factory=dict)
    diagnoses: dict = field(default_factory=dict)
    preview: dict | None = None


@dataclass
class Request:
    """What to run; see `run`."""

    topic: object
    solution: Path
    carried: tuple = ()
    only: frozenset | None = None
    seconds: float = TEST_SECONDS
    rules: bool = True
    diagnose: bool = True
    shrink: bool = True
    first: str = ""
    gated: bool = True
    exercises: frozenset | None = None


def run(request, on_result=None, stop=None, start=None):
    """Run a topic's visible suite and, when all of it passes, its hidden one.

    Parameters
    ----------
    request : Request
        `carried` are the topics `cnn` takes from the learner; `only` restricts the run to these ids
        (of both suites, whatever fails); `seconds` bounds one test, and `TOPIC_SECONDS` all of them.
        `exercises` restricts it to these exercises' visible tests.
        `first` is the id of the test to begin with, its exercise's others come next. Where it is not
        `gated`, the hidden suite runs whatever the visible one shows.
    on_result : function (Run), optional
        Called whenever there is news.
    stop : threading.Event, optional
        Ends the run early when set.
    start : function (order, folder), optional
        Gives the process that runs the tests, as `Worker` does.

    Returns
    -------
    run : Run

    Raises
    ------
    KataError
        If the suites could not even be collected; the message has the worker's last words.
    """
    shown, clock = Run(), Clock()
    while True:
        before = len(shown.results)
        ended = _attempt(request, shown, clock, on_result, stop, start or Worker)
        if ended or (stop and stop.is_set()):
            return shown
        if len(shown.results) == before:  # it died between tests: nothing more can be learnt from it
            return shown


def _attempt(request, shown, clock, on_result, stop, start):
    """Start one worker and follow it to its end; tell whether nothing is left to run."""
    _require_room()
    with tempfile.TemporaryDirectory(prefix="kata-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder).resolve()
        (scratch / "work").mkdir()
        order = _order(request, shown, scratch)
        with contextlib.closing(Follower(scratch / "results", order["token"], shown)) as follow:
            process = start(order, scratch)
            try:
                excess = _wait(process, follow, clock, order, on_result, stop)
                if excess:
                    _ask_where(process, follow.process)
            finally:
                process.end()
            follow.read()
        if stop and stop.is_set():
            return True
        if not shown.tests:
            raise KataError(f"{request.topic}: the suites could not be collected: {_last_words(scratch / 'words')}")
        _conclude(shown, process, order, follow, excess)
        return follow.ended or follow.unfit is not None or clock.now() > TOPIC_SECONDS


def _conclude(shown, process, order, follow, excess):
    """Record what became of a test that was begun and of a solution that could not even be imported."""
    if follow.unfit:
        blame_all(shown, *follow.unfit)
    elif follow.current:
        _require_room()
        kind, message, line = cause(process, order, follow, excess)
        if follow.loading:
            follow.unfit = f"importing it {message}", line
            blame_all(shown, *follow.unfit)
        else:
            blame(shown, follow.current, kind, message, line)


def _require_room():
    """Refuse to decide anything where there is no room for evidence."""
    try:
        free = shutil.disk_usage(tempfile.gettempdir()).free
    except OSError as error:
        raise KataError(f"no temporary folder can be written ({error.strerror}). Set TMPDIR to one that can.") from None
    if free < OUTPUT:
        raise KataError(
            f"{tempfile.gettempdir()} has {free / 2**20:.0f} MB left, and the tests may need {OUTPUT / 2**20:.0f}. "
            "Make room, or set TMPDIR to another folder."
        )


def _order(request, shown, scratch):
    """What the worker is told: `worker.py` says what each entry means."""
    visible = {name: result for name, result in shown.results.items() if name.startswith("test_visible.py")}
    return {
        "token": secrets.token_hex(16),
        "results": str(scratch / "results"),
        "stacks": str(scratch / "stacks"),
        "scratch": str(scratch),
        "work": str(scratch / "work"),
        "temp": str(scratch / "temp"),
        "topic": request.topic.number,
        "solution": str(request.solution),
        "suites": [str(path) for path in (request.topic.visible, request.topic.hidden) if path.exists()],
        "carried": [topic.number for topic in request.carried],
        "skip": list(shown.results),
        "only": None if request.only is None else sorted(request.only),
        "failing": sorted(set(_failing(shown)) - set(shown.diagnoses)),
        "visible_failed": any(result["outcome"] != "passed" for result in visible.values()),
        "seconds": max(min(request.seconds, 1), request.seconds / (4 if _has_hung(shown) else 1)),
        "processor": int(2 * request.seconds) + 2,
        "memory": MEMORY,
        "output": OUTPUT,
        "room": ROOM,
        "rules": request.rules,
        "diagnose": request.diagnose,
        "shrink": request.shrink,
        "first": request.first,
        "gated": request.gated,
        "exercises": None if request.exercises is None else sorted(request.exercises),
    }


def _wait(process, follow, clock, order, on_result, stop):
    """Read reports until the worker ends or is stopped, or takes too much of something: return what, "" if not."""
    clock.follow(getattr(process, "pid", None))
    heard = swept = clock.now()
    while process.poll() is None and not (stop and stop.is_set()):
        if follow.read():
            clock.follow(follow.process)
            heard = clock.now()
            if on_result:
                on_result(follow.shown)
        patience = order["seconds"] + (GRACE if follow.current else START_SECONDS)
        now = clock.now()
        if now > min(TOPIC_SECONDS, heard + patience):
            return "time"
        if now > swept + SWEEP:
            swept = now
            if takes_more(order["scratch"], order["room"]):
                return "room"
        time.sleep(POLL)
    return ""


def _ask_where(process, number):
    """Have a process that hangs write its stack, see `limits.confine`, and give it a moment to end of it."""
    if number and hasattr(signal, "SIGXCPU"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(number, signal.SIGXCPU)
        overdue = time.monotonic() + ASKED
        while process.poll() is None and time.monotonic() < overdue:
            time.sleep(POLL)


def _last_words(words):
    """What the process that should have run the suites said last."""
    lines = words.read_text(encoding="utf-8", errors="replace").strip().splitlines() if words.exists() else []
    return lines[-1] if lines else "the process that runs them said nothing. Is the machine very busy? Try again."


def _failing(shown):
    """The exercises with a failure that can be diagnosed."""
    findings = [result["finding"] for result in shown.results.values() if result["finding"]]
    return [finding["exercise"] for finding in findings if finding["kind"] == "fail"]


def _has_hung(shown):
    """Tell whether a test has hung already: the next one that does need not be waited for as long."""
    return any((result["finding"] or {}).get("kind") == "hang" for result in shown.results.values())


class Worker:
    """A fresh process that carries out one order; what it says goes to the file `words`."""

    def __init__(self, order, scratch):
        self._mark = scratch.name
        with open(scratch / "words", "wb") as words:
            where = {"stdout": words, "stderr": subprocess.STDOUT, "cwd": scratch / "work"}
            self._process = start_python("worker.py", mark=self._mark, **where)
        send(self._process, order)

    def poll(self):
        """Return the exit status, None while it runs."""
        return self._process.poll()

    @property
    def pid(self):
        return self._process.pid

    @property
    def returncode(self):
        return self._process.returncode

    def end(self):
        """Kill it and everything it started."""
        end(self._process)
        end_strays(self._mark)


def start_python(script, mark="", **where):
    """Start a Python file of this folder in a process group of its own, in an environment of the harness's choice."""
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    environment |= ONE_THREAD | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    environment[MARK] = mark
    own_group = {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x00000200}
    command = [sys.executable, "-P", str(TOOLS / "kata" / script)]  # -P: no folder of ours hides a library
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, **own_group, **where)


def send(process, order):
    """Hand an order to a process; one that is gone already takes none."""
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()


def end(process):
    """Kill the worker and everything it started."""
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def end_strays(mark, but=None):
    """Kill what left the process group, found by its environment where the system shows it; not the process `but`."""
    wanted = f"{MARK}={mark}".encode() + b"\0"

    def strays():
        processes = [process for process in Path("/proc").glob("[0-9]*") if wanted in _environment(process)]
        return [int(process.name) for process in processes if process.name != str(but)]

    while found := strays():
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def _environment(process):
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""
