"""train.py as it is called: what it prints and leaves behind, and how it says no."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from kata.topics import ROOT
from kata.train import checkpoint, synthetic

PICTURES = {
    "learning-curves.png",
    "confusion-matrix.png",
    "first-layer-filters.png",
    "feature-maps.png",
    "worst-mistakes.png",
}
FILES = {"checkpoint.npz", "metrics.jsonl", "times.jsonl", "report.txt"}
OPTIONS = ["--limit", 80, "--epochs", 4, "--batch-size", 8, "--augment"]
COMMAND = [sys.executable, str(ROOT / "tools" / "train.py")]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder of 100 training and 50 test images."""
    return synthetic.make(tmp_path_factory.mktemp("images"), seed=5, train=100, test=50)


def environment():
    kept = {key: value for key, value in os.environ.items() if key not in ("CIFAR10_DIR", "FORCE_COLOR", "NO_COLOR")}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}


def train(*arguments):
    """Run train.py on the reference and return the CompletedProcess."""
    command = [*COMMAND, "--using", "reference", *map(str, arguments)]
    return subprocess.run(command, env=environment(), capture_output=True, encoding="utf-8", timeout=240, check=False)


def refused(done, said, status=2):
    """The command ended with one sentence and no traceback."""
    assert done.returncode == status and said in done.stderr, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def trained(images, tmp_path_factory):
    """A short training: the process and its folder."""
    out = tmp_path_factory.mktemp("run") / "my run"
    done = train("--data", images, "--out", out, *OPTIONS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done, out


def test_what_is_left_behind(trained):
    """A run leaves checkpoint, metrics, report and five pictures, and nothing else."""
    _, out = trained
    assert {path.name for path in out.iterdir()} == FILES | PICTURES
    assert all((out / name).read_bytes().startswith(b"\x89PNG") for name in PICTURES)
    lines = (out / "metrics.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]


def test_what_is_printed(trained):
    """Whose code, threads, settings, checks, a line an epoch, report and pictures are printed, in this order."""
    done, out = trained
    wanted = [
        "12 im2col", "matrix products: 1 thread", "simple_cnn, 545098 parameters, on 80 synthetic images",
        "4 epochs, batch 8", "TFLOP", "ok    The first loss is", "epoch 1/4", "epoch 4/4",
        "synthetic test accuracy:", "most often taken for", "confusion matrix (synthetic test;", "picture: ",
    ]  # fmt: skip
    places = [done.stdout.find(text) for text in wanted]
    assert -1 not in places and places == sorted(places), done.stdout
    assert "\x1b" not in done.stdout
    assert "synthetic test accuracy:" in (out / "report.txt").read_text("utf-8")


def test_drawn_images_are_never_called_cifar(trained):
    """Nothing that is printed or written about drawn images says CIFAR-10."""
    done, out = trained
    texts = [done.stdout, *((out / name).read_text("utf-8") for name in FILES - {"checkpoint.npz"})]
    assert not [text for text in texts if "CIFAR-10" in text]


def test_reference_alone(trained):
    """--using reference trains on nothing else, and the table says so."""
    done, _ = trained
    table = done.stdout.split("layers: ")[0].splitlines()[2:]
    assert {line.split()[2] for line in table} <= {"reference", "not"} and len(table) == 7


def test_run_in_the_way(trained, images):
    """A folder that holds a run is not overwritten; --resume on a finished run shows what came out again."""
    done, out = trained
    refused(train("--data", images, "--out", out), "holds a run already. --resume goes on with it")
    again = train("--out", out, "--resume")
    assert again.returncode == 0 and "Finished already" in again.stdout
    assert (
        again.stdout.partition("synthetic test accuracy")[2].split("trained and")[0]
        == (done.stdout.partition("synthetic test accuracy")[2].split("trained and")[0])
    )


def test_other_settings_with_resume(trained):
    """--resume with a setting that differs is refused."""
    refused(train("--out", trained[1], "--resume", "--lr", "0.5"), "was trained with --lr 0.05, not 0.5")


def test_corrupt_checkpoint(trained, tmp_path):
    """A checkpoint that is cut short is refused."""
    (tmp_path / checkpoint.NAME).write_bytes((trained[1] / checkpoint.NAME).read_bytes()[:5000])
    refused(train("--out", tmp_path, "--resume"), "can't be read as a checkpoint")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--batch-size", "0"], "0 is not in the range x>=1"),
        (["--epochs", "0"], "0 is not in the range x>=1"),
        (["--lr", "0"], "0.0 is not in the range x>0"),
        (["--lr", "nan"], "nan is not a finite number"),
        (["--lr", "inf"], "inf is not a finite number"),
        (["--data", "nowhere"], "there is no such folder"),
        (["--synthetic", "--download"], "exclude each other"),
        (["--model", "vgg"], "'vgg' is not one of"),
    ],
)
def test_wrong_calls(tmp_path, arguments, said):
    """A wrong option is refused in a sentence, and no folder is made."""
    refused(train(*arguments, "--out", tmp_path / "out"), said)
    assert not (tmp_path / "out").exists()


def test_unwritable_out(images, tmp_path):
    """A folder that can't be made is refused before anything is computed."""
    (tmp_path / "file").write_text("in the way", "utf-8")
    refused(train("--data", images, "--out", tmp_path / "file"), "can't be written to")
    refused(train("--data", images, "--out", tmp_path / "file" / "deeper"), "can't be written to")


def test_sanity_alone(images, tmp_path):
    """--sanity looks at all four things, trains nothing and writes nothing."""
    done = train("--data", images, "--limit", 60, "--sanity", "--out", tmp_path / "out")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ok  ", "ODD "))]
    assert done.returncode in (0, 1) and len(lines) == 4, done.stdout + done.stderr
    assert "Four checks, about " in done.stdout.split(lines[0])[0]
    refused(train("--data", images, "--limit", 8, "--sanity"), "learns 32 images by heart, and there are 8")
    assert all(line.startswith("ok") for line in lines[:3])
    assert not (tmp_path / "out").exists()


def broken_off(images, out, number):
    """Begin a run of four epochs, send it a signal during the second, and return its status and output."""
    options = ["--using", "reference", "--data", images, "--out", out, *OPTIONS]
    process = subprocess.Popen(
        [*COMMAND, *map(str, options)], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("epoch 1/4"):
            process.send_signal(number)
    return process.wait(timeout=240), "".join(said)


def same(first, second):
    """Two runs left the same metrics and the same arrays, to the bit."""
    assert (first / "metrics.jsonl").read_bytes() == (second / "metrics.jsonl").read_bytes()
    arrays = [checkpoint.read_arrays(out) for out in (first, second)]
    assert arrays[0].keys() == arrays[1].keys()
    for name, array in arrays[0].items():
        np.testing.assert_array_equal(array, arrays[1][name], strict=True)


def test_kill(images, trained, tmp_path):
    """A run that is killed and resumed ends as one that was not."""
    status, _ = broken_off(images, tmp_path / "out", signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert train("--out", tmp_path / "out", "--resume").returncode == 0
    same(tmp_path / "out", trained[1])


def test_ctrl_c(images, trained, tmp_path):
    """Ctrl-C stops after the batch, says how to go on, and going on ends as if nothing had been."""
    status, said = broken_off(images, tmp_path / "out", signal.SIGINT)
    assert status == 1 and "Stopped after batch" in said and "--resume" in said.splitlines()[-1], said
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES - {"report.txt"}
    assert train("--out", tmp_path / "out", "--resume").returncode == 0
    same(tmp_path / "out", trained[1])


def test_learners_code(clone, images, tmp_path):
    """A finished topic trains with the learner's file, and the table names it; the others are the reference's."""
    course = clone.copy(tmp_path / "my course")
    mine = course.solve(13)
    mine.write_text(mine.read_text("utf-8") + "\n# mine\n", "utf-8")
    course.python(
        "from kata import progress, topics; t = topics.find_topic('13')\n"
        "progress.remember(t, passed=[progress.digest(t.starter)])"
    )
    options = ["--data", images, "--out", tmp_path / "out", "--limit", "8", "--epochs", "1"]
    done = course.run("train.py", *options, env={"OPENBLAS_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout.splitlines()[:9]
    whose = {line.split()[1]: line.split()[2] for line in table[2:]}
    assert whose["pooling"] == "mine" and whose["im2col"] == whose["cifar10"] == "reference"
    assert max(map(len, table)) <= 80 and "edited since" not in done.stdout


def test_edited_code_is_left_out(course):
    """A file that was complete and was edited since is not trained with, and a line says so; nobody asks, no line."""
    course.solve(21)
    course.run("check.py", 21)
    course.solve(21, {"return 2 * x": "return x + x"})
    ask = (
        "from kata.train import whose\nfrom kata.topics import REFERENCE, find_topic\n"
        "whose.origins = lambda: {find_topic('21'): REFERENCE / 'mini.py'}\n"
        "print([whose.left_out(using) for using in ('mine', 'reference')])"
    )
    said = course.python(ask).stdout
    assert "topic 21 mini is edited since, not checked: cnn takes the reference's" in said and said.endswith(", '']\n")
