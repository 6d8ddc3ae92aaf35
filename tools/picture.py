"""Draw what your own code does: still pictures, or a page on which you move the window yourself."""

import webbrowser
from pathlib import Path

from kata.cli import click, command
from kata.render import shown_path


@command
@click.argument("topic")
@click.option("--html", is_flag=True, help="Write the topic's explorer, one page that needs no network.")
@click.option("--open", "opened", is_flag=True, help="Write the explorer and open it in your browser.")
@click.option("--solution", default="mine", metavar="mine|reference|PATH", help="Whose code to draw; default: mine.")
@click.option("--image", metavar="FILE", help="A PNG file to look at instead of the drawn image.")
@click.option("--run", metavar="DIR", help="Topic 17: a finished training, the --out folder of train.py.")
@click.option("--out", metavar="DIR", help="Where to write; default: .data/pictures.")
@click.option("--lesson", is_flag=True, help="Redraw the lesson's pictures, from the reference.")
def main(topic, html, opened, solution, image, run, out, lesson):
    """Draw a TOPIC: a number, a name or a path. Without --html, still pictures (PNG and SVG).

    An exercise of yours that isn't written yet, or can't be drawn, is replaced by the reference's; what is printed
    and drawn says whose it is.

    Exit status: 0 drawn, 1 drawn but a part of your code could not be, 2 the call is wrong.
    """
    from kata.pictures import studio

    if lesson:
        return studio.lesson(topic, html or opened or image or run or out or solution != "mine")
    drawing = studio.drawn(topic, solution, image, run)
    for problem in drawing.problems:
        click.echo(problem, err=True)
    click.echo(drawing.says)
    folder = Path(out) if out else studio.home()
    paths = [studio.write_page(drawing, folder)] if html or opened else studio.write_stills(drawing, folder)
    for path in paths:
        click.echo(shown_path(path))
    if opened and not webbrowser.open(paths[0].resolve().as_uri()):
        click.echo("No browser could be started: open the file yourself.", err=True)
    return 1 if drawing.problems else 0


if __name__ == "__main__":
    main()
