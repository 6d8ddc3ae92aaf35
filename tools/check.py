"""Say truthfully what is done: run a topic's two suites on your file and print the verdict."""

import json
from pathlib import Path

from kata.board import check_all
from kata.cli import click, command
from kata.errors import KataError
from kata.progress import is_finished
from kata.render import board, next_step, note_unremembered, shown_path, terminal_is_interactive, verdict_text
from kata.runner import TEST_SECONDS
from kata.topics import all_topics, find_topic, solution_path


@command
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--all", "every", is_flag=True, help="Check every topic and print the board.")
@click.option("--solution", "choice", default="mine", metavar="mine|reference|PATH", help="What to check.")
@click.option("--fresh", is_flag=True, help="Run the tests even if nothing changed since the last verdict.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.option(
    "--time-limit",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=TEST_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long one test may take.",
)
def main(topics, every, choice, fresh, form, seconds):
    """Check TOPICs (a number, a name, a folder); without one, the first topic that is not complete.

    Exit status: 0 complete, 1 not complete, 2 the call is wrong.
    """
    chosen = _choose(topics, every, choice)
    options = {"choice": choice, "fresh": fresh, "seconds": seconds}
    if chosen is None:
        verdicts = _until_incomplete(options, form)
    else:
        for topic in chosen:
            solution_path(topic, choice)  # a wrong --solution is refused before anything runs
        verdicts = _watched(chosen, options, form)
    if form == "json":
        click.echo(json.dumps({"format": 1, "verdicts": verdicts}, indent=1))
    else:
        click.echo("\n".join(filter(None, _text(verdicts, every, choice))))
    if any(verdict.get("setup") for verdict in verdicts):
        return 2
    return 0 if all(verdict["complete"] for verdict in verdicts) else 1


def _choose(topics, every, choice):
    """Return the topics asked for, or None for the first one not complete."""
    if every and topics:
        raise KataError("give topics or --all, not both.")
    if every:
        return list(all_topics())
    if topics:
        return sorted({find_topic(text) for text in topics}, key=lambda topic: topic.number)
    if choice not in ("mine", "reference"):
        return [_topic_of_file(choice)]
    return None


def _topic_of_file(choice):
    stem = Path(choice).stem
    try:
        return find_topic(stem)
    except KataError:
        raise KataError(f"which topic is {choice}? Name it: check.py TOPIC --solution {choice}") from None


def _until_incomplete(options, form):
    """Check topic after topic up to the first that is not complete."""
    for topic in all_topics():
        verdicts = _watched([topic], options, form)
        if not verdicts[0]["complete"]:
            break
    return verdicts


def _watched(topics, options, form):
    """Check with a progress display on a terminal."""
    if form == "text" and terminal_is_interactive():
        from kata.live import watched

        return watched(topics, options)
    return check_all(topics, **options)


def _text(verdicts, every, choice):
    if every:
        yield board(verdicts)
        failing = [verdict for verdict in verdicts if _has_failure(verdict)]
        yield from (f"\n{verdict_text(verdict)}" for verdict in failing)
    else:
        yield "\n\n".join(verdict_text(verdict) for verdict in verdicts)
    yield next_step(verdicts) or (_onward(verdicts) if choice == "mine" else "")
    yield note_unremembered(verdicts)


def _has_failure(verdict):
    return not verdict["problem"] and any(exercise["status"] == "fail" for exercise in verdict["exercises"])


def _onward(verdicts):
    """Name the topic to go on with: the next unfinished one behind those just checked, else the first there is."""
    unfinished = [topic for topic in all_topics() if not is_finished(topic)]
    if not unfinished:
        return "all topics are complete."
    following = [topic for topic in unfinished if topic.number > verdicts[-1]["topic"]] or unfinished
    return f"next: {following[0]}, {shown_path(following[0].folder)}"


if __name__ == "__main__":
    main()
