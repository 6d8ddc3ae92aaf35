"""prove.py finds every kind of fault planted in a course, and none in an unharmed one."""

import json

import pytest

PROOF = """
import json
from kata import proofs
from kata.topics import find_topic

proofs.PROOFS[:] = [getattr(proofs, sys.argv[1])]
((claim, faults),) = proofs.prove(find_topic("21"))
print(json.dumps(faults))
"""


def faults(course, proof, more=""):
    """Run one proof on Topic 21 as prove.py does; return the faults it finds."""
    done = course.python(more + PROOF, proof)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def change(path, right, wrong):
    text = path.read_text("utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), "utf-8")


def bank(course, *mistakes):
    """Leave in the bank of Topic 21 only these mistakes, its probes as they are."""
    path = course.topic(21).hints / "mistakes.py"
    text = path.read_text("utf-8")
    head, tail = text.index("MISTAKES = ["), text.index('@probe("double")')
    path.write_text(f"{text[:head]}MISTAKES = [{', '.join(mistakes)}]\n\n\n{text[tail:]}", "utf-8")


def test_unharmed(course):
    """Every proof of the unharmed course holds: one line each, status 0."""
    done = course.run("prove.py", 21)
    assert done.returncode == 0, done.stdout
    *proofs, last = done.stdout.splitlines()
    assert last == "all proofs hold." and len(proofs) >= 9
    assert all(line.startswith("ok    topic 21 mini: ") for line in proofs)


def test_faulty(course):
    """A proof that fails says FAIL and why, the others are run all the same; status 1."""
    course.topic(22).starter.write_text("x = 1\n", "utf-8")
    done = course.run("prove.py", 22)
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
    assert "FAIL  topic 22 later: the starter is what the reference generates\n        later.py differs" in done.stdout
    assert "        only 2 mistakes; a topic has at least 12" in done.stdout
    assert "ok    topic 22 later: the reference passes all 4 tests" in done.stdout
    assert "proofs do not hold." in done.stdout.splitlines()[-1]


def test_wrong_call(course):
    """An unknown topic is a sentence and status 2."""
    done = course.run("prove.py", 99)
    assert done.returncode == 2 and "No topic is called '99'" in done.stderr


@pytest.mark.parametrize(
    ("proof", "place", "right", "wrong", "said"),
    [
        (
            "starter_is_generated",
            "starter",
            "raise",
            "# begun\n    raise",
            "mini.py differs; run python tools/generate.py",
        ),
        ("starter_is_generated", "reference", "    # endregion\n", "", "Pair every '# region solution'"),
        (
            "suites_are_plain",
            "visible",
            "import numpy as np\n",
            "import numpy as np\nimport time\n",
            "test_visible.py:4 uses time",
        ),
        (
            "suites_are_plain",
            "hidden",
            "import numpy as np\n",
            "from pytest import skip\n",
            "test_hidden.py:3 uses skip",
        ),
        ("suites_are_plain", "hidden", '@exercise("Scale")\n', "@pytest.mark.xfail\n", "uses xfail"),
        ("suites_are_plain", "hidden", '@exercise("Scale")\n', "", "test_hidden.py has no test of Scale"),
        (
            "reference_is_green",
            "hidden",
            "[62674.0]",
            "[62675.0]",
            "red: test_hidden.py::TestDoubleBackward::test_large_upstream",
        ),
        (
            "starter_is_red",
            "hidden",
            "        x = normal(4, 5)\n",
            "        return\n        x = normal(4, 5)\n",
            "green: test_hidden.py::TestDouble::test_argument_stays",
        ),
        ("hints_are_three", "hints/level-2.md", "## double_backward", "## double_sideways", "level-2.md has sections"),
        (
            "hints_are_three",
            "hints/level-3.md",
            "1. Multiply dout by the slope of doubling.\n",
            "",
            "level-3.md: double_backward is empty",
        ),
        (
            "hints_are_three",
            "hints/level-1.md",
            "Move one number",
            "`self.weight.grad += np.sum(dout * self._x)` Move one number",
            "level-1.md: double_backward gives code away",
        ),
        (
            "hints_are_three",
            "hints/level-1.md",
            "Move one number of x by a hair. By how many hairs does its double move?",
            "1. Multiply dout by the slope of doubling.",
            "two hints are the same",
        ),
        ("mistakes_are_named", "hints/mistakes.py", '@probe("Scale")\n', "", "has no probe"),
        (
            "mistakes_are_named",
            "hints/mistakes.py",
            'x**2", level=1',
            'x**2", level=4',
            "squared: hint level 4 is none",
        ),
    ],
)
def test_planted_fault(course, proof, place, right, wrong, said):
    """A fault planted in one file is found and named."""
    topic = course.topic(21)
    change(topic.hints / place[6:] if place.startswith("hints/") else getattr(topic, place), right, wrong)
    assert said in " ".join(faults(course, proof))


def test_stub_file_differs(course):
    """An editor's stub file that differs, or is missing, is found."""
    stub = course.root / "tools" / "cnn" / "mini.pyi"
    change(stub, "Double every", "Double each")
    assert faults(course, "stub_is_generated") == ["mini.pyi differs; run python tools/generate.py"]
    stub.unlink()
    assert faults(course, "stub_is_generated") == ["mini.pyi differs; run python tools/generate.py"]


def test_missing_hint_level(course):
    """A missing level is found."""
    (course.topic(21).hints / "level-3.md").unlink()
    assert "level-3.md is missing" in " ".join(faults(course, "hints_are_three"))


def test_mistake_nothing_rejects(course):
    """A mistake that passes every test is found, and so is a bank of too few."""
    bank(course, 'mistake("harmless", "double", "it adds x to itself", "return 2 * x", "return x + x")')
    assert faults(course, "mistakes_turn_red") == [
        "harmless passes every test",
        "only 1 mistakes; a topic has at least 12",
    ]


def test_two_mistakes_of_one_name(course):
    """Two mistakes of one name are found."""
    twice = 'mistake("tripled", "double", "the numbers are tripled", "return 2 * x", "return 3 * x")'
    bank(course, twice, twice)
    assert "two mistakes are called tripled" in faults(course, "mistakes_turn_red")


def test_mistakes_that_look_alike(course):
    """A mistake that the probes can't tell from another is found."""
    bank(
        course,
        'mistake("tripled", "double", "the numbers are tripled", "return 2 * x", "return 3 * x")',
        'mistake("thrice", "double", "the numbers are added thrice", "return 2 * x", "return x + x + x")',
    )
    assert faults(course, "mistakes_are_named") == [
        "tripled is named as thrice, tripled",
        "thrice is named as thrice, tripled",
    ]


def test_mistake_that_no_probe_sees(course):
    """A mistake on which every probe agrees with the reference is found."""
    large = "return np.clip(2 * dout, -1000, 1000)"
    bank(course, f'mistake("clipped", "double_backward", "it is clipped", "return 2 * dout", "{large}")')
    assert faults(course, "mistakes_are_named") == ["clipped is named as nothing"]


def test_twist_that_does_not_fit(course):
    """A twist of a line the reference no longer holds is found."""
    bank(course, 'mistake("old", "double", "it is old", "return 7 * x", "return x")')
    for proof in ("mistakes_turn_red", "mistakes_are_named"):
        assert "old twists 'return 7 * x', which occurs 0 times" in " ".join(faults(course, proof))


def test_test_that_nothing_turns_red(course):
    """A test that holds for every mutation is found; one that a mutation turns red is not."""
    bank(course)
    for suite in (course.topic(21).visible, course.topic(21).hidden):
        text = suite.read_text("utf-8")
        suite.write_text(text[: text.index('@exercise("double")')], "utf-8")
    with open(course.topic(21).hidden, "a", encoding="utf-8") as file:
        file.write(
            '@exercise("double")\nclass TestDouble:\n'
            '    def test_exists(self, solution):\n        """The function has a name."""\n'
            '        assert solution.double.__name__ == "double"\n\n'
            '    def test_one(self, solution):\n        """One becomes two."""\n'
            "        assert_close(solution.double(np.array([1.0])), [2.0])\n"
        )
    few = 'from kata import mutations\nmutations.names = lambda is_class: ["widened", "zero"]\n'
    assert faults(course, "tests_turn_red", few) == ["nothing turns it red: test_hidden.py::TestDouble::test_exists"]


@pytest.mark.parametrize(
    ("prose", "length"),
    [
        ("Two numbers, please", 1),
        ("Write `x = as_float(x)` first.", 6),
        ("Write x=as_float( x )first.", 6),
        ("x = 3", 2),
        ("", 0),
    ],
)
def test_shared_run(course, prose, length):
    """Code given away is found token by token, however it is spaced."""
    from kata.proofs import shared_run

    code = course.topic(21).reference.read_text("utf-8")
    assert len(shared_run(prose, code)) == length
