"""Generic mutations change what an exercise does, whatever the topic."""

import numpy as np
import pytest

from kata import loading, mutations

CODE = '''
import numpy as np
from cnn.foundations import Linear

def scaled(x, factor=2):
    """Return factor * x; refuse tables."""
    if x.ndim != 1:
        raise ValueError(f"scaled: x has shape {x.shape}.")
    return factor * x

class Dense(Linear):
    """A dense layer."""

    def __init__(self, in_features, out_features, bias=True, rng=None):
        super().__init__(in_features, out_features, bias, rng)

    def forward(self, x):
        return super().forward(x)

    def backward(self, dout):
        return super().backward(dout)
'''


def mutant(tmp_path, exercise, name):
    line = f"\nfrom kata import mutations\n\nmutations.apply(globals(), {exercise!r}, {name!r})\n"
    return getattr(loading.load(tmp_path / "tiny.py", CODE + line), exercise)


@pytest.mark.parametrize("name", mutations.names(False))
def test_function(tmp_path, name):
    """Every mutation of a function leaves one that can be called and keeps its name."""
    function = mutant(tmp_path, "scaled", name)
    assert function.__name__ == "scaled"
    function(np.array([1.0, 2.0]))


@pytest.mark.parametrize("name", mutations.names(True))
def test_layer(tmp_path, name):
    """Every mutation of a layer leaves one that can be made and called."""
    layer = mutant(tmp_path, "Dense", name)(3, 2, rng=np.random.default_rng(0))
    layer(np.ones((4, 3), np.float32))


X = np.array([1.0, -3.0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [("off_by_a_little", [3.0, -5.0]), ("zero", [0.0, 0.0]), ("negated", [-2.0, 6.0])],
)
def test_values(tmp_path, name, expected):
    """A mutation of the values changes every number, and shape and dtype not."""
    out = mutant(tmp_path, "scaled", name)(X.astype(np.float32))
    assert out.tolist() == expected and out.dtype == np.float32


def test_types_and_manners(tmp_path):
    """Other mutations change dtype, refusals or arguments alone."""
    assert mutant(tmp_path, "scaled", "widened")(X.astype(np.float32)).dtype == np.float64
    assert mutant(tmp_path, "scaled", "narrowed")(X).dtype == np.float32
    assert mutant(tmp_path, "scaled", "returns_nothing")(X) is None
    assert mutant(tmp_path, "scaled", "never_refuses")(X[:, None]) is None
    x = X.copy()
    assert mutant(tmp_path, "scaled", "spoils_its_arguments")(x).tolist() == [2.0, -6.0]
    assert x.tolist() == [2.0, -2.0]


def test_unmutated(tmp_path):
    """The code of these tests is right before it is mutated."""
    module = loading.load(tmp_path / "tiny.py", CODE)
    assert module.scaled(X).tolist() == [2.0, -6.0]
