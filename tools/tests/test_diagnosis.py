"""A mistake is named where the learner's outputs agree with it and with nothing else."""

import numpy as np
import pytest

from kata import loading, mistakes
from kata.errors import KataError
from kata.mistakes import Diagnosis, describe, load_bank, same, twisted
from kata.topics import Topic

A = np.array([1.0, 2.0])


@pytest.mark.parametrize(
    ("a", "b", "agree"),
    [
        (A, A + 1e-12, True),
        (A, A + 1e-3, False),
        (A.astype(np.float32), A.astype(np.float32) + np.float32(1e-6), True),
        (A, A.astype(np.float32), False),
        (A, A[:, np.newaxis], False),
        (A, [1.0, 2.0], False),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf]), True),
        (np.array([np.nan]), np.array([0.0]), False),
        (np.zeros((0, 3)), np.zeros((0, 3)), True),
        (np.zeros((0, 3)), np.zeros((0, 4)), False),
        ((A, None), (A, None), True),
        ((A, None), (A, A), False),
        ((A,), (A, A), False),
        ([A], (A,), True),
        ({"dx": A, "dw": A}, {"dx": A, "dw": A + 1}, False),
        ({"dx": A}, {"dw": A}, False),
        (0.1 + 0.2, 0.3, True),
        (3, 3.0, False),
        (True, 1, False),
        ("a", "a", True),
        (ValueError("x"), ValueError("y"), True),
        (ValueError("x"), TypeError("x"), False),
        (ValueError("x"), A, False),
    ],
)
def test_same(a, b, agree):
    """Observations agree in structure, shape, dtype, values to rounding, and type of exception."""
    assert same(a, b) is agree and same(b, a) is agree


@pytest.mark.parametrize(
    ("got", "expected", "said"),
    [
        (np.array([1.0, 3.0]), A, "at [1]: expected 2, got 3"),
        (np.zeros((2, 1)), A, "expected shape (2,), got (2, 1)"),
        (A.astype(np.float32), A, "expected dtype float64, got float32"),
        ((A, A + 1), (A, A), "at [0]: expected 1, got 2"),
        ({"dx": A, "dw": A + 1}, {"dx": A, "dw": A}, "dw: at [0]: expected 1, got 2"),
        (A, ValueError("no"), "expected ValueError (no), got an array of shape (2,)"),
        (ZeroDivisionError(), A, "expected an array of shape (2,), got ZeroDivisionError"),
        (3, 4, "expected 4, got 3"),
        (None, A, "expected an array of shape (2,), got None"),
    ],
)
def test_describe(got, expected, said):
    """The difference between two observations is one line, expected before got."""
    assert describe(got, expected) == said


@pytest.fixture
def topic(course, monkeypatch):
    """Topic 21 of the miniature course, for this process."""
    monkeypatch.setattr("kata.topics.REFERENCE", course.root / "reference")
    monkeypatch.setattr("kata.topics.HINTS", course.root / "hints")
    return Topic(21, "mini", course.topic(21).folder)


def module(topic, right="", wrong=""):
    text = topic.reference.read_text("utf-8")
    assert right in text
    return loading.load(topic.reference, text.replace(right, wrong) if right else text)


def test_each_mistake_is_named_as_itself(topic):
    """The twisted reference is named as that mistake and as no other; the reference as none."""
    diagnosis = Diagnosis(topic)
    for mistake in diagnosis.bank.mistakes:
        named = diagnosis.names(twisted(topic, mistake), mistake.exercise)
        assert [one.name for one in named] == [mistake.name]
    for exercise in ("double", "double_backward", "Scale"):
        assert diagnosis.names(module(topic), exercise) == []
        assert diagnosis.counterexample(module(topic), exercise) is None


def test_mistake_written_otherwise(topic):
    """A mistake is named by what it does, however it is written."""
    learner = module(topic, "return 2 * x", "return np.multiply(x, x)")
    assert [mistake.name for mistake in Diagnosis(topic).names(learner, "double")] == ["squared"]


def test_unknown_mistake(topic):
    """A mistake that is not in the bank has no name, and a counter-example."""
    learner = module(topic, "return 2 * x", "return 2 * x + 1")
    diagnosis = Diagnosis(topic)
    assert diagnosis.names(learner, "double") == []
    call, difference = diagnosis.counterexample(learner, "double")
    assert call == "double(x (3,))" and difference.startswith("at [0]: expected ")


def test_counterexample_skips_probes_that_agree(topic):
    """The counter-example is the first probe on which the solution is wrong."""
    learner = module(topic, "if x.ndim != 1:", "if False:")
    call, difference = Diagnosis(topic).counterexample(learner, "double")
    assert call == "double(x (2, 3))"
    assert difference.startswith("expected ValueError (double: x has shape (2, 3)")
    assert difference.endswith("got an array of shape (2, 3)")


def test_stub_is_no_mistake(topic, course):
    """An exercise still to do looks like no mistake."""
    stub = loading.load(course.topic(21).starter)
    assert all(Diagnosis(topic).names(stub, name) == [] for name in ("double", "double_backward", "Scale"))


@pytest.mark.parametrize(("quote", "count"), [("return 7 * x", 0), ("return", 5)])
def test_twist_occurs_once(topic, quote, count):
    """A twist that does not occur exactly once in the reference is refused with how often it does."""
    mistake = mistakes.Mistake("off", "double", 1, "it is off", {quote: "return 0"})
    with pytest.raises(KataError, match=f"off twists .* occurs {count} times"):
        twisted(topic, mistake)


def test_mistake_without_probe(topic):
    """A mistake about something that no probe looks at is refused."""
    with open(topic.mistakes, "a", encoding="utf-8") as file:
        file.write("\nMISTAKES.append(Mistake('lost', 'triple', 1, 'it is lost', {}))\n")
    with pytest.raises(KataError, match="lost is about triple, which has no probe"):
        load_bank(topic)


def test_bank_that_cannot_be_run(topic):
    """A bank with a syntax error is refused in one sentence with its line."""
    topic.mistakes.write_text("MISTAKES = [\n", encoding="utf-8")
    with pytest.raises(KataError, match=r"mistakes.py:1 has a syntax error"):
        load_bank(topic)


def test_no_bank(topic):
    """A topic without a bank is diagnosed as nothing."""
    topic.mistakes.unlink()
    assert load_bank(topic).mistakes == ()
    assert Diagnosis(topic).names(module(topic, "return 2 * x", "return x"), "double") == []


def test_probes_draw_alike(topic):
    """Every module sees the same probe inputs."""
    probes = load_bank(topic).probes["double"]
    first, second = (mistakes.observe(module(topic), topic.reference, probes) for _ in range(2))
    assert mistakes.agree(first, second) and len(first) == len(probes) * len(mistakes.SEEDS)
