"""Noticing that a file was saved: by the system's events where they come, by looking again and again where not."""

import contextlib
import hashlib
import threading

import watchfiles

STEP = 8  # ms; a burst of events is over when nothing came for so long
LOOK = 0.5  # seconds between two looks at a file whose events come
POLL = 0.1  # and where they don't
EMPTY = hashlib.sha256().hexdigest()


def fingerprint(path):
    """Return a digest of the file's bytes, None where there is no file (or something that is none)."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    except OSError:
        return None


class Watcher:
    """Calls `saved()` whenever the file may have changed.

    It listens to events from the file's folder, and looks at the file itself now and then: a change that no event
    told of means that events don't come here (network folders, shared folders of virtual machines, links), and
    from then on it looks often.
    """

    def __init__(self, path, saved, poll=False):
        self.path, self.saved, self.polls = path, saved, poll
        self._stop = threading.Event()
        self._told = None  # the content that the last event announced
        self._threads = [threading.Thread(target=self._look, daemon=True)]
        if not poll:
            self._threads.append(threading.Thread(target=self._listen, daemon=True))
        for thread in self._threads:
            thread.start()

    def _listen(self):
        settings = {"step": STEP, "debounce": 5 * STEP, "recursive": False, "watch_filter": None}
        try:
            for _ in watchfiles.watch(
                self.path.parent,
                stop_event=self._stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
                **settings,
            ):
                self._told = fingerprint(self.path)
                self.saved()
        except Exception:  # whatever the system refuses (too many watches, no folder): looking goes on
            self.polls = True

    def _look(self):
        seen = fingerprint(self.path)
        while not self._stop.wait(POLL if self.polls else LOOK):
            now = fingerprint(self.path)
            if now != seen:
                seen = now
                self.polls |= self._is_news(now)
                self.saved()

    def _is_news(self, content):
        """Tell whether no event announces this content, not even a moment later."""
        return content != self._told and not self._stop.wait(POLL) and fingerprint(self.path) not in (self._told, None)

    def close(self):
        """Stop."""
        self._stop.set()
        for thread in self._threads:
            with contextlib.suppress(RuntimeError):
                thread.join(1)
