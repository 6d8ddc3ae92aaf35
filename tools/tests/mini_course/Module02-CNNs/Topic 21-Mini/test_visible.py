"""Topic 21, visible suite."""

import numpy as np
from hypothesis import given

from kata.testing import assert_close, assert_gradient, exercise, normal, seeds, sizes


@exercise("double")
class TestDouble:
    def test_two_numbers(self, solution):
        """The numbers 1 and -3 become 2 and -6."""
        assert_close(solution.double(np.array([1.0, -3.0])), [2.0, -6.0])

    @given(seeds, sizes(1, 5))
    def test_any_numbers(self, solution, seed, N):
        """Every number is added to itself."""
        x = normal(seed, N)
        assert_close(solution.double(x), x + x, "out")


@exercise("double_backward")
class TestDoubleBackward:
    def test_gradient(self, solution):
        """The gradient is that of the doubled numbers."""
        dout = normal(1, 3)
        assert_gradient(solution.double_backward(dout), lambda x: x + x, normal(2, 3), dout, "dx")


@exercise("Scale")
class TestScale:
    def test_factor_times_numbers(self, solution):
        """A factor of 3 turns 1 and -2 into 3 and -6."""
        assert_close(solution.Scale(3.0)(np.array([1.0, -2.0])), [3.0, -6.0])
