"""One learner at one topic: saves, results and keys come in, the view changes. No terminal is known here."""

import time

from rich.text import Text

from kata import hints, progress, starters
from kata.errors import KataError
from kata.runner import Run
from kata.topics import all_topics
from kata.verdict import recalled_statuses
from kata.watch import editor
from kata.watch.checker import Checker
from kata.watch.files import Watcher
from kata.watch.keys import CTRL_C, ESCAPE
from kata.watch.view import View, folded, place
from kata.watch.warm import Workers

WIDTH = 78


class Session:
    """Watches a topic's file and keeps `view` up to date; `tell(what, data)` brings news to whoever calls `take`.

    `edit` is called with the editor's command and has the screen to spare while it runs.
    """

    def __init__(self, topic, tell, poll=False, edit=editor.run):
        self.view = View(topic, polls=poll)
        self.over = False
        self._poll, self._edit, self._answer = poll, edit, None
        self._workers = Workers()
        self._checker = Checker(topic, self._workers, tell)
        self._watcher = Watcher(topic.starter, self._checker.look, poll)

    def close(self):
        """End all that was started."""
        self._watcher.close()
        self._checker.close()
        self._workers.close()

    # --- what happens ---------------------------------------------------------------------------

    def take(self, what, data):
        """Take in one piece of news from the checker."""
        view = self.view
        if what == "running":
            view.run, view.since, view.first = Run(), time.monotonic(), self._checker.first
            view.panel, view.note, self._answer = None, "", None
        elif what == "news":
            view.run, view.since = data, time.monotonic()
        elif what == "verdict":
            self._decide(data)
        elif what == "everything":
            view.panel, view.note = board(view.topic), "checking every topic ..."
        elif what == "topic":
            view.panel = board(view.topic)
        elif what == "board":
            self._decide(next(verdict for verdict in data if verdict["topic"] == view.topic.number))
            view.panel, view.note = board(view.topic), "every topic is checked."
        elif what == "trouble":
            view.run, view.panel = None, ("The check could not run.", folded(data, WIDTH))

    def _decide(self, verdict):
        view = self.view
        news = _newly_passing(view.verdict, verdict)
        view.verdict, view.run, view.first = verdict, None, self._checker.first
        view.note = f"{', '.join(news)}: pass{'es' if len(news) == 1 else ''} now." if news else ""
        if verdict["remembered"] is False:
            view.note = "this verdict can't be remembered: .kata/ can't be written."

    def tick(self):
        """Look at what changes without an event."""
        self.view.polls = self._watcher.polls

    # --- keys -----------------------------------------------------------------------------------

    def press(self, key):
        """Do what the key stands for."""
        self.view.note = ""
        try:
            self._answered(key) if self._answer else self._do(key)
        except KataError as error:
            self.view.panel, self.view.note = None, str(error)

    def _answered(self, key):
        answer, self._answer, self.view.panel = self._answer, None, None
        self.view.note = answer() if key in "yY" else "left alone."

    def _do(self, key):
        does = {"h": self._hint, "a": self._everything, "n": self._next, "l": self._board}
        does |= {"r": self._reset, "u": self._undo, "o": self._open}
        if key in ("q", CTRL_C):
            self.over = True
        elif key in does:
            does[key]()
        elif key in ("\r", "\n", " ", ESCAPE):
            self.view.panel = None

    def _hint(self):
        view = self.view
        trouble = hints.obstacle(view.topic)
        if trouble:
            raise KataError(trouble)
        name = view.exercise()
        if name is None:
            raise KataError("every exercise passes." if view.verdict else "the first check is still running.")
        level = min(hints.seen_level(view.topic, name) + 1, max(hints.LEVELS))
        hints.mark_seen(view.topic, name, level)
        text = hints.wrapped(hints.hint(view.topic, name, level), WIDTH)
        view.panel = f"Hint for {name}, level {level} of {max(hints.LEVELS)}", text.splitlines()
        last = f"that was the last one; python tools/hint.py {view.topic.number} --give-up shows the solution."
        view.note = last if level == max(hints.LEVELS) else "h again: the next level.  space: back."

    def _everything(self):
        self._checker.ask("all")

    def _next(self):
        here = self.view.topic.number
        open_ones = [topic for topic in all_topics() if topic.number != here and not progress.is_finished(topic)]
        if not open_ones:
            raise KataError("every other topic is complete.")
        later = [topic for topic in open_ones if topic.number > here]
        topic = (later or open_ones)[0]
        self._watcher.close()
        self.view = View(topic, polls=self._poll, plain=self.view.plain)
        self._checker.follow(topic)
        self._watcher = Watcher(topic.starter, self._checker.look, self._poll)

    def _board(self):
        self.view.panel, self.view.note = board(self.view.topic), "a: check every topic.  space: back."

    def _reset(self):
        topic = self.view.topic
        if starters.is_pristine(topic):
            raise KataError(f"{topic.starter.name} is the starter already.")
        said = "What you wrote is kept beside it; u brings it back. y: yes, any other key: no."
        self.view.panel = f"Put the starter in place of {topic.starter.name}?", folded(said, WIDTH)
        self._answer = self._put_starter

    def _put_starter(self):
        backup = starters.write(self.view.topic)
        return f"the starter again; what was there is in {backup.name}." if backup else "the starter again."

    def _undo(self):
        restored, kept = starters.undo(self.view.topic)
        self.view.note = f"again what it was in {restored.name}." + (f" Kept: {kept.name}." if kept else "")

    def _open(self):
        path, line = place(self.view)
        self.view.panel = None
        self._edit(editor.command(path, line))


def _newly_passing(before, now):
    """The exercises that pass now and did not in the verdict before; none where there was no verdict."""
    if not before:
        return []
    passed = {exercise["name"] for exercise in before["exercises"] if exercise["status"] == "pass"}
    return [e["name"] for e in now["exercises"] if e["status"] == "pass" and e["name"] not in passed]


def board(current):
    """Return the panel of all topics as they are remembered."""
    lines = []
    column = max(len(topic.stem) for topic in all_topics())
    for topic in all_topics():
        mark = ">" if topic == current else " "
        state, style = _standing(topic)
        lines.append(Text(f"{mark} topic {topic.number}  {topic.stem:<{column}}  ") + Text(state, style))
    return "The board, as of each topic's last check", lines


def _standing(topic):
    if progress.is_finished(topic):
        return "complete", "green"
    if not topic.starter.exists():
        return "its file is missing", "red"
    statuses = recalled_statuses(topic)
    if statuses is not None:
        return f"{list(statuses.values()).count('pass')} of {len(statuses)} exercises pass", ""
    return ("not begun", "dim") if starters.is_untouched(topic) else ("changed since its last check", "yellow")
