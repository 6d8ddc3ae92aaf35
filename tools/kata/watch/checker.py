"""Keeping the verdict up with the file: whatever the file holds last is what gets checked, once."""

import threading
import time
from functools import partial

from kata import verdict
from kata.board import check_all
from kata.errors import KataError
from kata.topics import all_topics
from kata.watch import focus
from kata.watch.files import EMPTY, fingerprint

SETTLE = 0.1  # seconds an empty or missing file is given: some editors empty or remove it before they write


class Checker:
    """A thread that checks the topic's file whenever its content is another than the one checked last.

    It tells what happens by `tell(what, data)`: "running" with None, "news" with a `Run`, "verdict" with a
    verdict, "topic" with one of many, "board" with all of them, "trouble" with a sentence. A new content ends
    a run in progress at once.
    """

    def __init__(self, topic, workers, tell):
        self.topic, self.workers, self.tell = topic, workers, tell
        self.first = ""  # the id of the test to begin with
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._checked, self._running = (), ()  # contents; () is none at all
        self._wish = None  # "fresh" or "all"
        self._closed = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def look(self):
        """Notice that the file may have changed."""
        with self._changed:
            if self._running not in ((), fingerprint(self.topic.starter)):
                self._stop.set()
            self._changed.notify()

    def ask(self, wish):
        """Run the topic's tests anew ("fresh"), or check every topic ("all")."""
        with self._changed:
            self._wish = wish
            self._stop.set()
            self._changed.notify()

    def follow(self, topic):
        """Go over to another topic."""
        with self._changed:
            self.topic, self.first, self._checked = topic, "", ()
            self._stop.set()
            self._changed.notify()

    def close(self):
        """End the run in progress and the thread."""
        with self._changed:
            self._closed = True
            self._stop.set()
            self._changed.notify()
        self._thread.join()

    def _work(self):
        while errand := self._wait():
            topic, wish = errand
            content = _settled(topic.starter)
            with self._changed:
                self._running = content
                if fingerprint(topic.starter) != content:
                    self._wish = self._wish or wish
                    continue
            try:
                told = self._check_all() if wish == "all" else self._check(topic, content, fresh=wish == "fresh")
            except Exception as error:  # it is shown, and the next save is another chance
                told = True
                self.tell("trouble", str(error) if isinstance(error, KataError) else f"{type(error).__name__}: {error}")
            self._checked = content if told and not self._stop.is_set() else ()

    def _wait(self):
        """Wait until there is something to check: (topic, wish), or None when it is time to leave."""
        with self._changed:
            self._running = ()
            while not (self._closed or self._wish or fingerprint(self.topic.starter) != self._checked):
                self._changed.wait()
            self._stop.clear()
            wish, self._wish = self._wish, None
            return None if self._closed else (self.topic, wish)

    def _check(self, topic, content, fresh):
        """Check and tell the verdict; False where the file is no longer what was checked."""
        self.tell("running", None)
        start = partial(self.workers.start, topic)
        found = verdict.check(topic, fresh=fresh, on_result=self._news, stop=self._stop, first=self.first, start=start)
        if self._stop.is_set() or fingerprint(topic.starter) != content:
            return False
        self.first = focus.begin_with(found, self.first)
        self.tell("verdict", found)
        return True

    def _news(self, shown):
        failing = focus.failing(shown, self.first)
        if failing:
            self.first = focus.id_of(failing)
        self.tell("news", shown)

    def _check_all(self):
        def news(topic, found):
            if isinstance(found, dict):
                self.tell("topic", found)

        self.tell("everything", None)
        verdicts = check_all(list(all_topics()), on_news=news, stop=self._stop)
        if self._stop.is_set():
            return False
        self.tell("board", verdicts)
        return True


def _settled(path):
    """Return the file's content once it is there and not empty, or as it is after a moment's patience."""
    until = time.monotonic() + SETTLE
    while fingerprint(path) in (None, EMPTY) and time.monotonic() < until:
        time.sleep(0.01)
    return fingerprint(path)
