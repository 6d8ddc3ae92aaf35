"""A file cut into notebook cells and joined again is the same file, byte for byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kata import source
from kata.notebook import cells, making
from kata.notebook.parts import BETWEEN, HEAD, belongs, decoded, is_head, join, merged, split, styled
from kata.topics import all_topics

FILE = """import numpy as np


def f(x):
    return x


def _help():
    pass


EPS = 1


# of g
@f
def g():
    pass
"""
SNIPPETS = [
    "\ndef f(x):\n",
    "\n@f\n",
    '"""',
    "\n",
    "\n\n",
    "  ",
    "# ",
    "x",
    "=",
    "(",
    "\\",
    "\t",
    "\u00e9",
    "\x0c",
    "class A: pass\n",
]


def texts(snippets):
    return st.lists(st.sampled_from(snippets), max_size=12).map("".join)


def contents():
    for topic in all_topics():
        for name, text in (("starter", source.starter(topic)), ("reference", source.read(topic.reference))):
            for style in (("\n", ""), ("\r\n", ""), ("\n", "\ufeff"), ("\r\n", "\ufeff")):
                yield pytest.param(topic, styled(text, style).encode(), id=f"{topic.stem}-{name}-{style!r}")


@pytest.mark.parametrize("topic, content", list(contents()))
def test_round_trip(topic, content):
    """A notebook made from a file and not edited gives that file back, with Unix and Windows newlines, with a mark."""
    text, style = decoded(content, topic.starter)
    exercises = source.exercises(topic.reference)
    notebook = making.make(topic, text)
    assert styled(cells.gathered(notebook, exercises), style).encode() == content
    made = [cell["metadata"]["kata"]["part"] for cell in cells.solution_cells(notebook, exercises)]
    assert [name for name in made if name not in (HEAD, BETWEEN)] == list(exercises)


@given(texts(SNIPPETS))
@settings(max_examples=200)
def test_any_text(text):
    """Whatever a learner's file holds, Python or not, its parts joined are the file."""
    assert join(split(text, ["f", "g"])) == text


@given(texts(["def f(x):\n", "    pass\n", "\n", "x", "class A: pass\n", "    x = 1  \n"]))
@settings(max_examples=40)
def test_any_notebook(text):
    """What goes through a notebook comes out unchanged, empty files and files without a last newline too."""
    topic = all_topics()[0]
    notebook = making.make(topic, text)
    assert cells.gathered(notebook, source.exercises(topic.reference)) == text


def test_parts():
    """A file falls into its head, its exercises and what stands between; a comment goes with what it stands above."""
    assert [part.name for part in split(FILE, ["f", "g"])] == [HEAD, "f", BETWEEN, "g"]
    assert split(FILE, ["f", "g"])[-1].text.startswith("# of g\n@f\ndef g")


def test_no_python():
    """A file with a syntax error is cut at its definitions all the same."""
    broken = FILE.replace("return x", "return (")
    assert [part.name for part in split(broken, ["f", "g"])] == [HEAD, "f", BETWEEN, "g"]


def test_comment_in_a_string():
    """A line that begins with # inside a string is no comment, and the string stays whole."""
    text = 'x = """\n# y"""\ndef f():\n    pass\n'
    assert [part.text for part in split(text, ["f"])] == ['x = """\n# y"""', "def f():\n    pass"]


def test_merged():
    """Changes to different parts come together; two changes to one part, or another order of parts, don't."""
    base = split(FILE, ["f", "g"])
    mine, yours = (
        split(FILE.replace(*change), ["f", "g"]) for change in (("return x", "return 2"), ("EPS = 1", "EPS = 2"))
    )
    assert join(merged(base, mine, yours)) == FILE.replace("return x", "return 2").replace("EPS = 1", "EPS = 2")
    assert merged(base, mine, split(FILE.replace("return x", "return 3"), ["f", "g"])) is None
    assert merged(base, mine, mine) == mine
    assert merged(base, mine, base[1:]) is None


@pytest.mark.parametrize(
    "text, answer",
    [
        ("def _help():\n    pass", True),
        ("import math\n\nSIDES = 4\n\nclass A:\n    pass", True),
        ("import math", False),
        ("x = 1", False),
        ("def f(x):\n    return x\n\nf(1)", False),
        ("def pad2d(x):\n    return x\n\npad2d(1)", True),
        ("# scratch\ndef _help():\n    pass", False),
        ("def pad2d(:", True),
        ("%timeit f(1)", False),
        ("", False),
    ],
)
def test_own_cells(text, answer):
    """A cell of the learner's own belongs to the file where it only defines, or defines an exercise."""
    assert belongs(text, {"pad2d"}) is answer


def test_head():
    """A head is a docstring and imports, nothing else."""
    assert is_head('"""What."""\nimport numpy as np') and is_head("import numpy as np")
    assert not is_head('"""What."""') and not is_head("x = 1") and not is_head("import (")
