"""The pytest plugin of a worker: it turns the session into reports, one JSON line each."""

import faulthandler
import os
import pdb
import signal
import sys
import traceback
from contextlib import contextmanager
from dataclasses import asdict
from os import _exit

import hypothesis
import pytest

from kata.errors import SolutionError
from kata.finding import of_test
from kata.guard import Guard
from kata.limits import allow_processor
from kata.loading import Solution
from kata.plugin import sentence_of
from kata.rules import earlier_stems
from kata.tampering import SUITES, Seal
from kata.topics import find_topic


class Interruption(Exception):
    """A solution tried to interrupt the tests."""


class Reporter:
    """The pytest plugin that turns a session into reports."""

    def __init__(self, channel, request, stacks):
        self.channel, self.request, self.stacks = channel, request, stacks
        self.visible_failed = request["visible_failed"]
        self.failing = dict.fromkeys(request["failing"])
        self.on_failure = None  # function (exercise), called once, after the first failure that can be diagnosed
        self.guard = self.seal = None

    def pytest_collection_modifyitems(self, config, items):
        self.channel.send("collected", process=os.getpid(), tests=[_describe(item) for item in items])
        skip, only = set(self.request["skip"]), self.request["only"]
        items[:] = [item for item in items if _id(item) not in skip and (only is None or _id(item) in only)]
        if self.request["exercises"] is not None:
            items[:] = [item for item in items if item.path.name == "test_visible.py" and self._asked(item)]
        _bring_forward(items, self.request["first"])

    def _asked(self, item):
        return _exercise(item) in self.request["exercises"]

    def pytest_internalerror(self, excrepr):
        self.channel.send("internal", message=str(excrepr).strip().splitlines()[-1])

    def pytest_collectreport(self, report):
        if report.failed:
            self.channel.send("uncollected", message=str(report.longrepr).strip().splitlines()[-1])

    def pytest_runtest_protocol(self, item):
        waits = self.request["gated"] and self.request["only"] is None
        if waits and self.visible_failed and item.path.name == "test_hidden.py":
            return True  # nothing is reported: the hidden suite waits for the visible one
        self.begin(item)
        return None

    def begin(self, item):
        """From here on a test may run: see to its limits and to fair play."""
        if not self.guard:
            self._stand_guard()
        self.outcome, self.finding = "passed", None
        self.guard.refusals.clear()
        os.makedirs(self.request["work"], exist_ok=True)
        os.chdir(self.request["work"])
        self.channel.send("start", id=_id(item))
        allow_processor(self.request["processor"])
        os.ftruncate(self.stacks.fileno(), 0)
        if not hasattr(signal, "SIGXCPU"):  # nobody can ask for the stack, so it is written unasked
            faulthandler.dump_traceback_later(self.request["seconds"], file=self.stacks)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        """What would end the whole session ends this test alone."""
        try:
            return (yield)
        except MemoryError as error:
            traceback.clear_frames(error.__traceback__)  # they hold what there is too much of
            raise
        except (KeyboardInterrupt, pytest.exit.Exception) as error:
            raise Interruption(f"the solution raised {type(error).__name__}").with_traceback(
                error.__traceback__
            ) from None
        finally:
            self._require_fair_play(item)

    # --- fair play ------------------------------------------------------------------------------

    def _stand_guard(self):
        """From now on the solution may run: see what it does and what it changes."""
        topics = [find_topic(number) for number in [self.request["topic"], *self.request["carried"]]]
        files = [self.request["solution"], *(str(topic.starter) for topic in topics[1:])]
        sys.stdin = open(os.devnull)  # noqa: SIM115 (pytest's own speaks of pytest)
        sys.breakpointhook = pdb.set_trace = _no_debugger
        self.guard = Guard(files, earlier_stems(topics[0]), [self.request["work"], self.request["temp"]])
        if self.request["rules"]:
            self.guard.begin()
        Solution.judged, Solution.around = self.request["rules"], staticmethod(self._loading)
        self.seal, self.settings = Seal(), hypothesis.settings.default
        for name in [name for name in sys.modules if name.endswith(SUITES)]:
            del sys.modules[name]  # pytest has what it needs, and nobody else needs it

    @contextmanager
    def _loading(self):
        """Around the import of the solution: its end is no test's, nor is what it does to the harness."""
        self.channel.send("loading")
        outer, self.settings = self.settings, hypothesis.settings.default  # within a @given test they are its own
        try:
            yield
        except KeyboardInterrupt:
            raise SolutionError("importing it raises KeyboardInterrupt. Remove what raises it.") from None
        finally:
            if harm := self._harm():
                self.channel.send("unfit", message=harm, line="")
                _exit(1)
            self.settings = outer
            self.channel.send("loaded")
        if self.guard.refusals:
            raise self.guard.refusals[0]

    def _require_fair_play(self, item):
        if harm := self._harm():
            finding = of_test(_describe(item), "broken", harm)
            self.channel.send("result", id=_id(item), outcome="failed", finding=asdict(finding))
            _exit(1)  # nothing that runs here proves anything any more; the runner starts again with the next test
        if self.guard.refusals:
            raise self.guard.refusals[0]

    def _harm(self):
        """Return a sentence on what the solution did to what it is tested with, or ""; pieces are back in place."""
        piece = self.seal.mend() or ("" if hypothesis.settings.default is self.settings else "hypothesis.settings")
        if piece:
            return f"{piece} was replaced: a solution leaves what it is tested with as it is."
        for name in ("stdout", "stderr"):
            if getattr(getattr(sys, name), "closed", True):
                return f"sys.{name} was closed or taken away: a solution leaves it open."
        return ""

    # --- reports --------------------------------------------------------------------------------

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
                tell, self.on_failure = self.on_failure, None
                if tell:
                    tell(finding["exercise"])
        if self._harm():
            _exit(1)


def _no_debugger(*_, **__):
    """In the place of what would wait for a person."""
    frame = sys._getframe(1)
    place = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
    raise SolutionError(f"{place} stops for the debugger, where nobody is. Remove the breakpoint.", frame.f_lineno)


def _bring_forward(items, first):
    """Put the test `first` before all others, and its exercise before the rest of a suite."""
    exercise = next((_exercise(item) for item in items if _id(item) == first), None)
    if exercise:
        items.sort(key=lambda i: (_id(i) != first, i.path.name == "test_hidden.py", _exercise(i) != exercise))


def _exercise(item):
    return item.get_closest_marker("exercise").args[0]


def _id(item):
    return _tail(item.nodeid)


def _tail(nodeid):
    """A test's id without its folder: test_visible.py::TestCol2im::test_overlaps_add_up."""
    file, *names = nodeid.split("::")
    return "::".join([file.replace("\\", "/").rpartition("/")[2], *names])


def _describe(item):
    return {"id": _id(item), "exercise": _exercise(item), "suite": item.path.name, "sentence": sentence_of(item)}
