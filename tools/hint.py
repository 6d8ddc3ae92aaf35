"""A nudge for the exercise you are on: three levels, from where to look to what to do."""

from kata import hints, progress, source
from kata.cli import click, command
from kata.errors import KataError
from kata.render import shown_path, tool, width
from kata.topics import all_topics, find_topic


@command
@click.argument("topic", required=False)
@click.option("--level", type=click.IntRange(1, 4), metavar="1|2|3|4", help="Which level; 4 is the solution.")
@click.option("--exercise", metavar="NAME", help="Which exercise; by default the first that does not pass.")
@click.option("--all", "every", is_flag=True, help="Show the level for every exercise of the topic.")
@click.option("--give-up", is_flag=True, help="Show the solution of an exercise that does not pass yet.")
def main(topic, level, exercise, every, give_up):
    """Show a hint for TOPIC (a number, a name, a folder); without --level, the next one you have not seen.

    Exit status: 0 shown, 1 not shown, 2 the call is wrong.
    """
    topic = find_topic(topic) if topic else _first_unfinished()
    if every and (exercise or give_up or level == hints.SOLUTION):
        raise KataError("--all shows hints of level 1, 2 or 3 for the whole topic; leave out the other options.")
    if every:
        click.echo("\n\n".join(_shown(topic, name, level or 1) for name in source.exercises(topic.reference)))
        return 0
    trouble = hints.obstacle(topic)
    if trouble and (not exercise or give_up or level == hints.SOLUTION):
        click.echo(trouble)
        return 1
    name = hints.find_exercise(topic, exercise) if exercise else hints.current_exercise(topic, _announce)
    if name is None:
        names = ", ".join(source.exercises(topic.reference))
        said = f"every exercise of {topic} passes. --exercise NAME shows a hint all the same: {names}."
        click.echo(hints.wrapped(said, width()))
        return 0
    if give_up:
        level = hints.SOLUTION
    level = level or min(hints.seen_level(topic, name) + 1, max(hints.LEVELS))
    if level == hints.SOLUTION and not hints.passes(topic, name, _announce) and not _really(name, give_up):
        return 1
    hints.mark_seen(topic, name, level)
    click.echo(_shown(topic, name, level))
    if level != hints.SOLUTION:
        click.echo(f"\n{_further(topic, name, level, named=bool(exercise))}")
    return 0


def _first_unfinished():
    return next((topic for topic in all_topics() if not progress.is_finished(topic)), all_topics()[-1])


def _announce(text):
    click.echo(text, err=True)


def _really(name, give_up):
    """The solution of an exercise that does not pass takes --give-up and a yes."""
    if not give_up:
        click.echo(f"{name} does not pass yet. --give-up shows its solution all the same; --level 3 is a gentler step.")
        return False
    try:
        sure = click.confirm(f"Show the whole solution of {name}?")
    except click.Abort:
        sure = False
    if not sure:
        click.echo("not shown.")
    return sure


def _shown(topic, name, level):
    step = "the solution" if level == hints.SOLUTION else f"level {level} of {len(hints.LEVELS)}"
    heading = click.style(f"topic {topic.number} {name}, {step}", bold=True)
    text = hints.hint(topic, name, level)
    return f"{heading}\n\n{text if level == hints.SOLUTION else hints.wrapped(text, min(width(), 88))}"


def _further(topic, name, level, named):
    """Where the exercise is, and the command for the next level."""
    try:
        line = source.exercises(topic.starter).get(name, 1)
    except (OSError, SyntaxError, ValueError):
        line = 1
    more = f"--level {level + 1}" if level < max(hints.LEVELS) else "--give-up"
    more = f"--exercise {name} {more}" if named or level == max(hints.LEVELS) else more
    return f"{shown_path(topic.starter)}:{line}\nmore: {tool('hint.py', topic.number, more)}"


if __name__ == "__main__":
    main()
