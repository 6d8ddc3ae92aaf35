"""The progress display of `check.py` on a terminal: one bar a topic while its tests run, gone afterwards."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from kata.board import check_all


def watched(topics, options):
    """Return `check_all`'s verdicts, showing how far each topic is."""
    columns = TextColumn("topic {task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("tests")
    with Progress(*columns, console=Console(stderr=False), transient=True) as progress:
        bars = {topic: progress.add_task(f"{topic.number} {topic.stem:<14}", total=None) for topic in topics}

        def news(topic, shown):
            if isinstance(shown, dict):
                progress.update(bars[topic], visible=False)
            else:
                progress.update(bars[topic], total=len(shown.tests) or None, completed=len(shown.results))

        return check_all(topics, on_news=news, **options)
