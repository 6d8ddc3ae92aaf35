"""Keep the verdict on the screen: every save of a topic's file runs its tests, the last failing one first."""

from kata import progress
from kata.cli import click, command
from kata.topics import all_topics, find_topic


@command
@click.argument("topic", required=False)
@click.option("--poll", is_flag=True, help="Look at the file again and again instead of waiting for events.")
def main(topic, poll):
    """Watch TOPIC (a number, a name, a folder); without one, the first topic that is not complete.

    Keys: h next hint, a check every topic, n next topic, l the board, r reset, u undo, o open in your editor, q quit.
    Without a terminal it prints each verdict and takes no keys. Exit status: 0 when you leave, 2 the call is wrong.
    """
    topic = find_topic(topic) if topic else _first_unfinished()
    from kata.watch.screen import watch

    return watch(topic, poll)


def _first_unfinished():
    return next((topic for topic in all_topics() if not progress.is_finished(topic)), all_topics()[-1])


if __name__ == "__main__":
    main()
