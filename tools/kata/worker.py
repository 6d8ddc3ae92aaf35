"""The process that runs one topic's suites on one solution; `runner` starts it and reads what it reports.

The request comes as one JSON line on standard input; the solution finds standard input empty. Every report
is one signed line in the file the request names: what the solution prints, or where it closes standard output,
can't reach it. When the parent is gone, this process leaves too.
"""

import faulthandler
import json
import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kata.channel import Channel
from kata.limits import confine

PLUGINS = ["-p", "kata.plugin", "-p", "_hypothesis_pytestplugin"]
BARE = ["--noconftest", "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:junitxml", "-p", "no:faulthandler"]


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


def diagnose(channel, request, exercises, stacks, diagnosis=None, alone=False):
    """Report, for each failing exercise, the mistake it looks like and a fresh counter-example.

    Where an exercise fails `alone`, no other can be to blame.
    """
    from kata.loading import load
    from kata.mistakes import Diagnosis
    from kata.topics import find_topic

    topic = find_topic(request["topic"])
    if not exercises or topic.is_released:  # there is no reference to compare with
        return
    faulthandler.dump_traceback_later(request["seconds"], exit=True, file=stacks)
    module = load(request["solution"])
    diagnosis = diagnosis or Diagnosis(topic)
    for exercise in exercises:
        faulthandler.dump_traceback_later(request["seconds"], exit=True, file=stacks)
        follows = not alone and diagnosis.follows(request["solution"], exercise)
        mistakes = [] if follows else diagnosis.names(module, exercise)
        channel.send(
            "diagnosis",
            exercise=exercise,
            follows=follows,
            mistakes=[{"name": mistake.name, "says": mistake.says, "level": mistake.level} for mistake in mistakes],
            counterexample=diagnosis.counterexample(module, exercise),
        )
        faulthandler.cancel_dump_traceback_later()


def arguments(root, suites, solution):
    """The command line pytest is given, in the course's folder: of an absolute path it would read [ and $ as signs."""
    os.chdir(root)
    suites = [os.path.relpath(suite) for suite in suites]
    return [*suites, "-c", "pyproject.toml", "--rootdir", ".", "--hidden", "--solution", solution, *BARE, *PLUGINS]


def finish(status, channel, request, failing, stacks, diagnosis=None):
    """After a session that went to its end: name the mistakes and say that this was all."""
    if status in (0, 1, 5):  # all passed, some failed, none were collected
        if request["diagnose"]:
            diagnose(channel, request, failing, stacks, diagnosis, alone=len(failing) == 1)
        channel.send("end")


def main():
    request = receive()
    channel = Channel(request["results"], request["token"])
    with open(request["stacks"], "a") as stacks:
        import pytest

        import kata.mistakes  # noqa: F401 (the harness is imported before the solution can be)
        from kata.carry import carry
        from kata.reporter import Reporter
        from kata.topics import ROOT, find_topic

        topic = find_topic(request["topic"])
        confine(request, stacks)
        sys.pycache_prefix = request["temp"]  # no bytecode of the learner's is read or left behind
        carry([find_topic(number) for number in request["carried"]])
        reporter = Reporter(channel, request, stacks)
        mine = request["solution"] == str(topic.starter)
        command = arguments(ROOT, request["suites"], "mine" if mine else request["solution"])
        status = pytest.main(command if request["shrink"] else [*command, "--no-shrink"], plugins=[reporter])
        finish(status, channel, request, reporter.failing, stacks)
    os._exit(0)  # whatever threads or exit handlers the solution left are not waited for


if __name__ == "__main__":
    main()
