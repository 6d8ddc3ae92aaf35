"""Topic 22, hidden suite."""

import numpy as np

from kata.testing import assert_close, exercise


@exercise("quadruple")
class TestQuadruple:
    def test_one_number(self, solution):
        """The number -3 becomes -12."""
        assert_close(solution.quadruple(np.array([-3.0])), [-12.0])


@exercise("quadruple_backward")
class TestQuadrupleBackward:
    def test_one_gradient(self, solution):
        """A gradient of -3 becomes -12."""
        assert_close(solution.quadruple_backward(np.array([-3.0])), [-12.0])
