"""Ctrl-C as a wish: the first one is noted, so that the present batch can be finished; the second one is obeyed."""

import signal
import threading


class Stop:
    """Notes SIGINT and SIGTERM while it is entered; `wanted` is True from the first on.

    Examples
    --------
    >>> with Stop() as stop:
    ...     signal.raise_signal(signal.SIGINT)
    ...     stop.wanted
    True
    """

    def __init__(self):
        self.wanted = False
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_):
        self._restore()

    def _note(self, number, frame):
        self.wanted = True
        self._restore()

    def _restore(self):
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
