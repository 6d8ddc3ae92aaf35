"""The warm process: it has imported everything and collected a topic's suites, and waits for orders.

Each order (see `runner._order`) comes as one JSON line on standard input. Where the system can fork, a child
carries it out, from the collected tests on as `worker.py` would, and this process tells when it ended; elsewhere
this process carries out that one order itself. While nothing is asked of it, it looks at what the topic's known
mistakes give, so that a child finds this done. It runs no thread: a fork would not carry it over.
"""

import contextlib
import faulthandler
import gc
import json
import os
import select
import signal
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from kata import worker
from kata.carry import carry
from kata.mistakes import Diagnosis
from kata.reporter import Reporter
from kata.topics import ROOT, find_topic

EARLY_SECONDS = 2  # for naming the mistake behind the first failure, before the other tests
POLL = 0.01


class Warm:
    """The pytest plugin that waits where a session would run its tests."""

    def __init__(self, setup, orders, reports):
        self.setup, self.orders, self.reports = setup, orders, reports
        self.errand = None  # in the process that runs the tests

    def pytest_collectreport(self, report):
        if report.failed:
            os._exit(1)  # a cold run tells why

    def pytest_runtestloop(self, session):
        topic = find_topic(self.setup["topic"])
        diagnosis = None if topic.is_released else Diagnosis(topic)
        ahead = foresight(diagnosis) if diagnosis and self.setup["fork"] else iter(())
        gc.collect()
        gc.freeze()  # a child's collector would touch, and so copy, every page
        self.say("ready")
        while order := self.next_order(ahead):
            if not self.setup["fork"] or self.is_child(order):
                self.errand = Errand(order, session, diagnosis)
                return None  # and pytest runs the tests
        return True

    def say(self, event, **fields):
        with contextlib.suppress(BrokenPipeError):
            os.write(self.reports, json.dumps({"event": event, **fields}).encode() + b"\n")

    def next_order(self, ahead):
        """Return the next order, None when the watcher is gone; the time until then is used."""
        while self.setup["fork"] and not select.select([self.orders], [], [], 0)[0]:
            if next(ahead, None) is None:
                break
        line = self.orders.readline()
        while line == b'"end"\n':  # of an order that ended by itself
            line = self.orders.readline()
        return json.loads(line) if line else None

    def is_child(self, order):
        """Fork: True in the child; False in this process, once the child has ended."""
        lifeline = os.pipe()
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            os.close(lifeline[1])
            os.close(self.reports)
            self.orders.close()
            leave_with(lifeline[0])
            return True
        self.see_to_its_end(child, order)
        os.close(lifeline[0])
        os.close(lifeline[1])
        return False

    def see_to_its_end(self, child, order):
        """Wait for the child, or for the word to end it; end whatever it started; tell."""
        while not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if select.select([self.orders], [], [], POLL)[0]:
                self.orders.readline()  # "end", or nothing where the watcher is gone
                break
        for kill in (os.killpg, os.kill):  # the child may not have made its group yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.say("ended", token=order["token"], status=status)


class Errand:
    """One order, carried out in this process: made before the tests run, finished after them."""

    def __init__(self, order, session, diagnosis):
        self.order, self.diagnosis = order, diagnosis
        scratch = Path(order["results"]).parent
        _go_to(scratch, order, session.config.pluginmanager.getplugin("capturemanager"))
        self.channel = worker.Channel(order["results"], order["token"])
        self.stacks = open(order["stacks"], "a")  # noqa: SIM115
        worker.confine(order, self.stacks)
        self.reporter = Reporter(self.channel, order, self.stacks)
        session.config.pluginmanager.register(self.reporter)
        self.reporter.pytest_collection_modifyitems(session.config, session.items)
        if order["diagnose"] and not order["skip"]:
            self.reporter.on_failure = self.name_early
            session.config.pluginmanager.register(Preview(self))

    def name_early(self, exercise):
        """Name the mistake behind the first failure at once; `finish` has the last word on it."""
        self.reporter.on_failure = None
        bounded = {**self.order, "seconds": min(EARLY_SECONDS, self.order["seconds"])}
        worker.diagnose(self.channel, bounded, [exercise], self.stacks, self.diagnosis)

    def finish(self, status):
        worker.finish(status, self.channel, self.order, self.reporter.failing, self.stacks, self.diagnosis)


class Preview:
    """The pytest plugin that tells how the test asked for first fails before its smallest example is found."""

    def __init__(self, errand):
        self.errand = errand
        self.first = errand.order["first"]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        if item.nodeid.endswith(self.first) and self.first and hasattr(item.function, "hypothesis"):
            self.errand.reporter.begin(item)
            with quickly(self.errand.reporter):
                reports = runtestprotocol(item, log=False, nextitem=item)
            faulthandler.cancel_dump_traceback_later()
            finding = next((report.finding for report in reports if hasattr(report, "finding")), None)
            if finding:
                self.errand.channel.send("preview", finding=asdict(finding))
                if finding.kind == "fail":
                    self.errand.name_early(finding.exercise)
        self.first = ""


@contextlib.contextmanager
def quickly(reporter):
    """Let hypothesis report the first failing example it meets."""
    before = reporter.settings
    hypothesis.settings.register_profile("quick", phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate])
    hypothesis.settings.load_profile("quick")
    reporter.settings = hypothesis.settings.default
    try:
        yield
    finally:
        hypothesis.settings.load_profile("kata")
        reporter.settings = before


def _go_to(scratch, order, capture):
    """Enter the order's folder: what is printed goes there and nowhere else, bytecode too."""
    capture.stop_global_capturing()
    with open(scratch / "words", "ab") as words:
        os.dup2(words.fileno(), 1)
        os.dup2(words.fileno(), 2)
    capture.start_global_capturing()
    os.chdir(order["work"])
    sys.pycache_prefix = order["temp"]


def foresight(diagnosis):
    """Look at the right outputs of every exercise, then at those of every mistake; one a step."""
    for exercise in diagnosis.bank.probes:
        diagnosis.reference(exercise)
        yield True
    for mistake in diagnosis.bank.mistakes:
        diagnosis.mistaken(mistake)
        yield True


def leave_with(pipe):
    """Leave as soon as nobody holds the other end of the pipe."""

    def wait():
        os.read(pipe, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main():
    orders = os.fdopen(os.dup(0), "rb", buffering=0)  # what a buffer held, select would not see
    reports = os.dup(1)
    empty = os.open(os.devnull, os.O_RDWR)
    os.dup2(empty, 0)
    os.dup2(empty, 1)
    setup = json.loads(orders.readline())
    with tempfile.TemporaryDirectory() as bytecode:
        sys.pycache_prefix = bytecode
        carry([find_topic(number) for number in setup["carried"]])
        warm, server = Warm(setup, orders, reports), os.getpid()
        status = pytest.main(worker.arguments(ROOT, setup["suites"], "mine"), plugins=[warm])
        if warm.errand:
            warm.errand.finish(status)
        if warm.errand or os.getpid() != server:
            os._exit(0)  # whatever threads or exit handlers the solution left are not waited for


if __name__ == "__main__":
    main()
