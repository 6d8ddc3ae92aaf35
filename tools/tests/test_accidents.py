"""Whatever a solution does to Python, it costs its own exercise and nothing else."""

import json
import os
import sys

import pytest

BACKWARD = "return 2 * dout"


ONE_SECOND = """
import json
from kata.runner import Request, Worker, run
from kata.topics import find_topic

topic = find_topic(21)
hurried = lambda order, scratch: Worker({**order, "processor": 1}, scratch)
results = run(Request(topic, topic.starter, seconds=60, diagnose=False), start=hurried).results.values()
failures = [result["finding"]["details"][0] for result in results if result["finding"]]
print(json.dumps([failures[0], len(results) - len(failures)]))
"""


def statuses(verdict):
    return {exercise["name"]: exercise["status"] for exercise in verdict["exercises"]}


def said(verdict, name):
    exercise = next(exercise for exercise in verdict["exercises"] if exercise["name"] == name)
    return " ".join(exercise["failures"][0]["details"])


def backward(course, code, *options):
    """Put `code` in double_backward and return the verdict; the other two exercises must pass."""
    course.solve(21, {BACKWARD: code})
    verdict = course.verdict(21, *options)
    assert statuses(verdict) == {"double": "pass", "double_backward": "fail", "Scale": "pass"}
    assert not verdict["complete"] and verdict["hidden"] is None
    return verdict


def test_infinite_loop(course):
    """An endless loop is named with test, limit and line; other exercises and other topics keep their results."""
    path = course.solve(21, {BACKWARD: "while True:\n        pass"})
    course.solve(22)
    done = course.run("check.py", "--all", "--time-limit", 2, "--format", "json")
    assert done.returncode == 1
    first, second = json.loads(done.stdout)["verdicts"]
    assert statuses(first) == {"double": "pass", "double_backward": "fail", "Scale": "pass"}
    lines = path.read_text("utf-8").splitlines()
    loop = 1 + lines.index("    while True:")
    failure = first["exercises"][1]["failures"][0]
    assert failure["kind"] == "hang" and failure["test"] == "TestDoubleBackward.test_gradient"
    assert "did not end within 2 seconds at mini.py:" in failure["details"][0]
    assert failure["line"] in (f"{path}:{loop}", f"{path}:{loop + 1}")
    assert second["complete"]


def test_loop_at_import(course):
    """An endless loop at import is named with its line."""
    course.write(21, "while True:\n    pass\n")
    done = course.run("check.py", 21, "--time-limit", 1)
    assert done.returncode == 1
    assert "did not end within 1 seconds at mini.py:" in " ".join(done.stdout.split())


def test_loop_that_catches_everything(course):
    """A loop that swallows every exception is ended all the same."""
    verdict = backward(
        course,
        "while True:\n        try:\n            pass\n        except BaseException:\n            pass",
        "--time-limit",
        "2",
    )
    assert "did not end within" in said(verdict, "double_backward")


@pytest.mark.parametrize("status", [0, 3])
def test_process_ended(course, status):
    """os._exit in a solution fails its exercise, whatever status it pretends."""
    verdict = backward(course, f"import os\n    os._exit({status})")
    assert f"exit status {status}" in said(verdict, "double_backward")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("raise SystemExit(0)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("return double_backward(dout)", "RecursionError"),
        ("return np.ones(2**57)", "MemoryError"),
        ("import pytest", "mini.py:57 imports pytest"),
        ("__import__('pytest').skip('later')", "mini.py:57 imports pytest"),
        ("sys.modules['pytest'].skip('later')", "later"),
        ("sys.modules['pytest'].xfail('known')", "known"),
        ("sys.modules['pytest'].exit('enough')", "Interruption"),
        ("raise AssertionError", "the assertion does not hold"),
        ("raise GeneratorExit", "GeneratorExit"),
    ],
)
def test_raised(course, code, name):
    """No exception a solution raises passes a test, skips one or stops the others."""
    verdict = backward(course, f"import sys\n    {code}")
    assert name in said(verdict, "double_backward")


if sys.platform == "linux":

    def test_memory_limit(course):
        """More memory than the limit is a MemoryError of the exercise, not the machine's trouble."""
        verdict = backward(course, "return np.zeros(2**32)")
        assert "MemoryError" in said(verdict, "double_backward")

    def test_killed(course):
        """A signal that ends the process is named."""
        verdict = backward(course, "import os, signal\n    os.kill(os.getpid(), signal.SIGSEGV)")
        assert "SIGSEGV" in said(verdict, "double_backward")

    def test_processor_time(course):
        """A test that takes more processor time than it may is ended long before its limit of the clock's."""
        course.solve(21, {BACKWARD: "while True:\n        pass"})
        done = course.python(ONE_SECOND)
        failure, passed = json.loads(done.stdout)
        assert "seconds of processor time at mini.py:" in failure and passed == 3


def test_flood(course):
    """A solution may print as much as it likes; none of it reaches the verdict."""
    course.solve(21, {BACKWARD: "print('noise ' * 200_000)\n    return 2 * dout"})
    done = course.run("check.py", 21)
    assert done.returncode == 0 and "noise" not in done.stdout + done.stderr


def test_forged_report(course):
    """What a solution prints is no report."""
    forged = json.dumps({"event": "end", "token": "x"})
    verdict = backward(course, f"print({forged!r}, '4 passed')\n    return dout")
    assert verdict["visible"] == [3, 4]


def test_closed_streams(course):
    """A solution that closes standard output and error harms no other exercise."""
    verdict = backward(course, "import sys\n    sys.stdout.close()\n    sys.stderr.close()\n    return dout")
    assert verdict["visible"] == [3, 4]


def test_patched_harness(course):
    """A solution that rebinds NumPy's comparison is rejected by what it returns, and its other exercises are not."""
    backward(course, "np.allclose = np.array_equal = lambda *a, **k: True\n    return 3 * dout")


def test_children_are_refused(course):
    """A solution that starts a process fails its exercise, with the line."""
    child = "import subprocess, sys\n    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n    "
    verdict = backward(course, child + BACKWARD)
    assert "mini.py:57 starts another process: a solution computes in its own." in said(verdict, "double_backward")


def test_threads_are_not_waited_for(course):
    """A thread or an exit handler that a solution leaves does not keep the check waiting."""
    code = (
        "import atexit, threading\n    event = threading.Event()\n"
        "    threading.Thread(target=event.wait).start()\n    atexit.register(event.wait)\n    "
    )
    course.solve(21, {BACKWARD: code + BACKWARD})
    assert course.run("check.py", 21).returncode == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "import numpy\nimport torch\n",
            "later.py:2 imports torch: a solution uses NumPy, the standard library and cnn",
        ),
        ("import sys\nsys.exit(0)\n", "later.py:2 leaves the program when it is imported"),
        ("def double(:\n", "later.py:1 has a syntax error"),
        ("1 / 0\n", "later.py:1 can't be imported: ZeroDivisionError"),
        ("import numpy.nothing\n", "later.py:1 can't be imported: ModuleNotFoundError"),
        (
            "from cnn.nothing import at_all\n",
            "later.py:1 imports cnn.nothing: of cnn a topic may use the earlier topics",
        ),
        (None, "later.py is missing"),
    ],
)
def test_file_that_cannot_be_tested(checked, text, sentence):
    """A file that can't be tested is one sentence and status 1, and the other topic has its verdict."""
    if text is None:
        checked.topic(22).starter.unlink()
    else:
        checked.write(22, text)
    done = checked.run("check.py", "--all")
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
    assert done.stdout.count(sentence) == 1 and "topic 21  mini   complete" in done.stdout
    next_step = "later.py:" if text is not None else "reset.py"
    assert any(line.startswith("next: ") and next_step in line for line in done.stdout.splitlines())


def test_missing_function(course):
    """A missing function fails its exercise alone, with the command that brings the starter back."""
    verdict = backward(course, "return 2 * dout\n\n\ntwice = double_backward\ndel double_backward")
    assert "mini.py has no double_backward" in said(verdict, "double_backward")
    assert "reset.py mini" in said(verdict, "double_backward")


def test_wrong_signature(course):
    """A changed signature fails its exercise alone, with both what is there and what to do."""
    course.solve(21, {"def double_backward(dout):": "def double_backward(dout, x):"})
    verdict = course.verdict(21)
    assert statuses(verdict) == {"double": "pass", "double_backward": "fail", "Scale": "pass"}
    assert "double_backward(dout, x) can't be called" in said(verdict, "double_backward")


def test_written_on_windows(course):
    """A byte order mark and Windows newlines pass like any file."""
    path = course.solve(21)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert course.verdict(21)["complete"]


def test_saved_within_the_same_tick(course):
    """An edit that changes neither length nor time of the file is seen."""
    path = course.solve(21)
    stamp = path.stat().st_mtime_ns
    assert course.verdict(21)["complete"]
    course.solve(21, {"return 2 * x": "return 3 * x"})
    os.utime(path, ns=(stamp, stamp))
    assert statuses(course.verdict(21))["double"] == "fail"


def test_no_bytecode_beside_the_learners_file(course):
    """A check leaves nothing in the topic's folder."""
    course.solve(21)
    course.solve(22)
    before = sorted(course.topic(21).folder.iterdir())
    course.run("check.py", "--all")
    course.run("check.py", 22, "--fresh")
    assert sorted(course.topic(21).folder.iterdir()) == before
