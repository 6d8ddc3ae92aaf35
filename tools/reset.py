"""Begin a topic again: put the pristine starter in place of your file, which is kept beside it."""

from kata import starters
from kata.cli import click, command
from kata.render import shown_path, tool
from kata.topics import find_topic


@command
@click.argument("topic")
@click.option("--yes", is_flag=True, help="Do not ask before edits are replaced.")
@click.option("--undo", is_flag=True, help="Bring back the file that the last reset replaced.")
def main(topic, yes, undo):
    """Put TOPIC's starter back (a number, a name, a folder).

    Exit status: 0 done, 1 left alone, 2 the call is wrong.
    """
    topic = find_topic(topic)
    name = shown_path(topic.starter)
    if undo:
        restored, kept = starters.undo(topic)
        click.echo(f"{name} is again what it was in {restored.name}." + (_kept(kept) if kept else ""))
        return 0
    if starters.is_pristine(topic):
        click.echo(f"{name} is the starter already.")
        return 0
    if topic.starter.exists() and not yes and not _agreed(name):
        click.echo("left alone.")
        return 1
    backup = starters.write(topic)
    click.echo(f"{name} is the starter again." + (_kept(backup) if backup else ""))
    if backup:
        click.echo(f"undo: {tool('reset.py', topic.number, '--undo')}")
    return 0


def _kept(path):
    return f" What was there is kept in {shown_path(path)}."


def _agreed(name):
    try:
        return click.confirm(f"{name} has edits. Replace it by the starter (a copy is kept)?")
    except click.Abort:
        click.echo("\nnobody answered; --yes replaces it without asking.")
        return False


if __name__ == "__main__":
    main()
