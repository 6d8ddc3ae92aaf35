"""Edits travel between notebook and starter both ways: none is lost, none doubled, every conflict is told."""

import re
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kata import source
from kata.notebook import cells, making, sync
from kata.notebook.parts import join, split, styled
from kata.topics import Topic

HERE = Path(__file__).parent
NAMES = ["double", "double_backward", "Scale"]
picks = st.integers(0, 20)


class Small(Topic):
    """The miniature course's first topic, its starter in a folder of the test's own."""

    @property
    def reference(self):
        return HERE / "mini_course" / "reference" / "mini.py"


def small(folder):
    """Return a topic in a folder: its lesson, its starter."""
    topic = Small(21, "mini", folder)
    (folder / "README.md").write_text("# Doubling\n\n## The exercises\n\n## Traps\n", encoding="utf-8")
    topic.starter.write_text(source.starter(topic), encoding="utf-8", newline="\n")
    return topic


class Edits(RuleBasedStateMachine):
    """Every edit leaves a word of its own (e1, e2, ...), so that a word lost or doubled is seen."""

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.topic = small(self.folder)
        self.words = self.scratch = 0
        self.newline = "\n"
        assert sync.sync(self.topic).kind == sync.NEW
        self.base = self.starter()

    def teardown(self):
        shutil.rmtree(self.folder)

    def starter(self):
        return self.topic.starter.read_text(encoding="utf-8")

    def save_starter(self, text):
        self.topic.starter.write_bytes(styled(text, (self.newline, "")).encode())

    def notebook(self):
        return making.read(cells.path_of(self.topic))

    def save_notebook(self, notebook):
        nbformat.write(notebook, cells.path_of(self.topic))

    def gathered(self):
        return cells.gathered(self.notebook(), NAMES)

    def word(self):
        self.words += 1
        return f"e{self.words}"

    # --- edits ---

    @rule(pick=picks)
    def write_in_starter(self, pick):
        parts = split(self.starter(), NAMES)
        part = parts[pick % len(parts)]
        self.save_starter(self.starter().replace(part.text, f"{part.text}\n    # {self.word()}", 1))

    @rule(pick=picks)
    def write_in_notebook(self, pick):
        notebook = self.notebook()
        found = cells.solution_cells(notebook, NAMES)
        if found:
            found[pick % len(found)]["source"] += f"\n    # {self.word()}"
            self.save_notebook(notebook)

    @rule(pick=picks)
    def write_in_both(self, pick):
        self.write_in_starter(pick)
        self.write_in_notebook(pick)

    @rule(pick=picks)
    def helper_in_starter(self, pick):
        parts = split(self.starter(), NAMES)
        place = pick % (len(parts) + 1)
        text = join(parts[:place]).rstrip("\n")
        own = f"def _{self.word()}():\n    pass\n"
        self.save_starter(f"{text}\n\n\n{own}\n\n{join(parts[place:])}".lstrip("\n"))

    @rule(pick=picks)
    def helper_in_notebook(self, pick):
        notebook = self.notebook()
        own = nbformat.v4.new_code_cell(f"def _{self.word()}():\n    pass")
        notebook.cells.insert(pick % (len(notebook.cells) + 1), own)
        self.save_notebook(notebook)

    @rule(pick=picks)
    def scratch_in_notebook(self, pick):
        notebook = self.notebook()
        self.scratch += 1
        notebook.cells.insert(
            pick % len(notebook.cells), nbformat.v4.new_code_cell(f"print('scratch {self.scratch}.')")
        )
        self.save_notebook(notebook)

    @rule(pick=picks)
    def drop_from_starter(self, pick):
        parts = split(self.starter(), NAMES)
        del parts[pick % len(parts)]
        self.save_starter(join(parts))

    @rule(pick=picks)
    def drop_from_notebook(self, pick):
        notebook = self.notebook()
        found = cells.solution_cells(notebook, NAMES)
        if found:
            notebook.cells.remove(found[pick % len(found)])
            self.save_notebook(notebook)

    @rule(pick=picks)
    def move_in_notebook(self, pick):
        notebook = self.notebook()
        notebook.cells.insert(pick, notebook.cells.pop(pick % len(notebook.cells)))
        self.save_notebook(notebook)

    @rule()
    def other_newlines(self):
        self.newline = "\r\n" if self.newline == "\n" else "\n"
        self.save_starter(self.starter())

    @rule()
    def strip_metadata(self):
        """As an editor does that keeps only what it knows."""
        notebook = self.notebook()
        for thing in (notebook, *notebook.cells):
            thing.metadata.pop("kata", None)
        self.save_notebook(notebook)
        self.base = None

    # --- carrying ---

    @rule(take=st.sampled_from([None, None, None, "starter", "notebook"]))
    def carry(self, take):
        mine, yours, base = self.starter(), self.gathered(), self.base
        before = self.bytes()
        outcome = sync.sync(self.topic, take)
        if base is not None and len({mine, yours, base}) == 3:
            told = {sync.BOTH, take or sync.CONFLICT}
            assert outcome.kind in told, "that both changed is told"
        if outcome.kind == sync.CONFLICT:
            assert mine not in (yours, base) and yours != base and take is None
            assert self.bytes() == before, "a conflict touches neither side"
            assert kept_text(outcome.kept[0]) == yours
            assert outcome.difference
            return
        text = self.base = self.starter()
        assert text == self.gathered(), "both sides agree"
        assert sync.sync(self.topic).kind == sync.SAME, "a second sync has nothing to do"
        assert all(text.count(f"{word}\n") + text.count(f"{word}(") <= 1 for word in words(text)), "nothing is doubled"
        lost = (words(mine) | words(yours)) - words(text)
        dropped = words(base or "") - (words(mine) & words(yours))
        saved = set().union(*(words(kept_text(path)) for path in outcome.kept))
        assert lost <= dropped | saved, "nothing is lost"
        if take is None and base is not None:
            assert not words(text) & dropped, "what was taken out stays out"

    def bytes(self):
        return self.topic.starter.read_bytes(), cells.path_of(self.topic).read_bytes()

    @invariant()
    def scratch_stays(self):
        """Cells that belong to no file stay in the notebook, once each."""
        if hasattr(self, "topic"):
            found = re.findall(r"scratch \d+\.", str(self.notebook().cells))
            assert sorted(found) == sorted(f"scratch {number}." for number in range(1, self.scratch + 1))


def words(text):
    return set(re.findall(r"\be\d+\b", text.replace("_e", " e")))


def kept_text(path):
    """The code in a file kept beside: a starter's copy, or a notebook's."""
    if path.suffix == ".ipynb":
        return cells.gathered(making.read(path), NAMES)
    return path.read_text(encoding="utf-8")


Edits.TestCase.settings = settings(max_examples=40, stateful_step_count=14)


class TestEdits(Edits.TestCase):
    """Random edits on both sides."""

    def runTest(self):
        """Whatever is edited where, a sync loses nothing, doubles nothing and tells every conflict."""
        super().runTest()


@pytest.fixture
def topic(tmp_path):
    topic = small(tmp_path)
    sync.create(topic)
    return topic


def edit(topic, name, text):
    """Put a line under an exercise's cell in the notebook."""
    notebook = making.read(cells.path_of(topic))
    (cell,) = [cell for cell in notebook.cells if cell.metadata.get("kata", {}).get("part") == name]
    cell["source"] += f"\n{text}"
    nbformat.write(notebook, cells.path_of(topic))


def write(topic, old, new):
    topic.starter.write_text(topic.starter.read_text("utf-8").replace(old, new), "utf-8", newline="\n")


def test_from_notebook(topic):
    """An edit in the notebook reaches the starter, in its place, and nothing else changes there."""
    before = topic.starter.read_text("utf-8")
    edit(topic, "double", "    # mine")
    assert sync.sync(topic).kind == sync.FROM_NOTEBOOK
    assert topic.starter.read_text("utf-8") == before.replace(
        'double is still to do")', 'double is still to do")\n    # mine'
    )


def test_from_starter(topic):
    """An edit in the starter reaches its cell; check cells and lesson stay as they are."""
    before = making.read(cells.path_of(topic))
    write(topic, "import numpy as np\n", "import math\n\nimport numpy as np\n")
    assert sync.sync(topic).kind == sync.FROM_STARTER
    after = making.read(cells.path_of(topic))
    changed = [one["id"] for one, other in zip(before.cells, after.cells, strict=True) if one != other]
    assert changed == ["part-head"]


def test_windows_newlines_stay(topic):
    """A starter with Windows newlines keeps them when an edit arrives."""
    topic.starter.write_bytes(topic.starter.read_bytes().replace(b"\n", b"\r\n"))
    assert sync.sync(topic).kind == sync.SAME
    edit(topic, "Scale", "    # mine")
    assert sync.sync(topic).kind == sync.FROM_NOTEBOOK
    content = topic.starter.read_bytes()
    assert b"    # mine\r\n" in content and content.count(b"\n") == content.count(b"\r\n")


def test_different_places(topic):
    """Edits in different exercises, one on each side, come together on both."""
    edit(topic, "double", "    # from the notebook")
    write(topic, "double_backward is still to do", "double_backward: from the starter")
    outcome = sync.sync(topic)
    text = topic.starter.read_text("utf-8")
    assert outcome.kind == sync.BOTH and outcome.kept == ()
    assert text.count("from the notebook") == text.count("from the starter") == 1
    assert cells.gathered(making.read(cells.path_of(topic)), NAMES) == text


def test_conflict_and_choice(topic):
    """Two edits of one exercise are a conflict: told, shown, both kept; a choice keeps the other version beside."""
    edit(topic, "double", "    # from the notebook")
    write(topic, "double is still to do", "from the starter")
    outcome = sync.sync(topic)
    assert outcome.kind == sync.CONFLICT
    assert "+    # from the notebook" in outcome.difference and "-    raise" in outcome.difference
    assert "from the notebook" in outcome.kept[0].read_text("utf-8")
    chosen = sync.sync(topic, take="notebook")
    assert "from the notebook" in topic.starter.read_text("utf-8")
    assert "from the starter" in chosen.kept[0].read_text("utf-8")


def test_second_conflict(topic):
    """A version of the notebook that was written beside is not overwritten by a later one."""
    write(topic, "double is still to do", "from the starter")
    kept = []
    for text in ("    # one", "    # two", "    # two"):
        edit(topic, "double", text)
        kept += sync.sync(topic).kept
    assert len(set(kept)) == 3 and [path.read_text("utf-8").count("# two") for path in kept] == [0, 1, 2]


def test_function_gone(topic):
    """Where a function vanishes, the file that had it is kept beside."""
    notebook = making.read(cells.path_of(topic))
    notebook.cells = [cell for cell in notebook.cells if cell["id"] != "part-Scale"]
    nbformat.write(notebook, cells.path_of(topic))
    (kept,) = sync.sync(topic).kept
    assert "class Scale" in kept.read_text("utf-8") and "class Scale" not in topic.starter.read_text("utf-8")


def test_older_format(topic):
    """A notebook of an older format, its cells without ids, is read as well."""
    path = cells.path_of(topic)
    notebook = making.read(path)
    for cell in notebook.cells:
        del cell["id"]
    notebook.nbformat_minor = 2
    nbformat.write(notebook, path)
    edit(topic, "double", "    # mine")
    assert sync.sync(topic).kind == sync.FROM_NOTEBOOK


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', "\x00"])
def test_no_notebook(topic, text):
    """A file that is no notebook is refused in a sentence and left alone."""
    cells.path_of(topic).write_text(text, "utf-8")
    with pytest.raises(sync.KataError, match=r"mini\.ipynb is no notebook"):
        sync.sync(topic)
    assert cells.path_of(topic).read_text("utf-8") == text
