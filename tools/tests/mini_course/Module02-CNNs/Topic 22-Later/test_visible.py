"""Topic 22, visible suite."""

from kata.testing import assert_close, exercise, normal


@exercise("quadruple")
class TestQuadruple:
    def test_seven_numbers(self, solution):
        """Seven numbers are multiplied by four."""
        x = normal(1, 7)
        assert_close(solution.quadruple(x), 4 * x)


@exercise("quadruple_backward")
class TestQuadrupleBackward:
    def test_seven_gradients(self, solution):
        """Seven gradients are multiplied by four."""
        dout = normal(2, 7)
        assert_close(solution.quadruple_backward(dout), 4 * dout)
