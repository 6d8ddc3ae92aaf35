"""check.py says truthfully what is done, what is not, and what comes next."""

import json

import pytest

TRIPLED = {"return 2 * x": "return 3 * x"}


def test_fresh_clone(course):
    """On a fresh clone every exercise is still to do, and the first one is next, with file and line."""
    done = course.run("check.py")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("topic 21 mini: 0 of 3 exercises pass") and lines[0].endswith("hidden not run)")
    assert lines[1:4] == ["  todo  double", "  todo  double_backward", "  todo  Scale"]
    assert lines[4].startswith("next: ") and lines[4].replace("\\", "/").endswith("Topic 21-Mini/mini.py:35  double")
    assert "hint.py 21" in lines[5]
    assert "\x1b" not in done.stdout and done.stderr == ""


def test_complete(course):
    """A topic is complete when both suites pass; the exit status is 0."""
    course.solve(21)
    done = course.run("check.py", "mini")
    assert done.returncode == 0
    assert done.stdout.startswith("topic 21 mini: complete") and "visible 4/4, hidden 4/4" in done.stdout
    assert "next: topic 22 later, Module02-CNNs/Topic 22-Later" in done.stdout.replace("\\", "/")


def test_all_complete(solved):
    """With everything done, --all is a board and says so; the exit status is 0."""
    done = solved.run("check.py", "--all")
    assert done.returncode == 0
    assert [line.split()[:4] for line in done.stdout.splitlines()[:2]] == [
        ["topic", "21", "mini", "complete"],
        ["topic", "22", "later", "complete"],
    ]
    assert done.stdout.endswith("all topics are complete.\n")


def test_no_argument(checked):
    """Without an argument the first topic that is not complete is checked."""
    checked.write(22, checked.topic(22).reference.read_text("utf-8").replace("double(double(x))", "x"))
    done = checked.run("check.py")
    assert done.returncode == 1 and done.stdout.startswith("topic 22 later: 1 of 2 exercises pass")


def test_part_done(course):
    """One finished exercise passes while the others are to do, and the next is where the stub raises."""
    starter = course.topic(21).starter
    text = starter.read_text("utf-8")
    stub = text[text.index("    # TODO") : text.index("def double_backward")]
    starter.write_text(text.replace(stub, "    return 2.0 * np.asarray(x)\n\n\n"), "utf-8")
    done = course.run("check.py", 21)
    assert done.returncode == 1
    assert "1 of 3 exercises pass" in done.stdout and "visible 2/4, hidden not run" in done.stdout
    assert done.stdout.splitlines()[1:4] == ["  pass  double", "  todo  double_backward", "  todo  Scale"]
    line = 1 + starter.read_text("utf-8").splitlines().index(
        '    raise NotImplementedError("Topic 21 mini: double_backward is still to do")'
    )
    assert f"mini.py:{line}  double_backward\n" in done.stdout


def test_failure(course):
    """A failing exercise shows its sentence, expected and got, the call, the test, and what it looks like."""
    course.solve(21, TRIPLED)
    done = course.run("check.py", 21)
    assert done.returncode == 1
    for part in (
        "  fail  double           The numbers 1 and -3 become 2 and -6.",
        "at [0]: expected 2, got 3",
        "after double(x (2,))",
        "test_two_numbers and 1 more",
        "looks like: the numbers are tripled (hint level 2)",
        "  pass  double_backward",
    ):
        assert part in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_lines_fit(course):
    """No line is wider than the terminal."""
    course.solve(21, TRIPLED)
    done = course.run("check.py", 21, env={"COLUMNS": "72"})
    assert max(map(len, done.stdout.splitlines())) <= 72


def test_hidden_waits_for_visible(course):
    """While a visible test fails no hidden one is run or counted."""
    course.solve(21, TRIPLED)
    verdict = course.verdict(21)
    assert verdict["visible"] == [2, 4] and verdict["hidden"] is None
    suites = {failure["suite"] for exercise in verdict["exercises"] for failure in exercise["failures"]}
    assert suites == {"test_visible.py"}


def test_hidden_failure(course):
    """A hidden failure shows its sentence and a counter-example made from public inputs."""
    course.solve(21, {"if x.ndim != 1:": "if False:"})
    done = course.run("check.py", 21)
    assert done.returncode == 1 and "visible 4/4, hidden 3/4" in done.stdout
    assert "A table is refused; the message has its shape." in done.stdout
    assert "after double(x (2, 3))" in done.stdout
    assert "looks like: a table is taken" in done.stdout
    assert "(5, 4)" not in done.stdout


def test_hidden_numbers_stay_hidden(course):
    """The numbers of a hidden test are shown in no format, also where no probe finds a counter-example."""
    course.solve(21, {"return 2 * dout": "return np.clip(2 * dout, -1000, 1000)"})
    text, data = course.run("check.py", 21), course.run("check.py", 21, "--format", "json")
    assert text.returncode == data.returncode == 1
    assert "A large gradient is doubled as a small one is." in text.stdout
    memory = course.topic(21).memory.read_text("utf-8")
    for shown in (text.stdout, data.stdout, memory):
        assert "62674" not in shown and "31337" not in shown


def test_json(course):
    """--format json is the verdict as data: counts, exercises, failures, mistake."""
    course.solve(21, TRIPLED)
    done = course.run("check.py", "--all", "--format", "json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["format"] == 1
    first, second = report["verdicts"]
    assert (first["topic"], first["stem"], second["topic"], second["stem"]) == (21, "mini", 22, "later")
    assert first["file"] == str(course.topic(21).starter)
    assert (first["complete"], first["problem"], first["fault"]) == (False, "", None)
    assert [(one["name"], one["status"]) for one in first["exercises"]] == [
        ("double", "fail"),
        ("double_backward", "pass"),
        ("Scale", "pass"),
    ]
    exercise = first["exercises"][0]
    assert (exercise["passed"], exercise["tests"]) == (0, 2)
    assert exercise["mistake"] == {"name": "tripled", "says": "the numbers are tripled", "level": 2}
    failure = exercise["failures"][0]
    assert (failure["kind"], failure["suite"]) == ("fail", "test_visible.py")
    assert failure["sentence"] == "The numbers 1 and -3 become 2 and -6."
    assert failure["test"] == "TestDouble.test_two_numbers"


def test_board_of_a_mixed_course(course):
    """--all shows a line a topic, then the failing ones in full."""
    course.solve(21, TRIPLED)
    lines = course.run("check.py", "--all").stdout.splitlines()
    assert " ".join(lines[0].split()) == "topic 21 mini 2 of 3 exercises visible 2/4 hidden not run"
    assert " ".join(lines[1].split()) == "topic 22 later 0 of 2 exercises visible 0/2 hidden not run 2 todo"
    assert any(line.startswith("topic 21 mini: 2 of 3") for line in lines)
    assert not any(line.startswith("topic 22 later:") for line in lines)


def test_edited_since(checked):
    """A file that was complete and is another now counts for nothing until it is checked, and that is said."""
    assert checked.run("check.py", "--status").returncode == 0
    with checked.topic(21).starter.open("a", encoding="utf-8") as file:
        file.write("# one more thought\n")
    done = checked.run("check.py", "--status")
    assert done.returncode == 1
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "topic 21 mini edited since, not checked"
    assert lines[1] == "topic 22 later not checked with these suites and tools"
    done = checked.run("check.py", 22)
    assert "note: topic 21 mini is edited since, not checked: cnn takes the reference's until" in done.stdout
    assert checked.run("check.py", "--all").returncode == 0
    assert "edited" not in checked.run("check.py", "--status").stdout


def test_status_of_a_fresh_clone(course):
    """--status runs nothing and remembers nothing."""
    done = course.run("check.py", "--status")
    assert done.returncode == 1 and done.stdout.count("not checked") == 2
    assert not (course.root / ".kata").exists()


def test_waiting_exercise(course):
    """An exercise that fails only because another is still to do waits for that one."""
    text = course.topic(21).starter.read_text("utf-8")
    begun = text.index("    # TODO", text.index("def double_backward"))
    end = text.index("class Scale")
    course.write(21, text[:begun] + "    return double(dout)\n\n\n" + text[end:])
    done = course.run("check.py", 21)
    assert "  wait  double_backward  waits for double\n" in done.stdout


def test_from_another_folder(course, tmp_path):
    """From any folder it works and names files by full paths, quoted where they hold a space."""
    (tmp_path / "elsewhere").mkdir()
    done = course.run("check.py", 21, cwd=tmp_path / "elsewhere")
    assert done.returncode == 1
    assert f"next: {course.topic(21).starter}:35" in done.stdout
    assert f'python "{course.root / "tools" / "hint.py"}" 21' in done.stdout


def test_from_the_topic_folder(course):
    """In the topic's folder the dot and the file's name are the topic."""
    folder = course.topic(21).folder
    for name in (".", "mini.py"):
        done = course.run("check.py", name, cwd=folder)
        assert done.returncode == 1 and "next: mini.py:35" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["99"], "No topic is called '99'. Give a number, a name or a path: 21 mini, 22 later."),
        (["--all", "21"], "give topics or --all, not both"),
        (["--status", "21"], "--status is of all topics"),
        (["21", "--solution", "nowhere.py"], "--solution nowhere.py: there is no file"),
        (["21", "--solution", "hints"], "Give mine, reference, or a path to mini.py"),
        (["--solution", "nowhere.py"], "which topic is nowhere.py?"),
        (["21", "--time-limit", "0"], "--time-limit"),
        (["21", "--format", "xml"], "--format"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_wrong_call(course, arguments, said):
    """A wrong call is one sentence on standard error and status 2, and nothing is run."""
    done = course.run("check.py", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert said in " ".join(done.stderr.split()) and "Traceback" not in done.stderr


def test_topics_in_any_order(checked):
    """Topics are checked in order of number, each once, however they are named."""
    assert [verdict["topic"] for verdict in checked.verdicts("later", "21", "mini", "22")] == [21, 22]


def test_solution_reference(course):
    """The reference is complete, and the learner's topics stay what they are."""
    done = course.run("check.py", "--all", "--solution", "reference")
    assert done.returncode == 0 and done.stdout.count("complete") >= 2


def test_solution_folder(course, tmp_path):
    """A folder as the solution gives each topic the file of its name in it; relative paths count from here."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in (21, 22):
        topic = course.topic(number)
        (folder / topic.starter.name).write_bytes(topic.reference.read_bytes())
    done = course.run("check.py", 21, 22, "--solution", "mine", cwd=tmp_path)
    assert done.returncode == 1 and "topic 21 mini: 0 of 3" in done.stdout
    done = course.run("check.py", 21, 22, "--solution", "./mine", cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_solution_file_names_its_topic(course, tmp_path):
    """A file as the solution needs no topic where its name is a topic's."""
    (tmp_path / "mini.py").write_bytes(course.topic(21).reference.read_bytes())
    done = course.run("check.py", "--solution", "mini.py", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith("topic 21 mini: complete")


def test_help(course):
    """--help says what the exit status means."""
    done = course.run("check.py", "--help")
    assert done.returncode == 0 and "Exit status: 0 complete, 1 not complete, 2" in done.stdout


def test_suite_missing(course):
    """Without its hidden suite nothing is decided: status 2, and a way to mend it."""
    course.solve(21)
    course.topic(21).hidden.unlink()
    done = course.run("check.py", 21)
    said = " ".join(done.stdout.split())
    assert done.returncode == 2 and "test_hidden.py of topic 21 mini is missing, so nothing is decided." in said


def test_package_file(course):
    """An __init__.py around the suites, which pytest would run first, decides nothing and is named."""
    course.solve(21)
    (course.topic(21).folder / "__init__.py").write_text("raise RuntimeError\n", encoding="utf-8")
    done = course.run("check.py", 21)
    said = " ".join(done.stdout.split())
    assert done.returncode == 2 and "__init__.py would run before the tests do, so nothing is decided. Remove" in said


@pytest.mark.parametrize("name", ["kurs [2026]", "it's $HOME %d ü"])
def test_folder_of_any_name(pristine, tmp_path, name):
    """The course may lie in a folder whose name holds signs that pytest reads as something else."""
    course = pristine.copy(tmp_path / name)
    course.solve(21)
    assert course.verdict(21)["complete"]


def test_suite_edited(checked):
    """A suite somebody edited decides nothing, whatever is remembered; new newlines are no edit."""
    suite = checked.topic(21).visible
    suite.write_bytes(suite.read_bytes().replace(b"\n", b"\r\n"))
    assert checked.verdict(21)["complete"]
    suite.write_text(suite.read_text("utf-8").replace("[2.0, -6.0]", "[3.0, -9.0]"), "utf-8")
    done = checked.run("check.py", "--all")
    assert done.returncode == 2
    assert "test_visible.py of topic 21 mini is not the one the course came with" in " ".join(done.stdout.split())
    assert "topic 22  later  complete" in done.stdout


def test_suite_broken(course):
    """A suite that can't be collected is the set-up's fault: status 2, and the other topic has its verdict."""
    course.solve(21)
    course.solve(22)
    course.topic(21).hidden.write_text("import no_such_module_anywhere\n", "utf-8")
    course.python("from kata import pristine; pristine.record()")
    done = course.run("check.py", "--all")
    assert done.returncode == 2
    assert "could not be collected" in done.stdout and "Traceback" not in done.stdout + done.stderr
    assert "topic 22  later  complete" in done.stdout


def test_emptied_suite(course):
    """A suite without tests makes nothing complete."""
    course.solve(21)
    course.topic(21).hidden.write_text('"""Nothing."""\n', "utf-8")
    assert course.run("check.py", 21).returncode == 2
    course.python("from kata import pristine; pristine.record()")
    assert course.run("check.py", 21).returncode == 1
