"""Plain pytest on a topic speaks to a learner: sentences, todos, where to begin."""

import pytest


def test_fresh_clone_is_red(course):
    """Every test of a starter fails, in a few lines that say where to begin."""
    done = course.pytest(course.topic(21).folder)
    assert done.returncode == 1
    assert "4 failed" in done.stdout and "Traceback" not in done.stdout
    assert "todo  double " in done.stdout and "2 tests wait" in done.stdout
    begin = next(line for line in done.stdout.splitlines() if line.startswith("begin: "))
    assert "mini.py:35" in begin.replace("\\", "/") and "hint.py 21" in done.stdout
    assert len(done.stdout.splitlines()) <= 24


def test_reference_is_green(course):
    """The reference passes the visible suite, and with --hidden both."""
    for options, count in (([], 4), (["--hidden"], 8)):
        done = course.pytest(course.topic(21).folder, "--solution", "reference", *options)
        assert done.returncode == 0 and f"{count} passed" in done.stdout


def test_hidden_by_name(course):
    """The hidden suite runs when it is named."""
    done = course.pytest(course.topic(21).hidden, "--solution", "reference")
    assert done.returncode == 0 and "4 passed" in done.stdout


def test_visible_before_hidden(course):
    """Of a topic the visible suite runs first."""
    done = course.pytest(course.topic(21).folder, "--solution", "reference", "--hidden", "-v")
    assert done.stdout.index("test_visible.py::") < done.stdout.index("test_hidden.py::")


def test_failure(course):
    """A failure is the test's sentence, expected and got, the call and the test; no traceback."""
    course.solve(21, {"return 2 * x": "return 3 * x"})
    done = course.pytest(course.topic(21).folder)
    assert done.returncode == 1
    for part in ("fail  double", "The numbers 1 and -3 become 2 and -6.", "at [0]: expected 2, got 3"):
        assert part in done.stdout
    assert "after double(x (2,))" in done.stdout and "test_two_numbers" in done.stdout
    assert "Traceback" not in done.stdout
    assert "AssertionError" not in done.stdout


def test_smallest_example(course):
    """A failing property shows the smallest example that breaks it, on one line."""
    course.solve(21, {"return 2 * x": "return 2 * x if x.size < 3 else 3 * x"})
    for shown in (course.pytest(course.topic(21).folder), course.run("check.py", 21)):
        assert "smallest example: seed=0, N=3" in shown.stdout


def test_traceback_on_request(course):
    """--tb=short shows pytest's own report."""
    course.solve(21, {"return 2 * x": "return 2 / 0"})
    done = course.pytest(course.topic(21).folder, "--tb=short")
    assert "ZeroDivisionError" in done.stdout and "return 2 / 0" in done.stdout


def test_hidden_failure_keeps_its_numbers(course):
    """A hidden failure shows its sentence and a counter-example, never the hidden test's numbers."""
    course.solve(21, {"if x.ndim != 1:": "if False:"})
    done = course.pytest(course.topic(21).folder, "--hidden")
    assert "A table is refused; the message has its shape." in done.stdout
    assert "after double(x (2, 3))" in done.stdout and "(5, 4)" not in done.stdout


def test_error_has_its_line(course):
    """An exception in the solution is named with its line."""
    path = course.solve(21, {"return 2 * x": "return [][1]"})
    line = 1 + path.read_text("utf-8").splitlines().index("    return [][1]")
    done = course.pytest(course.topic(21).folder)
    assert "IndexError: list index out of range" in done.stdout and f"mini.py:{line}" in done.stdout


@pytest.mark.parametrize("text", ["def double(:\n", "import sys\nsys.exit()\n", "1 / 0\n", None])
def test_broken_file_fails_every_test(course, text):
    """A file that can't be imported, or is missing, fails every test with one sentence, said once."""
    if text is None:
        course.topic(21).starter.unlink()
    else:
        course.write(21, text)
    done = course.pytest(course.topic(21).folder)
    assert done.returncode == 1 and "4 failed" in done.stdout
    sentences = [line for line in done.stdout.splitlines() if line.startswith("mini.py:") or "is missing" in line]
    assert len(sentences) == 1 and "Traceback" not in done.stdout


def test_solution_path(course, tmp_path):
    """--solution takes a file or a folder, counted from the current folder."""
    (tmp_path / "mini.py").write_bytes(course.topic(21).reference.read_bytes())
    for choice in ("mini.py", "."):
        done = course.pytest(course.topic(21).folder, "--solution", choice, "--rootdir", course.root, cwd=tmp_path)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("choice", ["nowhere.py", "hints"])
def test_unknown_solution(course, choice):
    """--solution without such a file is an error of the call, not a row of failures."""
    done = course.pytest(course.topic(21).folder, "--solution", choice)
    assert done.returncode != 0 and "passed" not in done.stdout
    assert "Give mine, reference, or a path" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('"""The argument is left alone."""', '"""test the argument"""', "open its docstring with one sentence"),
        ('"""The argument is left alone."""', "", "open its docstring with one sentence"),
        ('@exercise("double")\n', '@exercise("triple")\n', "mark it with an exercise of mini.py"),
        ('@exercise("double")\n', "", "mark it with an exercise of mini.py"),
    ],
)
def test_rules_of_a_suite(course, right, wrong, said):
    """A suite test without a true sentence or without its exercise is refused."""
    hidden = course.topic(21).hidden
    text = hidden.read_text("utf-8")
    assert right in text
    hidden.write_text(text.replace(right, wrong), "utf-8")
    done = course.pytest(course.topic(21).folder, "--hidden", "--solution", "reference")
    assert done.returncode == 4 and said in done.stdout + done.stderr


def test_same_result_twice(course):
    """Two runs print the same, times aside: generated inputs are fixed and no example base is kept."""
    course.solve(21, {"return 2 * x": "return 2 * x if x.size == 2 else 2 * np.abs(x)"})
    shown = [course.pytest(course.topic(21).folder, "-q").stdout.rpartition(" in ")[0] for _ in range(2)]
    assert shown[0] == shown[1] and "1 failed" in shown[0]
    assert not list(course.root.glob(".hypothesis/examples/*"))


def test_whole_module(course):
    """pytest on the module folder reports topic by topic."""
    done = course.pytest(course.root / "Module02-CNNs")
    assert done.returncode == 1 and "6 failed" in done.stdout
    assert done.stdout.index(" topic 21 mini ") < done.stdout.index(" topic 22 later ")
