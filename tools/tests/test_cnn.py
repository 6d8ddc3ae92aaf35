"""`cnn` is the learner's own code once it has passed, and the reference until then."""

import pytest

WHERE = "import cnn.mini; print(cnn.mini.__file__)"
MANY_UNTOUCHED = {"return 2 * x": "return 2 * x if x.size < 6 else x"}


def origin(course, more=""):
    done = course.python(more + WHERE)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_reference_until_complete(course):
    """Before the first complete check, and while a check fails, cnn is the reference."""
    reference = str(course.topic(21).reference)
    assert origin(course) == reference
    course.solve(21, {"return 2 * x": "return 3 * x"})
    course.run("check.py", 21)
    assert origin(course) == reference


def test_learners_file_once_complete(checked):
    """After a complete check cnn is the learner's file; after an edit the reference; undone, the learner's again."""
    topic = checked.topic(21)
    assert origin(checked) == str(topic.starter)
    text = topic.starter.read_bytes()
    topic.starter.write_bytes(text + b"# one word more\n")
    assert origin(checked) == str(topic.reference)
    topic.starter.write_bytes(text)
    assert origin(checked) == str(topic.starter)
    topic.starter.unlink()
    assert origin(checked) == str(topic.reference)


def test_foundations_are_given(checked):
    """What is given comes from the reference folder."""
    done = checked.python("import cnn.foundations as f; print(f.__file__)")
    assert done.stdout.strip() == str(checked.root / "reference" / "foundations.py")


def test_reference_alone(checked):
    """With the reference as the solution, or any file by path, pytest takes earlier topics from the reference."""
    checked.topic(21).starter.write_text("raise SystemExit('mine ran')\n", "utf-8")
    checked.python(
        "from kata import progress, topics; t = topics.find_topic('21')\n"
        "progress.remember(t, passed=[progress.digest(t.starter)])"
    )
    later = checked.topic(22)
    for choice in ("reference", later.reference):
        done = checked.pytest(later.folder, "--solution", choice, "--hidden", "-q")
        assert done.returncode == 0, done.stdout
        assert checked.run("check.py", 22, "--solution", choice).returncode == 0


def test_carried_code_is_used(checked):
    """A check of a later topic runs on the learner's earlier code."""
    checked.solve(21, {"return 2 * x": "return 2 * x + 0 * len(open(__file__).read())"})
    checked.run("check.py", 21)
    checked.write(
        22,
        checked.topic(22).reference.read_text("utf-8") + "\nimport cnn.mini\nWHERE = cnn.mini.__file__\n"
        "if 'Topic 21' not in WHERE:\n    raise RuntimeError(WHERE)\n",
    )
    assert checked.verdict(22)["complete"]


def test_whose_fault(checked):
    """A failure that comes from the learner's earlier topic is said to, with the file to look at."""
    checked.solve(21, MANY_UNTOUCHED)
    first, second = checked.verdict(21), checked.verdict(22)
    assert first["complete"] and not second["complete"]
    assert second["fault"]["topic"] == 21 and second["fault"]["file"] == str(checked.topic(21).starter)
    assert second["fault"]["tests"] == ["test_visible.py::TestQuadruple::test_seven_numbers"]
    shown = " ".join(checked.run("check.py", 22).stdout.split())
    assert "the fault is in topic 21: over the reference's mini 1 test passes" in shown


def test_whose_fault_by_attribute(checked):
    """The earlier topic is found where only `cnn` itself is named in the import."""
    checked.solve(21, MANY_UNTOUCHED)
    by_name = "from cnn import mini\n\ndouble, double_backward = mini.double, mini.double_backward"
    checked.solve(22, {"from cnn.mini import double, double_backward": by_name})
    assert checked.verdict(21)["complete"]
    assert checked.verdict(22)["fault"]["topic"] == 21


def test_own_fault(checked):
    """A failure of the topic's own code is blamed on no other."""
    checked.solve(22, {"double(double(x))": "double(x)"})
    verdict = checked.verdict(22)
    assert not verdict["complete"] and verdict["fault"] is None
    assert "the fault is" not in checked.run("check.py", 22).stdout


def test_carried_code_that_hangs(checked):
    """A learner's earlier code that never ends where it was not tested is found to be the fault."""
    loop = "while x.size > 5:\n        pass\n    return 2 * x"
    checked.solve(21, {"return 2 * x": loop})
    assert checked.verdict(21)["complete"]
    verdict = checked.verdict(22, "--time-limit", "2")
    assert not verdict["complete"] and verdict["fault"] is not None
    assert verdict["fault"]["topic"] == 21


def test_earlier_topic_edited(checked):
    """An edit that breaks the earlier topic gives the later one the reference's, and the later one stays complete."""
    checked.solve(21, {"return 2 * x": "return 3 * x"})
    first, second = checked.verdicts(21, 22)
    assert not first["complete"] and second["complete"]


def test_fault_in_plain_pytest(checked):
    """Plain pytest on a later topic runs on the learner's earlier code too."""
    checked.solve(21, MANY_UNTOUCHED)
    checked.run("check.py", 21)
    done = checked.pytest(checked.topic(22).folder)
    assert done.returncode == 1 and "Seven numbers are multiplied by four." in done.stdout


@pytest.mark.parametrize("carried", [[], [21]])
def test_carry(checked, carried):
    """A process chooses what cnn takes from the learner, also after modules were imported."""
    code = f"import cnn.mini\nfrom kata import carry, topics\ncarry.carry([topics.find_topic(n) for n in {carried}])\n"
    expected = checked.topic(21).starter if carried else checked.topic(21).reference
    assert origin(checked, code) == str(expected)
