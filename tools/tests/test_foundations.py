"""What is given to learners keeps the protocol every later topic relies on."""

import numpy as np
import pytest

from kata import loading
from kata.testing import assert_close, assert_gradient, assert_unchanged, normal
from kata.topics import REFERENCE

given = loading.load(REFERENCE / "foundations.py")


class Tiny(given.Layer):
    """A layer with a buffer, scratch, a sub-layer and parameters, assigned in this order."""

    def __init__(self):
        self.running = np.zeros(2, np.float32)
        self._scratch = np.ones(9)
        self.inner = given.Linear(2, 3, rng=np.random.default_rng(1))
        self.scale = given.Parameter([5.0])
        self.bias = None


# --- as_pair, as_float --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "pair"),
    [(3, (3, 3)), ((2, 5), (2, 5)), ([2, 5], (2, 5)), (np.int64(4), (4, 4)), (np.array([2, 5]), (2, 5)), (0, (0, 0))],
)
def test_pair(value, pair):
    """An int counts for both axes, two ints one for each; plain ints come back."""
    assert given.as_pair(value) == pair
    assert [type(side) for side in given.as_pair(value)] == [int, int]


@pytest.mark.parametrize("value", [1.5, (1,), (1, 2, 3), (1, 2.0), "ab", None, True, (True, False), ()])
def test_no_pair(value):
    """Anything else is refused; the message has the name and the value."""
    with pytest.raises(ValueError) as refused:
        given.as_pair(value, "stride")
    assert "stride" in str(refused.value) and repr(value) in str(refused.value)


def test_float():
    """Float arrays stay as they are, the same array; integers, bools and lists become float64."""
    for dtype in (np.float16, np.float32, np.float64):
        x = np.ones(2, dtype)
        assert given.as_float(x) is x
    for x in (np.arange(3), np.array([True]), [1, 2], np.arange(3, dtype=np.uint8)):
        assert given.as_float(x).dtype == np.float64


# --- Parameter ----------------------------------------------------------------------------------


def test_parameter():
    """A parameter is a float32 copy of its value and a gradient of zeros."""
    value = np.arange(6.0).reshape(2, 3)
    parameter = given.Parameter(value)
    assert_close(parameter.value, value.astype(np.float32))
    assert_close(parameter.grad, np.zeros((2, 3), np.float32))
    parameter.value[0, 0] = 9
    assert value[0, 0] == 0
    single = value.astype(np.float32)
    assert not np.shares_memory(given.Parameter(single).value, single)
    assert repr(parameter) == "Parameter(shape=(2, 3), dtype=float32)"


# --- Layer --------------------------------------------------------------------------------------


def test_order_of_parameters():
    """Parameters come in the order they were assigned, sub-layers in their place; buffers and scratch are none."""
    layer = Tiny()
    assert layer.parameters() == [layer.inner.weight, layer.inner.bias, layer.scale]
    assert list(layer.state_dict()) == ["running", "inner.weight", "inner.bias", "scale"]


def test_state_is_a_copy():
    """A state_dict holds copies: training on changes none of it."""
    layer = Tiny()
    state = layer.state_dict()
    layer.scale.value += 1
    layer.running += 1
    assert state["scale"][0] == 5 and not state["running"].any()


def test_state_round_trip():
    """A loaded state is the saved one, in the arrays the layer has, parameters and buffers both."""
    saved, other = Tiny(), Tiny()
    saved.running += 7
    saved.inner.weight.value += 1
    weight, running = other.inner.weight.value, other.running
    other.load_state_dict(saved.state_dict())
    for name, value in saved.state_dict().items():
        assert_close(other.state_dict()[name], value)
    assert other.inner.weight.value is weight and other.running is running


@pytest.mark.parametrize(
    ("change", "mentions"),
    [
        (lambda state: state.pop("scale"), ["missing ['scale']", "unknown []"]),
        (lambda state: state.update(extra=np.zeros(1)), ["missing []", "unknown ['extra']"]),
        (lambda state: state.update(scale=np.zeros(2)), ["scale", "(2,)", "(1,)"]),
        (lambda state: state.update(scale=np.zeros((1, 1))), ["scale", "(1, 1)", "(1,)"]),
    ],
)
def test_state_that_does_not_fit(change, mentions):
    """A state with other names or shapes is refused with both, and nothing of it is loaded."""
    layer, state = Tiny(), Tiny().state_dict()
    state = {name: value + 1 for name, value in state.items()}
    change(state)
    before = layer.state_dict()
    with pytest.raises(ValueError) as refused:
        layer.load_state_dict(state)
    assert all(mention in str(refused.value) for mention in mentions)
    for name, value in layer.state_dict().items():
        assert_close(value, before[name])


def test_astype():
    """astype converts values, gradients and buffers throughout, in place, and returns the layer."""
    layer = Tiny()
    assert layer.astype(np.float64) is layer
    assert {value.dtype for value in layer.state_dict().values()} == {np.dtype(np.float64)}
    assert {parameter.grad.dtype for parameter in layer.parameters()} == {np.dtype(np.float64)}
    assert_close(layer.astype(np.float32).scale.value, np.array([5.0], np.float32))


def test_modes():
    """A layer starts in training; eval and train reach every sub-layer and return the layer."""
    net = given.Sequential(Tiny(), given.ReLU())
    assert net.training and net[0].inner.training
    assert net.eval() is net
    assert (net.training, net[0].training, net[0].inner.training, net[1].training) == (False,) * 4
    assert net.train() is net and net[0].inner.training


def test_mode_of_one_instance():
    """The mode of one layer is not that of another."""
    first, second = given.ReLU(), given.ReLU()
    first.eval()
    assert second.training


def test_call_is_forward():
    """Calling a layer runs its forward."""
    x = normal(1, 2, 3)
    assert_close(given.ReLU()(x), given.ReLU().forward(x))


def test_unwritten_layer():
    """A layer without forward or backward says so by its name."""
    for method in ("forward", "backward"):
        with pytest.raises(NotImplementedError, match=f"Bare has no {method} yet"):
            getattr(type("Bare", (given.Layer,), {})(), method)(1)


# --- Sequential ---------------------------------------------------------------------------------


def test_sequence():
    """A sequence has a length, an index from either end, and its layers in order."""
    layers = [given.Flatten(), given.Linear(6, 2), given.ReLU()]
    net = given.Sequential(*layers)
    assert len(net) == 3 and list(net) == layers and net[1] is layers[1] and net[-1] is layers[2]
    assert list(net.state_dict()) == ["1.weight", "1.bias"]


def test_sequence_of_more_than_ten():
    """The eleventh layer comes after the tenth."""
    net = given.Sequential(*[given.Linear(2, 2) for _ in range(12)])
    assert [name.split(".")[0] for name in net.state_dict()][::2] == [str(i) for i in range(12)]


def test_sequence_backward():
    """The gradient passes the layers in reverse: that of the whole is right at every index."""
    rng = np.random.default_rng(3)
    net = given.Sequential(given.Flatten(), given.Linear(6, 4, rng=rng), given.ReLU(), given.Linear(4, 3, rng=rng))
    net.astype(np.float64)
    x, dout = normal(4, 2, 1, 3, 2), normal(5, 2, 3)
    net(x)
    assert_gradient(net.backward(dout), net, x, dout, "dx")


def test_empty_sequence():
    """A sequence of no layers passes everything through."""
    x = normal(1, 2, 3)
    net = given.Sequential()
    assert net(x) is x and net.backward(x) is x and net.parameters() == []


# --- ReLU, Flatten ------------------------------------------------------------------------------


def test_relu():
    """Negative numbers become 0, and no gradient passes there nor at 0."""
    x = np.array([[-2.0, 0.0, 3.0]], np.float32)
    layer = given.ReLU()
    with assert_unchanged(x=x):
        assert_close(layer(x), np.array([[0.0, 0.0, 3.0]], np.float32))
    assert_close(layer.backward(np.array([[10.0, 20.0, 30.0]], np.float32)), np.array([[0, 0, 30.0]], np.float32))


def test_flatten():
    """All axes but the first become one, row by row, in an array of its own; backward restores the shape."""
    x = normal(1, 2, 3, 4, 5)
    layer = given.Flatten()
    out = layer(x)
    assert_close(out, x.reshape(2, 60))
    assert not np.shares_memory(out, x)
    dx = layer.backward(out)
    assert_close(dx, x)
    assert not np.shares_memory(dx, out)


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3)])
def test_flatten_nothing(shape):
    """Empty batches and tables are flattened too."""
    layer = given.Flatten()
    out = layer(np.zeros(shape))
    assert out.shape == (shape[0], int(np.prod(shape[1:])))
    assert layer.backward(out).shape == shape


# --- Linear -------------------------------------------------------------------------------------


@pytest.fixture
def linear():
    """A dense layer from 3 features to 2, float64, and an input for it."""
    return given.Linear(3, 2, rng=np.random.default_rng(0)).astype(np.float64), normal(1, 5, 3)


def test_linear_by_hand():
    """Each output is the input times a row of the weight, plus its bias."""
    layer = given.Linear(2, 3)
    layer.weight.value[:] = [[1, 2], [3, 4], [5, 6]]
    layer.bias.value[:] = [100, 200, 300]
    assert_close(layer(np.array([[1.0, 10.0]])), [[121.0, 243.0, 365.0]])


def test_linear_gradients(linear):
    """The gradients of input, weight and bias are those found by differences."""
    layer, x = linear
    dout = normal(2, 5, 2)
    layer(x)
    dx = layer.backward(dout)
    weight, bias = layer.weight.value.copy(), layer.bias.value.copy()
    assert_gradient(dx, lambda v: v @ weight.T + bias, x, dout, "dx")
    assert_gradient(layer.weight.grad, lambda v: x @ v.T + bias, weight, dout, "dweight")
    assert_gradient(layer.bias.grad, lambda v: x @ weight.T + v, bias, dout, "dbias")


def test_linear_gradients_add_up(linear):
    """A second backward adds to the gradients."""
    layer, x = linear
    dout = normal(2, 5, 2)
    layer(x)
    layer.backward(dout)
    once = layer.weight.grad.copy()
    layer.backward(dout)
    assert_close(layer.weight.grad, 2 * once)


def test_linear_without_bias():
    """Without a bias there is one parameter, and .bias is None."""
    layer = given.Linear(3, 2, bias=False)
    assert layer.bias is None and layer.parameters() == [layer.weight]
    assert layer(np.zeros((1, 3))).tolist() == [[0.0, 0.0]]
    assert layer.backward(np.ones((1, 2))).shape == (1, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_linear_dtype(dtype):
    """A layer computes in the dtype of its input, both ways; its parameters stay float32."""
    layer = given.Linear(3, 2)
    assert layer(np.ones((4, 3), dtype)).dtype == dtype
    assert layer.backward(np.ones((4, 2), dtype)).dtype == dtype
    assert layer.weight.value.dtype == layer.weight.grad.dtype == np.float32


def test_linear_promotes_integers():
    """Integers are read as float64."""
    assert given.Linear(3, 2)(np.ones((4, 3), int)).dtype == np.float64


@pytest.mark.parametrize("shape", [(4, 2), (3,), (4, 3, 1), (4, 1, 3)])
def test_linear_refuses(shape):
    """An input of another shape is refused; the message has it and the number of features."""
    with pytest.raises(ValueError) as refused:
        given.Linear(3, 2)(np.zeros(shape))
    assert str(shape) in str(refused.value) and "3" in str(refused.value)


def test_linear_empty_batch():
    """An empty batch gives an empty output and adds nothing to the gradients."""
    layer = given.Linear(3, 2)
    assert layer(np.zeros((0, 3))).shape == (0, 2)
    assert layer.backward(np.zeros((0, 2))).shape == (0, 3)
    assert not layer.weight.grad.any()


def test_linear_start():
    """The weight is normal with deviation sqrt(2 / features), drawn from rng; the bias is 0."""
    first, second = (given.Linear(200, 100, rng=np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first.weight.value, second.weight.value) and not first.bias.value.any()
    assert abs(first.weight.value.std() / np.sqrt(2 / 200) - 1) < 0.05
    assert abs(first.weight.value.mean()) < 0.01
    assert not np.array_equal(given.Linear(9, 9).weight.value, given.Linear(9, 9).weight.value)
