"""A verdict is recalled where nothing it depends on changed, and made anew otherwise."""

import json
import shutil
import subprocess
import sys

import pytest


def test_recalled(course):
    """A second check of the same file runs nothing and says the same."""
    course.solve(21)
    first, second = course.verdict(21), course.verdict(21)
    assert (first["cached"], second["cached"]) == (False, True)
    assert first["complete"] and first["remembered"]
    assert {**first, "cached": True} == second


def test_failing_verdict_is_recalled(course):
    """A verdict that is not complete is remembered too, with its evidence."""
    course.solve(21, {"return 2 * x": "return 3 * x"})
    first, second = course.run("check.py", 21), course.run("check.py", 21)
    assert course.verdict(21)["cached"]
    assert first.stdout == second.stdout and "tripled" in second.stdout


def test_recall_imports_neither_numpy_nor_pytest(checked):
    """check.py --all from the cache imports neither NumPy nor pytest nor hypothesis."""
    assert all(verdict["cached"] for verdict in checked.verdicts("--all"))
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(checked.root / "tools" / "check.py"), "--all"],
        env=checked.environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "kata" in imported
    assert not imported & {"numpy", "pytest", "hypothesis", "_pytest"}


def test_fresh(checked):
    """--fresh runs the tests whatever is remembered."""
    assert not checked.verdict(21, "--fresh")["cached"]


def test_repository_moved(course, tmp_path):
    """After the repository has moved the verdict names the file where it is now."""
    course.write(22, "def quadruple(x):\n    return x\n")
    course.verdict(22)
    moved = course.copy(tmp_path / "after")
    shutil.rmtree(course.root)
    done = moved.run("check.py", 22)
    assert "next: Module02-CNNs/Topic 22-Later/later.py:1" in done.stdout.replace("\\", "/")
    assert "hint.py 22" in done.stdout


CHANGES = {
    "solution": "Module02-CNNs/Topic 21-Mini/mini.py",
    "visible suite": "Module02-CNNs/Topic 21-Mini/test_visible.py",
    "hidden suite": "Module02-CNNs/Topic 21-Mini/test_hidden.py",
    "mistakes": "hints/21-mini/mistakes.py",
    "reference": "reference/foundations.py",
    "harness": "tools/kata/testing.py",
    "settings": "pyproject.toml",
}


@pytest.mark.parametrize("what", CHANGES)
def test_change(checked, what):
    """A change in what the verdict depends on asks for a new one."""
    with open(checked.root / CHANGES[what], "a", encoding="utf-8") as file:
        file.write("# a word more\n")
    if "suite" in what:
        assert checked.verdict(21)["problem"].startswith(f"test_{what.split()[0]}.py of topic 21 mini is not the one")
        checked.python("from kata import pristine; pristine.record()")  # from now on it is
    verdict = checked.verdict(21)
    assert not verdict["cached"] and verdict["complete"]


def test_carried_topic_changed(checked):
    """A change of the learner's earlier topic asks for a new verdict on the later one."""
    checked.solve(21, {"return 2 * x": "return x + x"})
    first, second = checked.verdicts(21, 22)
    assert not first["cached"] and not second["cached"]
    assert first["complete"] and second["complete"]


def test_lesson_changed(checked):
    """A change in what no verdict depends on leaves it remembered."""
    (checked.topic(21).folder / "README.md").write_text("# Doubling\n", encoding="utf-8")
    (checked.topic(21).hints / "level-1.md").write_text("## double\n\nLook.\n", encoding="utf-8")
    assert checked.verdict(21)["cached"]


def test_deleted(checked):
    """Deleting .kata costs a run and nothing else."""
    shutil.rmtree(checked.root / ".kata")
    verdicts = checked.verdicts("--all")
    assert all(verdict["complete"] and not verdict["cached"] for verdict in verdicts)
    assert all(verdict["cached"] for verdict in checked.verdicts("--all"))


@pytest.mark.parametrize(
    "content",
    [
        "{half a memo",
        json.dumps({"format": 99, "verdict": {"complete": True}}),
        json.dumps({"format": 1, "verdict": [], "passed": 7, "hints": "x", "key": 3, "solution": 5}),
    ],
)
def test_broken_memory(checked, content):
    """A broken memory is one check more for its topic, and the other topic's stays."""
    checked.topic(21).memory.write_text(content, encoding="utf-8")
    done = checked.run("check.py", "--all", "--format", "json")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["verdicts"]
    assert first["complete"] and not first["cached"]
    assert second["complete"] and checked.verdict(21)["cached"]


def test_verdict_of_another_shape(checked):
    """A remembered verdict that lacks its parts is made anew, not trusted."""
    memory = json.loads(checked.topic(21).memory.read_text(encoding="utf-8"))
    memory["verdict"] = {"complete": True}
    checked.topic(21).memory.write_text(json.dumps(memory), encoding="utf-8")
    done = checked.run("check.py", 21)
    assert done.returncode == 0 and done.stdout.startswith("topic 21 mini: complete"), done.stderr
    hint = checked.run("hint.py", 21)
    assert hint.returncode == 0, hint.stderr


SAVING = """
import json
from kata.topics import find_topic
from kata.verdict import check

topic = find_topic(21)

def save(shown):
    with topic.starter.open("a") as file:
        file.write("# saved")

print(json.dumps(check(topic, on_result=save)))
"""


def test_saved_while_its_tests_run(course):
    """A file saved while its tests run is not complete and not remembered."""
    course.solve(21)
    done = course.python(SAVING)
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    assert not first["complete"] and first["remembered"] is None
    assert "or its suites changed while the tests ran" in first["problem"]
    assert not course.verdict(21)["cached"]


def test_parallel_checks(course):
    """Two checks at once come to one verdict and leave one whole memory."""
    course.solve(21)
    command = [sys.executable, str(course.root / "tools" / "check.py"), "21"]
    running = [
        subprocess.Popen(command, cwd=course.root, env=course.environment(), stdout=subprocess.PIPE, encoding="utf-8")
        for _ in range(2)
    ]
    shown = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert shown[0] == shown[1] and "complete" in shown[0]
    assert [path.name for path in (course.root / ".kata").iterdir()] == ["21-mini.json"]
    assert course.verdict(21)["cached"]


def test_other_solutions_are_not_remembered(course):
    """A check of the reference or of another file leaves no memory."""
    verdict = course.verdict(21, "--solution", "reference")
    assert verdict["complete"] and verdict["remembered"] is None
    assert not (course.root / ".kata").exists()
    assert not course.verdict(21)["complete"]


def test_memory_that_cannot_be_written(course):
    """Where .kata can't be written the verdict is given all the same, and a note says so."""
    (course.root / ".kata").write_text("in the way", encoding="utf-8")
    course.solve(21)
    done = course.run("check.py", 21)
    assert done.returncode == 0 and "topic 21 mini: complete" in done.stdout
    assert "note: .kata can't be written" in done.stdout
