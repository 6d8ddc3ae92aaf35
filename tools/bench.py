"""Measure: how long the tools take, how fast the convolutions are. Ratios, not verdicts."""

import os

from kata.cli import click, command
from kata.errors import KataError


@command
@click.argument("what", type=click.Choice(["loop", "conv", "train"]))
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True, help="Timed turns of each side.")
@click.option("--threads", type=click.IntRange(min=1), help="BLAS threads, torch's too; default: all cores.")
@click.option("--data", envvar="CIFAR10_DIR", metavar="DIR", help="CIFAR-10's .bin files: `conv` runs on them, too.")
def main(what, rounds, threads, data):
    """Measure WHAT: `loop`, the daily commands; `conv`, the convolutions of `cnn`; `train`, a training step.

    Run it on an otherwise idle machine; everything compared is measured in turn within one run.
    """
    if what == "loop":
        if threads:
            raise KataError("--threads belongs to bench.py conv and bench.py train.")
        from kata.bench.loop import measure

        click.echo(measure(rounds))
        return 0
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


if __name__ == "__main__":
    main()
