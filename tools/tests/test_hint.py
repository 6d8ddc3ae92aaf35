"""hint.py leads from looking to doing, one level at a time, for the exercise the learner is on."""

import re

import pytest

from kata.hints import ITEM, LEVELS, sections, wrapped
from kata.topics import all_topics


def test_first_level_first(course):
    """Without --level the next level not yet seen is shown, and the third stays the last."""
    shown = [course.run("hint.py", "21").stdout for _ in range(4)]
    for text, level in zip(shown, (1, 2, 3, 3), strict=True):
        assert text.startswith(f"topic 21 double, level {level} of 3\n")
    assert "--level 2" in shown[0] and "--level 3" in shown[1] and "--exercise double --give-up" in shown[2]
    assert "Read the first test." in shown[0] and "1 becomes 2" in shown[1]


def test_no_topic(course):
    """Without a topic it is the first one that is not finished."""
    assert course.run("hint.py").stdout.startswith("topic 21 double, level 1 of 3")
    course.solve(21)
    course.run("check.py", 21)
    assert course.run("hint.py").stdout.startswith("topic 22 quadruple, level 1 of 3")


@pytest.mark.parametrize("level", [1, 2, 3])
def test_asked_level(course, level):
    """--level shows that level, and "level 2 of 3" is always there."""
    done = course.run("hint.py", "mini", "--level", level)
    assert done.returncode == 0 and f"level {level} of 3" in done.stdout


def test_asked_exercise(course):
    """--exercise picks another, in any case of letters; its levels are counted apart."""
    assert course.run("hint.py", 21, "--exercise", "scale").stdout.startswith("topic 21 Scale, level 1 of 3")
    assert course.run("hint.py", 21, "--exercise", "Scale").stdout.startswith("topic 21 Scale, level 2 of 3")
    assert course.run("hint.py", 21).stdout.startswith("topic 21 double, level 1 of 3")


def test_whole_topic(course):
    """--all shows one level of every exercise, in order."""
    done = course.run("hint.py", 21, "--all", "--level", 2)
    heads = [line for line in done.stdout.splitlines() if line.startswith("topic 21 ")]
    assert heads == [f"topic 21 {name}, level 2 of 3" for name in ("double", "double_backward", "Scale")]


def test_where_and_more(course):
    """A hint ends with the place of the exercise and the command for more."""
    *_, place, more = course.run("hint.py", 21).stdout.splitlines()
    assert place.replace("\\", "/") == "Module02-CNNs/Topic 21-Mini/mini.py:11"
    assert more.startswith("more: python ") and more.endswith("21 --level 2")


def test_eighty_columns(course):
    """Prose is folded to the terminal's width."""
    for columns in (80, 60):
        done = course.run("hint.py", 21, env={"COLUMNS": str(columns)})
        assert max(map(len, done.stdout.splitlines()[:-2])) <= columns


def test_folding():
    """Folding keeps code, tables and the indent of list items as they are."""
    text = "1. one two three four\n\n    code stays as wide as it is\n```\nso does this one here\n```\n| and | tables |"
    assert wrapped(text, 12).splitlines() == [
        "1. one two",
        "   three",
        "   four",
        "",
        "    code stays as wide as it is",
        "```",
        "so does this one here",
        "```",
        "| and | tables |",
    ]
    assert wrapped("one two\nthree\n\nfour", 80) == "one two three\n\nfour"


def test_number_in_prose_is_no_list():
    """A number and a full stop within a paragraph are prose, and never come to stand at the start of a line."""
    text = "The value begins at\n10. Which of them is next?\n\n1. one\n2. two"
    assert wrapped(text, 80) == "The value begins at 10. Which of them is next?\n\n1. one\n2. two"
    for columns in range(10, 40):
        prose = wrapped(text, columns).split("\n\n")[0].splitlines()
        assert " ".join(prose) == "The value begins at 10. Which of them is next?"
        assert not [line for line in prose if line.startswith("10.")]


@pytest.mark.parametrize("topic", all_topics(), ids=str)
def test_what_looks_like_an_item_is_one(topic):
    """In the hints as they are written no line of prose begins with a number and a full stop."""
    for level in LEVELS:
        for name, text in sections(topic, level).items():
            items, shown = (re.findall(f"^{ITEM}", lines, re.M) for lines in (text, wrapped(text, 10**6)))
            assert len(items) == len(shown), f"level {level}, {name}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["99"], "No topic is called '99'"),
        (["21", "--level", "0"], "--level 0: the levels are 1, 2 and 3."),
        (["21", "--level", "4"], "--level 4: the levels are 1, 2 and 3. --give-up shows the solution."),
        (["21", "--level", "two"], "two"),
        (["21", "--level", "2", "--give-up"], "leave out one of them"),
        (
            ["21", "--exercise", "triple"],
            "topic 21 mini has no exercise 'triple'. It has: double, double_backward, Scale.",
        ),
        (["21", "--all", "--exercise", "double"], "--all"),
        (["21", "--all", "--give-up"], "--all"),
    ],
)
def test_wrong_call(course, arguments, said):
    """A wrong call is one sentence and status 2."""
    done = course.run("hint.py", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert said in " ".join(done.stderr.split()) and "Traceback" not in done.stderr


@pytest.mark.parametrize(("answer", "shown"), [("y\n", True), ("n\n", False), ("\n", False), ("", False)])
def test_giving_up(course, answer, shown):
    """--give-up asks; yes shows the solution, anything else or nobody there does not."""
    done = course.run("hint.py", 21, "--give-up", input=answer)
    assert done.returncode == (0 if shown else 1)
    assert ("return 2 * x" in done.stdout) is shown
    assert ("not shown" in done.stdout) is not shown
    assert "Traceback" not in done.stderr


def test_solution_of_a_passing_exercise(checked):
    """The solution of an exercise that passes is shown without asking, and without the marks of the generator."""
    done = checked.run("hint.py", 21, "--exercise", "double", "--give-up")
    assert done.returncode == 0
    assert done.stdout.startswith("topic 21 double, the solution\n") and "return 2 * x" in done.stdout
    assert "region" not in done.stdout


def test_solution_of_a_passing_exercise_after_an_edit(checked):
    """An edit elsewhere since the last check does not hide the solution of an exercise that passes."""
    checked.solve(21, {"return 2 * dout": "return dout"})
    done = checked.run("hint.py", 21, "--exercise", "double", "--give-up")
    assert done.returncode == 0 and "return 2 * x" in done.stdout


def test_all_pass(checked):
    """Where everything passes it says so and how to see one all the same."""
    done = checked.run("hint.py", 21)
    assert done.returncode == 0
    assert "every exercise of topic 21 mini passes" in done.stdout and "--exercise" in done.stdout


def test_moves_on(course):
    """Once the first exercise passes the second is hinted at, also when the file was edited since the last check."""
    course.run("check.py", 21)
    course.solve(21, {"return 2 * dout": 'raise NotImplementedError("still to do")'})
    done = course.run("hint.py", 21)
    assert done.stdout.startswith("topic 21 double_backward, level 1 of 3")
    assert "checking mini.py first" in done.stderr
    again = course.run("hint.py", 21, "--level", 2)
    assert again.stdout.startswith("topic 21 double_backward, level 2 of 3") and again.stderr == ""


def test_stub_needs_no_check(course):
    """While the first exercise is a stub no test is run for a hint."""
    course.topic(21).visible.unlink()
    assert course.run("hint.py", 21).stdout.startswith("topic 21 double, level 1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def double(:\n", "mini.py:1 has a syntax error"),
        ("x = 1\0\n", "mini.py:1 has a syntax error"),
        (None, "mini.py is missing. python tools/reset.py 21 makes a fresh one."),
    ],
)
def test_file_that_cannot_be_read(course, text, said):
    """A broken or missing file is said to be so, status 1; a named exercise has its hint all the same."""
    if text is None:
        course.topic(21).starter.unlink()
    else:
        course.write(21, text)
    done = course.run("hint.py", 21, "--level", 2)
    assert done.returncode == 1 and said in done.stdout and "Traceback" not in done.stderr
    named = course.run("hint.py", 21, "--level", 2, "--exercise", "double")
    assert named.returncode == 0 and named.stdout.startswith("topic 21 double, level 2 of 3"), named.stderr


def test_from_another_folder(course, tmp_path):
    """From any folder it works, with full paths, quoted where they hold a space."""
    (tmp_path / "elsewhere").mkdir()
    done = course.run("hint.py", 21, "--level", 2, cwd=tmp_path / "elsewhere")
    assert done.returncode == 0
    assert f'python "{course.root / "tools" / "hint.py"}" 21' in done.stdout
    assert f"{course.topic(21).starter}:11" in done.stdout


def test_memory_cannot_be_written(course):
    """Where nothing can be remembered the first level is shown each time."""
    (course.root / ".kata").write_text("in the way", encoding="utf-8")
    for _ in range(2):
        assert course.run("hint.py", 21).stdout.startswith("topic 21 double, level 1 of 3")


def test_missing_level(course):
    """A topic without the level's file is a sentence with the file's name and status 2."""
    (course.topic(21).hints / "level-2.md").unlink()
    done = course.run("hint.py", 21, "--level", 2)
    assert done.returncode == 2 and "level-2.md is missing" in done.stderr
