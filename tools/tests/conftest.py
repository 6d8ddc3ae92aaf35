"""A whole course in miniature, in a folder of its own, for tests that run the tools as a learner does."""

import compileall
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from kata.carry import carry_only_reference
from kata.topics import ROOT

HERE = Path(__file__).parent
collect_ignore = ["mini_course", "hostile"]

# What a learner's shell may hold and a test must not see.
FOREIGN = ("NO_COLOR", "FORCE_COLOR", "PYTHONPATH", "PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE", "TERM")
KEPT_OUT = shutil.ignore_patterns("__pycache__", ".*", "*.backup-*", "tests")


def pytest_collection_modifyitems(items):
    """Every test opens with one sentence that is true of the code."""
    for item in items:
        if HERE in item.path.parents and not (item.function.__doc__ or "").split("\n")[0].endswith("."):
            raise pytest.UsageError(f"{item.nodeid}: open its docstring with one sentence that is true of the code")


@pytest.fixture(scope="session", autouse=True)
def reference_only():
    """`cnn` is the reference here, whatever the learner has finished."""
    carry_only_reference()


class Course:
    """A course in a folder: its tools run as subprocesses, its learner's files are written."""

    def __init__(self, root):
        self.root = root

    def copy(self, root):
        """Return a copy of the course in the folder `root`."""
        return Course(shutil.copytree(self.root, root.resolve()))

    def topic(self, number):
        """Return the paths of a topic: folder, starter, reference, hints, visible, hidden, memory."""
        hints = next((self.root / "hints").glob(f"{number}-*"))
        folder = next((self.root / "Module02-CNNs").glob(f"Topic {number}-*"))
        stem = hints.name.partition("-")[2]
        return SimpleNamespace(
            number=number,
            stem=stem,
            folder=folder,
            hints=hints,
            starter=folder / f"{stem}.py",
            reference=self.root / "reference" / f"{stem}.py",
            visible=folder / "test_visible.py",
            hidden=folder / "test_hidden.py",
            memory=self.root / ".kata" / f"{number}-{stem}.json",
        )

    def solve(self, number, twists=None):
        """Make the learner's file the reference's code, with pieces of it replaced; return its path."""
        topic = self.topic(number)
        replace(topic.reference, twists or {}, topic.starter)
        return topic.starter

    def write(self, number, text):
        """Make `text` the learner's file; return its path."""
        path = self.topic(number).starter
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, tool, *arguments, cwd=None, input="", env=None):
        """Run `python tools/TOOL ...` and return the CompletedProcess, its output as text."""
        return self._call([str(self.root / "tools" / tool), *map(str, arguments)], cwd, input, env)

    def pytest(self, *arguments, cwd=None, env=None):
        """Run pytest as a learner does."""
        return self._call(["-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)], cwd, "", env)

    def python(self, code, *arguments, cwd=None):
        """Run `python -c CODE`, the tools importable."""
        head = f"import sys; sys.path.insert(0, {str(self.root / 'tools')!r})\n"
        return self._call(["-c", head + code, *map(str, arguments)], cwd, "", None)

    def verdict(self, number, *options):
        """Check one topic and return its verdict."""
        (verdict,) = self.verdicts(number, *options)
        return verdict

    def verdicts(self, *arguments):
        """Run `check.py ... --format json` and return its verdicts."""
        done = self.run("check.py", *arguments, "--format", "json")
        assert done.returncode in (0, 1, 2), done.stderr
        return json.loads(done.stdout)["verdicts"]

    def environment(self, more=None):
        """Return the environment the tools run in: plain, 80 columns wide."""
        kept = {key: value for key, value in os.environ.items() if key not in FOREIGN}
        return kept | {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"} | (more or {})

    def _call(self, arguments, cwd, input, env):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd or self.root,
            env=self.environment(env),
            input=input,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=240,
            check=False,
        )


def replace(path, twists, target=None):
    """Replace pieces of a text file, each of which it holds exactly once."""
    text = path.read_text(encoding="utf-8")
    for right, wrong in twists.items():
        assert text.count(right) == 1, f"{path.name} holds {right!r} {text.count(right)} times"
        text = text.replace(right, wrong)
    (target or path).write_text(text, encoding="utf-8")


def copy_course(root, *trees):
    """Copy the tools and the files around them to `root`, then the given trees; make what is generated."""
    shutil.copytree(ROOT / "tools", root / "tools", ignore=KEPT_OUT)
    (root / "reference").mkdir()
    for name in ("conftest.py", "pyproject.toml", "reference/foundations.py"):
        shutil.copy2(ROOT / name, root / name)
    for tree in trees:
        shutil.copytree(tree, root / tree.name if tree.parent == ROOT else root, ignore=KEPT_OUT, dirs_exist_ok=True)
    for stale in (*(root / "tools" / "cnn").glob("*.pyi"), *(root / "Module02-CNNs").glob("*/[!t]*.py")):
        stale.unlink()
    compileall.compile_dir(root / "tools", quiet=2)
    course = Course(root)
    made = course.run("generate.py")
    assert made.returncode == 0, made.stderr
    return course


@pytest.fixture(scope="session")
def pristine(tmp_path_factory):
    """The miniature course as a fresh clone: built once, copied for each test."""
    root = (tmp_path_factory.mktemp("pristine") / "course").resolve()
    return copy_course(root, HERE / "mini_course")


@pytest.fixture
def course(pristine, tmp_path):
    """A miniature course of the test's own, in a folder whose name holds a space."""
    return pristine.copy(tmp_path / "my course")


@pytest.fixture(scope="session")
def solved(pristine, tmp_path_factory):
    """The miniature course with both topics solved and checked; nobody writes in it."""
    course = pristine.copy(tmp_path_factory.mktemp("solved") / "a course")
    course.solve(21)
    course.solve(22)
    done = course.run("check.py", "--all")
    assert done.returncode == 0, done.stdout + done.stderr
    return course


@pytest.fixture
def checked(solved, tmp_path):
    """A course of the test's own with both topics solved and checked, as if it had been checked where it lies."""
    course = solved.copy(tmp_path / "checked course")
    old, new = (json.dumps(str(root))[1:-1] for root in (solved.root, course.root))
    for memory in (course.root / ".kata").iterdir():
        memory.write_text(memory.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return course


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    """The real course as a fresh clone: starters as generated, nothing remembered. Nobody writes in it."""
    root = tmp_path_factory.mktemp("clone").resolve() / "a clone"
    return copy_course(root, ROOT / "reference", ROOT / "hints", ROOT / "Module02-CNNs")
