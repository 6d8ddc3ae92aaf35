"""Topic 21, hidden suite."""

import numpy as np

from kata.testing import assert_close, assert_rejects, assert_unchanged, exercise, normal


@exercise("double")
class TestDouble:
    def test_table(self, solution):
        """A table is refused; the message has its shape."""
        with assert_rejects((5, 4)):
            solution.double(normal(3, 5, 4))

    def test_argument_stays(self, solution):
        """The argument is left alone."""
        x = normal(4, 5)
        with assert_unchanged(x=x):
            out = solution.double(x)
        assert_close(out, x + x)


@exercise("double_backward")
class TestDoubleBackward:
    def test_large_upstream(self, solution):
        """A large gradient is doubled as a small one is."""
        assert_close(solution.double_backward(np.array([31337.0])), [62674.0])


@exercise("Scale")
class TestScale:
    def test_gradients_add_up(self, solution):
        """Two backward passes add two gradients to the weight's."""
        layer = solution.Scale(3.0)
        x, dout = np.array([1.0, -2.0, 5.0]), np.array([10.0, 20.0, 40.0])
        layer(x)
        assert_close(layer.backward(dout), [30.0, 60.0, 120.0], "dx")
        layer.backward(dout)
        assert_close(layer.weight.grad, np.array([340.0], np.float32), "weight.grad")
