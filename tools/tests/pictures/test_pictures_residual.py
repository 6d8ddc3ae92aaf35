"""Topic 14's page: the gradient's norm at every depth, with shortcuts and without."""

import numpy as np
import pytest

from kata.pictures import residual, studio
from kata.pictures.solution import Code
from kata.topics import find_topic


def number(text):
    return float(text.replace("\u2212", "-"))


def test_shows_what_python_computed(reference_page, opened):
    """At twenty-four random depths and layers the two numbers shown are Python's."""
    path, drawing = reference_page(14)
    page, rng = opened(path), np.random.default_rng(14)
    for depth in sorted(rng.choice(list(drawing.numbers["depths"]), 24)):
        page.choose(depth=depth)
        norms = drawing.numbers["depths"][depth]
        layer = int(rng.integers(len(norms["plain"])))
        page.at(len(norms["plain"]) - 1 - layer)
        for name in ("plain", "residual"):
            assert number(page.text(f"#{name}-value")) == pytest.approx(norms[name][layer], rel=1e-3)
        assert page.text("#sentence").startswith(f"Layer {layer + 1} of {len(norms['plain'])}:")


@pytest.mark.parametrize("make", [residual.plain, residual.residual])
def test_a_norm_is_a_slope(make):
    """A weight that moves along its gradient changes the loss at the rate of the norm."""
    code = Code(find_topic(14), find_topic(14).reference)
    rng = np.random.default_rng(3)
    x, labels = rng.standard_normal((4, 3, 8, 8)), rng.integers(0, residual.CLASSES, 4)
    owner, net = make(code, 1)
    net.astype(np.float64)
    norms = residual.gradient_norms(net, x, labels, owner, 7)
    weights = [p for p in net.parameters() if p.value.shape[2:] == (3, 3)]
    for layer in (0, 3, 6):
        step = 1e-5 * weights[layer].grad / norms[layer]
        losses = []
        for sign in (1, -2):
            weights[layer].value += sign * step
            scores = net(x)
            losses.append((np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(4), labels]).mean())
        weights[layer].value += step
        assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(norms[layer], rel=1e-3)


def test_a_shortcut_left_out_is_drawn_wrong(opened, tmp_path):
    """Who forgets the shortcut sees a line as steep as that of the plain network, and the reference's number."""
    text = find_topic(14).reference.read_text(encoding="utf-8")
    right = "return self.relu2(branch + self.shortcut(x))"
    assert text.count(right) == 1
    forgotten = "self.shortcut(x)\n        return self.relu2(branch)"
    backward = text.replace(right, forgotten)
    (tmp_path / "residual.py").write_text(backward, encoding="utf-8")
    page = opened(studio.write_page(studio.drawn(14, str(tmp_path)), tmp_path))
    page.choose(depth=56)
    assert "With shortcuts 5" in page.text("#verdict")
    assert "the reference's is" in page.text("#verdict")
    page.page.focus("#stage")
    page.page.keyboard.press("End")
    assert number(page.text("#residual-value")) > 1.5 * 11.7
