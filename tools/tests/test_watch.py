"""The pieces of watch.py: noticing saves, deciding when to run, what is shown; warm results are the cold ones."""

import json
import os
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from kata import testing
from kata.errors import KataError
from kata.runner import Run
from kata.topics import find_topic
from kata.watch import checker as checking
from kata.watch import editor, files, focus
from kata.watch.checker import Checker
from kata.watch.files import Watcher, fingerprint
from kata.watch.view import View, frame

SECONDS = 60


# --- the numbers around the first difference ----------------------------------------------------


def window(shape, index):
    """The window that `assert_close` gives for two arrays of one shape that differ at one index."""
    expected = np.arange(np.prod(shape), dtype=float).reshape(shape)
    actual = expected.copy()
    actual[index] += 0.5
    with pytest.raises(testing.Difference) as caught:
        testing.assert_close(actual, expected)
    return caught.value.window


def test_window_of_a_large_array():
    """Of a large array the numbers two around the difference are shown, in the rows and columns that place names."""
    found = window((2, 3, 9, 8), (1, 2, 4, 3))
    assert found["place"] == "[1, 2, 2:7, 1:6]" and found["mark"] == [2, 2]
    assert np.shape(found["expected"]) == np.shape(found["got"]) == (5, 5)
    assert float(found["got"][2][2]) == float(found["expected"][2][2]) + 0.5


@pytest.mark.parametrize(
    ("shape", "index", "place", "mark"),
    [
        ((2, 3), (1, 2), "[0:2, 0:3]", [1, 2]),
        ((9, 8), (8, 0), "[4:9, 0:5]", [4, 0]),
        ((7,), (6,), "[2:7]", [0, 4]),
        ((1, 1), (0, 0), "[0:1, 0:1]", [0, 0]),
    ],
)
def test_window_at_an_edge(shape, index, place, mark):
    """At an edge the window stays inside the array, and a row has one axis."""
    found = window(shape, index)
    assert (found["place"], found["mark"]) == (place, mark)


def test_no_window_of_a_number():
    """A single number has no surroundings."""
    assert window((), ()) == {}


# --- which failure is shown ---------------------------------------------------------------------


def failure(test, exercise="double", kind="fail", suite="test_visible.py", **more):
    empty = {"details": ["expected 2, got 3"], "call": "", "line": "", "printed": [], "window": {}}
    given = {"kind": kind, "exercise": exercise, "sentence": "It holds.", "test": test, "suite": suite}
    return {**empty, **given, **more}


def exercise(name, status, *failures, **more):
    empty = {"line": 1, "passed": 0, "tests": 1, "mistake": None, "follows": False, "counterexample": None}
    return {"name": name, "status": status, "failures": list(failures), **empty, **more}


def verdict(*exercises, **more):
    empty = {"complete": False, "awaits_hidden": False, "visible": [1, 4], "hidden": None, "problem": "", "fault": None}
    return {**empty, "exercises": list(exercises), "remembered": True, **more}


def test_focus_stays():
    """The test that failed last is shown as long as it fails, whatever else does."""
    found = verdict(
        exercise("a", "fail", failure("T.test_one", "a")), exercise("b", "fail", failure("T.test_two", "b"))
    )
    assert focus.decided(found, "test_visible.py::T::test_two")[0]["name"] == "b"
    assert focus.decided(found, "test_visible.py::T::test_gone")[0]["name"] == "a"
    assert focus.begin_with(found, "") == "test_visible.py::T::test_one"


def test_failure_before_todo():
    """A failing exercise is shown before one that is still to be written, and that before nothing."""
    found = verdict(exercise("a", "todo"), exercise("b", "fail", failure("T.test_two", "b")))
    assert focus.decided(found, "")[0]["name"] == "b"
    assert focus.decided(verdict(exercise("a", "pass"), exercise("b", "todo")), "")[0]["name"] == "b"
    assert focus.decided(verdict(exercise("a", "pass")), "") is None


def test_focus_of_a_run():
    """In a run the failure known first is shown; a stub's is none."""
    stub, real = failure("T.test_one", kind="todo"), failure("T.test_two")
    results = {"1": {"outcome": "failed", "finding": stub}, "2": {"outcome": "passed", "finding": None}}
    assert focus.failing(Run(results=results), "") is None
    results["3"] = {"outcome": "failed", "finding": real}
    assert focus.failing(Run(results=results), "") is real
    assert focus.failing(Run(results=results, preview=failure("T.test_first")), "x")["test"] == "T.test_first"


# --- the screen ---------------------------------------------------------------------------------

TABLE = [[str(100.25 * (10 * row + column)) for column in range(5)] for row in range(5)]
WHOLE = failure(
    "TestDouble.test_any",
    details=["out at [4, 2]: expected 10, got 30", "smallest example: seed=0, N=1"],
    call=f"double({', '.join(f'argument_{n} (2, 3, 5, 7)' for n in range(6))})",
    sentence="Every number is added to itself, " * 3 + "whatever it is.",
    printed=[f"a number I looked at: {n}" for n in range(8)],
    window={"place": "[2:7, 0:5]", "mark": [2, 2], "expected": TABLE, "got": TABLE},
)
SAYS = {"name": "tripled", "says": "the numbers are tripled", "level": 2}


@pytest.mark.parametrize("width", [200, 80, 60, 33, 12, 1])
@pytest.mark.parametrize("height", [60, 24, 14, 8, 3, 1])
@pytest.mark.parametrize("shown", ["failure", "todo", "problem", "done", "panel", "nothing"])
def test_fits(width, height, shown):
    """Whatever there is to say, the screen has as many lines as the terminal and none is wider."""
    view = View(find_topic(11), note="a note that is much too long for a narrow terminal, and still one line")
    first = failure("T.test_x", details=[f"conv2d.py:3 {'is broken ' * 30}"], line="", kind="broken")
    view.verdict = {
        "failure": verdict(exercise("pad2d", "fail", WHOLE, mistake=SAYS)),
        "todo": verdict(exercise("pad2d", "todo", failure("T.test_x", "pad2d", "todo"))),
        "problem": verdict(exercise("pad2d", "fail", first), problem="a problem " * 30),
        "done": verdict(exercise("pad2d", "pass"), complete=True),
    }.get(shown)
    view.panel = ("A title", [f"line {n} of many" for n in range(50)]) if shown == "panel" else None
    lines = frame(view, width, height)
    assert len(lines) == height and all(line.cell_len <= width for line in lines)


def test_everything_at_80_by_24():
    """At 80 by 24 nothing that matters is left out, however much the learner printed."""
    view = View(find_topic(11), verdict=verdict(exercise("double", "fail", WHOLE, mistake=SAYS)))
    text = "\n".join(line.plain for line in frame(view, 80, 24))
    for said in ("topic 11 conv2d", "visible 1/4", "0 of 1 exercises pass", "whatever it is.", "expected 10, got 30"):
        assert said in text
    for said in (
        "after double(argument_0 (2, 3, 5, 7)",
        "looks like: the numbers are tripled",
        "conv2d.py:1",
        "q quit",
    ):
        assert said in text
    assert text.count("[2205.5]") == 2, text  # marked in both tables
    assert "printed: a number I looked at: 0" in text


def test_plain_marks():
    """Where the terminal knows only ASCII, so does the screen."""
    found = verdict(exercise("a", "pass"), exercise("b", "todo"), exercise("c", "fail", WHOLE))
    text = "\n".join(line.plain for line in frame(View(find_topic(11), verdict=found, plain=True), 80, 24))
    assert text.isascii() and "# . x  1 of 3 exercises pass" in text


def test_old_failure_stays_while_running():
    """While a run shows no failure yet, the last one stays on the screen and the head counts tests."""
    view = View(find_topic(11), verdict=verdict(exercise("double", "fail", WHOLE)), since=float("inf"))
    tests = [
        {"id": f"test_{suite}.py::{n}", "suite": f"test_{suite}.py"} for suite in ("visible", "hidden") for n in "ab"
    ]
    view.run = Run(tests=tests, results={"test_visible.py::a": {"outcome": "passed", "finding": None}})
    text = "\n".join(line.plain for line in frame(view, 80, 24))
    assert "running, visible 1 of 2 ..." in text and "expected 10, got 30" in text


# --- the editor ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ("vim", ["vim", "+7", "PATH"]),
        ("/usr/bin/nano -w", ["/usr/bin/nano", "-w", "+7", "PATH"]),
        ("code --wait", ["code", "--wait", "-g", "PATH:7"]),
        ("subl", ["subl", "PATH:7"]),
        ("ed", ["ed", "PATH"]),
    ],
)
def test_editor_at_the_line(chosen, words, tmp_path):
    """The editor opens the file at the line in the way it understands."""
    path = tmp_path / "my file.py"
    expected = [word.replace("PATH", str(path)) for word in words]
    assert editor.command(path, 7, {"VISUAL": chosen, "EDITOR": "ed"}) == expected


def test_no_editor(tmp_path):
    """Without VISUAL and EDITOR a sentence names the place."""
    with pytest.raises(KataError, match=r"neither VISUAL nor EDITOR .* file\.py:7"):
        editor.command(tmp_path / "file.py", 7, {})


# --- noticing saves -----------------------------------------------------------------------------


@pytest.mark.parametrize("poll", [False, True])
def test_save_noticed(tmp_path, poll):
    """A save by writing and one by renaming are noticed, by events and by looking."""
    path = tmp_path / "mini.py"
    path.write_text("first", "utf-8")
    seen, news = set(), threading.Condition()

    def saved():
        with news:
            seen.add(fingerprint(path))
            news.notify_all()

    watcher = Watcher(path, saved, poll)
    try:
        path.write_text("second", "utf-8")
        with news:
            assert news.wait_for(lambda: fingerprint(path) in seen, SECONDS)
        (tmp_path / "other").write_text("third", "utf-8")
        os.replace(tmp_path / "other", path)
        with news:
            assert news.wait_for(lambda: fingerprint(path) in seen, SECONDS)
    finally:
        watcher.close()


def test_polling_chosen_by_itself(tmp_path, monkeypatch):
    """Where no event tells of a change, the file is looked at, and often from then on."""
    monkeypatch.setattr(files.watchfiles, "watch", lambda *_, stop_event, **__: iter(stop_event.wait, True))
    path, noticed = tmp_path / "mini.py", threading.Event()
    path.write_text("first", "utf-8")
    watcher = Watcher(path, noticed.set)
    try:
        assert not watcher.polls
        path.write_text("second", "utf-8")
        assert noticed.wait(SECONDS) and watcher.polls
    finally:
        watcher.close()


# --- when to run --------------------------------------------------------------------------------


class Checks:
    """Stands for `verdict.check`: records what the file held, and goes on until it is let go or stopped."""

    def __init__(self, path, monkeypatch):
        self.path, self.held, self.stopped = path, [], 0
        self.begun, self.go, self.told = threading.Semaphore(0), threading.Semaphore(0), threading.Semaphore(0)
        monkeypatch.setattr(checking.verdict, "check", self)
        topic = SimpleNamespace(starter=path, number=1)
        self.checker = Checker(topic, SimpleNamespace(start=print), self.tell)

    def __call__(self, topic, stop, **_):
        self.held.append(self.path.read_text("utf-8") if self.path.exists() else None)
        self.begun.release()
        while not self.go.acquire(timeout=0.01):
            if stop.is_set():
                self.stopped += 1
                return None
        return verdict()

    def tell(self, what, data):
        if what == "verdict":
            self.told.release()

    def save(self, text):
        self.path.write_text(text, "utf-8")
        self.checker.look()

    def finish(self):
        """Let the check in progress end; return when its verdict is told."""
        self.go.release()
        assert self.told.acquire(timeout=SECONDS)


@pytest.fixture
def checks(tmp_path, monkeypatch):
    """A checker at work on a file that holds "a"."""
    (tmp_path / "mini.py").write_text("a", "utf-8")
    checks = Checks(tmp_path / "mini.py", monkeypatch)
    assert checks.begun.acquire(timeout=SECONDS)
    yield checks
    checks.checker.close()


def test_save_during_a_run(checks):
    """A save during a run ends it and begins anew, with the new content."""
    checks.save("b")
    assert checks.begun.acquire(timeout=SECONDS)
    checks.finish()
    assert checks.held == ["a", "b"] and checks.stopped == 1


def test_same_content(checks):
    """A save that changes nothing neither ends a run nor begins one."""
    checks.save("a")
    checks.finish()
    checks.save("a")
    checks.save("b")
    assert checks.begun.acquire(timeout=SECONDS)
    checks.finish()
    assert checks.held == ["a", "b"] and checks.stopped == 0


def test_missing_then_back(checks):
    """A file that an editor removes and writes again is checked as it is then, once."""
    checks.finish()
    checks.path.unlink()
    checks.checker.look()
    checks.save("b")
    assert checks.begun.acquire(timeout=SECONDS)
    checks.finish()
    assert checks.held[-1] == "b" and checks.held.count("b") == 1


def test_back_to_what_it_was(checks):
    """A content that comes back after a run was ended for another one is told again, so that nothing seems to run."""
    checks.finish()
    checks.save("b")
    assert checks.begun.acquire(timeout=SECONDS)
    checks.save("a")
    assert checks.begun.acquire(timeout=SECONDS)
    checks.finish()
    assert checks.held == ["a", "b", "a"] and checks.stopped == 1


def test_saved_unnoticed(checks):
    """A verdict on what the file no longer holds is not told: what it holds is checked instead."""
    checks.path.write_text("b", "utf-8")
    checks.go.release()
    assert checks.begun.acquire(timeout=SECONDS)
    checks.finish()
    assert checks.held == ["a", "b"] and not checks.told.acquire(blocking=False)


def test_asked_for_again(checks):
    """A wish ends a run and the same content is run again."""
    checks.checker.ask("fresh")
    assert checks.begun.acquire(timeout=SECONDS)
    checks.finish()
    assert checks.held == ["a", "a"] and checks.stopped == 1


# --- warm and cold ------------------------------------------------------------------------------

BOTH = """
import json
from functools import partial
from pathlib import Path
from kata import runner
from kata.topics import find_topic
from kata.watch.warm import Workers

topic = find_topic(sys.argv[1])
workers = Workers(fork=sys.argv[2] == "fork")
found = []
for path in sys.argv[3:]:
    topic.starter.write_bytes(Path(path).read_bytes())
    request = runner.Request(topic, topic.starter)
    cold, warm = runner.run(request), runner.run(request, start=partial(workers.start, topic))
    found.append([[run.tests, run.results, list(run.diagnoses.values())] for run in (cold, warm)])
workers.close()
print(json.dumps(found))
"""


@pytest.mark.parametrize("way", ["fork", "spare"])
def test_warm_as_cold(course, tmp_path, way):
    """A warm process, forked or kept ready, finds what a cold one finds: passes, failures, mistakes, a crash."""
    if way == "fork" and not hasattr(os, "fork"):
        way = "spare"
    twists = [{}, {"return 2 * x": "return 3 * x"}, {"return 2 * dout": "import os; os._exit(3)"}]
    paths = []
    for number, twist in enumerate(twists):
        paths.append(tmp_path / f"{number}.py")
        paths[-1].write_bytes(course.solve(21, twist).read_bytes())
    done = course.python(BOTH, 21, way, *paths)
    assert done.returncode == 0, done.stderr
    for cold, warm in json.loads(done.stdout):
        assert [without_numbers(part) for part in cold] == [without_numbers(part) for part in warm]
    outcomes = [{result["outcome"] for result in cold[1].values()} for cold, _ in json.loads(done.stdout)]
    assert outcomes[0] == {"passed"} and all("failed" in found for found in outcomes[1:])


def without_numbers(part):
    """The diagnoses carry the numbers of their reports, which differ."""
    return [{k: v for k, v in entry.items() if k != "number"} for entry in part] if isinstance(part, list) else part
