"""Checking several topics side by side, with progress for whoever is watching."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from kata.verdict import check, is_current
from kata.waiting import as_completed


def check_all(topics, on_news=None, stop=None, **options):
    """Return the verdicts on several topics, run side by side on the cores there are.

    A topic that is found complete becomes part of `cnn` and so of what later topics stand on; those are
    checked again, so that the verdicts do not depend on which topic was quicker.

    Parameters
    ----------
    topics : list of Topic
    on_news : function (topic, run or verdict), optional
        Called with a `Run` while a topic's tests are running and with its verdict at the end.
    stop : threading.Event, optional
        Ends all of it early when set.
    **options
        As for `verdict.check`.
    """
    stop = stop or threading.Event()

    def one(topic, **changed):
        watch = (lambda shown: on_news(topic, shown)) if on_news else None
        verdict = check(topic, on_result=watch, stop=stop, **{**options, **changed})
        if on_news:
            on_news(topic, verdict)
        return verdict

    graded = not options.get("gated", True)  # then a topic stands on the earlier ones at once, so they come first
    with ThreadPoolExecutor(1 if graded else os.cpu_count() or 1) as pool:
        try:
            futures = {pool.submit(one, topic): topic for topic in topics}
            verdicts = {futures[future]: future.result() for future in as_completed(futures)}
            if options.get("choice", "mine") == "mine":
                for topic in topics:
                    if not is_current(topic, verdicts[topic]):
                        verdicts[topic] = one(topic, fresh=False)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [verdicts[topic] for topic in topics]
