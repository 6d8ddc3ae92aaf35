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
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kata.errors import KataError
from kata.finding import of_test
from kata.topics import TOOLS

TEST_SECONDS = 20
TOPIC_SECONDS = 300
START_SECONDS = 30  # for a worker to import what it needs
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
    with tempfile.TemporaryDirectory(prefix="kata-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        (scratch / "work").mkdir()
        order = _order(request, shown, scratch)
        follow = _Follower(scratch / "results", order["token"], shown)
        with open(scratch / "words", "wb") as words:
            process = _start(words, scratch / "work")
            try:
                _send(process, order)
                _wait(process, follow, request.seconds, deadline, on_result, stop)
            finally:
                _end(process)
        follow.read()
        late, stopped = time.monotonic() > deadline, stop and stop.is_set()
        if not shown.tests and not stopped:
            raise KataError(f"{request.topic}: the suites could not be collected: {_last_line(scratch / 'words')}")
        if follow.current and not stopped:
            _blame(shown, follow.current, _cause(process.returncode, scratch / "stacks", order, late))
        return follow.ended or late


def _order(request, shown, scratch):
    """What the worker is told: `worker.py` says what each entry means."""
    visible = {name: result for name, result in shown.results.items() if name.startswith("test_visible.py")}
    return {
        "token": secrets.token_hex(8),
        "results": str(scratch / "results"),
        "stacks": str(scratch / "stacks"),
        "topic": request.topic.number,
        "solution": str(request.solution),
        "suites": [str(path) for path in (request.topic.visible, request.topic.hidden) if path.exists()],
        "carried": [topic.number for topic in request.carried],
        "skip": list(shown.results),
        "only": None if request.only is None else sorted(request.only),
        "failing": sorted(set(_failing(shown)) - set(shown.diagnoses)),
        "visible_failed": any(result["outcome"] != "passed" for result in visible.values()),
        "seconds": request.seconds / (4 if _has_hung(shown) else 1),
        "memory": MEMORY,
        "output": OUTPUT,
        "diagnose": request.diagnose,
        "shrink": request.shrink,
    }


def _wait(process, follow, seconds, deadline, on_result, stop):
    """Read reports until the worker ends, is stopped, or says nothing for longer than a test may take."""
    quiet_until = time.monotonic() + seconds + START_SECONDS
    while process.poll() is None and time.monotonic() < min(deadline, quiet_until) and not (stop and stop.is_set()):
        if follow.read():
            quiet_until = time.monotonic() + seconds + START_SECONDS
            if on_result:
                on_result(follow.shown)
        time.sleep(POLL)


def _last_line(path):
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "the process that runs them said nothing"


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


def _blame(shown, culprit, cause):
    """Record the test that ended the process, and that the rest of its exercise was not run."""
    kind, message, line = cause
    exercise = next(test["exercise"] for test in shown.tests if test["id"] == culprit)
    also = f"not run: {culprit.rpartition('::')[2]} {'hung' if kind == 'hang' else 'crashed'}"
    for test in shown.tests:
        name = test["id"]
        if name == culprit or (test["exercise"] == exercise and name not in shown.results):
            finding = of_test(test, kind, message if name == culprit else also, line)
            shown.results[name] = {"outcome": "failed", "finding": asdict(finding)}


def _cause(status, stacks, order, late):
    """Return (kind, sentence, line of the solution) for a test that ended its process."""
    text = stacks.read_text(encoding="utf-8", errors="replace") if stacks.exists() else ""
    if "Timeout" not in text and not late:
        return "crash", f"took Python down with it ({_ending(status)})", ""
    innermost = re.search(rf'File "{re.escape(order["solution"])}", line (\d+)', text)
    line = innermost.group(1) if innermost else ""
    place = f" at {Path(order['solution']).name}:{line}" if line else ""
    message = f"did not end within {order['seconds']:g} seconds{place}: is a loop's end never reached?"
    return "hang", message, f"{order['solution']}:{line}" if line else ""


def _ending(status):
    if status is not None and status < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
    return f"exit status {status}: does it call os._exit?"
