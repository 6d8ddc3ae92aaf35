"""Running one topic's suites on one solution in a process group of its own, within limits.

The parent never imports the solution. A test that hangs or takes the process down is recorded as that
test's failure, the rest of its exercise is not run, and every other test goes on in a fresh process: a bad
exercise costs only itself.
"""

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from kata.errors import KataError
from kata.topics import TOOLS

TEST_SECONDS = 20
TOPIC_SECONDS = 300
MEMORY = 4 * 2**30
OUTPUT = 64 * 2**20  # bytes a solution may print
POLL = 0.01

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
FOREIGN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTHONSTARTUP", "PYTHONPATH", "PYTHONWARNINGS", "PYTHONINSPECT")


@dataclass
class Run:
    """What a run of a topic's suites showed.

    `tests` are the collected tests ({id, exercise, suite, sentence}, in order), `results` maps an id to
    {outcome, finding}; a test without a result was not run. `diagnoses` maps an exercise to what it looks like.
    """

    tests: list = field(default_factory=list)
    results: dict = field(default_factory=dict)
    diagnoses: dict = field(default_factory=dict)


@dataclass
class Request:
    """What to run; see `run`."""

    topic: object
    solution: Path
    carried: tuple = ()
    only: frozenset | None = None
    seconds: float = TEST_SECONDS
    diagnose: bool = True
    shrink: bool = True


def run(request, on_result=None, stop=None):
    """Run a topic's visible suite and, when all of it passes, its hidden one.

    Parameters
    ----------
    request : Request
        `carried` are the topics `cnn` takes from the learner; `only` restricts the run to these ids
        (of both suites, whatever fails); `seconds` bounds one test, and `TOPIC_SECONDS` all of them.
    on_result : function (Run), optional
        Called whenever there is news.
    stop : threading.Event, optional
        Ends the run early when set.

    Returns
    -------
    run : Run

    Raises
    ------
    KataError
        If the suites could not even be collected; the message has the worker's last words.
    """
    shown = Run()
    deadline = time.monotonic() + TOPIC_SECONDS
    while True:
        before = len(shown.results)
        ended = _attempt(request, shown, deadline, on_result, stop)
        if ended or (stop and stop.is_set()):
            return shown
        if len(shown.results) == before:  # it died between tests: nothing more can be learnt from it
            return shown


def _attempt(request, shown, deadline, on_result, stop):
    """Start one worker and follow it to its end; tell whether nothing is left to run."""
    with tempfile.TemporaryDirectory(prefix="kata-", ignore_cleanup_errors=True) as scratch:
        scratch = Path(scratch)
        results, stacks, words = scratch / "results", scratch / "stacks", scratch / "words"
        (scratch / "work").mkdir()
        token = secrets.token_hex(8)
        order = {
            "token": token,
            "results": str(results),
            "stacks": str(stacks),
            "topic": request.topic.number,
            "solution": str(request.solution),
            "suites": [str(path) for path in (request.topic.visible, request.topic.hidden) if path.exists()],
            "carried": [topic.number for topic in request.carried],
            "skip": list(shown.results),
            "only": None if request.only is None else sorted(request.only),
            "failing": sorted(set(_failing(shown)) - set(shown.diagnoses)),
            "visible_failed": any(
                name.startswith("test_visible.py") and result["outcome"] != "passed"
                for name, result in shown.results.items()
            ),
            "seconds": request.seconds / (4 if _has_hung(shown) else 1),
            "memory": MEMORY,
            "output": OUTPUT,
            "diagnose": request.diagnose,
            "shrink": request.shrink,
        }
        with open(words, "wb") as output:
            process = _start(output, scratch / "work")
            try:
                _send(process, order)
                follow = _Follower(results, token, shown)
                quiet_until = time.monotonic() + request.seconds + 30
                while process.poll() is None:
                    if follow.read():
                        quiet_until = time.monotonic() + request.seconds + 10
                        if on_result:
                            on_result(shown)
                    now = time.monotonic()
                    if now > min(deadline, quiet_until) or words.stat().st_size > OUTPUT or (stop and stop.is_set()):
                        break
                    time.sleep(POLL)
            finally:
                _end(process)
        follow.read()
        if not shown.tests:
            last = words.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise KataError(f"{request.topic}: the suites could not be collected: {last[0]}")
        if follow.current and not (stop and stop.is_set()):
            _blame(
                request,
                shown,
                follow.current,
                process.returncode,
                stacks,
                order["seconds"],
                time.monotonic() > deadline,
            )
        return follow.ended or time.monotonic() > deadline


def _failing(shown):
    """The exercises with a failure that can be diagnosed."""
    findings = [result["finding"] for result in shown.results.values() if result["finding"]]
    return [finding["exercise"] for finding in findings if finding["kind"] == "fail"]


def _has_hung(shown):
    """Tell whether a test has hung already: the next one that does need not be waited for as long."""
    return any((result["finding"] or {}).get("kind") == "hang" for result in shown.results.values())


def _start(output, folder):
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    environment |= ONE_THREAD | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    own_group = {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x00000200}
    return subprocess.Popen(
        [sys.executable, str(TOOLS / "kata" / "worker.py")],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=environment,
        **own_group,
    )


def _send(process, order):
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()


def _end(process):
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


class _Follower:
    """Reads a worker's reports as they come."""

    def __init__(self, path, token, shown):
        self.path, self.token, self.shown = path, token, shown
        self.offset, self.current, self.ended = 0, None, False

    def read(self):
        """Take in all complete new lines; tell whether there were any."""
        if not self.path.exists():
            return False
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            lines = file.read().split(b"\n")[:-1]
        self.offset += sum(len(line) + 1 for line in lines)
        for line in lines:
            self._take(line)
        return bool(lines)

    def _take(self, line):
        try:
            report = json.loads(line)
        except ValueError:
            return
        if not isinstance(report, dict) or report.get("token") != self.token:
            return
        match report["event"]:
            case "collected":
                self.shown.tests = report["tests"]
            case "start":
                self.current = report["id"]
            case "result":
                self.current = None
                self.shown.results[report["id"]] = {"outcome": report["outcome"], "finding": report["finding"]}
            case "diagnosis":
                self.shown.diagnoses[report["exercise"]] = report
            case "uncollected":
                raise KataError(f"the suites could not be collected: {report['message']}")
            case "internal":
                raise KataError(f"the test harness itself failed: {report['message']}")
            case "end":
                self.ended = True


def _blame(request, shown, culprit, status, stacks, seconds, late):
    """Record the test that ended the process, and that the rest of its exercise was not run."""
    tests = {test["id"]: test for test in shown.tests}
    hung, line = _hanging_line(stacks, request.solution)
    if hung or late:
        place = f" at {request.solution.name}:{line}" if line else ""
        kind, what = "hang", f"did not end within {seconds:g} seconds{place}: is a loop's end never reached?"
    else:
        kind, what = "crash", f"took Python down with it ({_cause(status)})"
    exercise = tests[culprit]["exercise"]
    for name, test in tests.items():
        if name == culprit:
            message = what
        elif test["exercise"] == exercise and name not in shown.results:
            message = f"not run: {culprit.rpartition('::')[2]} {'hung' if kind == 'hang' else 'crashed'}"
        else:
            continue
        finding = {
            "kind": kind,
            "exercise": exercise,
            "sentence": test["sentence"],
            "test": name.partition("::")[2].replace("::", "."),
            "suite": test["suite"],
            "details": [message],
            "call": "",
            "printed": [],
            "line": f"{request.solution}:{line}" if line else "",
        }
        shown.results[name] = {"outcome": "failed", "finding": finding}


def _hanging_line(stacks, solution):
    """Return whether the watchdog fired, and the innermost line of the solution it saw."""
    text = stacks.read_text(encoding="utf-8", errors="replace") if stacks.exists() else ""
    match = re.search(rf'File "{re.escape(str(solution))}", line (\d+)', text)
    return "Timeout" in text, int(match.group(1)) if match else None


def _cause(status):
    if status is not None and status < 0:
        try:
            return signal.Signals(-status).name
        except ValueError:
            return f"signal {-status}"
    return f"exit status {status}: does it call os._exit, or interrupt the tests?"
