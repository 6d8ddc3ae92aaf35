"""Layers made fast for training compute what the plain ones do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn import cifar10, im2col, residual
from cnn.foundations import Flatten, Linear, ReLU, Sequential
from cnn.pooling import AvgPool2d, MaxPool2d
from kata.train import fast, models

SIZES = st.integers(1, 5)
PAIRS = st.tuples(SIZES, SIZES)


def close(got, expected, tolerance):
    assert got.shape == expected.shape and got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max(initial=0)))


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    st.integers(0, 70), SIZES, SIZES, PAIRS, st.tuples(st.integers(1, 4), st.integers(1, 4)), PAIRS,
    st.tuples(st.integers(0, 4), st.integers(0, 4)), st.booleans(), st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_pair_is_topic_12s(N, C, O, extra, kernel_size, stride, padding, has_bias, dtype):
    """Output and all three gradients are those of Topic 12, whatever the sizes."""
    rng = np.random.default_rng(N + 71 * C)
    x = rng.standard_normal((N, C, kernel_size[0] + extra[0], kernel_size[1] + extra[1])).astype(dtype)
    weight = rng.standard_normal((O, C, *kernel_size)).astype(dtype)
    bias = rng.standard_normal(O).astype(dtype) if has_bias else None
    tolerance = 1e-12 if dtype is np.float64 else 1e-4
    out, cache = fast.forward(x, weight, bias, stride, padding)
    expected, plain = im2col.conv2d_im2col_forward(x, weight, bias, stride, padding)
    close(out, expected, tolerance)
    dout = rng.standard_normal(out.shape).astype(dtype)
    gradients = im2col.conv2d_im2col_backward(dout, plain)
    for got, right in zip(fast.backward(dout, cache), gradients, strict=True):
        assert (got is None) == (right is None)
        if right is not None:
            close(got, right, tolerance)
    first = im2col.Conv2d(C, O, kernel_size, stride, padding, bias=has_bias, rng=rng).astype(dtype)
    first.__class__ = fast.FirstConv2d
    first(x)
    assert first.backward(dout) is None
    for parameter, right in zip(first.parameters(), gradients[1:], strict=False):
        close(parameter.grad, right, tolerance)


def small_nets():
    """A network of every kind of layer that is shared, and a residual one."""
    plain = Sequential(
        im2col.Conv2d(3, 4, 3, padding=1, rng=np.random.default_rng(0)), ReLU(), MaxPool2d(2),
        im2col.Conv2d(4, 5, (3, 2), rng=np.random.default_rng(1)), AvgPool2d(2), Flatten(),
        Linear(5 * 3 * 3, 10, rng=np.random.default_rng(2)),
    )  # fmt: skip
    return {"plain": plain, "residual": residual.ResNet([1, 1], widths=(4, 7), rng=np.random.default_rng(3))}


def step(model, images, labels):
    """One step's loss and the state and gradients after it."""
    optimizer = cifar10.SGD(model.parameters(), 0.1, 0.9, 5e-4, nesterov=True)
    optimizer.zero_grad()
    loss, cache = cifar10.cross_entropy_forward(model(images), labels)
    model.backward(cifar10.cross_entropy_backward(cache))
    optimizer.step()
    return loss, [parameter.grad for parameter in model.parameters()], model.state_dict()


@pytest.mark.parametrize("kind", ["plain", "residual"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_network_is_the_same_network(kind, threads):
    """Over three steps a quickened network has the plain one's losses, gradients, statistics and answers."""
    plain, quick = (small_nets()[kind].astype(np.float64) for _ in range(2))
    fast.quicken(quick, threads)
    rng = np.random.default_rng(4)
    for size in (7, 2, 8):
        images, labels = rng.standard_normal((size, 3, 16, 15)), rng.integers(0, 10, size)
        expected, got = step(plain, images, labels), step(quick, images, labels)
        assert got[0] == pytest.approx(expected[0], rel=1e-9)
        assert list(got[2]) == list(expected[2])
        for a, b in zip([*got[1], *got[2].values()], [*expected[1], *expected[2].values()], strict=True):
            close(a, b, 1e-9)
    for size in (1, 5):
        images = rng.standard_normal((size, 3, 16, 15))
        close(quick.eval()(images), plain.eval()(images), 1e-9)


def test_only_the_first_convolution_skips_its_input():
    """The images get no gradient; every parameter does."""
    net = small_nets()["plain"]
    fast.quicken(net, 2)
    net(np.ones((4, 3, 16, 15), np.float32))
    assert net.backward(np.ones((4, 10), np.float32)) is None
    assert all(np.abs(parameter.grad).max() > 0 for parameter in net.parameters())
    assert [type(layer).__name__ for layer in net][:2] == ["FirstConv2d", "ReLU"]


def test_a_learners_convolution_stays_theirs(monkeypatch):
    """Where Topic 12 is the learner's their layer runs, on shares of the images."""
    monkeypatch.setattr(fast, "_is_reference", lambda module: False)
    net, seen = small_nets()["residual"], []
    original = im2col.conv2d_im2col_forward
    monkeypatch.setattr(im2col, "conv2d_im2col_forward", lambda x, *rest: seen.append(len(x)) or original(x, *rest))
    fast.quicken(net, 2)
    net(np.ones((5, 3, 8, 8), np.float32))
    assert sorted(seen) == [2] * 6 + [3] * 6
    assert type(net.bn1) is residual.BatchNorm2d


def test_no_share_outlives_its_batch():
    """The twins of a batch keep nothing of the batch before."""
    net = small_nets()["plain"]
    fast.quicken(net, 2)
    for _ in range(3):
        net(np.ones((4, 3, 16, 15), np.float32))
    assert not [twin for layer in net for twin in getattr(layer, "_twins", []) if hasattr(twin, "_twins")]


def test_models_are_quickened():
    """Every convolution of the shipped networks is a fast one, the first of them without a gradient for images."""
    for name in ("simple_cnn", "resnet20", "resnet"):
        net = models.build(name, np.random.default_rng(0))
        fast.quicken(net, 1)
        kinds = [type(layer) for _, layer in models.leaves(net) if isinstance(layer, im2col.Conv2d)]
        assert kinds[0] is fast.FirstConv2d and set(kinds[1:]) == {fast.FastConv2d}
