"""What every suite uses: comparisons that explain themselves, gradients by differences, bytecode counts.

A suite file imports from here and from hypothesis, numpy and pytest, and from nowhere else. What it
tests comes in through the fixture `solution`; the expected values come from literals, from plain loops
in the suite itself, or from identities, never from the code under test.
"""

import sys
import threading
from contextlib import contextmanager, suppress
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import strategies as st

from kata.errors import SolutionError

# How far a correct result may lie from the expected one, relative to the largest expected magnitude
# (at least 1): wide enough for any order of summation, narrow enough for any real mistake.
TOLERANCE = MappingProxyType({np.dtype(np.float16): 1e-2, np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-9})

# What is equal when Python or NumPy says so; arrays are compared by `assert_close`.
PLAIN = {int, float, bool, str, type(None), *np.sctypeDict.values()} - {np.object_, np.complex64, np.complex128}
COMPARED = (tuple.__eq__, list.__eq__, dict.__eq__, set.__eq__)


def exercise(name):
    """Mark a test class (or function) as belonging to the exercise `name`."""
    return pytest.mark.exercise(name)


# --- inputs -------------------------------------------------------------------------------------


def coordinates(*shape):
    """Return 10 * row + column in every channel, plus 100 a channel and 1000 an image: a value names its place.

    >>> coordinates(2, 3)
    array([[ 0.,  1.,  2.],
           [10., 11., 12.]])
    """
    steps = np.array([1000.0, 100.0, 10.0, 1.0])[-len(shape) :]
    return sum(step * axis for step, axis in zip(steps, np.indices(shape), strict=True))


def normal(seed, *shape, dtype=np.float64):
    """Return standard normal numbers of the given shape; the same seed and shape give the same ones."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def sizes(low, high):
    """Hypothesis strategy: an int from low to high, both included."""
    return st.integers(low, high)


def pairs(low, high):
    """Hypothesis strategy: a pair of ints, each from low to high, both included."""
    return st.tuples(st.integers(low, high), st.integers(low, high))


seeds = st.integers(0, 2**32 - 1)


# --- comparisons --------------------------------------------------------------------------------


class Difference(AssertionError):
    """Two arrays differ; `window` holds the numbers around the first place where they do."""

    def __init__(self, message, window):
        super().__init__(message)
        self.window = window


def assert_equal(actual, expected, what="result"):
    """Assert that a plain value (int, tuple, str, None, bool) is exactly the expected one."""
    __tracebackhide__ = True
    if not (isinstance(expected, (tuple, list, dict)) or np.isscalar(expected) or expected is None):
        raise TypeError(f"assert_equal compares plain values, not {type(expected).__name__}")
    try:
        equal = _is_plain(actual) and bool(actual == expected)
    except ValueError:  # a NumPy number against several
        equal = False
    if not equal:
        raise AssertionError(f"{_label(what)}expected {expected!r}, got {_short(actual)}")


def assert_close(actual, expected, what="result", dtype=None, tolerance=None):
    """Assert shape, then dtype, then every value of an array; nothing broadcasts.

    Parameters
    ----------
    actual, expected : arrays
        What the solution returned; what is right.
    what : str
        Its name in the message ("out", "dx").
    dtype : dtype or None
        The dtype `actual` must have; None takes that of `expected`.
    tolerance : float or None
        Allowed error relative to max(1, largest expected magnitude); None takes `TOLERANCE` of the dtype.
    """
    __tracebackhide__ = True
    expected = np.asarray(expected)
    dtype = np.dtype(expected.dtype if dtype is None else dtype)
    if not isinstance(actual, (np.ndarray, np.generic)):
        raise AssertionError(f"{what}: expected an array of shape {expected.shape}, got {_short(actual)}")
    actual = np.asarray(actual)  # a subclass has no say in how it is compared
    if actual.shape != expected.shape:
        raise AssertionError(f"{what} has the wrong shape: expected {expected.shape}, got {actual.shape}")
    if actual.dtype != dtype:
        raise AssertionError(f"{what} has the wrong dtype: expected {dtype}, got {actual.dtype}")
    if tolerance is None:
        tolerance = TOLERANCE.get(dtype, 0)
    index = first_difference(actual, expected, tolerance)
    if index is not None:
        place = f"at {list(index)}: " if index else ": " if what != "result" else ""
        name = "" if what == "result" else f"{what} " if index else what
        said = f"{name}{place}expected {_number(expected[index])}, got {_number(actual[index])}"
        raise Difference(said, window(actual, expected, index))


def first_difference(actual, expected, tolerance):
    """Return the first index, in row-major order, where two arrays of one shape differ, or None."""
    finite = np.abs(expected[np.isfinite(expected)], dtype=np.float64)
    limit = tolerance * max(1.0, finite.max(initial=0.0))
    with np.errstate(invalid="ignore", over="ignore"):
        same = np.abs(np.subtract(actual, expected, dtype=np.float64)) <= limit
        same |= (actual == expected) | (np.isnan(actual) & np.isnan(expected))
    wrong = np.argwhere(~same)
    return tuple(int(i) for i in wrong[0]) if len(wrong) else None


def window(actual, expected, index):
    """Return the numbers of two arrays around an index, at most 5 by 5 of its last two axes, as text.

    {} for a single number; else {"place": "[0, 1, 2:7, 0:3]", "mark": [row, column], "expected": rows, "got": rows}.
    """
    if not index:
        return {}
    spans = [_span(i, side) for i, side in zip(index[-2:], expected.shape[-2:], strict=True)]
    place = [*map(str, index[:-2]), *(f"{first}:{last}" for first, last in spans)]
    shown = (*index[:-2], *(slice(*span) for span in spans))
    return {
        "place": f"[{', '.join(place)}]",
        "mark": [0, *(i - first for i, (first, _) in zip(index[-2:], spans, strict=True))][-2:],
        "expected": _rows(expected[shown]),
        "got": _rows(actual[shown]),
    }


def _span(index, side):
    """The first index and the one behind the last of at most 5 places around an index."""
    first = max(0, min(index - 2, side - 5))
    return first, min(first + 5, side)


def _rows(table):
    return [
        [f"{value:.4g}" if isinstance(value, np.inexact) else str(value) for value in row]
        for row in np.atleast_2d(table)
    ]


def _is_plain(value):
    """Tell whether a value and all it holds is compared by Python or NumPy, not by a method somebody wrote for it."""
    if isinstance(value, (tuple, list, dict, set)):
        held = [*value, *value.values()] if isinstance(value, dict) else value
        return type(value).__eq__ in COMPARED and all(map(_is_plain, held))
    return type(value) in PLAIN or isinstance(value, np.dtype)


def _label(what):
    return "" if what == "result" else f"{what}: "


def _number(value):
    return f"{value:.6g}" if isinstance(value, np.floating) else str(value)


def _short(value):
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" if value.size > 12 else f"the array {value.tolist()}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@contextmanager
def assert_rejects(*mentions):
    """Assert that the block raises ValueError and that the message holds every one of `mentions`.

    >>> with assert_rejects(5, 4):
    ...     raise ValueError("size 5 does not fit: H is 4. Use size <= 4.")
    """
    __tracebackhide__ = True
    try:
        yield
    except (NotImplementedError, SolutionError):
        raise
    except ValueError as error:
        absent = [str(mention) for mention in mentions if str(mention) not in str(error)]
        if absent:
            raise AssertionError(f"the message lacks {', '.join(absent)}: {error}") from None
    except Exception as error:
        raise AssertionError(f"expected a ValueError, got {type(error).__name__}: {error}") from None
    else:
        numbers = f"; its message names {' and '.join(map(str, mentions))}" if mentions else ""
        raise AssertionError(f"expected a ValueError, got no error at all{numbers}")


@contextmanager
def assert_unchanged(**arrays):
    """Assert that the block leaves every array as it was: `with assert_unchanged(x=x, weight=weight):`."""
    __tracebackhide__ = True
    before = {name: array.copy() for name, array in arrays.items()}
    yield
    for name, array in arrays.items():
        if not np.array_equal(array, before[name], equal_nan=True):
            raise AssertionError(f"{name} was modified; this call has to leave it as it was")


def assert_no_alias(result, what="result", **arrays):
    """Assert that `result` shares no memory with any of the arguments."""
    __tracebackhide__ = True
    for name, array in arrays.items():
        if np.shares_memory(np.asarray(result), array):
            raise AssertionError(f"{what} is a view of the argument {name}; return an array of its own")


# --- gradients ----------------------------------------------------------------------------------


def numerical_gradient(f, x, dout, step=1e-5):
    """Return the gradient of sum(f(x) * dout) at x, every index of x by a central difference.

    `f` is called with a changed copy of x (float64) and returns an array of dout's shape.
    """
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        moved = x.copy()
        moved[index] = x[index] + step
        above = f(moved)
        moved[index] = x[index] - step
        gradient[index] = np.sum((above - f(moved)) * dout) / (2 * step)
    return gradient


def assert_gradient(actual, f, x, dout, what="gradient", tolerance=1e-6):
    """Assert that `actual` is the gradient of sum(f(x) * dout) at x; float64, tiny x, random dout."""
    __tracebackhide__ = True
    assert_close(actual, numerical_gradient(f, x, dout), what, tolerance=tolerance)


# --- vectorisation ------------------------------------------------------------------------------


class TooManyBytecodes(AssertionError):
    """The counted call went on for longer than any vectorised code would."""


def count_bytecodes(call, limit=300_000):
    """Return how many Python bytecode instructions `call()` executes, in whatever file and thread.

    NumPy's inner loops run in C and cost none; a Python loop, a comprehension, np.vectorize or
    np.apply_along_axis costs some for every element. Turning an array into text, to print it, is not counted.
    """
    count, outside = 0, sys._getframe()
    known, free = None, False  # the frame of the bytecode before, and whether it is one of those not counted

    def one(frame):
        nonlocal count, known, free
        if frame is not known:
            known, free = frame, _makes_text(frame, outside)
        count += not free
        if count > limit:
            raise TooManyBytecodes(f"more than {limit} bytecodes for one call")

    went_on = (_run_monitored if hasattr(sys, "monitoring") else _run_traced)(call, one)
    if count > limit:  # that ended a thread, not the call
        raise TooManyBytecodes(f"more than {limit} bytecodes for one call")
    if not went_on:
        raise AssertionError("the call ended the counting of its bytecodes, so nothing shows that it has no loop")
    return count


def _makes_text(frame, outside):
    """Tell whether NumPy's making of text is among a frame's callers inside of another frame."""
    while frame and frame is not outside:
        if frame.f_code.co_filename.endswith("arrayprint.py"):
            return True
        frame = frame.f_back
    return False


def _run_traced(call, one):
    """Call `one` with the frame before every bytecode of `call()`, in all its threads (Python 3.11).

    Tell whether it was called to the end.
    """

    def trace(frame, event, argument):
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        if event == "opcode":
            one(frame)
        return trace

    before = sys.gettrace(), threading.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        call()
        return sys.gettrace() is trace
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])


def _run_monitored(call, one):
    """The same for Python 3.12 and later."""

    def instruction(code, offset):
        try:
            one(sys._getframe(1))
        except TooManyBytecodes:
            monitoring.set_events(tool, 0)  # the way out of here is not to be ended as well
            raise

    monitoring = sys.monitoring
    tool = next(number for number in range(6) if monitoring.get_tool(number) is None)
    monitoring.use_tool_id(tool, "kata")
    monitoring.register_callback(tool, monitoring.events.INSTRUCTION, instruction)
    monitoring.set_events(tool, monitoring.events.INSTRUCTION)
    try:
        call()
        return monitoring.get_events(tool) == monitoring.events.INSTRUCTION
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, monitoring.events.INSTRUCTION, None)
        monitoring.free_tool_id(tool)


def assert_vectorized(make_call, small, large):
    """Assert that the bytecodes of a call do not grow with the axes on which `large` exceeds `small`.

    Parameters
    ----------
    make_call : function
        `make_call(**sizes)` returns the call to count, its inputs made beforehand.
    small, large : dict of str to int
        The sizes; axes with one value in both are held fixed. Each axis that grows is grown alone, by
        40 or more, so that even one bytecode more an element shows. What a loop costs grows again with
        the next such step; a single jump (einsum choosing another order of products) does not count.
        Every counted call is the first of its sizes, so that no result can have been kept from another one;
        what Python and NumPy keep is warmed up with other sizes.
    """
    __tracebackhide__ = True
    steps = {axis: size - small[axis] for axis, size in large.items() if size != small[axis]}
    for axis, extra in steps.items():
        if extra < 40:
            raise ValueError(f"grow {axis} by 40 or more, not by {extra}: less proves nothing")
        with suppress(ValueError):  # a size that does not go with the others
            make_call(**{**small, axis: large[axis] + 2 * extra})()
    base = count_bytecodes(make_call(**small))
    for axis, extra in steps.items():
        size = large[axis]
        try:
            grown = count_bytecodes(make_call(**{**small, axis: size}))
        except TooManyBytecodes as error:
            raise AssertionError(f"a Python loop runs over {axis}: at {axis} = {size}, {error}") from None
        if grown - base > extra and _grows_on(make_call, {**small, axis: size + extra}, grown + extra):
            raise AssertionError(
                f"a Python loop runs over {axis}: {base} bytecodes at {axis} = {small[axis]}, "
                f"{grown} at {axis} = {size}. Let one NumPy call do all of them."
            )


def _grows_on(make_call, sizes, limit):
    """Tell whether the call takes more than `limit` bytecodes at these sizes."""
    try:
        return count_bytecodes(make_call(**sizes)) > limit
    except TooManyBytecodes:
        return True
