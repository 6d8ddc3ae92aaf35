"""One run from its first sentence to its last picture, over the loop."""

import json
from pathlib import Path

from kata.errors import KataError
from kata.progress import write_atomically
from kata.render import shown_path, tool
from kata.train import checkpoint, models, pictures, views
from kata.train import report as reports
from kata.train.display import epoch_line, lasting
from kata.train.loop import Training
from kata.train.recipes import as_record, described
from kata.train.stopping import Stop

HELD = {"test": "test images", "holdout": "images held out of the training split"}


def prepare(out):
    """Make the run's folder, and see that it can be written to."""
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        checkpoint.sweep(out)
        probe = out / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise KataError(f"--out {out}: can't be written to ({error.strerror}). Name another folder.") from None
    return out


def begin(settings, data, out, record, code, say):
    """Return the Training, fresh or as the checkpoint has it, and saved."""
    training = Training(settings, data)
    if record is None:
        _save(training, out, code)
        return training
    training.restore(record, checkpoint.read_arrays(out))
    if record["code"] != code:
        say("The code in cnn has changed since the checkpoint: the results will not be those of an unbroken run.")
    if training.finished:
        say(f"Finished already: all {settings.epochs} epochs are in {shown_path(out)}.")
    else:
        say(f"Going on in epoch {training.epoch + 1}, after batch {training.step} of {training.batches}.")
    return training


def introduce(training, say):
    """Say what is trained on what, and what it takes."""
    settings, data = training.settings, training.data
    forward, step = models.products(training.model)
    images = settings.epochs * (len(data.images) * step + len(data.held_images) * forward)
    say(
        f"{settings.model}, {models.size(training.model)} parameters, on {len(data.images)} {data.name} images, "
        f"measured on {len(data.held_images)} {HELD[data.held]}"
    )
    say(described(settings))
    work = f"{images / 1e15:.3f} PFLOP" if images >= 1e13 else f"{images / 1e12:.3g} TFLOP"
    takes = f": {lasting(images / 1e11)} at 100 GFLOP/s" if images >= 1e11 else ""
    say(f"{work} in matrix products{takes}")


def check(findings, say):
    """Say every finding; return whether all are fine."""
    fine = True
    for finding in findings:
        say(f"{'ok  ' if finding.fine else 'ODD '}  {finding.sentence}")
        fine &= finding.fine
    return fine


def train(training, out, code, display):
    """Train to the end, saving after every epoch; return False if someone stopped it before."""
    with Stop() as stop:
        while not training.finished and not stop.wanted:
            accuracy = _epoch(training, stop, display)
            if accuracy is None:
                break
            training.finish_epoch(accuracy)
            _save(training, out, code)
            display.say(epoch_line(training))
    if training.finished:
        return True
    _save(training, out, code)
    return False


def _epoch(training, stop, display):
    """Train on the rest of the epoch and measure; None if someone wants to stop."""
    with display.epoch(training) as shown:
        for _ in training.train_batches():
            shown()
            if stop.wanted:
                return None
        return training.measure(stop)


def _save(training, out, code):
    """Write the checkpoint, then what people read of it: the one truth goes first."""
    record = {"settings": as_record(training.settings), "code": code, **training.record()}
    checkpoint.save(out, record, training.arrays())
    times = [{"epoch": number, "training": t, "measuring": m} for number, (t, m) in enumerate(training.seconds, 1)]
    for name, entries in (("metrics.jsonl", training.history), ("times.jsonl", times)):
        write(out / name, "".join(json.dumps(entry) + "\n" for entry in entries))


def write(path, text):
    """Write a text file whole or not at all."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise KataError(f"{path} can't be written ({error.strerror}). Make room, then go on with --resume.") from None


def finish(training, out, say):
    """Measure the trained network, and say, write and draw what came out."""
    odds = reports.predict(training.model, training.data)
    counts = reports.confusion(training.data.held_labels, odds.argmax(axis=1))
    text = reports.report(training.data, counts)
    if training.settings.views:
        seen = 100 * views.accuracy(training.model, training.data)
        text += f"\n\n{seen:.2f} % with the mean score of six views: each image, moved a pixel either way, and mirrored"
    trained = lasting(sum(map(sum, training.seconds)))
    say(f"\n{text}\n\ntrained and measured in {trained}")
    write(out / "report.txt", f"{training.settings.model}: {described(training.settings)}\n\n{text}\n")
    for path in pictures.draw_all(out, training, odds, counts):
        say(f"picture: {shown_path(path)}")


def stopped(training, out, say):
    """Say where it stopped and how to go on."""
    path = shown_path(out)
    say(f"Stopped after batch {training.step} of {training.batches} in epoch {training.epoch + 1}; all is saved.")
    say("go on: " + tool("train.py", "--out", f'"{path}"' if " " in path else path, "--resume"))
