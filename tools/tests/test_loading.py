"""A solution is loaded by its path, under a name of its own, and its faults become one sentence."""

import os
import sys

import numpy as np
import pytest

from kata.errors import SolutionError
from kata.loading import Solution, load


@pytest.fixture
def written(tmp_path):
    """A function that writes a solution file and returns its path."""

    def write(content):
        path = tmp_path / "tiny.py"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def failure(path):
    with pytest.raises(SolutionError) as failed:
        load(path)
    return str(failed.value)


def test_name_of_its_own(written):
    """Two loads are two modules, each findable under its own name, none under the file's."""
    path = written("def f():\n    return f.__module__\n")
    first, second = load(path), load(path)
    assert first is not second and first.f() != second.f()
    assert sys.modules[first.f()] is first and sys.modules[second.f()] is second
    assert "tiny" not in sys.modules


def test_no_stale_bytecode(written):
    """An edit of the same length within the same tick of the clock is seen, and no bytecode is left."""
    path = written("answer = 1\n")
    stamp = path.stat().st_mtime_ns
    assert load(path).answer == 1
    written("answer = 2\n")
    os.utime(path, ns=(stamp, stamp))
    assert load(path).answer == 2
    assert [entry.name for entry in path.parent.iterdir()] == ["tiny.py"]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfx = 'a'\n", b"x = 'a'\r\n", b"x = 'a'", b"x = 'a'\r"])
def test_marks_and_newlines(written, content):
    """A byte order mark, Windows newlines and a missing last newline are no faults."""
    assert load(written(content)).x == "a"


def test_syntax_error(written):
    """A syntax error is named with file, line and the line's text."""
    said = failure(written("x = 1\ndef f(:\n    pass\n"))
    assert said.startswith("tiny.py:2 has a syntax error") and "def f(:" in said


def test_indentation_error(written):
    """Wrong indentation is a syntax error with its line."""
    assert failure(written("def f():\nreturn 1\n")).startswith("tiny.py:2 has a syntax error")


def test_exit_at_import(written):
    """sys.exit at import is named with its line."""
    said = failure(written("import sys\n\nsys.exit(0)\n"))
    assert said.startswith("tiny.py:3 leaves the program when it is imported")


def test_error_at_import(written):
    """An exception at import is named with its line and its message."""
    said = failure(written("x = 1\ny = x / 0\n"))
    assert said == "tiny.py:2 can't be imported: ZeroDivisionError: division by zero"


def test_broken_import(written):
    """An import of something that is not there is named with its line."""
    said = failure(written("import no_such_module_anywhere\n"))
    assert said.startswith("tiny.py:1 can't be imported: ModuleNotFoundError")


def test_nothing_left_of_a_failed_load(written):
    """A file that fails to load leaves no module behind."""
    before = set(sys.modules)
    failure(written("import sys\nsys.exit(1)\n"))
    assert set(sys.modules) == before


def test_missing_file(tmp_path):
    """A missing file is named with the command that makes a fresh one."""
    said = failure(tmp_path / "tiny.py")
    assert str(tmp_path / "tiny.py") in said and "reset.py tiny" in said


@pytest.mark.parametrize("content", [b"x = '\xe9'\n", b"x = 1\0\n"])
def test_not_a_text(written, content):
    """Bytes that are no UTF-8 text are one sentence, not a traceback."""
    assert "tiny.py" in failure(written(content))


def test_solution_is_loaded_once(written):
    """The file runs when its first attribute is asked for, and once."""
    path = written("import pathlib\nwith open(pathlib.Path(__file__).with_name('runs'), 'a') as f:\n    f.write('x')\n")
    solution = Solution(path)
    assert not (path.parent / "runs").exists()
    assert solution.pathlib and solution.pathlib
    assert (path.parent / "runs").read_text() == "x"


def test_every_access_to_a_broken_file_fails_alike(written):
    """A file that can't be imported fails every test with the same sentence."""
    solution = Solution(written("1 / 0\n"))
    said = []
    for _ in range(2):
        with pytest.raises(SolutionError) as failed:
            solution.double  # noqa: B018
        said.append(str(failed.value))
    assert said[0] == said[1] != ""


def test_missing_function(written):
    """A missing function is a sentence with its name and a way back."""
    with pytest.raises(SolutionError, match=r"tiny.py has no double.*reset.py tiny"):
        Solution(written("def twice(x): return 2 * x\n")).double(1)


@pytest.mark.parametrize("definition", ["def double(): pass", "def double(y): pass", "def double(x, more): pass"])
def test_wrong_signature(written, definition):
    """A function that can't be called as the starter's can is a sentence with its signature."""
    with pytest.raises(SolutionError, match=r"double\(.*\) can't be called as the starter's double can"):
        Solution(written(definition)).double(x=1)


def test_type_error_inside(written):
    """A TypeError that the function's own code raises stays what it is."""
    with pytest.raises(TypeError, match="unsupported operand"):
        Solution(written("def double(x): return x + None\n")).double(1)


def test_last_call(written):
    """The last call is remembered as text, arrays by their shapes."""
    solution = Solution(written("def conv(x, weight, stride=1): return x\nclass A: pass\n"))
    solution.conv(np.zeros((2, 3)), np.zeros(5), stride=(2, 1))
    assert solution.last_call == "conv(x (2, 3), weight (5,), stride=(2, 1))"
    assert isinstance(solution.A, type)
