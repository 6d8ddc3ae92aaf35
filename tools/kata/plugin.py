"""The pytest side of the course, loaded by the root conftest.py.

A failing suite test is turned into a `Finding`: the test's sentence, what was expected and got, the call,
the learner's line. Both the terminal summary below and `check.py` show findings, never tracebacks; ask for
one with --tb=short.
"""

import functools
import inspect
import re
import traceback
from pathlib import Path

import hypothesis
import pytest

from kata import source
from kata.carry import carry_only_reference
from kata.errors import KataError, SolutionError, Todo
from kata.finding import Finding, short_name, without_numbers
from kata.loading import Solution
from kata.rules import earlier_stems
from kata.topics import MODULE, solution_path, topic_of_suite

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_ignore_collect",
    "pytest_report_teststatus",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "solution",
]

MESSAGE_LINES = 8
PRINTED_LINES = 8


# --- set-up -------------------------------------------------------------------------------------


def pytest_addoption(parser):
    group = parser.getgroup("course")
    group.addoption(
        "--solution",
        default="mine",
        metavar="mine|reference|PATH",
        help="the module the topic suites test: your file (default), the reference, or any file or folder",
    )
    group.addoption("--hidden", action="store_true", help="run the topics' hidden suites as well")
    group.addoption("--no-shrink", action="store_true", help="report the first failing example, not the smallest")


def pytest_configure(config):
    config.addinivalue_line("markers", "exercise(name): the exercise a suite test belongs to")
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    if not config.getoption("--no-shrink"):
        phases.append(hypothesis.Phase.shrink)
    hypothesis.settings.register_profile(
        "kata",
        phases=phases,
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=25,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("kata")
    choice = config.getoption("--solution")
    if choice not in ("mine", "reference") and not (config.invocation_params.dir / choice).exists():
        raise pytest.UsageError(f"--solution {choice}: no such file. Give mine, reference, or a path.")
    if choice != "mine":
        carry_only_reference()


def pytest_ignore_collect(collection_path, config):
    if collection_path.name == "test_hidden.py" and topic_of_suite(collection_path):
        asked = any("test_hidden.py" in argument for argument in config.args)
        return None if asked or config.getoption("--hidden") else True
    return None


def pytest_collection_modifyitems(items):
    for item in items:
        topic = topic_of_suite(item.path)
        if topic:
            _require_sentence_and_exercise(item, topic)
    items.sort(key=lambda item: (str(item.path.parent), item.path.name == "test_hidden.py"))


def _require_sentence_and_exercise(item, topic):
    mark = item.get_closest_marker("exercise")
    if mark is None or mark.args[0] not in source.exercises(topic.outline):
        raise pytest.UsageError(f"{item.nodeid}: mark it with an exercise of {topic.outline.name}")
    if not re.match(r"[A-Z0-9\"'`(].*[.]", sentence_of(item)):
        raise pytest.UsageError(f"{item.nodeid}: open its docstring with one sentence that is true of correct code")


def sentence_of(item):
    """Return the first paragraph of a test's docstring, on one line."""
    text = inspect.getdoc(item.function) or ""
    return " ".join(text.split("\n\n")[0].split())


@pytest.fixture(scope="module")
def solution(request):
    """The module under test, as --solution says."""
    topic = topic_of_suite(request.path)
    try:
        path = solution_path(topic, request.config.getoption("--solution"), request.config.invocation_params.dir)
    except KataError as error:
        raise pytest.UsageError(str(error)) from error
    return Solution(path, stems=earlier_stems(topic))


# --- one report ---------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    ours = topic_of_suite(item.path) and call.excinfo is not None
    style = item.config.getoption("tbstyle", "auto")
    if ours and style == "auto":
        item.config.option.tbstyle = "line"  # nobody sees the traceback, so none is built
    report = yield
    if ours:
        item.config.option.tbstyle = style
        report.outcome = "failed"
        report.finding = find(item, call.excinfo.value)
        report.finding.printed = _last_lines(report.capstdout)
        if style == "auto":
            report.longrepr = "\n".join([report.finding.sentence, *report.finding.details])
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    solution = item.funcargs.get("solution")
    if isinstance(solution, Solution):
        solution.forget_last_call()


def find(item, error):
    """Return the `Finding` for the exception a suite test ended with."""
    error = _untestable(error) or error
    solution = item.funcargs.get("solution")
    exercise = item.get_closest_marker("exercise").args[0]
    found = Finding("fail", exercise, sentence_of(item), short_name(item.nodeid), item.path.name)
    frames = [frame for frame in traceback.walk_tb(error.__traceback__) if solution and _is_own(frame[0], solution)]
    if frames:
        frame, line = _telling(frames, topic_of_suite(item.path))
        found.line = f"{frame.f_code.co_filename}:{line}"
        owner = frame.f_code.co_qualname.split(".")[0]
    if isinstance(error, (NotImplementedError, Todo)):
        found.kind = "todo"
        if frames and not owner.startswith("_") and exercise not in _stubs(solution._path):
            found.exercise = owner
        found.details = [str(error)]
    elif isinstance(error, SolutionError):
        found.kind = "broken"
        found.details = [str(error)]
        found.line = f"{solution._path}:{error.line}" if error.line else ""
    else:
        found.details = _message(error)
        found.call = solution.last_call if solution else ""
        found.window = getattr(error, "window", {})
        if frames and not isinstance(error, AssertionError):
            found.details.append(f"raised at {Path(frame.f_code.co_filename).name}:{line} in {owner}")
    hidden = item.path.name == "test_hidden.py" and found.kind != "broken"
    return without_numbers(found) if hidden else found


def _untestable(error):
    """The SolutionError in a group of errors, as hypothesis makes one of two tries that ended differently, or None."""
    group = error.subgroup(SolutionError) if isinstance(error, BaseExceptionGroup) else None
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group


def _telling(frames, topic):
    """The innermost frame of an exercise, rather than of a helper it calls."""
    names = source.exercises(topic.outline)
    return next((f for f in reversed(frames) if f[0].f_code.co_qualname.split(".")[0] in names), frames[-1])


@functools.cache
def _stubs(path):
    return source.stubs_left(path)


def _is_own(frame, solution):
    """Tell whether a frame runs the solution's file or one of the learner's earlier topics."""
    path = Path(frame.f_code.co_filename)
    return path == solution._path or (MODULE in path.parents and not path.name.startswith("test_"))


def _message(error):
    if isinstance(error, hypothesis.errors.Flaky):
        return ["it does not give the same result twice for the same arguments: what does it keep between calls?"]
    try:
        text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    except Exception:  # the learner's own class of error can't say what it is
        text = type(error).__name__
    lines = [line.rstrip() for line in text.splitlines() if line.strip()] or ["the assertion does not hold"]
    if len(lines) > MESSAGE_LINES:
        lines[MESSAGE_LINES:] = ["..."]
    return lines + _example(error)


def _last_lines(text):
    """The end of what was printed, bounded in lines and in width."""
    lines = [line[:120] for line in text[-10_000:].splitlines() if line.strip()]
    return lines if len(lines) <= PRINTED_LINES else ["...", *lines[-PRINTED_LINES:]]


def _example(error):
    """The smallest example hypothesis found, on one line."""
    for note in getattr(error, "__notes__", None) or []:
        if note.startswith(("Falsifying example", "Failing test case")):
            shown = [line.strip().rstrip(",") for line in note.splitlines()[1:-1]]
            values = [text for text in shown if not text.startswith(("self=", "solution=", "#"))]
            return [f"smallest example: {', '.join(values)}"] if values else []
    return []


def pytest_report_teststatus(report):
    finding = getattr(report, "finding", None)
    if finding is not None and finding.kind == "todo":
        return "failed", "T", "TODO"
    return None


# --- the summary --------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter, config):
    stats = terminalreporter.stats
    failed = stats.get("failed", [])
    ours = [report for report in failed if hasattr(report, "finding")]
    if config.getoption("tbstyle") != "auto":
        ours = [report for report in ours if report.finding.kind != "fail"]
    stats["failed"] = [report for report in failed if report not in ours]
    result = yield
    stats["failed"] = failed
    if not failed:
        del stats["failed"]
    if ours:
        from kata.summary import write_summary

        write_summary(terminalreporter, ours)
    elif config.getoption("--solution") == "mine" and not failed and not stats.get("deselected"):
        from kata.summary import write_onward

        write_onward(terminalreporter, _topics_passed(stats.get("passed", []), config.rootpath))
    return result


def _topics_passed(reports, root):
    """The topics whose visible suite is among the passed tests, in order."""
    files = dict.fromkeys(report.nodeid.split("::")[0] for report in reports)
    return [topic for topic in map(topic_of_suite, (root / file for file in files)) if topic]
