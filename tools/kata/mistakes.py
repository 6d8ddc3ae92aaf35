"""The bank of known mistakes of a topic, and the comparison that gives a learner's mistake its name.

`hints/NN-stem/mistakes.py` holds a list `MISTAKES` and, for each exercise, one or more probes:

    MISTAKES = [
        Mistake(
            name="kernel_flipped",
            exercise="conv2d_forward",
            level=2,
            says="the kernel is flipped; networks slide it as it is",
            twist={"weight[o]": "weight[o, :, ::-1, ::-1]"},
        ),
    ]

    @probe("conv2d_forward")
    def unequal_strides(solution, rng):
        return solution.conv2d_forward(rng.standard_normal((2, 3, 7, 8)), ..., stride=(2, 3))[0]

A twist maps text of the reference to what stands there instead; each key occurs exactly once. A probe
runs the exercise on inputs it draws from rng and returns what can be observed: arrays, numbers, tuples,
dicts of them. An exception is an observation too.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from kata import loading, source
from kata.errors import KataError, SolutionError, Todo
from kata.testing import first_difference

SEEDS = (20, 21, 22)


@dataclass(frozen=True)
class Mistake:
    """One wrong turn: a twist on the reference, and the sentence that names the misunderstanding.

    Attributes
    ----------
    name : str
        Identifies it in reports and proofs.
    exercise : str
        Where it is made.
    level : int
        The hint level that addresses it, 1 to 3.
    says : str
        Completes "looks like: ...", lower case, no full stop.
    twist : dict of str to str
        Text of the reference, and what stands there instead.
    """

    name: str
    exercise: str
    level: int
    says: str
    twist: dict


@dataclass(frozen=True)
class Bank:
    """A topic's mistakes and probes."""

    mistakes: tuple
    probes: dict


def probe(exercise):
    """Mark a function `(solution, rng) -> observation` as a probe of the exercise."""

    def mark(function):
        function.exercise = exercise
        return function

    return mark


def load_bank(topic):
    """Return the topic's `Bank`, empty where it ships no mistakes.

    Raises
    ------
    KataError
        If the file can't be run, or a mistake names no probed exercise.
    """
    if not topic.mistakes.exists():
        return Bank((), {})
    try:
        module = loading.load(topic.mistakes)
    except SolutionError as error:
        raise KataError(f"{topic.mistakes}: {error}") from error
    probes = {}
    for value in vars(module).values():
        if callable(value) and hasattr(value, "exercise") and not isinstance(value, (Mistake, type)):
            probes.setdefault(value.exercise, []).append(value)
    for mistake in module.MISTAKES:
        if mistake.exercise not in probes:
            raise KataError(f"{topic.mistakes}: {mistake.name} is about {mistake.exercise}, which has no probe.")
    return Bank(tuple(module.MISTAKES), probes)


def twisted_source(topic, mistake):
    """Return the reference's text with the mistake's twist made."""
    text = source.read(topic.reference)
    for right, wrong in mistake.twist.items():
        if text.count(right) != 1:
            raise KataError(
                f"{topic.mistakes}: {mistake.name} twists {right!r}, which occurs {text.count(right)} times in "
                f"{topic.reference.name}, not once. Quote more of the line."
            )
        text = text.replace(right, wrong)
    return text


def twisted(topic, mistake):
    """Return the reference module with the mistake made in it."""
    return loading.load(topic.reference, twisted_source(topic, mistake))


def observe(module, path, probes):
    """Return what the probes see of a module: a list of (observation, call as text)."""
    seen = []
    for look in probes:
        for seed in SEEDS:
            solution = loading.Solution(path, module)
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    value = look(solution, np.random.default_rng(seed))
            except (Exception, Todo) as error:
                value = error
            seen.append((value, solution.only_call))
    return seen


def same(a, b):
    """Tell whether two observations agree: structure, shapes, dtypes, values to rounding, exception types."""
    if isinstance(a, BaseException) or isinstance(b, BaseException):
        return type(a) is type(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, (np.ndarray, np.generic)) and isinstance(b, (np.ndarray, np.generic)):
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        tolerance = {2: 1e-2, 4: 1e-4}.get(a.dtype.itemsize, 1e-7)
        return first_difference(a, b, tolerance) is None
    if isinstance(a, float) and isinstance(b, float):
        return bool(np.isclose(a, b, rtol=1e-7, equal_nan=True))
    return type(a) is type(b) and a == b


def agree(seen, others):
    """Tell whether two modules look the same to the same probes."""
    return all(same(a, b) for (a, _), (b, _) in zip(seen, others, strict=True))


class Diagnosis:
    """Compares a solution with the reference and with every known mistake of a topic."""

    def __init__(self, topic):
        self.topic = topic
        self.bank = load_bank(topic)
        self._reference = loading.load(topic.reference)
        self._twisted, self._right = {}, {}

    def reference(self, exercise):
        if exercise not in self._right:
            probes = self.bank.probes.get(exercise, [])
            self._right[exercise] = observe(self._reference, self.topic.reference, probes)
        return self._right[exercise]

    def mistaken(self, mistake):
        if mistake.name not in self._twisted:
            module = twisted(self.topic, mistake)
            self._twisted[mistake.name] = observe(module, self.topic.reference, self.bank.probes[mistake.exercise])
        return self._twisted[mistake.name]

    def names(self, module, exercise):
        """Return the mistakes of the exercise that the module makes: agreement where reference and mistake differ."""
        probes = self.bank.probes.get(exercise, [])
        if not probes:
            return []
        seen = observe(module, self.topic.reference, probes)
        right = self.reference(exercise)
        if agree(seen, right) or all(isinstance(value, BaseException) for value, _ in seen):
            return []  # code that does nothing but raise agrees with too much
        return [m for m in self.bank.mistakes if m.exercise == exercise and agree(seen, self.mistaken(m))]

    def follows(self, path, exercise):
        """Tell whether the exercise is right as soon as all others are: its own code is not at fault.

        The file is run once more with the reference's other exercises in place of its own.
        """
        probes = self.bank.probes.get(exercise, [])
        if not probes:
            return False
        module = loading.load(path)
        for other in source.exercises(self.topic.reference):
            if other != exercise:
                setattr(module, other, getattr(self._reference, other))
        return agree(observe(module, path, probes), self.reference(exercise))

    def counterexample(self, module, exercise):
        """Return (call, difference) for the first probe on which the module is wrong, or None."""
        probes = self.bank.probes.get(exercise, [])
        seen = observe(module, self.topic.reference, probes)
        for (got, call), (expected, _) in zip(seen, self.reference(exercise), strict=True):
            if not same(got, expected):
                return call, describe(got, expected)
        return None


def describe(got, expected):
    """Return one line that tells an observation from the right one."""
    if isinstance(got, BaseException) or isinstance(expected, BaseException):
        return f"expected {_brief(expected)}, got {_brief(got)}"
    if isinstance(expected, dict) and isinstance(got, dict) and got.keys() == expected.keys():
        key = next(key for key in expected if not same(got[key], expected[key]))
        return f"{key}: {describe(got[key], expected[key])}"
    if isinstance(expected, (tuple, list)) and isinstance(got, (tuple, list)) and len(got) == len(expected):
        place = next(i for i in range(len(expected)) if not same(got[i], expected[i]))
        return describe(got[place], expected[place])
    if isinstance(expected, np.ndarray) and isinstance(got, np.ndarray):
        if got.shape != expected.shape:
            return f"expected shape {expected.shape}, got {got.shape}"
        if got.dtype != expected.dtype:
            return f"expected dtype {expected.dtype}, got {got.dtype}"
        index = first_difference(got, expected, 1e-7) or ()
        return f"at {list(index)}: expected {expected[index]:.6g}, got {got[index]:.6g}"
    return f"expected {_brief(expected)}, got {_brief(got)}"


def _brief(value):
    if isinstance(value, BaseException):
        return f"{type(value).__name__} ({value})" if str(value) else type(value).__name__
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_brief, value))})"
    return repr(value)
