"""Measure: how long the tools take, how fast the convolutions are. Ratios, not verdicts."""

import os

from kata.cli import click, command
from kata.errors import KataError
from kata.topics import all_topics

WHOLE = ("loop", "grade", "watch")  # they need the whole course


@command
@click.argument("what", type=click.Choice(["loop", "conv", "train", "grade", "watch"]))
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True, help="Timed turns of each side.")
@click.option("--threads", type=click.IntRange(min=1), help="BLAS threads, torch's too; submissions at once.")
@click.option("--data", envvar="CIFAR10_DIR", metavar="DIR", help="CIFAR-10's .bin files: `conv` runs on them, too.")
@click.option("--torture", is_flag=True, help="`watch`: 200 saves at random moments instead of timed ones.")
def main(what, rounds, threads, data, torture):
    """Measure WHAT: `loop`, the daily commands; `conv`, the convolutions of `cnn`; `train`, a training step;
    `grade`, how many submissions of Topic 11 are graded in a minute of a core, for classes of 30, 100 and 300;
    `watch`, the time from a save to the verdict on the screen of watch.py.

    Run it on an otherwise idle machine; everything compared is measured in turn within one run.
    """
    if what in WHOLE and all_topics()[0].is_released:
        raise KataError(f"bench.py {what} runs the reference, which a student's repository does not have.")
    if what == "loop":
        if threads:
            raise KataError("--threads belongs to bench.py conv and bench.py train.")
        from kata.bench.loop import measure

        click.echo(measure(rounds))
        return 0
    if what == "grade":
        from kata.bench.grade import measure

        click.echo(measure(all_topics()[0], threads or os.cpu_count() or 1))
        return 0
    if what == "watch":
        return _watch(torture)
    if what == "train":
        from kata.bench.train import measure

        click.echo(measure(rounds, threads or os.cpu_count() or 1))
        return 0
    threads = str(threads or os.cpu_count() or 1)
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    from kata.bench.conv import measure  # numpy reads the number of threads when it is imported

    click.echo(measure(rounds, int(threads)))
    if data:
        from kata.bench.images import compare

        click.echo(compare(data))
    return 0


def _watch(torture):
    try:
        from kata.bench import watch
    except ImportError as error:
        raise KataError(f"bench.py watch needs a POSIX system and pyte ({error}): pip install pyte") from None
    click.echo(watch.torture() if torture else watch.measure())
    return 0


if __name__ == "__main__":
    main()
