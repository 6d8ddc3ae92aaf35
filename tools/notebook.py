"""Take a topic in Jupyter: its lesson, a cell for each exercise, a check under each."""

from kata.cli import click, command
from kata.errors import KataError
from kata.notebook import remote
from kata.notebook.cells import path_of
from kata.render import shown_path, tool
from kata.topics import all_topics, find_topic

SIDES = ("starter", "notebook")


@command
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--all", "every", is_flag=True, help="All topics.")
@click.option("--sync", "carry", is_flag=True, help="Carry edits between notebook and starter, both ways.")
@click.option("--take", type=click.Choice(SIDES), help="With --sync: whose version is right.")
@click.option("--fresh", is_flag=True, help="Write the notebook anew; the one that is there is kept beside it.")
@click.option("--links", is_flag=True, help="Print Markdown links that open the course on Colab, Binder, Codespaces.")
def main(topics, every, carry, take, fresh, links):
    """Write the notebook of TOPIC (a number, a name, a folder) beside its starter.

    Exit status: 0 done, 1 left alone or both sides changed, 2 the call is wrong.
    """
    if bool(topics) == every and not links:
        raise KataError("name a topic, or give --all.")
    if take and not carry:
        raise KataError("--take says what --sync takes; give both.")
    if fresh and carry:
        raise KataError("--fresh begins anew and --sync goes on; give one of them.")
    chosen = [find_topic(text) for text in topics] or list(all_topics())
    if links:
        return _links(chosen)
    return max([_synced(topic, take) if carry else _made(topic, fresh) for topic in dict.fromkeys(chosen)])


def _made(topic, fresh):
    from kata.notebook.sync import create  # needs the extra "notebook"; without it, `command` says so

    path = path_of(topic)
    if path.exists() and not fresh:
        click.echo(f"{shown_path(path)} is there already.")
        click.echo(f"carry edits both ways: {tool('notebook.py', topic.number, '--sync')}")
        click.echo(f"begin it anew:         {tool('notebook.py', topic.number, '--fresh')}")
        return 1
    kept = create(topic)
    click.echo(
        f"made {shown_path(path)}." + (f" The one that was there is kept in {shown_path(kept)}." if kept else "")
    )
    return 0


def _synced(topic, take):
    from kata.notebook.sync import BOTH, CONFLICT, FROM_STARTER, sync

    outcome = sync(topic, take)
    click.echo(_sentence(topic, outcome))
    if outcome.kind in (CONFLICT, BOTH):
        click.echo(outcome.difference)
    if outcome.kind == CONFLICT:
        _say_choice(topic, outcome)
        return 1
    for path in outcome.kept:
        click.echo(f"what was there is kept in {shown_path(path)}.")
    if outcome.kind in (FROM_STARTER, BOTH):
        click.echo("open in Jupyter? Reload it there before you go on (File, Reload Notebook from Disk).")
    return 0


def _sentence(topic, outcome):
    starter, notebook = shown_path(topic.starter), shown_path(path_of(topic))
    return {
        "new": f"made {notebook}.",
        "same": f"{notebook} and {topic.starter.name} agree.",
        "starter": f"{notebook} has what changed in {topic.starter.name}.",
        "notebook": f"{starter} has what changed in {path_of(topic).name}.",
        "both": f"both had changed, in different places; {starter} and {path_of(topic).name} now have both. "
        "The notebook differed by:",
        "conflict": f"both changed, in the same place; neither was touched. From {topic.starter.name} to the notebook:",
    }[outcome.kind]


def _say_choice(topic, outcome):
    click.echo(f"the notebook's version is in {shown_path(outcome.kept[0])} for comparison.")
    click.echo("make both alike and sync again, or choose; what is replaced is kept beside:")
    for side in SIDES:
        click.echo(f"  {tool('notebook.py', topic.number, '--sync', '--take', side)}")


def _links(topics):
    lines = remote.links(topics)
    if not lines:
        click.echo("no links: they are made for a repository on GitHub, once what they open is pushed there.", err=True)
        return 1
    click.echo("\n".join(lines))
    return 0


if __name__ == "__main__":
    main()
