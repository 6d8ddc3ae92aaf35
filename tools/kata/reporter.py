"""The pytest plugin of a worker: it turns the session into reports, one JSON line each."""

import faulthandler
import os
import sys
from dataclasses import asdict

import pytest

from kata.plugin import sentence_of


class Interruption(Exception):
    """A solution tried to interrupt the tests."""


class Reporter:
    """The pytest plugin that turns a session into reports."""

    def __init__(self, channel, request, stacks):
        self.channel, self.request, self.stacks = channel, request, stacks
        self.visible_failed = request["visible_failed"]
        self.failing = dict.fromkeys(request["failing"])

    def pytest_collection_modifyitems(self, config, items):
        self.channel.send("collected", tests=[_describe(item) for item in items])
        skip, only = set(self.request["skip"]), self.request["only"]
        items[:] = [item for item in items if _id(item) not in skip and (only is None or _id(item) in only)]

    def pytest_internalerror(self, excrepr):
        self.channel.send("internal", message=str(excrepr).strip().splitlines()[-1])

    def pytest_collectreport(self, report):
        if report.failed:
            self.channel.send("uncollected", message=str(report.longrepr).strip().splitlines()[-1])

    def pytest_runtest_protocol(self, item):
        if self.visible_failed and item.path.name == "test_hidden.py" and self.request["only"] is None:
            return True  # nothing is reported: the hidden suite waits for the visible one
        self.outcome, self.finding = "passed", None
        self.channel.send("start", id=_id(item))
        faulthandler.dump_traceback_later(self.request["seconds"], exit=True, file=self.stacks)
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self):
        """What would end the whole session ends this test alone."""
        try:
            return (yield)
        except (KeyboardInterrupt, pytest.exit.Exception) as error:
            raise Interruption(f"the solution raised {type(error).__name__}").with_traceback(
                error.__traceback__
            ) from None

    def pytest_runtest_logreport(self, report):
        if report.outcome != "passed":
            self.outcome, self.finding = "failed", getattr(report, "finding", None)

    def pytest_runtest_logfinish(self, nodeid):
        faulthandler.cancel_dump_traceback_later()
        finding = asdict(self.finding) if self.finding else None
        self.channel.send("result", id=_tail(nodeid), outcome=self.outcome, finding=finding)
        if self.outcome != "passed":
            self.visible_failed |= "test_visible.py" in nodeid
            if finding and finding["kind"] == "fail":
                self.failing.setdefault(finding["exercise"], None)
        if sys.stdout.closed or sys.stderr.closed:
            os._exit(1)  # pytest can't capture any more; the runner starts again with the next test


def _id(item):
    return _tail(item.nodeid)


def _tail(nodeid):
    """A test's id without its folder: test_visible.py::TestCol2im::test_overlaps_add_up."""
    return nodeid.replace("\\", "/").rpartition("/")[2]


def _describe(item):
    mark = item.get_closest_marker("exercise")
    return {"id": _id(item), "exercise": mark.args[0], "suite": item.path.name, "sentence": sentence_of(item)}
