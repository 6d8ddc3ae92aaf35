"""A program on a terminal of its own, driven and read by another: for measuring and testing what a screen shows."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
import time

import pyte


class Terminal:
    """A program in a pseudo-terminal; `lines()` is what a person would see on it."""

    def __init__(self, command, cwd, env, columns=80, rows=24):
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = threading.Condition()
        self._open, self._raw = True, []
        ours, theirs = pty.openpty()
        self._master = ours
        self._resize(theirs, columns, rows)
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs  # kept open, so that the terminal's settings can be read when the program has left
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=env, preexec_fn=_own_terminal
        )
        threading.Thread(target=self._read, daemon=True).start()

    @staticmethod
    def _resize(end, columns, rows):
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        """Give the terminal another size, as dragging its window does."""
        with self._changed:
            self._screen.resize(rows, columns)
        self._resize(self._theirs, columns, rows)

    def _read(self):
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:
                piece = b""
            with self._changed:
                if piece:
                    self._raw.append((time.perf_counter(), piece))
                    self._stream.feed(piece)
                else:
                    self._open = False
                self._changed.notify_all()
            if not piece:
                return

    def type(self, keys):
        """Press keys."""
        os.write(self._master, keys.encode())

    def lines(self):
        """Return what is on the screen, line by line, without trailing blanks."""
        with self._changed:
            return [line.rstrip() for line in self._screen.display]

    def text(self):
        """Return what is on the screen as one text."""
        return "\n".join(self.lines())

    def written(self):
        """Return every byte the program has written so far."""
        with self._changed:
            return b"".join(piece for _, piece in self._raw)

    def settings(self):
        """Return the terminal's settings (modes, speed, control characters)."""
        return termios.tcgetattr(self._theirs)

    def wait(self, condition, seconds=120):
        """Wait until `condition(text on the screen)` holds; return when the bytes came that made it hold.

        Raises
        ------
        AssertionError
            If it does not within `seconds`, or the program ends before; the message has the screen.
        """
        until = time.monotonic() + seconds
        with self._changed:
            while True:
                shown = "\n".join(line.rstrip() for line in self._screen.display)
                if condition(shown):
                    return self._raw[-1][0] if self._raw else time.perf_counter()
                left = until - time.monotonic()
                if left < 0 or self.process.poll() is not None:
                    raise AssertionError(f"not on the screen within {seconds} s:\n{shown}")
                self._changed.wait(min(left, 1))

    def close(self):
        """End the program if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        os.close(self._theirs)


def _own_terminal():
    """In the child: a session of its own whose terminal this is, so that Ctrl-C and Ctrl-Z reach it as keys do."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
