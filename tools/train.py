"""Train a network on CIFAR-10 with the code you have written, and see what it has learned."""

import math
from dataclasses import replace

from kata.cli import click, command
from kata.render import shown_path
from kata.train import machine, places, recipes

POSITIVE = click.IntRange(min=1)


class Finite(click.FloatRange):
    """A number in a range; nan and inf, which Python reads as numbers too, are none."""

    def convert(self, value, param, ctx):
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


@command
@click.option("--model", type=click.Choice(list(recipes.RECIPES)), help="What to train; default: simple_cnn.")
@click.option("--epochs", type=POSITIVE, help="Passes over the images.")
@click.option("--batch-size", type=POSITIVE, help="Images a step.")
@click.option("--lr", type=Finite(min=0, min_open=True), help="Peak of the learning rate.")
@click.option("--augment/--no-augment", default=None, help="Random flips and crops, or the images as they are.")
@click.option("--seed", type=click.IntRange(min=0), help="The same seed gives the same metrics; default: 0.")
@click.option("--data", metavar="DIR", help="The folder of the .bin files; default: CIFAR10_DIR, if set.")
@click.option("--download", is_flag=True, help="Fetch CIFAR-10 (170 MB) into .data/, unless it is there.")
@click.option("--synthetic", is_flag=True, help="Train on drawn images; the default where there are no others.")
@click.option("--using", type=click.Choice(["mine", "reference"]), help="Whose code; default: mine where complete.")
@click.option("--resume", is_flag=True, help="Go on where a run was stopped or killed.")
@click.option("--out", metavar="DIR", help="Folder of checkpoint, metrics and pictures; default: in .data/runs.")
@click.option("--limit", type=POSITIVE, help="Learn from this many training images only, for short runs.")
@click.option("--holdout", type=POSITIVE, help="Measure on this many training images taken out; no test image is used.")
@click.option("--threads", type=POSITIVE, help="Cores to use; default: all.")
@click.option("--plain", is_flag=True, default=None, help="Train the layers as they are, without fast.py.")
@click.option("--sanity", is_flag=True, help="Only look whether the network is fit to be trained: about a minute.")
def main(data, download, synthetic, resume, out, sanity, **given):
    """Train a network, and print, write and draw what came out.

    What is left out comes from the model's recipe. To choose a rate or a recipe use --holdout: the test images are
    for the last word. Ctrl-C stops after the present batch; --resume goes on to the same numbers as without the stop.

    Exit status: 0 trained, 1 stopped or a sanity check is odd, 2 the call or the data is wrong.
    """
    source = places.chosen(data, download, synthetic)
    out = places.out_folder(out, given["model"], source, resume)
    record = None if sanity else places.record(out, resume)
    if record:
        given["data"] = source if data or download or synthetic else None
        settings = recipes.resumed(record["settings"], given, shown_path(out))
    else:
        given["threads"] = given["threads"] or machine.default_threads()
        settings = recipes.settings_for({**given, "kernels": machine.default_kernels(), "data": source})
    if resume and not record:
        click.echo(f"{shown_path(out)} has no checkpoint yet: beginning anew.")
    machine.choose(settings.threads, settings.kernels, settings.plain)
    if settings.data == "download":
        settings = replace(settings, data=_downloaded())
    return _go(settings, out, record, sanity)


def _downloaded():
    """Fetch the real images unless they are there; return their folder."""
    from kata.train import download

    with download.shown() as progress:
        return str(download.fetch(places.home(), progress=progress))


def _go(settings, out, record, sanity):
    """Train in this process; only here numpy and `cnn` are imported."""
    from kata.train import whose

    whose.choose(settings.using)
    from kata.train import data, display, run
    from kata.train.sanity import all_checks, announced, short_checks

    shown = display.fitting()
    images = data.load(settings.data, settings.limit, settings.holdout)
    shown.say("\n".join(filter(None, [whose.whose_table(), whose.left_out(settings.using)])))
    shown.say(machine.described(settings.threads, settings.kernels, settings.plain))
    if sanity:
        shown.say(announced(settings, images))
        return 0 if run.check(all_checks(settings, images), shown.say) else 1
    run.prepare(out)
    code = whose.code_digest()
    training = run.begin(settings, images, out, record, code, shown.say)
    run.introduce(training, shown.say)
    if not record:
        run.check(short_checks(settings, images), shown.say)
    if not run.train(training, out, code, shown):
        run.stopped(training, out, shown.say)
        return 1
    run.finish(training, out, shown.say)
    return 0


if __name__ == "__main__":
    main()
