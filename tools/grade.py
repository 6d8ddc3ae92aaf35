"""For instructors: grade a class, a submission at a time, side by side or on a Dask cluster."""

import os
from pathlib import Path

from kata.cli import click, command
from kata.errors import KataError
from kata.grading import places
from kata.grading.session import Session
from kata.grading.submissions import collect
from kata.render import shown_path
from kata.runner import TEST_SECONDS
from kata.topics import all_topics, find_topic


@command
@click.argument("submissions", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Where results and reports go.")
@click.option(
    "--topic", "topics", multiple=True, metavar="TOPIC", help="Grade this topic, again for more; all if left out."
)
@click.option("--partial", is_flag=True, help="An exercise gives the share of its tests that pass.")
@click.option("--jobs", type=click.IntRange(min=1), help="How many at once on this machine; default: its cores.")
@click.option("--scheduler", metavar="ADDRESS", help="Grade on the Dask cluster of this scheduler instead.")
@click.option(
    "--time-limit",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=TEST_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long one test may take.",
)
def main(submissions, out, topics, partial, jobs, scheduler, seconds):
    """Grade SUBMISSIONS: folders, single files, zip or tar archives, each the work of one learner.

    Only the topics' starter files are taken from them, by name. Run the same command again to go on after an
    interruption. OUT gets grades.csv, mistakes.csv, report.md and a page a learner.

    Exit status: 0 all are graded, 1 some could not be, 2 the call is wrong.
    """
    if scheduler == "":
        raise KataError("--scheduler has no address. Give one, as tcp://HOST:8786, or leave it out.")
    if jobs and scheduler:
        raise KataError("--jobs is for this machine; a cluster's scheduler knows its workers. Leave one out.")
    topics = sorted({find_topic(text) for text in topics} or all_topics(), key=lambda topic: topic.number)
    handed_in = [path for path in submissions if Path(path).resolve() != Path(out).resolve()]
    if len(handed_in) < len(submissions):
        click.echo(f"{shown_path(out)} is where the reports go and is not graded.", err=True)
    session = Session(collect(handed_in or submissions, topics), topics, out, seconds)
    waiting = session.waiting()
    if scheduler:
        results = places.on_cluster(waiting, session.course, scheduler)
    else:
        results = places.on_this_machine(waiting, session.course, jobs or os.cpu_count() or 1)
    if waiting:
        _follow(session, results, len(waiting))
    graded = session.finish(partial)
    click.echo("\n".join(_summary(graded, topics, Path(out))))
    return 1 if any(one.problem for one in graded) else 0


def _follow(session, results, count):
    """Take in the results as they come, with a bar on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=count)
        for key, result in results:
            session.take(key, result)
            progress.advance(bar)


def _summary(graded, topics, out):
    """How many are complete, topic by topic; who could not be graded; where the rest is."""
    yield f"{len(graded)} submissions"
    for topic in topics:
        handed = sum(topic in one.submission.files for one in graded)
        if handed:
            complete = sum(one.verdicts.get(topic, {}).get("complete", False) for one in graded)
            yield f"  topic {topic.number} {topic.stem:<14} {complete} of {handed} complete"
    for one in graded:
        if one.problem:
            yield click.style(f"  {one.name}: {one.problem}", fg="red")
    yield f"points: {shown_path(out / 'grades.csv')}\nreport: {shown_path(out / 'report.md')}"


if __name__ == "__main__":
    main()
