"""Every hostile or broken solution gets its verdict, harms no other, and leaves nothing behind.

The solutions are the files of `hostile/`, each with the verdict it must get written at its head, and those below
that no repository should hold. All are checked in one go, two at a time, by one process.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HOSTILE = Path(__file__).parent / "hostile"
MARK = "HOSTILE_RUN"  # set for every process of the run
MEMORY = 2**30
ROOM = 2**27

CHECK_ALL = f"""
import json, os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from kata import runner
from kata.topics import find_topic
from kata.verdict import check

runner.MEMORY, runner.ROOM = {MEMORY}, {ROOM}
topic = find_topic(21)
paths, mine = json.load(sys.stdin)

def as_path(path):
    return check(topic, path, seconds=1)

def as_mine(path):
    topic.starter.unlink()
    if os.path.lexists(path):
        os.rename(path, topic.starter)
    try:
        return check(topic, seconds=1)
    finally:
        if os.path.lexists(topic.starter):
            os.rename(topic.starter, path)
        topic.starter.write_bytes(pristine)

pristine = topic.starter.read_bytes()
with ThreadPoolExecutor(2) as pool:
    verdicts = [*pool.map(as_path, paths)] + [as_mine(path) for path in mine]
json.dump([verdicts, threading.active_count()], sys.stdout)
"""


# --- what no repository should hold: files by their bytes, and things that are no files -------------------


def _of_reference(change):
    return lambda course: change(course.topic(21).reference.read_bytes())


FILES = {
    "nothing": (b"", "broken", "has no double"),
    "latin": (b"# caf\xe9\n", "broken", "Save it as UTF-8 text."),
    "utf16": ("x = 1\n".encode("utf-16"), "broken", "Save it as UTF-8 text."),
    "nul": (b"x = 1\0\n", "broken", "can't be imported: "),
    "huge": (b"x = 1\n" * 9_000_000, "broken", "huge.py has 54,000,000 bytes, which no solution needs"),
    "nested": (b"x = " + b"(" * 100_000 + b")" * 100_000, "broken", "nested.py"),
    "long_sum": (b"x = 1" + b" + 1" * 100_000, "broken", "long_sum.py"),
    "windows": (_of_reference(lambda code: b"\xef\xbb\xbf" + code.replace(b"\n", b"\r\n")), "complete", ""),
}
THINGS = {
    "missing": (lambda path: None, "mini.py is missing"),
    "folder": (Path.mkdir, "mini.py is not a file"),
}
if os.name == "posix":
    THINGS |= {
        "pipe": (os.mkfifo, "mini.py is not a file"),
        "loop": (lambda path: path.symlink_to("mini.py"), "mini.py can't be read"),
        "endless": (lambda path: path.symlink_to("/dev/zero"), "mini.py is not a file"),
    }


def _heads():
    """(name, path, what it must get, what must be said) of every file of the folder."""
    for path in sorted([*HOSTILE.glob("*.py"), HOSTILE / "shadows" / "mini.py"]):
        text = path.read_text(encoding="utf-8")
        only_on = re.search("^# only on: (.*)$", text, re.MULTILINE)
        if not only_on or only_on[1] == sys.platform:
            must = re.search("^# must: (.*)$", text, re.MULTILINE)[1]
            says = re.search("^# says: (.*)$", text, re.MULTILINE)
            name = "shadows" if path.parent != HOSTILE else path.stem
            yield name, path, must, says[1] if says else ""


EXPECTED = {name: (must, says) for name, _, must, says in _heads()}
EXPECTED |= {name: (must, says) for name, (_, must, says) in FILES.items()}
EXPECTED |= {name: ("broken", says) for name, (_, says) in THINGS.items()}


# --- the run --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(pristine, tmp_path_factory):
    """The verdicts on all of them, and what was there before and after."""
    folder = tmp_path_factory.mktemp("hostile").resolve()
    course = pristine.copy(folder / "a course")
    paths = {name: path for name, path, _, _ in _heads()}
    for name, (content, _, _) in FILES.items():
        paths[name] = folder / f"{name}.py"
        paths[name].write_bytes(content if isinstance(content, bytes) else content(course))
    things = {name: folder / f"{name}.thing" for name in THINGS}
    for name, (make, _) in THINGS.items():
        make(things[name])
    temporary = folder / "temporary"
    temporary.mkdir()
    before = _everything(course.root), _everything(HOSTILE)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(course.root / 'tools')!r})\n{CHECK_ALL}"],
        cwd=course.root,
        env=course.environment({MARK: str(folder), **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))}),
        input=json.dumps([list(map(str, paths.values())), list(map(str, things.values()))]),
        capture_output=True,
        encoding="utf-8",
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verdicts, threads = json.loads(done.stdout)
    return SimpleNamespace(
        verdicts=dict(zip([*paths, *things], verdicts, strict=True)),
        threads=threads,
        said=done.stderr,
        before=before,
        after=(_everything(course.root), _everything(HOSTILE)),
        temporary=[path.name for path in temporary.iterdir()],
        mark=str(folder),
    )


def _everything(root):
    """{path: bytes} of a folder, without what is remembered in it."""
    files = [path for path in root.rglob("*") if path.is_file() and ".kata" not in path.parts]
    return {path: path.read_bytes() for path in files if "__pycache__" not in path.parts}


def _said(verdict):
    failures = [failure for exercise in verdict["exercises"] for failure in exercise["failures"]]
    return [verdict["problem"], *(line for f in failures for line in (f["sentence"], *f["details"]))]


@pytest.mark.parametrize("name", EXPECTED)
def test_verdict(hostile, name):
    """A solution gets exactly the verdict written at its head, and is told why."""
    verdict, (must, says) = hostile.verdicts[name], EXPECTED[name]
    statuses = ", ".join(f"{exercise['name']} {exercise['status']}" for exercise in verdict["exercises"])
    got = "complete" if verdict["complete"] else "broken" if verdict["problem"] else statuses
    assert got == must, _said(verdict)
    assert any(says in line for line in _said(verdict)), _said(verdict)
    assert not verdict.get("setup")


def test_there_are_enough(hostile):
    """There are at least forty of them, and each has its verdict."""
    assert len(EXPECTED) >= 40 and hostile.verdicts.keys() == EXPECTED.keys()


def test_nothing_is_left_behind(hostile):
    """No file is left, changed or missing, in the course, beside the solutions, or in the temporary folder."""
    assert hostile.temporary == []
    assert hostile.after == hostile.before


def test_the_deciding_process_is_unharmed(hostile):
    """The process that decides says nothing of its own and keeps no thread."""
    assert hostile.said == "" and hostile.threads == 1


if sys.platform == "linux":

    def test_no_process_is_left(hostile):
        """No process that any of them started is still there."""
        assert _marked(hostile.mark) == []


def _marked(mark):
    """The processes whose environment holds the mark."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes())
        except OSError:
            continue
    return found
