"""A nudge for the exercise you are on: three levels, from where to look to what to do."""

from kata import hints, progress, source
from kata.cli import click, command
from kata.errors import KataError
from kata.render import shown_path, tool, width
from kata.topics import all_topics, find_topic


@command
@click.argument("topic", required=False)
@click.option("--level", type=int, metavar="1|2|3", help="Which level.")
@click.option("--exercise", metavar="NAME", help="Which exercise; by default the first that does not pass.")
@click.option("--all", "every", is_flag=True, help="Show the level for every exercise of the topic.")
@click.option("--give-up", is_flag=True, help="Show the solution; of an exercise that does not pass yet it asks first.")
def main(topic, level, exercise, every, give_up):
    """Show a hint for TOPIC (a number, a name, a folder); without --level, the next one you have not seen.

    Exit status: 0 shown, 1 not shown, 2 the call is wrong.
    """
    topic = find_topic(topic) if topic else _first_unfinished()
    if level is not None and level not in hints.LEVELS:
        solution = "" if topic.is_released else " --give-up shows the solution."
        raise KataError(f"--level {level}: the levels are 1, 2 and 3.{solution}")
    if every and (exercise or give_up):
        raise KataError("--all shows hints of level 1, 2 or 3 for the whole topic; leave out the other options.")
    if level and give_up:
        raise KataError("--level shows a hint and --give-up the solution; leave out one of them.")
    if every:
        click.echo("\n\n".join(_shown(topic, name, level or 1) for name in source.exercises(topic.outline)))
        return 0
    trouble = hints.obstacle(topic)
    if trouble and (not exercise or give_up):
        click.echo(trouble)
        return 1
    name = hints.find_exercise(topic, exercise) if exercise else hints.current_exercise(topic, _announce)
    if name is None:
        names = ", ".join(source.exercises(topic.outline))
        said = f"every exercise of {topic} passes. --exercise NAME shows a hint all the same: {names}."
        click.echo(hints.wrapped(said, width()))
        return 0
    if give_up:
        return _give_up(topic, name)
    level = level or min(hints.seen_level(topic, name) + 1, max(hints.LEVELS))
    hints.mark_seen(topic, name, level)
    click.echo(f"{_shown(topic, name, level)}\n\n{_further(topic, name, level, named=bool(exercise))}")
    return 0


def _give_up(topic, name):
    """Show the solution; of an exercise that does not pass only after a yes."""
    solution = hints.solution(topic, name)
    if not hints.passes(topic, name, _announce) and not _really(name):
        click.echo("not shown.")
        return 1
    hints.mark_seen(topic, name, hints.SOLUTION)
    click.echo(f"{_heading(topic, name, 'the solution')}\n\n{solution}")
    return 0


def _first_unfinished():
    return next((topic for topic in all_topics() if not progress.is_finished(topic)), all_topics()[-1])


def _announce(text):
    click.echo(text, err=True)


def _really(name):
    try:
        return click.confirm(f"{name} does not pass yet. Show the whole solution?")
    except click.Abort:
        return False


def _shown(topic, name, level):
    heading = _heading(topic, name, f"level {level} of {len(hints.LEVELS)}")
    return f"{heading}\n\n{hints.wrapped(hints.hint(topic, name, level), min(width(), 88))}"


def _heading(topic, name, step):
    return click.style(f"topic {topic.number} {name}, {step}", bold=True)


def _further(topic, name, level, named):
    """Where the exercise is, and the command for the next level."""
    try:
        line = source.exercises(topic.starter).get(name, 1)
    except (OSError, SyntaxError, ValueError):
        line = 1
    more = f"--level {level + 1}" if level < max(hints.LEVELS) else "--give-up"
    more = f"--exercise {name} {more}" if named or level == max(hints.LEVELS) else more
    place = f"{shown_path(topic.starter)}:{line}"
    if topic.is_released and level == max(hints.LEVELS):
        return place
    return f"{place}\nmore: {tool('hint.py', topic.number, more)}"


if __name__ == "__main__":
    main()
