"""Say truthfully what is done: run a topic's two suites on your file and print the verdict."""

import contextlib
from pathlib import Path

from kata import formats
from kata.board import check_all
from kata.cli import click, command
from kata.errors import KataError
from kata.formats import points
from kata.progress import is_finished, was_finished
from kata.render import (
    board,
    next_step,
    note_edited,
    note_unremembered,
    shown_path,
    terminal_is_interactive,
    tool,
    verdict_text,
)
from kata.runner import TEST_SECONDS
from kata.topics import all_topics, find_topic, solution_path
from kata.verdict import standing


@command
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--all", "every", is_flag=True, help="Check every topic and print the board.")
@click.option("--status", is_flag=True, help="Print what is known of every topic; run nothing.")
@click.option("--solution", "choice", default="mine", metavar="mine|reference|PATH", help="What to check.")
@click.option("--fresh", is_flag=True, help="Run the tests even if nothing changed since the last verdict.")
@click.option("--format", "form", type=click.Choice(["text", *formats.FORMS]), default="text", help="How to print it.")
@click.option("--partial", is_flag=True, help="Count points: an exercise's is shared among its tests.")
@click.option(
    "--time-limit",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=TEST_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long one test may take.",
)
def main(topics, every, status, choice, fresh, form, partial, seconds):
    """Check TOPICs (a number, a name, a folder); without one, the first topic that is not complete.

    Exit status: 0 complete, 1 not complete, 2 the call is wrong.
    """
    if status:
        return _status(topics, every, choice, form)
    options = {"choice": choice, "fresh": fresh, "seconds": seconds}
    if partial or form in formats.GRADED:
        options["gated"] = False  # every exercise earns its hidden points, whatever the others do
    with _answer_in_any_case(form, topics):
        return _check(topics, every, options, form, partial)


def _status(topics, every, choice, form):
    """Print the board from memory; a file that was edited since counts for nothing."""
    if topics or every or choice != "mine" or form != "text":
        raise KataError("--status is of all topics of yours and takes no other choice.")
    known = []
    for topic in all_topics():
        words, verdict = standing(topic)
        known.append(verdict or {"topic": topic.number, "stem": topic.stem, "standing": words, "complete": False})
    click.echo(board(known))
    return 0 if all(verdict["complete"] for verdict in known) else 1


def _check(topics, every, options, form, partial):
    choice = options["choice"]
    chosen = _choose(topics, every, choice)
    if chosen is None:
        verdicts = _until_incomplete(options, form)
    else:
        for topic in chosen:
            solution_path(topic, choice)  # a wrong --solution is refused before anything runs
        verdicts = _watched(chosen, options, form)
    if form != "text":
        click.echo(formats.text(form, verdicts, partial))
    else:
        click.echo("\n".join(filter(None, _text(verdicts, every, choice))))
        if partial:
            click.echo("points: {:g} of {}".format(*points.of_all(verdicts, partial)))
    if any(verdict.get("setup") for verdict in verdicts):
        return 2
    return 0 if all(verdict["complete"] or verdict["awaits_hidden"] for verdict in verdicts) else 1


@contextlib.contextmanager
def _answer_in_any_case(form, topics):
    """A graded form is printed even where there is no verdict: the call is wrong, time is up, the harness fails."""
    if form not in formats.GRADED:
        yield
        return
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(KataError):
            topics = [find_topic(text) for text in topics] or all_topics()
        said = "the check was ended before it was done; is a time limit too short?"
        message = said if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__
        click.echo(formats.failure(form, message, [topic for topic in topics if not isinstance(topic, str)]))
        raise


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
        if not (verdicts[0]["complete"] or verdicts[0]["awaits_hidden"]):
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
    if any(verdict.get("setup") for verdict in verdicts):
        yield f"is it the set-up? {tool('doctor.py')} looks at all of it."
    yield next_step(verdicts) or (_onward(verdicts) if choice == "mine" else "")
    checked = {verdict["topic"] for verdict in verdicts}
    if choice == "mine":
        yield note_edited([t for t in all_topics() if t.number not in checked and was_finished(t)])
    yield note_unremembered(verdicts)


def _has_failure(verdict):
    return not verdict["problem"] and any(exercise["status"] == "fail" for exercise in verdict["exercises"])


def _onward(verdicts):
    """Name the topic to go on with: the next unfinished one behind those just checked, else the first there is."""
    unfinished = [topic for topic in all_topics() if not is_finished(topic)]
    if not unfinished:
        released = verdicts[-1]["awaits_hidden"]
        return "the visible suites of all topics pass." if released else "all topics are complete."
    following = [topic for topic in unfinished if topic.number > verdicts[-1]["topic"]] or unfinished
    return f"next: {following[0]}, {shown_path(following[0].folder)}"


if __name__ == "__main__":
    main()
