"""Wrong turns in Topic 22, and the probes that tell them apart."""

from kata.mistakes import Mistake, probe

MISTAKES = [
    Mistake("once", "quadruple", 1, "it doubles once only", {"double(double(x))": "double(x)"}),
    Mistake(
        "back_once",
        "quadruple_backward",
        1,
        "it goes back once only",
        {"double_backward(double_backward(dout))": "double_backward(dout)"},
    ),
]


@probe("quadruple")
def numbers(solution, rng):
    return solution.quadruple(rng.standard_normal(3))


@probe("quadruple_backward")
def gradients(solution, rng):
    return solution.quadruple_backward(rng.standard_normal(3))
