"""The helpers of the suites compare what they say they compare."""

import contextlib
import functools
import io
import re
import sys
import threading

import numpy as np
import pytest

from kata.errors import SolutionError
from kata.testing import (
    assert_close,
    assert_equal,
    assert_gradient,
    assert_no_alias,
    assert_rejects,
    assert_unchanged,
    assert_vectorized,
    coordinates,
    count_bytecodes,
    normal,
    numerical_gradient,
)

A = np.array([[1.0, 2.0], [3.0, 4.0]])


def refused(message):
    return pytest.raises(AssertionError, match=re.escape(message))


# --- inputs -------------------------------------------------------------------------------------


def test_coordinates_name_their_place():
    """A value of coordinates is its image, channel, row and column, read as digits."""
    x = coordinates(2, 3, 5, 7)
    assert x.shape == (2, 3, 5, 7) and x[1, 2, 4, 6] == 1246


def test_normal_repeats():
    """The same seed and shape give the same numbers; another seed or shape gives others."""
    assert np.array_equal(normal(1, 3, 2), normal(1, 3, 2))
    assert not np.array_equal(normal(1, 6), normal(2, 6))
    assert not np.array_equal(normal(1, 3, 2).ravel(), normal(1, 6))
    assert normal(1, 2, dtype=np.float32).dtype == np.float32


# --- comparisons --------------------------------------------------------------------------------


def test_equal_plain_values():
    """Equal plain values pass; a different one is named, expected first."""
    assert_equal(3, 3)
    assert_equal((2, 3), (2, 3))
    assert_equal(None, None)
    assert_equal((np.int64(2), 3.0), (2, 3))
    assert_equal(({"a": [True]}, {"b"}, np.dtype("f4")), ({"a": [True]}, {"b"}, np.float32))
    with refused("expected 3, got 4"):
        assert_equal(4, 3)
    with refused("shape: expected (2, 3), got (3, 2)"):
        assert_equal((3, 2), (2, 3), "shape")


class Agreeable:
    """Equals everything."""

    def __eq__(self, other):
        return True


@pytest.mark.parametrize(
    "actual",
    [np.array([3, 3]), (np.zeros(2), np.zeros(2)), None, "3", np.array(3), np.array([[3]]), 3 + 0j, Agreeable(),
     np.array(Agreeable()), type("Three", (int,), {})(3)],
)  # fmt: skip
def test_equal_with_something_else(actual):
    """An array, a tuple of arrays, another type or what only claims to be equal is unequal, not an error."""
    with pytest.raises(AssertionError, match="expected 3, got"):
        assert_equal(actual, 3)


def test_equal_refuses_arrays():
    """An expected array is a mistake of the suite."""
    with pytest.raises(TypeError, match="plain values"):
        assert_equal(A, A)


@pytest.mark.parametrize(
    ("actual", "message"),
    [
        (A[0], "out has the wrong shape: expected (2, 2), got (2,)"),
        (A.astype(np.float32), "out has the wrong dtype: expected float64, got float32"),
        (np.array([[1.0, 2.0], [3.001, 4.0]]), "out at [1, 0]: expected 3, got 3.001"),
        (A * [[1, np.nan], [1, 1]], "out at [0, 1]: expected 2, got nan"),
        ([[1.0, 2.0], [3.0, 4.0]], "out: expected an array of shape (2, 2), got [[1.0"),
        (None, "out: expected an array of shape (2, 2), got None"),
    ],
)
def test_close_refuses(actual, message):
    """Type, shape, dtype and every value are compared, in this order; nothing broadcasts."""
    with refused(message):
        assert_close(actual, A, "out")


def test_close_never_broadcasts():
    """A single row or number is not close to a table of equal ones."""
    for actual in (np.ones((1, 2)), np.ones(()), np.ones((2, 1))):
        with pytest.raises(AssertionError, match="wrong shape"):
            assert_close(actual, np.ones((2, 2)))


def test_close_takes_any_order_of_summation():
    """A sum of a hundred thousand float32 numbers is close in whatever order it is made."""
    x = normal(3, 100_000, dtype=np.float32)
    expected = np.array(x.astype(np.float64).sum(), np.float32)
    for total in (x.sum(), x[::-1].sum(), np.float32(np.cumsum(x)[-1])):
        assert_close(total, expected)


@pytest.mark.parametrize(("dtype", "fine", "wrong"), [(np.float32, 1e-6, 1e-3), (np.float64, 1e-12, 1e-7)])
def test_close_fits_the_dtype(dtype, fine, wrong):
    """Rounding of the dtype passes, a thousand times as much does not."""
    expected = np.array([1.0, 100.0], dtype)
    assert_close((expected * (1 + fine)).astype(dtype), expected)
    with pytest.raises(AssertionError):
        assert_close((expected * (1 + wrong)).astype(dtype), expected)


def test_close_with_infinities():
    """Infinities and NaN agree with themselves alone, and widen no tolerance."""
    expected = np.array([np.inf, -np.inf, np.nan, 1.0])
    assert_close(expected.copy(), expected)
    with pytest.raises(AssertionError, match=re.escape("at [3]")):
        assert_close(np.array([np.inf, -np.inf, np.nan, 2.0]), expected)
    with pytest.raises(AssertionError, match=re.escape("at [1]")):
        assert_close(np.array([np.inf, np.inf, np.nan, 1.0]), expected)


def test_close_with_nothing():
    """Empty arrays are compared by shape and dtype."""
    assert_close(np.zeros((0, 3)), np.zeros((0, 3)))
    with pytest.raises(AssertionError, match="wrong shape"):
        assert_close(np.zeros((0, 4)), np.zeros((0, 3)))


def test_close_with_integers():
    """Integers are compared exactly."""
    assert_close(np.array([1, 2]), np.array([1, 2]))
    with refused("at [1]: expected 2, got 3"):
        assert_close(np.array([1, 3]), np.array([1, 2]))


def test_close_with_asked_dtype():
    """The dtype asked for is the one compared, whatever the expected values have."""
    assert_close(A.astype(np.float32), A, dtype=np.float32)
    with pytest.raises(AssertionError, match="dtype"):
        assert_close(A, A, dtype=np.float32)


def test_rejects():
    """A ValueError with every number passes; a missing number, another error and none at all are told apart."""
    with assert_rejects(5, (2, 3)):
        raise ValueError("size 5 does not fit (2, 3)")
    with refused("the message lacks 7: size 5"), assert_rejects(5, 7):
        raise ValueError("size 5")
    with refused("expected a ValueError, got KeyError"), assert_rejects():
        raise KeyError("x")
    with pytest.raises(AssertionError, match=r"expected a ValueError.*got no error at all.*5"), assert_rejects(5):
        pass


@pytest.mark.parametrize("error", [NotImplementedError("todo"), SolutionError("broken")])
def test_rejects_lets_todo_through(error):
    """An exercise still to do, or a broken file, stays what it is."""
    with pytest.raises(type(error)), assert_rejects():
        raise error


def test_unchanged():
    """A changed argument is named; an unchanged one with NaN in it is not."""
    x, y = np.array([np.nan, 1.0]), np.zeros(2)
    with assert_unchanged(x=x, y=y):
        pass
    with refused("y was modified"), assert_unchanged(x=x, y=y):
        y[1] = 5


def test_no_alias():
    """A view of an argument is named; a copy and an unrelated array pass."""
    assert_no_alias(A.copy(), a=A)
    assert_no_alias(A[:, 0].copy(), "out", a=A, b=np.zeros(3))
    with refused("out is a view of the argument a"):
        assert_no_alias(A[:, ::-1], "out", b=np.zeros(3), a=A)


# --- gradients ----------------------------------------------------------------------------------


def test_numerical_gradient():
    """The gradient of a sum of squares times weights is 2 x times the weights, at every index."""
    x, dout = normal(1, 2, 3), normal(2, 2, 3)
    assert_close(numerical_gradient(lambda v: v**2, x, dout), 2 * x * dout, tolerance=1e-6)


def test_numerical_gradient_of_another_shape():
    """The function may change the shape, and its argument stays as it was."""
    x, weight, dout = normal(1, 2, 3), normal(2, 3, 4), normal(3, 2, 4)
    with assert_unchanged(x=x):
        gradient = numerical_gradient(lambda v: v @ weight, x, dout)
    assert_close(gradient, dout @ weight.T, tolerance=1e-6)


def test_gradient_refused():
    """A gradient that is wrong at one index is named there."""
    x, dout = normal(1, 2, 3), normal(2, 2, 3)
    wrong = 2 * x * dout
    assert_gradient(wrong, lambda v: v**2, x, dout)
    wrong[1, 2] += 1e-3
    with refused("dx at [1, 2]: expected"):
        assert_gradient(wrong, lambda v: v**2, x, dout, "dx")


# --- vectorisation ------------------------------------------------------------------------------

LOOPS = {
    "for": lambda x: [total := 0.0, *(total := total + v for v in x)][-1],
    "comprehension": lambda x: sum([v * v for v in x]),
    "vectorize": np.vectorize(lambda v: v * v),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda row: row * 2, 1, x[:, None]),
    "map": lambda x: list(map(lambda v: v * v, x)),  # noqa: C417
    "ndindex": lambda x: [None for _ in np.ndindex(*x.shape)],
}
WHOLE = {
    "multiply": lambda x: 2 * x,
    "sum": lambda x: x.sum(),
    "einsum": lambda x: np.einsum("i,i->", x, x),
    "add.at": lambda x: np.add.at(np.zeros(3), np.arange(len(x)) % 3, x),
    "sort": lambda x: np.sort(x)[::-1],
    "pad": lambda x: np.pad(x, 2),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_are_counted(name):
    """A Python loop over the elements costs bytecodes for each, wherever it is written."""
    small, large = (count_bytecodes(lambda n=n: LOOPS[name](np.ones(n))) for n in (10, 110))
    assert large - small >= 100


@pytest.mark.parametrize("name", WHOLE)
def test_inner_loops_are_free(name):
    """NumPy's inner loops cost no bytecode: the count is the same for any size."""
    small, large = (count_bytecodes(lambda n=n: WHOLE[name](np.ones(n))) for n in (10, 110))
    assert small == large > 0


def test_count_is_exact_and_repeats():
    """The same call counts the same, and a limit ends a call that goes on and on."""
    assert count_bytecodes(lambda: sum([1, 2])) == count_bytecodes(lambda: sum([1, 2]))
    with pytest.raises(AssertionError, match="more than 1000 bytecodes"):
        count_bytecodes(lambda: [i for i in range(10_000)], limit=1000)  # noqa: C416


def test_threads_are_counted():
    """A loop that another thread runs is counted, and ended at the limit, like one of this thread."""

    def loop(n):
        with contextlib.suppress(AssertionError):
            for _ in range(n):
                pass

    def in_a_thread(n):
        thread = threading.Thread(target=loop, args=[n])
        thread.start()
        thread.join()

    small, large = (count_bytecodes(lambda n=n: in_a_thread(n)) for n in (10, 510))
    assert large - small >= 500
    with pytest.raises(AssertionError, match="more than 1000 bytecodes"):
        count_bytecodes(lambda: in_a_thread(10_000), limit=1000)


def test_printing_is_not_counted():
    """An array that is printed on the way costs no bytecode, whatever its size."""
    with contextlib.redirect_stdout(io.StringIO()) as written:
        small, large = (count_bytecodes(lambda n=n: print(np.ones(n), repr(np.ones((n, 2))))) for n in (10, 110))
    assert small == large and "1." in written.getvalue()


def test_what_was_kept_is_no_help():
    """A result that is kept from one call to the next shows nothing: every counted call is of new sizes."""
    kept = functools.lru_cache(maxsize=None)(lambda data: [value + 1 for value in data])

    def make(N):
        x = np.ones(N)
        return lambda: kept(tuple(x.tolist()))

    with refused("a Python loop runs over N"):
        assert_vectorized(make, {"N": 5}, {"N": 205})


def test_ended_count():
    """A call that ends the counting proves nothing."""

    def stop():
        if hasattr(sys, "monitoring"):
            for tool in range(6):
                if sys.monitoring.get_tool(tool) == "kata":
                    sys.monitoring.set_events(tool, 0)
        else:
            sys.settrace(None)

    with pytest.raises(AssertionError, match="ended the counting"):
        count_bytecodes(stop)


def test_vectorized():
    """A call whose count grows with an axis is refused with the axis and both counts."""

    def make(function):
        return lambda N, W: lambda: function(np.ones((N, W)))

    assert_vectorized(make(lambda x: x.sum(axis=1)), {"N": 2, "W": 3}, {"N": 62, "W": 63})
    by_row = make(lambda x: [row.sum() for row in x])
    assert_vectorized(by_row, {"N": 2, "W": 3}, {"N": 2, "W": 63})
    with pytest.raises(AssertionError, match=r"a Python loop runs over N: \d+ bytecodes at N = 2, \d+ at N = 62"):
        assert_vectorized(by_row, {"N": 2, "W": 3}, {"N": 62, "W": 63})


def test_vectorized_allows_a_jump():
    """A count that jumps once and stays there is no loop over the axis."""

    def make(N):
        return lambda: [np.ones(N).sum() for _ in range(60 if N > 10 else 1)]

    assert_vectorized(make, {"N": 2}, {"N": 62})


def test_vectorized_asks_for_growth():
    """An axis that hardly grows proves nothing and is refused."""
    with pytest.raises(ValueError, match="grow N by 40 or more, not by 1"):
        assert_vectorized(lambda N: lambda: None, {"N": 2}, {"N": 3})


def test_very_long_loop():
    """A loop past every limit is named with its axis, not waited for."""
    with pytest.raises(AssertionError, match="a Python loop runs over N: at N = 400000, more than"):
        assert_vectorized(lambda N: lambda: [i for i in range(N)], {"N": 1}, {"N": 400_000})  # noqa: C416
