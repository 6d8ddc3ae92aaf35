"""The training loop: the same seed gives the same numbers, and so does a run that was stopped, killed and resumed."""

import json
import signal
import zipfile

import numpy as np
import pytest

from cnn import cifar10
from cnn.foundations import Flatten, Linear, ReLU, Sequential
from cnn.im2col import Conv2d
from cnn.pooling import MaxPool2d
from cnn.residual import BatchNorm2d
from kata import progress
from kata.bench import laps
from kata.bench import train as bench
from kata.errors import KataError
from kata.train import checkpoint, data, loop, machine, models, pictures, places, recipes, run, sanity, synthetic
from kata.train.display import Plain, lasting
from kata.train.stopping import Stop

SETTINGS = recipes.Settings("simple_cnn", epochs=3, batch_size=16, lr=0.05, augment=True, label_smoothing=0.1)
BATCHES = 4  # of 60 images, the last one short


def small_net(name, rng):
    """A network with all that a state holds: weights, running statistics, a dense layer."""
    return Sequential(
        Conv2d(3, 4, 3, stride=2, padding=1, rng=rng), BatchNorm2d(4), ReLU(), MaxPool2d(4), Flatten(),
        Linear(64, 10, rng=rng),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(models, "build", small_net)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of 75 training and 30 test images."""
    return synthetic.make(tmp_path_factory.mktemp("images"), seed=5, train=75, test=30)


@pytest.fixture(scope="module")
def images(folder):
    return data.load(folder, limit=60)


class Silent(Plain):
    """A display that asks to stop after a number of batches."""

    def __init__(self, after=None):
        self.said, self._left = [], after

    def say(self, text):
        self.said.append(text)

    def batch(self, stop):
        if self._left is not None:
            self._left -= 1
            stop.wanted |= self._left < 0


@pytest.fixture
def sitting(images, tmp_path, monkeypatch):
    """Train in a folder until `after` batches or the end; return whether it was finished, and the training."""

    def sit(name, after=None, settings=SETTINGS, stop_in="_train"):
        out = run.prepare(tmp_path / name)
        record = checkpoint.read_record(out)
        training = run.begin(settings, images, out, record, "code", lambda text: None)
        display, stops = Silent(after), []
        monkeypatch.setattr(run, "Stop", lambda: stops.append(Stop()) or stops[0])
        original = training._train

        def counted(x, y):
            original(x, y)
            display.batch(stops[0])

        training._train = counted
        return run.train(training, out, "code", display), training

    return sit


def files(tmp_path, name):
    """What a run leaves behind, times apart: metrics, arrays, record."""
    out = tmp_path / name
    record = checkpoint.read_record(out)
    for key in ("seconds", "spent"):
        record.pop(key)
    arrays = {key: array.tobytes() for key, array in checkpoint.read_arrays(out).items()}
    return (out / "metrics.jsonl").read_bytes(), record, arrays


def test_same_seed_same_metrics(sitting, tmp_path):
    """Two runs of one seed leave the same metrics and weights to the bit, another seed others."""
    sitting("a"), sitting("b")
    sitting("c", settings=recipes.replace(SETTINGS, seed=1))
    assert files(tmp_path, "a") == files(tmp_path, "b")
    assert files(tmp_path, "a")[0] != files(tmp_path, "c")[0]


def test_metrics_are_json_lines(sitting, tmp_path):
    """Each epoch is a line of JSON that says which data it is about."""
    sitting("a")
    lines = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert all(line.keys() == {"data", "epoch", "loss", "train", "test"} for line in lines)
    assert {line["data"] for line in lines} == {"synthetic"}


def test_as_topic_17_trains(images):
    """The loop takes the same steps as train_epoch of Topic 17."""
    settings = recipes.replace(SETTINGS, epochs=1, plain=True)
    training = loop.Training(settings, images)
    for _ in training.train_batches():
        pass
    init, rng = np.random.default_rng(settings.seed).spawn(2)
    model = small_net("", init)
    optimizer = cifar10.SGD(model.parameters(), 0.05, 0.9, 5e-4, nesterov=True)

    def augment(batch, rng):
        return images.normalized(cifar10.random_flip(cifar10.random_crop(batch, 4, rng), rng))

    loss = cifar10.train_epoch(
        model, optimizer, images.images, images.labels, 16, rng, 0.1, augment,
        lambda k: cifar10.one_cycle_lr(k, BATCHES, 0.05),
    )  # fmt: skip
    assert loss == training.loss_sum / training.seen
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, training.model.state_dict()[name])


@pytest.mark.parametrize("after", range(3 * BATCHES))
def test_stopped_and_resumed(sitting, tmp_path, after):
    """A run that is stopped after any batch and resumed ends as one that was not."""
    assert sitting("whole")[0]
    finished, _ = sitting("broken", after)
    assert not finished
    assert checkpoint.read_record(tmp_path / "broken")["step"] == after % BATCHES + 1
    assert sitting("broken")[0]
    assert files(tmp_path, "whole") == files(tmp_path, "broken")


def test_stopped_twice(sitting, tmp_path):
    """Any number of stops, also two in one epoch, change nothing."""
    sitting("whole"), sitting("broken", 0), sitting("broken", 0), sitting("broken", 3), sitting("broken")
    assert files(tmp_path, "whole") == files(tmp_path, "broken")


@pytest.mark.parametrize("batch", [1, BATCHES, BATCHES + 2, 3 * BATCHES])
def test_killed_and_resumed(sitting, tmp_path, monkeypatch, batch):
    """A run that is killed without a word goes on from its last checkpoint and ends as one that was not."""
    sitting("whole")
    original, done = cifar10.SGD.step, []

    def step(optimizer):
        original(optimizer)
        done.append(1)
        if len(done) == batch:
            raise MemoryError("killed")

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(cifar10.SGD, "step", step)
        sitting("killed")
    sitting("killed")
    assert files(tmp_path, "whole") == files(tmp_path, "killed")


def test_killed_between_checkpoint_and_metrics(sitting, tmp_path):
    """Metrics that lag behind the checkpoint are made whole by the next epoch."""
    sitting("whole")
    sitting("killed", 2 * BATCHES - 1)
    (tmp_path / "killed" / "metrics.jsonl").write_text("")
    sitting("killed")
    assert files(tmp_path, "whole") == files(tmp_path, "killed")


def test_ctrl_c(sitting, tmp_path):
    """The first Ctrl-C is noted and the second obeyed."""
    with pytest.raises(KeyboardInterrupt), Stop() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.wanted
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_disk_full(sitting, tmp_path, monkeypatch):
    """A disk that fills up is one sentence; the checkpoint before is whole and nothing else is left."""
    sitting("a", 2)
    before = files(tmp_path, "a")

    def full(handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(KataError, match=r"No space left on device.*--resume"):
        patch.setattr(progress.os, "fsync", full)
        sitting("a")
    assert files(tmp_path, "a") == before
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"checkpoint.npz", "metrics.jsonl", "times.jsonl"}


def test_litter_is_swept(tmp_path):
    """What a write that was killed left behind is gone after the next start."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".checkpoint.npz.abc").write_bytes(b"half")
    run.prepare(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped", "no record", "pickle"])
def test_corrupt_checkpoint(sitting, tmp_path, damage):
    """A damaged checkpoint is refused in one sentence, and left as it is."""
    sitting("a", 2)
    path = tmp_path / "a" / checkpoint.NAME
    content = path.read_bytes()
    middle = len(content) // 2
    if damage in ("no record", "pickle"):
        np.savez(path, **({"x": np.array([{}])} if damage == "pickle" else {"x": np.zeros(2)}))
        if damage == "pickle":
            with zipfile.ZipFile(path, "a") as bundle:
                bundle.writestr(checkpoint.RECORD, zipfile.ZipFile(_file(content)).read(checkpoint.RECORD))
    else:
        flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        path.write_bytes({"empty": b"", "text": b"hello", "cut": content[:middle], "flipped": flipped}[damage])
    damaged = path.read_bytes()
    with pytest.raises(KataError, match=r"checkpoint\.npz can't be read as a checkpoint .*Move it away") as caught:
        sitting("a")
    assert "\n" not in str(caught.value) and path.read_bytes() == damaged


def _file(content):
    import io

    return io.BytesIO(content)


def test_checkpoint_of_other_images(sitting, folder, tmp_path):
    """A checkpoint is not taken up with other images than it was begun with."""
    sitting("a", 2)
    out = tmp_path / "a"
    with pytest.raises(KataError, match="the images are not those the checkpoint was trained on"):
        run.begin(SETTINGS, data.load(folder, limit=50), out, checkpoint.read_record(out), "code", print)


def test_checkpoint_of_other_network(sitting, images, tmp_path, monkeypatch):
    """A checkpoint of another network is refused with the first shape that differs."""
    sitting("a", 2)
    out = tmp_path / "a"
    monkeypatch.setattr(models, "build", lambda name, rng: Sequential(Flatten(), Linear(3072, 10, rng=rng)))
    with pytest.raises(KataError, match=r"of another network: model/.* has shape"):
        run.begin(SETTINGS, images, out, checkpoint.read_record(out), "code", print)


def test_checkpoint_of_other_code(sitting, images, tmp_path):
    """Code that has changed since the checkpoint is mentioned: the numbers will differ."""
    sitting("a", 2)
    said = []
    run.begin(SETTINGS, images, tmp_path / "a", checkpoint.read_record(tmp_path / "a"), "other code", said.append)
    assert said[0].startswith("The code in cnn has changed")


def test_options_that_contradict_a_checkpoint():
    """A resumed run takes its settings from the checkpoint and refuses others."""
    recorded = recipes.as_record(SETTINGS)
    assert recipes.resumed(recorded, {"lr": None, "epochs": 3, "data": "/moved"}, "x").data == "/moved"
    with pytest.raises(KataError, match=r"x was trained with --batch-size 16, not 8\. Leave --batch-size out"):
        recipes.resumed(recorded, {"batch_size": 8}, "x")
    with pytest.raises(KataError, match="another version"):
        recipes.resumed({"model": "mlp"}, {}, "x")


def test_run_away(images):
    """A loss that is no number ends the training with a sentence that names the rate."""
    training = loop.Training(recipes.replace(SETTINGS, lr=1e30), images)
    with np.errstate(all="ignore"), pytest.raises(KataError, match=r"run away\. Train anew with a --lr below 1e\+30"):
        for _ in range(2):
            for _ in training.train_batches():
                pass
            training.finish_epoch(0.0)


# --- data -----------------------------------------------------------------------------------------


def test_holdout_leaves_the_test_images_alone(folder, tmp_path):
    """Held-out images come from the training split, the same whatever is learned from; no test file is read."""
    for path in (folder / synthetic.FOLDER).iterdir():
        if path.name != "test_batch.bin":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    held = data.load(tmp_path, holdout=20)
    assert (held.held, len(held.images), len(held.held_images)) == ("holdout", 55, 20)
    everything = {image.tobytes() for image in data.load(folder).images}
    apart = [{image.tobytes() for image in images} for images in (held.images, held.held_images)]
    assert apart[0] | apart[1] == everything and not apart[0] & apart[1]
    np.testing.assert_array_equal(data.load(tmp_path, limit=5, holdout=20).held_images, held.held_images)


def test_statistics_of_what_is_learned_from(folder):
    """Mean and deviation are measured on the training images alone."""
    some = data.load(folder, limit=30)
    mean, std = cifar10.channel_statistics(some.images)
    np.testing.assert_array_equal([some.mean, some.std], [mean, std])
    assert some.normalized(some.images).dtype == np.float32


def test_named_for_what_it_is(folder, tmp_path):
    """Drawn images are called synthetic wherever they lie, others CIFAR-10."""
    assert data.load(folder).name == "synthetic" and data.load(folder).classes == synthetic.CLASSES
    rng = np.random.default_rng(0)
    for name in [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]:
        photos = rng.integers(0, 256, (4, 3, 32, 32), np.uint8)
        (tmp_path / name).write_bytes(synthetic.records(photos, np.arange(4)))
    other = data.load(tmp_path)
    assert other.name == "CIFAR-10" and other.classes[3] == "cat"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda folder: (folder / "data_batch_3.bin").unlink(), "has no data_batch_3.bin"),
        (lambda folder: (folder / "data_batch_3.bin").write_bytes(b"x" * 3072), r"data_batch_3\.bin has 3072 bytes"),
        (lambda folder: (folder / "data_batch_3.bin").write_bytes(b""), r"data_batch_3\.bin has 0 bytes"),
        (lambda folder: (folder / "test_batch.bin").write_bytes(b"\xff" * 3073), "label 255"),
        (lambda folder: [path.unlink() for path in folder.iterdir()], "the folder is empty"),
        (lambda folder: [path.unlink() for path in folder.iterdir()] + [folder.rmdir()], "there is no such folder"),
    ],
)
def test_broken_data(folder, tmp_path, change, match):
    """Missing, truncated and foreign files are one sentence each, with the path."""
    place = tmp_path / "data"
    place.mkdir()
    for path in (folder / synthetic.FOLDER).iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    change(place)
    with pytest.raises(KataError, match=match) as caught:
        data.load(place)
    assert "\n" not in str(caught.value) and str(place) in str(caught.value)


@pytest.mark.parametrize(("more", "match"), [({"limit": 76}, "--limit 76"), ({"holdout": 75}, "--holdout 75 of 75")])
def test_more_than_there_is(folder, more, match):
    """More images than there are is one sentence."""
    with pytest.raises(KataError, match=match):
        data.load(folder, **more)


def test_where_the_images_come_from(monkeypatch):
    """An option goes before CIFAR10_DIR, which goes before the drawn images; two options are refused."""
    monkeypatch.setenv("CIFAR10_DIR", "/photos")
    assert places.chosen(None, False, False) == "/photos"
    assert places.chosen("/others", False, False) == "/others"
    assert places.chosen(None, False, True) == "synthetic"
    monkeypatch.delenv("CIFAR10_DIR")
    assert places.chosen(None, False, False) == "synthetic"
    assert places.chosen(None, True, False) == "download"
    with pytest.raises(KataError, match="--data and --synthetic exclude each other"):
        places.chosen("/others", False, True)


# --- sanity ---------------------------------------------------------------------------------------


def test_sane_network(images):
    """A network in order passes the first loss, the learning by heart and the moving filters."""
    settings = recipes.replace(SETTINGS, lr=0.1)
    model = small_net("", np.random.default_rng(0))
    before = sanity._filters(model)
    assert sanity.overfits(model, settings, images).fine
    assert sanity.moved(before, sanity._filters(model)).fine


def test_first_loss(images, monkeypatch):
    """A first loss far from ln 10 is odd."""

    def sure(name, rng):
        net = small_net(name, rng)
        net[-1].bias.value[3] = 30
        return net

    monkeypatch.setattr(models, "build", sure)
    finding = sanity.first_loss(SETTINGS, images)
    assert not finding.fine and "ln 10 is 2.30" in finding.sentence


def test_still_filters():
    """Filters that no gradient reaches are counted."""
    before = [np.zeros((4, 5)), np.zeros((6, 5))]
    after = [np.ones((4, 5)), np.ones((6, 5))]
    assert sanity.moved(before, after).fine
    after[1][2] = 0
    said = sanity.moved(before[1:], after[1:], "units").sentence
    assert "1 of 6 units have not moved, the first of them in the first layer" in said
    finding = sanity.moved(before, after)
    assert not finding.fine and "1 of 10 filters have not moved, the first of them in convolution 1" in finding.sentence


def test_not_learned_by_heart(images, monkeypatch):
    """A network that gets no gradient does not learn 32 images by heart, and the finding says how far it came."""
    monkeypatch.setattr(sanity, "STEPS", 10)
    model = small_net("", np.random.default_rng(0))
    finding = sanity.overfits(model, recipes.replace(SETTINGS, lr=0.0), images)
    assert not finding.fine and "same 32 images" in finding.sentence


def test_frozen_filters(images, monkeypatch):
    """The comparison with frozen filters trains both on the same images and gives loss and accuracy of each."""
    monkeypatch.setattr(sanity, "COMPARED", (40, 20, 6))
    finding = sanity.beats_frozen(recipes.replace(SETTINGS, lr=0.02), images)
    assert finding.fine and "after 6 epochs on 40 images: training loss" in finding.sentence
    assert "right of 20 held-out images" in finding.sentence and "standard errors" in finding.sentence


# --- pictures -------------------------------------------------------------------------------------


def test_curves_of_one_epoch():
    """One epoch has one tick, and the legend lies outside the axes."""
    figure = pictures.curves([{"epoch": 1, "loss": 2.0, "train": 0.3, "test": 0.4}], "test", "a title")
    figure.draw_without_rendering()
    for axes in figure.axes:
        low, high = axes.get_xlim()
        assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]
        assert axes.get_legend() is None
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["training, during the epoch (last: 30.0 %)", "test, after the epoch (last: 40.0 %)"]


def test_worst_mistakes_in_whole_percents(images):
    """Odds are whole percents, those below 1 % are called so, and drawn images have their mark explained."""
    odds = np.full((len(images.held_labels), 10), 0.004)
    odds[:, 3], odds[:, 4] = 0.868, 0.104
    figure = pictures.worst_mistakes(images, odds, "a title")
    said = {line.partition(", ")[2] for axes in figure.axes for line in axes.get_title().splitlines()}
    assert said == {"87 %", "<1 %"}
    assert "mark of drawn images" in figure._supxlabel.get_text()


@pytest.mark.parametrize(("share", "text"), [(0.0099, "<1 %"), (0.01, "1 %"), (0.104, "10 %"), (0.999, "100 %")])
def test_percent(share, text):
    """Shares are whole percents without an exponent."""
    assert pictures._percent(share) == text


# --- models and machine ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(recipes.RECIPES))
def test_models(name, monkeypatch):
    """Every model gives ten scores, near zero at first, and its products are counted."""
    monkeypatch.undo()
    model = models.build(name, np.random.default_rng(0))
    scores = model(np.random.default_rng(1).standard_normal((2, 3, 32, 32), np.float32))
    assert scores.shape == (2, 10) and scores.dtype == np.float32 and np.abs(scores).max() < 1.5
    forward, step = models.products(model)
    assert 2 * forward <= step < 3 * forward and model.training
    assert not [layer for _, layer in models.leaves(model) if "forward" in vars(layer)]


def test_mlp_is_as_large_as_simple_cnn(monkeypatch):
    """The dense network has as many parameters as simple_cnn, to a hundredth."""
    monkeypatch.undo()
    rng = np.random.default_rng(0)
    sizes = [models.size(models.build(name, rng)) for name in ("mlp", "simple_cnn")]
    assert abs(sizes[0] / sizes[1] - 1) < 0.01


def test_products_of_a_known_layer():
    """A 3x3 convolution of 2 to 5 channels on 7x6 pixels takes 2 * 5 * 2 * 9 * 42 operations."""
    net = Sequential(Conv2d(2, 5, 3, padding=1), Flatten(), Linear(210, 4))
    forward, step = models.products(net, (2, 7, 6))
    assert forward == 2 * 5 * 2 * 9 * 42 + 2 * 210 * 4
    assert step == 3 * forward - 2 * 5 * 2 * 9 * 42


def test_kernels(tmp_path, monkeypatch):
    """Other kernels are chosen only where the processor's flags allow it and nobody chose before."""
    monkeypatch.delenv(machine.KERNELS, raising=False)
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"vendor_id : AuthenticAMD\nflags : fpu {' '.join(machine.WANTED)}\n")
    assert machine.default_kernels(cpuinfo) == "Cooperlake"
    cpuinfo.write_text("vendor_id : AuthenticAMD\nflags : fpu avx2\n")
    assert machine.default_kernels(cpuinfo) == "" == machine.default_kernels(tmp_path / "none")
    monkeypatch.setenv(machine.KERNELS, "Haswell")
    assert machine.default_kernels(cpuinfo) == "Haswell"


@pytest.mark.parametrize(("seconds", "text"), [(7.4, "7 s"), (185, "3:05 min"), (3729, "1:02:09 h")])
def test_lasting(seconds, text):
    """Seconds are shown as people read them."""
    assert lasting(seconds) == text


def test_bench_step(monkeypatch):
    """The measured step is a training step, and every layer that computes has its share of it."""
    monkeypatch.undo()
    monkeypatch.setattr(bench, "BATCH", 2)
    monkeypatch.setattr(bench, "laps", lambda call: laps(call, 1))
    runner = bench._Cnn("simple_cnn", threads=1, plain=True)
    before = runner.model.state_dict()["9.weight"]
    rows, whole = runner.shares()
    assert not np.array_equal(before, runner.model.state_dict()["9.weight"])
    assert [row[1] for row in rows] == [type(layer).__name__ for layer in runner.model]
    assert all(row[2] > 0 and row[3] > 0 for row in rows) and whole > 0
    assert "3 Conv2d" in bench._share_table("simple_cnn", rows, whole)


def test_recipes():
    """What is given goes before the recipe; drawn images get smaller steps and no augmentation, unless asked for."""
    real = recipes.settings_for({"model": "resnet", "data": "/photos", "seed": 3, "lr": None})
    assert (real.batch_size, real.lr, real.augment, real.seed) == (128, 0.15, True, 3)
    drawn = recipes.settings_for({"model": None, "data": "synthetic", "lr": 0.3})
    assert (drawn.model, drawn.batch_size, drawn.lr, drawn.augment) == ("simple_cnn", 64, 0.3, False)
