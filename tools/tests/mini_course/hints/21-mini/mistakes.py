"""Wrong turns in Topic 21, and the probes that tell them apart."""

from kata.mistakes import Mistake, probe


def mistake(name, exercise, says, right, wrong, level=2):
    return Mistake(name=name, exercise=exercise, level=level, says=says, twist={right: wrong})


MISTAKES = [
    mistake("squared", "double", "the numbers are squared", "return 2 * x", "return x**2", level=1),
    mistake("tripled", "double", "the numbers are tripled", "return 2 * x", "return 3 * x"),
    mistake("in_place", "double", "the argument itself is doubled", "return 2 * x", "x *= 2\n    return x"),
    mistake("table_taken", "double", "a table is taken", "if x.ndim != 1:", "if False:"),
    mistake("not_doubled", "double_backward", "the gradient passes as it is", "return 2 * dout", "return dout.copy()"),
    mistake("halved", "double_backward", "the way back divides", "return 2 * dout", "return dout / 2"),
    mistake("negated", "double_backward", "the way back changes the sign", "return 2 * dout", "return -2 * dout"),
    mistake("mixed", "double_backward", "all gradients are summed", "return 2 * dout", "return 2 * dout.sum()"),
    mistake("added", "Scale", "the factor is added", "_factor(self, x) * x", "_factor(self, x) + x"),
    mistake("overwritten", "Scale", "the gradient is replaced", "self.weight.grad +=", "self.weight.grad[:] ="),
    mistake("averaged", "Scale", "the gradient is a mean", "np.sum(dout", "np.mean(dout"),
    mistake("dx_not_scaled", "Scale", "dx is dout", "return _factor(self, dout) * dout", "return dout.copy()"),
]


@probe("double")
def numbers(solution, rng):
    x = rng.standard_normal(3)
    return solution.double(x), x


@probe("double")
def table(solution, rng):
    return solution.double(rng.standard_normal((2, 3)))


@probe("double_backward")
def gradients(solution, rng):
    return solution.double_backward(rng.standard_normal(3))


@probe("Scale")
def layer(solution, rng):
    scale = solution.Scale(3.0)
    out = scale(rng.standard_normal(4))
    dout = rng.standard_normal(4)
    return {"out": out, "dx": (scale.backward(dout), scale.backward(dout))[1], "gradient": scale.weight.grad}
