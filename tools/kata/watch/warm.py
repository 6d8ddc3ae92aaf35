"""The watcher's side of the warm process: it gives `runner.run` workers that are ready to go."""

import json
import os
import secrets
import subprocess
import sys
import threading

from kata import progress
from kata.runner import Worker, end, end_strays, send, start_python
from kata.topics import REFERENCE, ROOT, TOOLS, all_topics

# A fork of a process that has used macOS's own libraries is not safe.
CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"
END_SECONDS = 30  # for a server that gets little of the processor to say that a child has ended


class Server:
    """A warm process (`server.py`) for one topic, and what it has told."""

    def __init__(self, topic, carried, fork):
        self.fork = fork
        self._mark = f"watch-{secrets.token_hex(8)}"
        where = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "cwd": topic.folder}
        self._process = start_python("watch/server.py", mark=self._mark, **where)
        self._news = threading.Condition()
        self._ready, self._gone, self._ended = False, False, {}
        threading.Thread(target=self._listen, daemon=True).start()
        suites = [str(path) for path in (topic.visible, topic.hidden) if path.exists()]
        self.send({"topic": topic.number, "carried": carried, "suites": suites, "fork": fork})

    def send(self, order):
        send(self._process, order)

    def begin(self, order):
        """Hand it an order; what became of earlier ones is forgotten."""
        with self._news:
            self._ended.clear()
        self.send(order)

    def _listen(self):
        for line in self._process.stdout:
            report = json.loads(line)
            with self._news:
                if report["event"] == "ready":
                    self._ready = True
                else:
                    self._ended[report["token"]] = report["status"]
                self._news.notify_all()
        self._process.wait()
        with self._news:
            self._gone = True
            self._news.notify_all()

    @property
    def is_gone(self):
        return self._gone

    @property
    def never_was_ready(self):
        return self._gone and not self._ready

    def status(self, order):
        """Return the exit status of what carried the order out, None while it runs."""
        return self._process.returncode if self._gone else self._ended.get(order["token"])

    def end(self, order):
        """End what carries the order out."""
        if not self.fork:
            self.close()
        elif self.status(order) is None:
            self.send("end")
            with self._news:
                ended = self._news.wait_for(lambda: not self._ready or self.status(order) is not None, END_SECONDS)
            if not ended:
                self.close()
        end_strays(self._mark, but=self._process.pid)

    def close(self):
        """End the process and whatever it has started."""
        end(self._process)
        end_strays(self._mark)


class Errand:
    """One order in the hands of a warm process; a cold worker takes it where that process could not start."""

    def __init__(self, server, order, scratch):
        self.returncode = None
        self._server, self._order, self._scratch, self._cold = server, order, scratch, None
        server.begin(order)

    def poll(self):
        """Return the exit status, None while it runs."""
        if not self._cold and self._server.never_was_ready:
            self._cold = Worker(self._order, self._scratch)
        self.returncode = self._cold.poll() if self._cold else self._server.status(self._order)
        return self.returncode

    def end(self):
        """End it and everything it started."""
        (self._cold.end if self._cold else lambda: self._server.end(self._order))()
        self.poll()


class Workers:
    """Workers for one topic's orders: warm where they can be, cold where they must.

    A topic's server serves as long as nothing but the learner's file changes; `fork` says whether one process
    serves every order or each order takes one that was started before, ready and waiting.
    """

    def __init__(self, fork=CAN_FORK):
        self.fork = fork
        self._server, self._key = None, None

    def prepare(self, topic, carried):
        """Have a process ready for the topic, unless there is one."""
        key = topic.number, tuple(carried), _digest(topic, carried)
        if key != self._key or self._server.is_gone:
            self.close()
            self._server, self._key = Server(topic, carried, self.fork), key

    def start(self, topic, order, scratch):
        """Give an order to a process; for `runner.run`."""
        if order["solution"] != str(topic.starter) or not order["shrink"]:
            return Worker(order, scratch)
        self.prepare(topic, order["carried"])
        errand = Errand(self._server, order, scratch)
        if not self.fork:
            self._server = Server(topic, order["carried"], fork=False)
        return errand

    def close(self):
        """End the process that waits."""
        if self._server:
            self._server.close()
        self._server, self._key = None, None


def _digest(topic, carried):
    """What a server has read, apart from the learner's own file: it starts anew when any of this changes."""
    earlier = [other.starter for other in all_topics() if other.number in carried]
    harness = [*sorted((TOOLS / "kata").glob("*.py")), TOOLS / "cnn" / "__init__.py", ROOT / "pyproject.toml"]
    shipped = [topic.visible, topic.hidden, topic.mistakes, *sorted(REFERENCE.glob("*.py"))]
    return progress.digest(*shipped, *harness, *earlier)
