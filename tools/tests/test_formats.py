"""What check.py tells programs: each form is accepted by a validator of its schema, and says what the verdict says."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import junitparser
import pytest

from kata import formats
from kata.formats import gradescope, points

SCHEMAS = Path(formats.__file__).parent / "schemas"
SOLUTIONS = {
    "right": {},
    "wrong": {"return 2 * x": "return 3 * x"},
    "hidden": {"if x.ndim != 1:": "if False:"},
    "crash": {"return 2 * dout": "import os; os._exit(0)"},
    "hang": {"self._x = x\n": "self._x = x\n        while True: pass\n"},
    "todo": {"return 2 * dout": "raise NotImplementedError"},
}


@pytest.fixture(scope="module")
def verdicts(pristine, tmp_path_factory):
    """Real verdicts of every kind: {name of the solution: verdict}; "todo" waited for the visible suite."""
    folder = tmp_path_factory.mktemp("solutions")
    reference = pristine.topic(21).reference.read_text("utf-8")
    texts = {name: _replaced(reference, twists) for name, twists in SOLUTIONS.items()} | {"broken": "def (\n"}
    found = {}
    for name, text in texts.items():
        (folder / name).mkdir()
        (folder / name / "mini.py").write_text(text, "utf-8")
        how = [] if name == "todo" else ["--partial"]
        how += ["--time-limit", "3"] if name == "hang" else []
        found[name] = pristine.verdict(21, "--solution", folder / name, *how)
    return found


def _replaced(text, twists):
    for right, wrong in twists.items():
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    return text


def validated(form, document):
    """Return the document, which the form's schema accepts."""
    name = {"json": "verdicts-1"}.get(form, form)
    schema = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)
    return document


def decoded(text):
    """Return Classroom's payload, taken out of its one line of base64."""
    assert "\n" not in text.strip()
    return validated("classroom", json.loads(base64.b64decode(text, validate=False)))


each_way = pytest.mark.parametrize("partial", [False, True], ids=["whole", "partial"])


# --- points -------------------------------------------------------------------------------------


def test_all_or_nothing(verdicts):
    """An exercise gives its point when all its tests pass, visible and hidden, whatever the other exercises do."""
    earned = {name: points.of_verdict(verdict, partial=False)[0] for name, verdict in verdicts.items()}
    assert earned == {"right": 3, "wrong": 2, "hidden": 2, "crash": 2, "hang": 2, "todo": 0, "broken": 0}


def test_in_part(verdicts):
    """Counted in part, an exercise gives the share of its tests that pass."""
    earned = {name: points.of_verdict(verdict, partial=True)[0] for name, verdict in verdicts.items()}
    assert earned["right"] == 3 and earned["hidden"] == 2.75 and earned["wrong"] == 2.25
    assert earned["broken"] == 0 and earned["todo"] == 1  # visible tests only: 2 of 4, 0 of 2, 1 of 2


@each_way
def test_parts_add_up(verdicts, partial):
    """The two suites of an exercise share exactly one point."""
    for verdict in verdicts.values():
        for exercise in verdict["exercises"]:
            parts = points.parts(exercise, partial)
            assert sum(part.of for part in parts) == pytest.approx(1)
            assert all(0 <= part.points <= part.of for part in parts)


# --- json ---------------------------------------------------------------------------------------


@each_way
def test_json(verdicts, partial):
    """The verdicts are accepted by their schema, and the schema describes every key there is."""
    document = validated("json", json.loads(formats.text("json", list(verdicts.values()), partial)))
    assert document["format"] == 1 and document["verdicts"] == list(verdicts.values())
    assert document.get("points") == (
        {"earned": points.of_all(verdicts.values(), True)[0], "possible": 21} if partial else None
    )
    known = json.loads((SCHEMAS / "verdicts-1.json").read_text("utf-8"))["$defs"]
    for verdict in verdicts.values():
        assert verdict.keys() <= known["verdict"]["properties"].keys()
        for exercise in verdict["exercises"]:
            assert exercise.keys() <= known["exercise"]["properties"].keys()
            assert all(failure.keys() <= known["finding"]["properties"].keys() for failure in exercise["failures"])


def test_schema_refuses(verdicts):
    """The schema is no formality: it refuses another version, a missing key, a wrong type."""
    document = json.loads(formats.text("json", [verdicts["right"]]))
    for spoilt in (
        {**document, "format": 2},
        {"format": 1},
        {**document, "verdicts": [{**verdicts["right"], "complete": "yes"}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validated("json", spoilt)


# --- junit --------------------------------------------------------------------------------------


def test_junit(verdicts):
    """JUnit has a suite a topic and a case a test: wrong is a failure, hung or crashed an error, not run is skipped."""
    for name, verdict in verdicts.items():
        (suite,) = junitparser.JUnitXml.fromstring(formats.text("junit", [verdict]).encode())
        cases = list(suite)
        kinds = [type(case.result[0]).__name__ if case.result else "passed" for case in cases]
        assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (
            len(cases), kinds.count("Failure"), kinds.count("Error"), kinds.count("Skipped"),
        )  # fmt: skip
        results = [r["outcome"] for exercise in verdict["exercises"] for r in exercise["results"]]
        extra = 1 if verdict["problem"] else 0
        assert len(cases) == len(results) + extra
        assert kinds.count("passed") == results.count("passed") and kinds.count("Skipped") == results.count("not run")
        assert ("Error" in kinds) == (name in ("crash", "hang", "broken"))


def test_junit_is_xml(verdicts):
    """Whatever a solution prints, the document stays XML."""
    verdict = json.loads(json.dumps(verdicts["wrong"]))
    verdict["exercises"][0]["failures"][0]["details"] = ["\x00\x1b[31m ]]> <&> \ud800 \uffff é"]
    text = formats.text("junit", [verdict])
    (case, *_) = [case for suite in junitparser.JUnitXml.fromstring(text.encode()) for case in suite if case.result]
    assert "]]> <&>" in case.result[0].text and "é" in case.result[0].text


# --- gradescope ---------------------------------------------------------------------------------


@each_way
def test_gradescope(verdicts, partial):
    """results.json is accepted by its schema, and its scores add up to the points."""
    for verdict in verdicts.values():
        document = validated("gradescope", json.loads(formats.text("gradescope", [verdict], partial)))
        earned, possible = points.of_verdict(verdict, partial)
        assert sum(test["score"] for test in document["tests"]) == pytest.approx(earned)
        assert sum(test["max_score"] for test in document["tests"]) == pytest.approx(possible)


@each_way
def test_gradescope_keeps_hidden_tests_back(verdicts, partial):
    """What hidden tests decided is shown after the grades are published, everything else at once."""
    tests = json.loads(formats.text("gradescope", [verdicts["hidden"]], partial))["tests"]
    shown = [test for test in tests if test["visibility"] == "visible"]
    assert [test["visibility"] for test in tests if "hidden tests" in test["name"]] == ["after_published"] * 3
    assert len(shown) == 3 and all(test["status"] == "passed" for test in shown)
    assert "table" not in "".join(test["output"] for test in shown)
    assert "A table is refused" in next(t["output"] for t in tests if t["name"] == "mini: double, hidden tests")


def test_gradescope_total_is_withheld_for_a_reason_only(verdicts):
    """A student sees no total exactly while hidden tests that ran may still change it."""
    for partial in (False, True):
        shown = {
            name: gradescope.total_is_shown(json.loads(formats.text("gradescope", [verdict], partial)))
            for name, verdict in verdicts.items()
        }
        assert shown["todo"]  # the hidden suite did not run: there is nothing to withhold
        assert not shown["right"] and not shown["hidden"]
    assert gradescope.total_is_shown(json.loads(formats.text("gradescope", [verdicts["broken"]])))


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ({"tests": [{"visibility": "visible"}]}, True),
        ({"tests": [{}]}, True),
        ({"tests": [{"visibility": "hidden"}, {}]}, True),
        ({"tests": [{"visibility": "after_published"}, {}]}, False),
        ({"tests": [{"visibility": "after_due_date"}]}, False),
        ({"visibility": "after_published", "tests": [{}]}, False),
        ({"visibility": "after_published", "tests": [{"visibility": "visible"}]}, True),
    ],
)
def test_gradescope_rule(document, shown):
    """A total disappears with any visibility but visible and hidden, an entry's own or the one it takes over."""
    assert gradescope.total_is_shown(document) is shown


# --- classroom ----------------------------------------------------------------------------------


@each_way
def test_classroom(verdicts, partial):
    """The payload has an entry an exercise, its scores add up to the points, its status is the worst of its tests'."""
    statuses = {}
    for name, verdict in verdicts.items():
        document = decoded(formats.text("classroom", [verdict], partial))
        earned, possible = points.of_verdict(verdict, partial)
        assert document["max_score"] == possible == len(document["tests"])
        assert sum(test["score"] for test in document["tests"]) == pytest.approx(earned)
        assert all(bool(test["message"]) == (test["status"] != "pass") for test in document["tests"])
        statuses[name] = document["status"]
    assert statuses.pop("right") == "pass" and statuses.pop("broken") == "error"
    assert set(statuses.values()) == {"fail"}


def test_classroom_of_nothing():
    """Without any verdict there is still a payload with a test in it."""
    assert decoded(formats.text("classroom", []))["status"] == "error"
    assert decoded(formats.failure("classroom", "why"))["tests"][0]["message"] == "why"


# --- the command --------------------------------------------------------------------------------


def test_command(course):
    """check.py prints each form, and its status is that of the verdict."""
    path = course.solve(21, SOLUTIONS["wrong"])
    seen = {}
    for form in ("gradescope", "classroom", "junit"):
        done = course.run("check.py", 21, "--format", form)
        assert done.returncode == 1 and done.stderr == "", done.stderr
        seen[form] = done.stdout
    tests = validated("gradescope", json.loads(seen["gradescope"]))["tests"]
    assert sum(test["score"] for test in tests) == 2
    assert decoded(seen["classroom"])["tests"][0]["status"] == "fail"
    assert junitparser.JUnitXml.fromfile(io.BytesIO(seen["junit"].encode())).skipped == 4  # hidden waits for visible
    assert course.run("check.py", 21, "--partial").stdout.endswith("points: 2.25 of 3\n")
    course.solve(21)
    assert course.run("check.py", 21, "--partial", "--solution", path).stdout.endswith("points: 3 of 3\n")


def test_graded_forms_leave_no_trace(course):
    """A verdict that did not wait for the visible suite is not what the learner is told next."""
    course.solve(21, SOLUTIONS["wrong"])
    course.run("check.py", 21, "--format", "gradescope")
    assert course.verdict(21)["hidden"] is None


@pytest.mark.parametrize("form", ["classroom", "gradescope"])
def test_answer_to_a_wrong_call(course, form):
    """A graded form is printed even where nothing could be checked; the status stays 2."""
    done = course.run("check.py", "--format", form, "no such topic")
    assert done.returncode == 2 and "No topic is called" in done.stderr
    document = decoded(done.stdout) if form == "classroom" else validated(form, json.loads(done.stdout))
    assert "No topic is called" in str(document["tests"]) and not any(test["score"] for test in document["tests"])


@pytest.mark.skipif(os.name != "posix", reason="Windows ends a process without telling it")
def test_answer_when_time_is_up(course, tmp_path):
    """Ended from outside, as `timeout` does, check.py still prints Classroom's payload."""
    course.write(21, "while True:\n    pass\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, str(course.root / "tools" / "check.py"), "21", "--format", "classroom"]
    command += ["--time-limit", "290"]
    environment = course.environment({"TMPDIR": str(scratch)})
    process = subprocess.Popen(command, cwd=course.root, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        while process.poll() is None and not list(scratch.iterdir()):
            time.sleep(0.02)  # until the tests begin
        process.send_signal(signal.SIGTERM)
        document = decoded(process.communicate(timeout=120)[0])  # long before the test's own limit
    finally:
        process.kill()
    assert document["status"] == "error" and document["max_score"] == 3
    assert "ended before it was done" in document["tests"][0]["message"]
