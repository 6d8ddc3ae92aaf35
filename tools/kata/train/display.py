"""What is shown while a model trains: a bar an epoch on a terminal, a line an epoch everywhere."""

import contextlib
import time

from kata.cli import click
from kata.render import terminal_is_interactive


def lasting(seconds):
    """Seconds as people read them: 48 s, 3:05 min, 1:02:09 h."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}:{seconds:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d} h"


def epoch_line(training):
    """The figures of the epoch just finished, and what the others will take."""
    figures, (trained, measured) = training.history[-1], training.seconds[-1]
    of = training.settings.epochs
    held = training.data.held
    left = (of - training.epoch) * (trained + measured)
    parts = [
        f"epoch {training.epoch:>{len(str(of))}}/{of}",
        f"loss {figures['loss']:.3f}",
        f"train {100 * figures['train']:5.1f} %",
        f"{training.data.name} {held} {100 * figures[held]:5.1f} %",
        f"{len(training.data.images) / max(trained, 1e-9):.0f} images/s",
        lasting(trained + measured),
    ]
    return "  ".join(parts) + (f"  ({lasting(left)} left)" if left else "")


class Plain:
    """For files, pipes and dumb terminals: nothing but the line an epoch."""

    @contextlib.contextmanager
    def epoch(self, training):
        """Show an epoch; yields what to call after every batch."""
        yield lambda: None

    def say(self, text):
        click.echo(text)


class Bars(Plain):
    """For terminals: a bar with loss, accuracy, images/s and time left, gone when the epoch is finished."""

    @contextlib.contextmanager
    def epoch(self, training):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        title = f"epoch {training.epoch + 1}/{training.settings.epochs}"
        columns = TextColumn(title), BarColumn(bar_width=20), MofNCompleteColumn(), TextColumn("{task.fields[figures]}")
        with Progress(*columns, console=Console(), transient=True) as progress:
            bar = progress.add_task("", total=training.batches, completed=training.step, figures="")
            start, before = time.perf_counter(), training.seen

            def shown():
                rate = (training.seen - before) / (time.perf_counter() - start)
                progress.update(bar, completed=training.step, figures=_figures(training, rate))

            yield shown


def _figures(training, rate):
    left = (len(training.data.images) - training.seen) / rate
    return (
        f"loss {training.loss_sum / training.seen:.3f}  train {100 * training.right / training.seen:.1f} %  "
        f"{rate:.0f} images/s  {lasting(left)} left"
    )


def fitting():
    """Return the display that fits where the output goes."""
    return Bars() if terminal_is_interactive() else Plain()
