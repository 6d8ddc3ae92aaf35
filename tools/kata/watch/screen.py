"""The two faces of the watcher: one screen on a terminal, lines elsewhere."""

import contextlib
import os
import queue
import signal
import sys

from rich.console import Console, Group
from rich.live import Live

from kata.cli import click
from kata.render import headline, next_step, note_unremembered, shown_path, terminal_is_interactive, verdict_text
from kata.watch import editor
from kata.watch.keys import Keyboard
from kata.watch.session import Session
from kata.watch.view import frame

TICK = 0.5  # seconds after which things are looked at without any event


def watch(topic, poll):
    """Watch a topic until the learner leaves; return the exit status."""
    face = Screen if terminal_is_interactive() and sys.stdin.isatty() else Lines
    return face(topic, poll).run()


class Face:
    """The loop that both share: one event at a time, in the main thread."""

    def __init__(self, topic, poll):
        self.events = queue.SimpleQueue()
        self.status = None
        self.session = Session(topic, lambda *news: self.events.put(news), poll, self.edit)

    def edit(self, command):
        editor.run(command)

    def run(self):
        """Follow events until it is over; return the exit status."""
        with self.signals():
            try:
                self.open()
                while self.status is None:
                    self.follow()
            finally:
                self.close()
                self.session.close()
        self.last_words()
        return self.status

    def follow(self):
        """Take in what has happened, then show it once."""
        with contextlib.suppress(queue.Empty):
            self.handle(*self.events.get(timeout=TICK))
            while True:
                self.handle(*self.events.get_nowait())
        self.session.tick()
        self.show()
        if self.session.over:
            self.status = 0

    def handle(self, what, data):
        if what == "quit":
            self.status = data
        elif what == "key":
            self.session.press(data)
        elif what == "pause":
            self.pause()
        elif what != "resize":
            self.session.take(what, data)

    @contextlib.contextmanager
    def signals(self):
        """Ctrl-C and requests to end are events like any other."""
        news = {"SIGINT": ("quit", 0), "SIGTERM": ("quit", 143), "SIGHUP": ("quit", 129), "SIGTSTP": ("pause", None)}
        news["SIGWINCH"] = ("resize", None)
        before = {}
        for name, event in news.items():
            if hasattr(signal, name):
                number = getattr(signal, name)
                before[number] = signal.signal(number, lambda *_, event=event: self.events.put(event))
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def open(self):
        """Begin to show."""

    def close(self):
        """Leave the terminal as it was."""

    def show(self):
        """Show what is new."""

    def pause(self):
        """Stop as Ctrl-Z asks, until the shell lets it go on."""
        self.close()
        os.kill(os.getpid(), signal.SIGSTOP)
        self.open()

    def last_words(self):
        """What remains when it is over."""


class Screen(Face):
    """The whole terminal, drawn anew in place when something changed."""

    def open(self):
        self.console = Console()
        self.console.size = _size()
        self.session.view.plain = not self.console.encoding.lower().startswith("utf")
        self.shown = None
        self.live = Live(console=self.console, screen=True, auto_refresh=False)
        self.live.start()
        self.keyboard = Keyboard(lambda key: self.events.put(("key", key)))

    def close(self):
        with contextlib.suppress(OSError):  # a terminal that is gone needs nothing
            self.keyboard.close()
            self.live.stop()

    def show(self):
        width, height = self.console.size = _size()
        lines = frame(self.session.view, width, height)
        now = width, height, [line.markup for line in lines]
        if now != self.shown:
            self.shown = now
            self.live.update(Group(*lines), refresh=True)

    def edit(self, command):
        if editor.has_own_window(command):
            editor.run(command)
            return
        self.close()
        before = signal.signal(signal.SIGINT, lambda *_: None)  # it is the editor's now
        try:
            editor.run(command)
        finally:
            signal.signal(signal.SIGINT, before)
            self.open()

    def last_words(self):
        verdict = self.session.view.verdict
        if verdict and self.status == 0:
            click.echo("\n".join(filter(None, [headline(verdict), next_step([verdict])])))


def _size():
    """The terminal's columns and rows as they are now; COLUMNS and LINES do not follow when a window is dragged."""
    columns, rows = os.get_terminal_size()
    return columns or 80, rows or 24


class Lines(Face):
    """Plain lines, for pipes, logs and editors' panes: every verdict as check.py prints it."""

    def open(self):
        self.shown = None
        click.echo(f"watching {shown_path(self.session.view.topic.starter)}; Ctrl-C ends.")

    def show(self):
        verdict = self.session.view.verdict
        if verdict is not self.shown:
            self.shown = verdict
            click.echo("\n" + "\n".join(filter(None, self.text(verdict))))

    def text(self, verdict):
        yield verdict_text(verdict)
        yield next_step([verdict])
        yield note_unremembered([verdict])
