"""What a solution may be and import is told from its file; what it replaces and what it reports is seen."""

import json
import os
import shutil
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kata import clock, runner
from kata.aftermath import cause, lines_of
from kata.channel import WIDEST, Channel, Follower, presentable
from kata.errors import KataError, SolutionError
from kata.limits import BLOCK, takes_more
from kata.rules import LARGEST, judge, refuse_foul, text_of
from kata.runner import Run
from kata.tampering import Seal

STEMS = {"foundations", "conv2d"}


@pytest.mark.parametrize(
    "line",
    [
        "import numpy as np, math, itertools",
        "from numpy.lib.stride_tricks import as_strided",
        "from __future__ import annotations",
        "from cnn.conv2d import pad2d",
        "from cnn import foundations",
        "from urllib.parse import quote",
        "from . import beside",
        "def later():\n    import torch",
        "def broken(:",
    ],
)
def test_allowed_import(line):
    """NumPy, the standard library and earlier topics may be imported; functions are judged when they run."""
    refuse_foul(Path("im2col.py"), line, STEMS)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import torch.nn as nn", "im2col.py:2 imports torch.nn: a solution uses NumPy"),
        ("import numpy, scipy.signal", "im2col.py:2 imports scipy.signal"),
        ("try:\n    import cupy\nexcept ImportError:\n    pass", "im2col.py:3 imports cupy"),
        ("class Layer:\n    from jax import numpy", "im2col.py:3 imports jax"),
        ("import socket", "im2col.py:2 imports socket, which is for the network"),
        ("from urllib import request", "im2col.py:2 imports urllib.request, which is for the network"),
        ("import http.client", "im2col.py:2 imports http.client, which is for the network"),
        ("from cnn.im2col import im2col", "im2col.py:2 imports cnn.im2col: of cnn a topic may use the earlier topics"),
        ("from cnn import conv2d, pooling", "im2col.py:2 imports cnn.pooling"),
        ("import kata.testing", "im2col.py:2 imports kata.testing"),
        ("import helpers", "im2col.py:2 imports helpers"),
    ],
)
def test_refused_import(line, said):
    """Any other import is refused, with its line."""
    with pytest.raises(SolutionError, match=f"^{said.replace('.', '[.]')}") as caught:
        refuse_foul(Path("im2col.py"), f"# a comment\n{line}\n", STEMS)
    assert caught.value.line >= 2


@pytest.mark.parametrize(
    "line",
    [
        "expected = sys._getframe(1).f_locals",
        "import inspect\ndef later():\n    return inspect.currentframe()",
        "from sys import settrace as quiet",
        "def later(error):\n    return error.__traceback__.tb_frame",
        "class Layer:\n    def forward(self, x):\n        sys.monitoring.set_events(0, 0)",
        "from sys import monitoring",
        "gc.get_referrers(np)",
    ],
)
def test_refused_look(line):
    """A solution that would look at its callers, or stop the counting of its bytecodes, is refused with the line."""
    with pytest.raises(SolutionError, match=r"^im2col.py:[2-5] uses .*: a solution that .* is not tested[.]$"):
        refuse_foul(Path("im2col.py"), f"# a comment\n{line}\n", STEMS)


def test_allowed_look():
    """Names of one's own that only sound alike are allowed."""
    refuse_foul(Path("im2col.py"), "self.monitoring = sys.maxsize\nframe = x.frame\nsettrace = 1\n", STEMS)


def test_every_earlier_topic_may_be_imported():
    """`cnn` itself may be, and every part of it that is named."""
    assert judge("cnn", STEMS) == judge("cnn.conv2d", STEMS) == ""


def test_size_of_a_solution(tmp_path):
    """A file of up to a megabyte is read, a larger one refused before it is."""
    path = tmp_path / "mini.py"
    path.write_bytes(b"#" * LARGEST)
    assert len(text_of(path)) == LARGEST
    path.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(SolutionError, match=r"mini[.]py has 1,048,577 bytes, which no solution needs"):
        text_of(path)


# --- the channel --------------------------------------------------------------------------------


@pytest.fixture
def channel(tmp_path):
    """The two ends of one channel."""
    follow = Follower(tmp_path / "results", "key", Run())
    ends = SimpleNamespace(follow=follow, channel=Channel(tmp_path / "results", "key"), path=tmp_path / "results")
    yield ends
    follow.close()
    ends.channel.file.close()


def result(name, outcome="passed"):
    return {"id": name, "outcome": outcome, "finding": None}


def test_reports_arrive(channel):
    """What was sent is taken in once, in order."""
    channel.channel.send("start", id="t")
    assert channel.follow.read() and channel.follow.current == "t"
    channel.channel.send("result", **result("t"))
    channel.channel.send("end")
    assert channel.follow.read() and channel.follow.ended and channel.follow.current is None
    assert channel.follow.shown.results == {"t": {"outcome": "passed", "finding": None}}
    assert not channel.follow.read()


def test_anything_else_is_no_report(channel):
    """Lines of another key, older lines once more and half a line before a report are passed over."""
    channel.channel.send("result", **result("a", "failed"))
    first = channel.path.read_bytes()
    stranger = Channel(channel.path, "another key")
    stranger.send("result", **result("b"))
    stranger.file.write(first + json.dumps({"number": 9, "event": "end"}).encode() + b"\n\xff\0 half a line")
    stranger.file.close()
    channel.channel.send("result", **result("c"))
    assert channel.follow.read()
    assert channel.follow.shown.results.keys() == {"a", "c"} and not channel.follow.ended


def test_a_failure_stands(channel):
    """A second result of a test changes nothing."""
    channel.channel.send("result", **result("t", "failed"))
    channel.channel.send("result", **result("t"))
    channel.follow.read()
    assert channel.follow.shown.results["t"]["outcome"] == "failed"


def test_texts_are_presentable():
    """What a solution says is bounded and can't steer the terminal."""
    shown = presentable({"details": ["\x1b[2J\udcff", "é", "x" * 10**6], "number": 3})
    assert shown["details"][:2] == ["\\x1b[2J\\udcff", "é"] and shown["number"] == 3
    assert len(shown["details"][2]) == WIDEST + 3


# --- what else is told --------------------------------------------------------------------------


def test_seal(monkeypatch):
    """A function or method that was replaced is named and put back, one that was added is nobody's business."""
    seal, allclose, method = Seal(), np.allclose, np.vectorize.__call__
    assert seal.mend() == ""
    monkeypatch.setattr(np, "one_more", len, raising=False)
    assert seal.mend() == ""
    monkeypatch.setattr(np, "allclose", lambda *args: True)
    assert seal.mend() == "numpy.allclose" and np.allclose is allclose
    monkeypatch.delattr(np.vectorize, "__call__")
    assert seal.mend() == "numpy.vectorize.__call__" and np.vectorize.__call__ is method


def test_waiting_for_a_processor_is_no_time(monkeypatch):
    """The time a process stood ready without being run does not count, and the next process begins anew."""
    seconds, waited = [100.0], {7: 0.0, 8: 0.0}
    monkeypatch.setattr(clock.time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(clock, "_waiting", lambda process: waited.get(process, 0.0))
    timer = clock.Clock()
    timer.follow(7)
    seconds[0], waited[7] = 130.0, 25.0
    assert timer.now() == 5.0
    del waited[7]  # it has ended
    timer.follow(8)
    seconds[0], waited[8] = 140.0, 8.0
    assert timer.now() == 7.0


def test_no_room(monkeypatch):
    """Where there is no room for evidence nothing is decided, and that is said."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(2**30, 2**30, 2**20))
    with pytest.raises(KataError, match=r"has 1 MB left, and the tests may need 64[.] Make room"):
        runner.run(runner.Request(None, Path("mini.py")))


STACKS = """Thread 0x01 (most recent call first):
  File "/a b/mini.py", line 3 in beside

Current thread 0x02 (most recent call first):
  File "/usr/lib/threading.py", line 9 in wait
  File "/a b/mini.py", line 71 in double
"""


@pytest.mark.parametrize(
    ("status", "excess", "kind", "said"),
    [
        (-9, "time", "hang", "did not end within 2 seconds at mini.py:71: is a loop's end never reached?"),
        (-9, "room", "crash", "wrote more than 3 MB into its scratch folder at mini.py:71"),
        (0, "", "crash", "took Python down with it (exit status 0: does it call os._exit?) at mini.py:71"),
    ],
)
def test_cause(tmp_path, status, excess, kind, said):
    """What ended a process is told with the line of the thread that was at fault."""
    (tmp_path / "stacks").write_text(STACKS, encoding="utf-8")
    order = {"stacks": tmp_path / "stacks", "solution": "/a b/mini.py", "seconds": 2.0, "room": 3 * 2**20}
    process, follow = SimpleNamespace(returncode=status), SimpleNamespace(broke="")
    assert cause(process, order, follow, excess) == (kind, said, "/a b/mini.py:71")


def test_lines_of_any_folder():
    """A file is found on a stack whatever alphabet its folder is written in."""
    stack = 'File "/Sch\\xfcler/\\u6f22/mini.py", line 71 in double'
    assert lines_of(stack, Path("/Schüler/漢/mini.py")) == (["71"] if os.sep == "/" else [])


def test_room(tmp_path):
    """Files are counted by what they take, the smallest by a block, in folders of any depth."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert not takes_more(tmp_path, 2 * BLOCK)
    for name in "cde":
        (deep / name).write_bytes(b"1")
    assert takes_more(tmp_path, 4 * BLOCK) and not takes_more(tmp_path, 5 * BLOCK)
    (tmp_path / "large").write_bytes(bytes(2**20))
    assert takes_more(tmp_path, 2**20)
