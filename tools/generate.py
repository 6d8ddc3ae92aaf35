"""For contributors: make every starter and every stub file anew from the reference, and record the suites."""

from kata import pristine, starters
from kata.cli import click, command
from kata.render import shown_path
from kata.topics import all_topics


@command
def main():
    """Write the starters (Module02-CNNs) and the editors' stub files (tools/cnn) from reference/, record the suites.

    A starter in which an exercise has been begun is kept beside the new one.
    """
    for topic in all_topics():
        if starters.is_pristine(topic):
            continue
        if not starters.is_untouched(topic):
            click.echo(f"kept {shown_path(starters.keep(topic))}")
        topic.starter.unlink(missing_ok=True)
        starters.write(topic)
        click.echo(f"made {shown_path(topic.starter)}")
    for path in starters.write_stubs():
        click.echo(f"made {shown_path(path)}")
    if pristine.record():
        click.echo(f"made {shown_path(pristine.FILE)}")
    return 0


if __name__ == "__main__":
    main()
