"""For instructors: make the student's repository, with no solutions, no hidden suites and no mistakes in it."""

from pathlib import Path

from kata.cli import click, command
from kata.release.making import release
from kata.render import shown_path
from kata.topics import all_topics, find_topic


@command
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--prove", "proved", multiple=True, metavar="TOPIC", help="Prove this topic only, again for more.")
def main(out, proved):
    """Make the student's repository in the new folder OUT.

    All topics are released, with pristine starters. They are proved first (see prove.py), which takes a while;
    where a proof does not hold, nothing is released.

    Exit status: 0 released, 2 not released.
    """
    topics = [find_topic(text) for text in proved] or all_topics()
    release(out, topics, lambda text: click.echo(text, err=True))
    click.echo(f"{shown_path(out)} is a student's repository of {len(all_topics())} topics.")
    click.echo("next: put it under version control there (git init) and try it: python tools/check.py --all")
    return 0


if __name__ == "__main__":
    main()
