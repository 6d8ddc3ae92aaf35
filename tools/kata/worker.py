"""The process that runs one topic's suites on one solution; `runner` starts it and reads what it reports.

The request comes as one JSON line on standard input; the solution finds standard input empty. Every report
is one JSON line in the file the request names, carrying the request's token: what the solution prints, or
where it closes standard output, can't reach it. When the parent is gone, this process leaves too.
"""

import contextlib
import faulthandler
import json
import os
import sys
import tempfile
import threading
from pathlib import Path

PLUGINS = ["-p", "kata.plugin", "-p", "_hypothesis_pytestplugin"]
BARE = ["--noconftest", "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:junitxml", "-p", "no:faulthandler"]


class Channel:
    """Writes reports, one JSON line each, at once."""

    def __init__(self, path, token):
        self.file = open(path, "a", encoding="utf-8", newline="\n")  # noqa: SIM115
        self.token = token

    def send(self, event, **fields):
        self.file.write(json.dumps({"token": self.token, "event": event, **fields}) + "\n")
        self.file.flush()


def limit(memory, output):
    """Bound this process's address space and the files it writes, in bytes, where the system can."""
    try:
        import resource
    except ImportError:
        return
    for what, size in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, output), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (size, resource.getrlimit(what)[1]))


def receive():
    """Return the request, leave the solution an empty standard input, and leave when the parent does."""
    parent = os.fdopen(os.dup(0), "rb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    request = json.loads(parent.readline())

    def leave_with_parent():
        parent.read()
        os._exit(1)

    threading.Thread(target=leave_with_parent, daemon=True).start()
    return request


def diagnose(channel, request, exercises, stacks):
    """Report, for each failing exercise, the mistake it looks like and a fresh counter-example."""
    from kata.loading import load
    from kata.mistakes import Diagnosis
    from kata.topics import find_topic

    if not exercises:
        return
    module = load(request["solution"])
    diagnosis = Diagnosis(find_topic(request["topic"]))
    for exercise in exercises:
        faulthandler.dump_traceback_later(request["seconds"], exit=True, file=stacks)
        follows = len(exercises) > 1 and diagnosis.follows(request["solution"], exercise)
        mistakes = [] if follows else diagnosis.names(module, exercise)
        channel.send(
            "diagnosis",
            exercise=exercise,
            follows=follows,
            mistakes=[{"name": mistake.name, "says": mistake.says, "level": mistake.level} for mistake in mistakes],
            counterexample=diagnosis.counterexample(module, exercise),
        )
        faulthandler.cancel_dump_traceback_later()


def main():
    request = receive()
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    limit(request["memory"], request["output"])
    channel = Channel(request["results"], request["token"])
    with open(request["stacks"], "a") as stacks, tempfile.TemporaryDirectory() as bytecode:
        import pytest

        import kata.mistakes  # noqa: F401 (the harness is imported before the solution can be)
        from kata.carry import carry
        from kata.reporter import Reporter
        from kata.topics import ROOT, find_topic

        topic = find_topic(request["topic"])
        sys.pycache_prefix = bytecode  # no bytecode of the learner's is read or left behind
        carry([find_topic(number) for number in request["carried"]])
        reporter = Reporter(channel, request, stacks)
        arguments = [*request["suites"], "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "--hidden"]
        mine = request["solution"] == str(topic.starter)
        arguments += ["--solution", "mine" if mine else request["solution"], *BARE, *PLUGINS]
        status = pytest.main(arguments if request["shrink"] else [*arguments, "--no-shrink"], plugins=[reporter])
        if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
            if request["diagnose"]:
                diagnose(channel, request, reporter.failing, stacks)
            channel.send("end")
    os._exit(0)  # whatever threads or exit handlers the solution left are not waited for


if __name__ == "__main__":
    main()
