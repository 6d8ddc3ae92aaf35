"""Topic 17's page: a training's curves, its mistakes, its filters and maps, and whose images they are."""

import json

import numpy as np
import pytest

from kata.errors import KataError
from kata.pictures import studio
from kata.pictures.cifar10 import STEPS, parsed
from kata.topics import find_topic
from kata.train import checkpoint


def number(text):
    return float(text.replace("\N{MINUS SIGN}", "-"))


def test_maps_are_pythons(reference_page, opened):
    """At twenty-five random images, layers, channels and pixels the value shown is Python's."""
    path, drawing = reference_page(17)
    page, rng = opened(path), np.random.default_rng(17)
    for _ in range(25):
        image = int(rng.integers(10))
        at = int(rng.integers(6))
        layer = drawing.numbers["images"][image]["layers"][at]
        channel = int(rng.integers(len(layer["maps"])))
        page.choose(image=image)
        page.at(at)
        page.choose(channel=channel)
        values = np.array(layer["maps"][channel]) * layer["top"] / STEPS
        row, column = (int(rng.integers(side)) for side in values.shape)
        page.page.locator("#map > i").nth(row * values.shape[1] + column).click()
        shown = page.text("#point")
        assert shown.startswith(f"Row {row}, column {column}: ")
        assert number(shown.rpartition(" ")[2]) == pytest.approx(values[row, column], rel=0.006, abs=1e-6)
        assert f"channel {layer['channels'][channel]}" in page.text("#map-name")
        assert f"{np.count_nonzero(values > 0)} of {values.size} above 0" in page.text("#sentence")


def test_layers_follow_from_each_other(reference_page):
    """What is drawn after a ReLU is what was above 0 before, and pooling keeps the largest of four."""
    for image in reference_page(17)[1].numbers["images"]:
        maps = [dict(zip(layer["channels"], scaled(layer), strict=True)) for layer in image["layers"]]
        for first in (0, 3):
            for channel in maps[first].keys() & maps[first + 1].keys():
                wanted = np.maximum(maps[first][channel], 0)
                assert maps[first + 1][channel] == pytest.approx(wanted, abs=0.01)
            for channel in maps[first + 1].keys() & maps[first + 2].keys():
                fine = maps[first + 1][channel]
                side = len(fine) // 2
                wanted = fine.reshape(side, 2, side, 2).max(axis=(1, 3))
                assert maps[first + 2][channel] == pytest.approx(wanted, abs=0.01)


def scaled(layer):
    return [np.array(values) * layer["top"] / STEPS for values in layer["maps"]]


def test_curves_and_confusion_are_pythons(reference_page, opened):
    """The curves' table, the matrix and what is said of a cell are the training's numbers; guessing is far behind."""
    path, drawing = reference_page(17)
    page, numbers = opened(path), drawing.numbers
    page.run("() => document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    rows = [row.split("\t") for row in page.text("#curves-table tbody").splitlines()]
    for row, wanted in zip(rows, numbers["history"], strict=True):
        assert [number(cell) for cell in row] == pytest.approx(list(wanted.values()), rel=1e-3)
    assert [[int(cell) for cell in row] for row in page.grid("confusion")] == numbers["confusion"]
    page.page.locator("#confusion > i").nth(4 * 10 + 9).click()
    assert page.text("#cell") == f"{numbers['confusion'][4][9]} of 20 images of dots are taken for noise."
    assert np.trace(numbers["confusion"]) / 200 == numbers["history"][-1]["held out"] > 0.8
    assert page.page.locator("#filters canvas").count() == len(numbers["filters"]) == 8


def test_drawn_images_are_never_taken_for_cifar10(reference_page, opened):
    """Page and stills of the training on the spot say that its images are synthetic."""
    path, drawing = reference_page(17)
    assert opened(path).text("#data").startswith("Drawn images (synthetic), not CIFAR-10")
    for figure in studio.picture_of(find_topic(17)).stills(drawing).values():
        assert "(synthetic)" in figure.get_suptitle()


def test_gradients_cleared_too_late_are_drawn_wrong(opened, tmp_path):
    """A learner who clears the gradients between backward and step sees a loss that stays, beside the reference's."""
    text = find_topic(17).reference.read_text(encoding="utf-8")
    clear, step = "        optimizer.zero_grad()\n        loss", "        optimizer.step()\n        total"
    assert text.count(clear) == text.count(step) == 1
    twisted = text.replace(clear, "        loss").replace(step, f"        optimizer.zero_grad()\n{step}")
    path = tmp_path / "cifar10.py"
    path.write_text(twisted, encoding="utf-8")
    drawing = studio.drawn(17, str(path))
    assert drawing.numbers["history"][-1]["loss"] > 2.2
    assert drawing.right["history"][-1]["loss"] < 0.1
    page = opened(studio.write_page(drawing, tmp_path / "a folder"))
    assert page.text("#verdict").startswith("The code of cifar10.py ends at loss 2.")
    assert page.page.get_attribute("#verdict", "class") == "wrong"
    assert page.page.locator("#loss .reference").count() == 1
    assert (page.complaints, page.asked) == ([], [page.address])


SHAPES = {
    "0.weight": (32, 3, 3, 3), "0.bias": (32,), "3.weight": (64, 32, 3, 3), "3.bias": (64,),
    "7.weight": (128, 4096), "7.bias": (128,), "9.weight": (10, 128), "9.bias": (10,),
}  # fmt: skip
SETTINGS = {"model": "simple_cnn", "using": "reference", "data": "a folder that is gone", "holdout": 0}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder such as train.py leaves, of a network with random weights."""
    folder, rng = tmp_path_factory.mktemp("a finished run"), np.random.default_rng(3)
    arrays = {f"model/{name}": 0.05 * rng.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}
    checkpoint.save(folder, {"settings": SETTINGS}, arrays)
    epochs = [{"data": "CIFAR-10", "epoch": e, "loss": 2 / e, "train": 0.3, "test": 0.1 * e} for e in (1, 2, 3)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(epoch) + "\n" for epoch in epochs), encoding="utf-8")
    (folder / "report.txt").write_text(REPORT, encoding="utf-8")
    return folder


NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
COUNTS = [[100 * (row == column) + 10 * row + column for column in range(10)] for row in range(10)]
REPORT = "CIFAR-10 test accuracy: 10 %\n\nconfusion matrix (a row is what it is):\n\n" + "\n".join(
    f"{name:<10}  " + "  ".join(f"{count:>5}" for count in row) for name, row in zip(NAMES, COUNTS, strict=True)
)


def test_a_finished_run_is_shown(run, opened, tmp_path):
    """The page of a run has its curves and its matrix, and says what it was trained on and that its images are gone."""
    page = opened(studio.write_page(studio.drawn(17, run=run), tmp_path))
    said = page.text("#data")
    assert said.startswith("A finished training: simple_cnn on CIFAR-10, 3 epochs, measured on 5950 test images")
    assert "Its images are not where they were: those below are drawn" in said
    assert [[int(cell) for cell in row] for row in page.grid("confusion")] == COUNTS
    assert page.page.locator("#accuracy rect").count() == 3
    assert page.page.locator("#filters canvas").count() == 32
    assert page.complaints == []


def test_a_run_that_is_none_is_refused(run, tmp_path):
    """A folder without a checkpoint, a run that is not finished and a topic that shows no training are refused."""
    with pytest.raises(KataError, match="no checkpoint there"):
        studio.drawn(17, run=tmp_path)
    (tmp_path / checkpoint.NAME).write_bytes((run / checkpoint.NAME).read_bytes())
    with pytest.raises(KataError, match="not finished"):
        studio.drawn(17, run=tmp_path)
    with pytest.raises(KataError, match="shows no training"):
        studio.drawn(16, run=run)


def test_a_report_is_read(run):
    """The matrix is read from the report's last table, row by row."""
    assert parsed((run / "report.txt").read_text(encoding="utf-8")) == (NAMES, COUNTS)
