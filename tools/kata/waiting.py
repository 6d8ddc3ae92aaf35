"""Waiting for threads without being deaf to signals.

A signal that arrives on the way into a wait wakes nobody: Python would heed Ctrl-C, or `timeout`'s SIGTERM, only when
the wait is over. So no wait is longer than a moment.
"""

from concurrent.futures import FIRST_COMPLETED, wait

MOMENT = 0.1  # seconds


def as_completed(futures):
    """Yield futures as they are done."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, MOMENT, FIRST_COMPLETED)
        yield from done
