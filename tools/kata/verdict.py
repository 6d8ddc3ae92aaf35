"""The verdict on one topic: run or recall, decide from the evidence, remember.

A verdict is plain data (it goes to JSON as it is):

    topic, stem, file       which topic, which file
    complete                every expected test of both suites was reported passed
    visible, hidden         [passed, expected]; hidden is None where it was not run
    awaits_hidden           the visible suite passed and the hidden one isn't shipped: the instructor's grade.py decides
    problem                 one sentence where the solution could not be tested at all, else ""
    fault                   the earlier topic a failure comes from, or None
    exercises               [{name, status, line, passed, tests, results, failures, mistake, follows, counterexample}],
                            status pass, fail, todo or wait (for another exercise), failures as in
                            `finding.Finding`, follows where it is right once the others are; results has
                            {test, suite, outcome} for all tests of both suites, outcome passed, failed or not run
"""

import ast
import sys
from dataclasses import asdict, replace

from kata import pristine, progress, rules, source
from kata.errors import KataError
from kata.finding import of_test, short_name
from kata.runner import TEST_SECONDS, Request, Run, run
from kata.topics import REFERENCE, ROOT, TOOLS, solution_path

SUITES = ("test_visible.py", "test_hidden.py")
NOT_RUN = "not run"


def check(topic, choice="mine", fresh=False, seconds=TEST_SECONDS, base=None, on_result=None, stop=None, **how):
    """Return the verdict on a topic's solution, from memory where nothing changed since.

    Parameters
    ----------
    topic : Topic
    choice : str
        "mine", "reference", or a path (relative ones count from `base`).
    fresh : bool
        Run even if the verdict is remembered.
    seconds : float
        Limit for one test.
    on_result, stop, **how
        As for `runner.run`; `first` and `gated` as in its `Request`. A verdict that did not wait for the visible
        suite is for grading: it is not recalled, and remembered only where it is complete.

    Returns
    -------
    verdict : dict
        See the module. Also "cached", whether it was recalled; "remembered", False where it could not be
        kept, None where it need not be; "setup", True where the set-up and not the solution is at fault.
    """
    path = solution_path(topic, choice, base)
    mine = choice == "mine"
    carried = _carried(topic) if mine or topic.is_released else []
    if spoilt := pristine.spoilt(topic):
        return _refused(topic, path, spoilt)
    before, key = progress.digest(path), _key(topic, path, carried)
    gated = how.get("gated", True)
    if mine and not fresh and gated and path.is_file():
        memory = progress.recall(topic)
        if memory.get("key") == key and "verdict" in memory:
            return {**memory["verdict"], "cached": True, "remembered": True}
    request = Request(topic, path, tuple(carried), seconds=seconds, first=how.get("first", ""), gated=gated)
    try:
        shown = run(request, on_result, stop, how.get("start"))
    except KataError as error:
        return _refused(topic, path, str(error))
    verdict = decide(topic, path, shown, gated)
    verdict["fault"] = _find_fault(request, shown, stop) if _may_be_anothers(topic, carried, verdict) else None
    if stop and stop.is_set():
        return {**verdict, "complete": False, "cached": False, "remembered": None}
    unchanged = progress.digest(path) == before and _key(topic, path, carried) == key
    if not unchanged:
        verdict["complete"] = False
        verdict["problem"] = f"{path.name} or its suites changed while the tests ran; run the check again."
    kept = _remember(topic, key, verdict, before) if mine and unchanged and (gated or verdict["complete"]) else None
    return {**verdict, "cached": False, "remembered": kept}


def _refused(topic, path, problem):
    """The verdict where the set-up and not the solution is at fault: nothing is decided."""
    return {**decide(topic, path, Run()), "problem": problem, "setup": True, "cached": False, "remembered": None}


def is_current(topic, verdict):
    """Tell whether the verdict on the learner's file would still be recalled: nothing it depends on changed since."""
    return progress.recall(topic).get("key") == _key(topic, topic.starter, _carried(topic)) or not verdict["remembered"]


def standing(topic):
    """Return what is known of the learner's present file without running anything: (words, its verdict or None)."""
    memory = progress.recall(topic)
    if "verdict" not in memory:
        return "not checked", None
    if memory.get("solution") != progress.digest(topic.starter):
        return "edited since, not checked", None
    if not is_current(topic, {"remembered": True}):
        return "not checked with these suites and tools", None
    return "", memory["verdict"]


def recalled_statuses(topic):
    """Return {exercise: status} of the last check if it was on exactly the present file, else None."""
    memory = progress.recall(topic)
    if memory.get("solution") != progress.digest(topic.starter) or "verdict" not in memory:
        return None
    return {exercise["name"]: exercise["status"] for exercise in memory["verdict"]["exercises"]}


def _carried(topic):
    """The earlier topics that `cnn` takes from the learner."""
    return [earlier for earlier in progress.finished_topics() if earlier.number < topic.number]


def _key(topic, path, carried):
    """What a verdict depends on, in one text: solution and where it lies, suites, harness, code carried, Python."""
    harness = [*sorted((TOOLS / "kata").glob("*.py")), TOOLS / "cnn" / "__init__.py", ROOT / "pyproject.toml"]
    files = [path, topic.visible, topic.hidden, topic.mistakes, *harness, *sorted(REFERENCE.glob("*.py"))]
    parts = [progress.digest(*files), progress.digest(*(earlier.starter for earlier in carried))]
    return "-".join([*parts, f"{sys.version_info[0]}.{sys.version_info[1]}", str(path)])


def _remember(topic, key, verdict, solution):
    news = {"key": key, "verdict": verdict, "solution": solution}
    if verdict["complete"] or verdict["awaits_hidden"]:
        passed = progress.recall(topic).get("passed", [])
        news["passed"] = [*(old for old in passed if old != solution), solution]
    return progress.remember(topic, **news)


# --- the decision -------------------------------------------------------------------------------


def decide(topic, path, shown, gated=True):
    """Return the verdict that a run's evidence supports."""
    expected = {suite: [test for test in shown.tests if test["suite"] == suite] for suite in SUITES}
    passed = {name for name, result in shown.results.items() if result["outcome"] == "passed"}
    visible, hidden = ([sum(t["id"] in passed for t in tests), len(tests)] for tests in expected.values())
    whole = _functions(topic) == {test["id"].partition("[")[0] for test in shown.tests}
    reached = visible[0] == visible[1] or not gated
    hidden_ran = reached and any(test["id"] in shown.results for test in expected[SUITES[1]])
    exercises = _exercises(topic, path, shown, hidden_ran)
    findings = [failure for exercise in exercises for failure in exercise["failures"]]
    broken = [failure for failure in findings if failure["kind"] == "broken"]
    return {
        "topic": topic.number,
        "stem": topic.stem,
        "file": str(path),
        "complete": bool(whole and visible[1] and hidden[1] and passed == {test["id"] for test in shown.tests}),
        "visible": visible,
        "hidden": hidden if hidden_ran else None,
        "awaits_hidden": bool(topic.is_released and whole and 0 < visible[0] == visible[1]),
        "problem": broken[0]["details"][0]
        if len(broken) == len(findings) > 0 and not passed
        else _not_whole(topic, whole),
        "fault": None,
        "exercises": exercises,
    }


def _functions(topic):
    """The test functions written in the suite files, as ids, read without running anything."""
    found = set()
    for suite in (topic.visible, topic.hidden):
        tree = rules.parsed(suite)
        for node in tree.body if tree else []:
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                names = [f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)]
            else:
                names = [node.name] if isinstance(node, ast.FunctionDef) else []
            found |= {f"{suite.name}::{name}" for name in names if name.rpartition("::")[2].startswith("test")}
    return found


def _not_whole(topic, whole):
    return "" if whole else f"not all tests written in the suites of {topic} were collected; nothing is decided."


def _exercises(topic, path, shown, hidden_ran):
    lines, stubs = _lines(path)
    found = []
    for name in source.exercises(topic.outline):
        tests = [t for t in shown.tests if t["exercise"] == name and (hidden_ran or t["suite"] == SUITES[0])]
        failures = [failure for failure in (_failure(shown, test) for test in tests) if failure]
        status = _status(name, tests, failures, stubs)
        if status in ("fail", "wait"):
            failures.sort(key=lambda failure: failure["kind"] == "todo")
        looks = shown.diagnoses.get(name, {})
        found.append(
            {
                "name": name,
                "status": status,
                "line": stubs.get(name) or lines.get(name) or 1,
                "passed": len(tests) - len(failures),
                "tests": len(tests),
                "results": [_result(shown, test) for test in shown.tests if test["exercise"] == name],
                "failures": failures,
                "mistake": looks.get("mistakes", [None])[0] if looks.get("mistakes") else None,
                "follows": looks.get("follows", False),
                "counterexample": looks.get("counterexample"),
            }
        )
    return found


def _lines(path):
    """Return where the solution defines each exercise, and where it still raises NotImplementedError."""
    return (source.exercises(path), source.stubs_left(path)) if rules.parsed(path) else ({}, {})


def _result(shown, test):
    outcome = shown.results.get(test["id"], {}).get("outcome", "not run")
    return {"test": short_name(test["id"]), "suite": test["suite"], "outcome": outcome}


def _failure(shown, test):
    result = shown.results.get(test["id"])
    if result is None:
        return asdict(of_test(test, "fail", NOT_RUN))
    if result["outcome"] == "passed":
        return None
    return result["finding"] or asdict(of_test(test, "fail", "failed while the test was set up or taken down"))


def _status(name, tests, failures, stubs):
    if tests and not failures:
        return "pass"
    if any(f["kind"] != "todo" and f["details"] != [NOT_RUN] for f in failures):
        return "fail"
    if not tests or name in stubs or any(f["kind"] == "todo" and f["exercise"] == name for f in failures):
        return "todo"
    return "wait" if all(f["kind"] == "todo" for f in failures) else "fail"


# --- whose fault --------------------------------------------------------------------------------


def _find_fault(request, shown, stop):
    """Return the earlier topic whose code makes tests fail here that pass over the reference, or None."""
    failing = frozenset(
        name
        for name, result in shown.results.items()
        if (result["finding"] or {}).get("kind") in ("fail", "hang", "crash")
    )
    carried = [topic for topic in request.carried if topic.stem in _imports(request)] if failing else []
    if not carried:
        return None
    again = replace(request, only=failing, diagnose=False, shrink=False)
    mended = _passing(replace(again, carried=()), stop)
    if not mended:
        return None
    guilty = next((topic for topic in carried if _passing(_without(again, topic), stop) >= mended), carried[0])
    return {"topic": guilty.number, "stem": guilty.stem, "file": str(guilty.starter), "tests": sorted(mended)}


def _may_be_anothers(topic, carried, verdict):
    """Tell whether an earlier topic may be to blame, and there is a reference that would show it."""
    return bool(carried) and not verdict["complete"] and not topic.is_released


def _without(request, suspect):
    return replace(request, carried=tuple(topic for topic in request.carried if topic != suspect))


def _passing(request, stop):
    results = run(request, stop=stop).results
    return {name for name, result in results.items() if result["outcome"] == "passed"}


def _imports(request):
    """The stems of `cnn` that the solution reaches, through the learner's carried files too."""
    reached, waiting = set(), [request.solution]
    while waiting:
        tree = rules.parsed(waiting.pop()) or ast.Module([], [])
        modules = [name for node in ast.walk(tree) for name in rules.imported(node)]
        for stem in {module.removeprefix("cnn.") for module in modules if module.startswith("cnn.")} - reached:
            reached.add(stem)
            waiting += [topic.starter for topic in request.carried if topic.stem == stem]
    return reached
