"""How long tests took, without what a busy machine kept them waiting.

A limit in seconds of the wall clock calls correct work a hang where many processes share few processors. Linux
tells how long a process stood ready and was not run; that time is not counted. Elsewhere all time is.
"""

import time
from pathlib import Path


class Clock:
    """The seconds that a run's processes, one after the other, could use."""

    def __init__(self):
        self._past, self._began, self._delay, self._process = 0.0, time.monotonic(), 0.0, None

    def follow(self, process):
        """From now on a process of this number is timed, where it is not already."""
        if process and process != self._process:
            self._past, self._began, self._delay, self._process = self.now(), time.monotonic(), 0.0, process

    def now(self):
        """Return the seconds used so far."""
        self._delay = _waiting(self._process) or self._delay
        return self._past + time.monotonic() - self._began - self._delay


def _waiting(process):
    """The seconds for which a process stood ready without being run; 0 where that can't be told."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
