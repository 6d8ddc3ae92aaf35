"""Single keys as they are pressed, on POSIX terminals and on Windows; the terminal is left as it was."""

import os
import select
import threading

POLL = 0.1
CTRL_C, ESCAPE = "\x03", "\x1b"

try:
    import termios
    import tty
except ImportError:
    import msvcrt


class Keyboard:
    """Calls `pressed(key)` for every key while it is open; `close` puts the terminal back."""

    def __init__(self, pressed):
        self.pressed = pressed
        self._closing = threading.Event()
        self._before = termios.tcgetattr(0) if os.name == "posix" else None
        if self._before:
            tty.setcbreak(0, termios.TCSANOW)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        read = _read_posix if os.name == "posix" else _read_windows
        while not self._closing.is_set():
            for key in read():
                self.pressed(key)

    def close(self):
        """Read no more keys; the terminal is again as it was before."""
        self._closing.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        if self._before:
            termios.tcsetattr(0, termios.TCSADRAIN, self._before)


def _read_posix():
    """The keys pressed within a moment; arrows and the like come as sequences and count as none."""
    if not select.select([0], [], [], POLL)[0]:
        return ""
    typed = os.read(0, 1024).decode(errors="replace")
    if not typed:  # the terminal is gone
        return CTRL_C
    return typed if typed == ESCAPE or not typed.startswith(ESCAPE) else ""


def _read_windows():
    if not msvcrt.kbhit():
        threading.Event().wait(POLL / 2)
        return ""
    key = msvcrt.getwch()
    if key in "\x00\xe0":  # an arrow or a function key: its second half means nothing here
        msvcrt.getwch()
        return ""
    return key
