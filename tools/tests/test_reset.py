"""reset.py puts the starter back and loses nothing."""

import pytest

from kata import starters
from kata.topics import Topic

MINE = "def double(x):\n    return x + x  # mine\n"


def backups(course):
    return sorted(course.topic(21).folder.glob("mini.backup-*.py"))


def test_pristine(course):
    """A pristine starter is left as it is, without a question."""
    before = course.topic(21).starter.read_bytes()
    done = course.run("reset.py", 21)
    assert done.returncode == 0 and "is the starter already" in done.stdout
    assert course.topic(21).starter.read_bytes() == before and backups(course) == []


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_not_agreed(course, answer):
    """Without a yes the file is left alone; status 1."""
    path = course.write(21, MINE)
    done = course.run("reset.py", 21, input=answer)
    assert done.returncode == 1 and "left alone" in done.stdout
    assert ("--yes" in done.stdout) is (answer == "")  # said where nobody can answer
    assert path.read_text("utf-8") == MINE and backups(course) == []


@pytest.mark.parametrize(("options", "answer"), [([], "y\n"), (["--yes"], "")])
def test_agreed(course, options, answer):
    """With a yes the starter is back and the file is kept beside it."""
    starter = course.topic(21).starter.read_text("utf-8")
    path = course.write(21, MINE)
    done = course.run("reset.py", "mini", *options, input=answer)
    assert done.returncode == 0
    assert path.read_text("utf-8") == starter
    (backup,) = backups(course)
    assert backup.read_text("utf-8") == MINE
    assert backup.name in done.stdout and "undo:" in done.stdout and "--undo" in done.stdout


def test_undo(course):
    """--undo brings the file back, and once more the other one."""
    path = course.write(21, MINE)
    course.run("reset.py", 21, "--yes")
    done = course.run("reset.py", 21, "--undo")
    assert done.returncode == 0 and path.read_text("utf-8") == MINE


def test_undo_keeps_what_it_replaces(course):
    """What --undo replaces is kept in its turn: undoing twice is where one was."""
    path = course.write(21, MINE)
    course.run("reset.py", 21, "--yes")
    course.write(21, MINE.replace("mine", "newer"))
    assert course.run("reset.py", 21, "--undo").returncode == 0
    assert path.read_text("utf-8") == MINE
    assert course.run("reset.py", 21, "--undo").returncode == 0
    assert path.read_text("utf-8") == MINE.replace("mine", "newer")


def test_nothing_to_undo(course):
    """--undo without a backup is a sentence and status 2."""
    done = course.run("reset.py", 21, "--undo")
    assert done.returncode == 2 and "there is no backup of mini.py" in done.stderr


def test_missing_file(course):
    """A missing file is made anew without a question."""
    path = course.topic(21).starter
    before = path.read_bytes()
    path.unlink()
    done = course.run("reset.py", 21)
    assert done.returncode == 0 and path.read_bytes() == before and backups(course) == []


def test_every_byte_is_kept(course):
    """A file of any bytes is kept byte for byte: other encodings, Windows newlines, no newline at the end."""
    path = course.topic(21).starter
    content = b"# caf\xe9\r\nx = 1\r\ny = 2"
    path.write_bytes(content)
    done = course.run("reset.py", 21, "--yes")
    assert done.returncode == 0, done.stderr
    (backup,) = backups(course)
    assert backup.read_bytes() == content
    assert course.run("reset.py", 21, "--undo").returncode == 0
    assert path.read_bytes() == content


def test_backups_of_one_second(course, monkeypatch):
    """Of several backups of the same second the last one made is the newest."""
    monkeypatch.setattr(starters.time, "strftime", lambda form: "20260101-120000")
    topic = Topic(21, "mini", course.topic(21).folder)
    made = []
    for number in range(12):
        course.write(21, f"x = {number}\n")
        made.append(starters.keep(topic))
    assert len(set(made)) == 12
    assert starters.backups(topic) == made
    monkeypatch.setattr(starters, "is_pristine", lambda topic: True)
    restored, _ = starters.undo(topic)
    assert restored == made[-1] and topic.starter.read_text("utf-8") == "x = 11\n"


def test_wrong_topic(course):
    """An unknown topic is a sentence and status 2; no topic is too."""
    done = course.run("reset.py", 99, "--yes")
    assert done.returncode == 2 and "No topic is called '99'" in done.stderr
    assert course.run("reset.py").returncode == 2


def test_other_topics_stay(course):
    """The other topics' files are not touched."""
    course.write(21, MINE)
    course.write(22, MINE)
    course.run("reset.py", 21, "--yes")
    assert course.topic(22).starter.read_text("utf-8") == MINE


READ_ONLY = """
import io, os, runpy, sys, tempfile
from pathlib import Path

def refuse(*_, **__):
    raise PermissionError(13, "Permission denied")

tempfile.mkstemp = os.replace = Path.write_bytes = Path.write_text = Path.replace = refuse
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("options", [["--yes"], ["--undo"]])
def test_folder_that_cannot_be_written(course, options):
    """In a folder that can't be written it says so, status 2, and the file is as it was."""
    path = course.write(21, MINE)
    if "--undo" in options:
        course.run("reset.py", 21, "--yes")
    before = {entry: entry.read_bytes() for entry in path.parent.iterdir() if entry.is_file()}
    done = course.python(READ_ONLY, course.root / "tools" / "reset.py", 21, *options)
    assert done.returncode == 2
    assert "can't be written" in done.stderr and "Traceback" not in done.stderr
    assert {entry: entry.read_bytes() for entry in path.parent.iterdir() if entry.is_file()} == before


def test_missing_file_in_a_folder_that_cannot_be_written(course):
    """A missing file that can't be made is a sentence and status 2."""
    course.topic(21).starter.unlink()
    done = course.python(READ_ONLY, course.root / "tools" / "reset.py", 21)
    assert done.returncode == 2 and "can't be written" in done.stderr and "Traceback" not in done.stderr
