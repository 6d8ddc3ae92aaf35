"""Inside the notebook: what was run in it so far, and the magics %check, %hint and %picture.

%check pad2d runs the visible tests of one exercise on the code in the notebook, %check those of all;
%hint pad2d shows the next hint, %hint pad2d 2 that of level 2; %picture draws what the code computes.

The code in the notebook is the latest text of every cell that was run, and for what was not run since the
kernel started the notebook as it was saved. It is tested as check.py tests a file, over the reference's earlier
topics; nothing but check.py says that a topic is done.
"""

import contextlib
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from IPython.core.getipython import get_ipython
from IPython.display import display

from kata import hints, source, verdict
from kata.errors import KataError
from kata.notebook import parts
from kata.notebook.cells import path_of, solution_cells, text_of
from kata.notebook.report import Hint, Page, Report
from kata.render import tool
from kata.runner import Request, run
from kata.topics import find_topic

BETWEEN_CELLS = "\n" * parts.GAP


@dataclass(frozen=True)
class Cell:
    """A cell that makes part of the solution: how it is recognised, and its text."""

    key: object
    text: str


class Session:
    """What a kernel has seen of a topic's notebook."""

    def __init__(self, topic):
        self.topic = topic
        self.exercises = source.exercises(topic.outline)
        self.statuses = {}
        self._run = {}

    def take_note(self, info):
        """IPython calls this before it runs a cell."""
        text = text_of({"source": info.raw_cell})
        if parts.belongs(text, set(self.exercises)) or parts.is_head(text):
            key = getattr(info, "cell_id", None) or parts.names(text)
            self._run.pop(key, None)
            self._run[key] = Cell(key, text)

    def cells(self):
        """Return the cells that make the solution as the notebook has it now."""
        cells = self._saved()
        for new in self._run.values():
            same = [number for number, cell in enumerate(cells) if _replaces(new, cell)]
            if same:
                cells[same[0]] = new
                cells = [cell for number, cell in enumerate(cells) if number not in same[1:]]
            elif not parts.is_head(new.text):
                cells.insert(_place(cells, new), new)
        return cells

    def _saved(self):
        """The solution as it lies on the disk: in the notebook, else in the starter."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            notebook = json.loads(path_of(self.topic).read_text(encoding="utf-8"))
            found = [Cell(cell.get("id"), text_of(cell)) for cell in solution_cells(notebook, self.exercises)]
            if found:
                return found
        try:
            text, _ = parts.decoded(self.topic.starter.read_bytes(), self.topic.starter)
        except OSError:
            text = source.starter(self.topic)
        return [Cell(part.name, part.text) for part in parts.split(text, self.exercises)]

    def was_run(self, exercise):
        return any(exercise in parts.defined(cell.text) for cell in self._run.values())


def _replaces(new, old):
    """Tell whether a cell that was run is a newer version of one that is known."""
    if new.key == old.key or (parts.is_head(old.text) and parts.is_head(new.text) and parts.has_docstring(new.text)):
        return True
    known = parts.names(old.text)
    return bool(known) and known <= parts.names(new.text)


def _place(cells, new):
    """Where a cell goes that is not known: behind what it defines anew, else in front of the first definition."""
    again = [
        number for number, cell in enumerate(cells) if set(parts.defined(cell.text)) & set(parts.defined(new.text))
    ]
    return again[-1] + 1 if again else next((n for n, cell in enumerate(cells) if not parts.is_head(cell.text)), 0)


# --- checking ------------------------------------------------------------------------------------


def check(topic, cells, names):
    """Return the verdict's entries on the named exercises: their visible tests, run on the cells' code."""
    with _file(topic, cells) as path:
        shown = run(Request(topic, path, exercises=frozenset(names)))
        found = verdict.decide(topic, path, shown)["exercises"]
    return [_located(exercise, path, cells) for exercise in found if exercise["name"] in names]


@contextlib.contextmanager
def _file(topic, cells):
    """The cells as a file of the starter's name, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="kata-", ignore_cleanup_errors=True) as folder:
        path = Path(folder).resolve() / topic.starter.name
        path.write_text(BETWEEN_CELLS.join(cell.text for cell in cells) + "\n", encoding="utf-8", newline="\n")
        yield path


def _located(exercise, path, cells):
    """The entry with cells and their lines in place of the lines of the file they made."""
    for failure in exercise["failures"]:
        failure["details"] = [_told(line, path, cells) for line in failure["details"]]
        failure["line"] = _told(Path(failure["line"]).name, path, cells)
    return exercise


def _told(text, path, cells):
    return re.sub(rf"\b{re.escape(path.name)}:(\d+)", lambda found: place(cells, int(found[1])), text)


def place(cells, line):
    """Return where in the notebook a line of the solution stands, counted from 1.

    >>> place([Cell(None, "import numpy"), Cell(None, "def f(x):\\n    return x")], 5)
    'cell f, line 2'
    """
    for cell in cells:
        count = cell.text.count("\n") + parts.GAP
        if line <= count:
            break
        line -= count
    return f"cell {next(iter(parts.defined(cell.text)), 'of the imports')}, line {line}"


# --- the magics ----------------------------------------------------------------------------------


def begin(number):
    """Make the magics known in this kernel, for one topic; a second call begins anew."""
    shell = get_ipython()
    for old in [
        one for one in shell.events.callbacks["pre_run_cell"] if isinstance(getattr(one, "__self__", None), Session)
    ]:
        shell.events.unregister("pre_run_cell", old)
    session = Session(find_topic(number))
    shell.events.register("pre_run_cell", session.take_note)
    for name, magic in {"check": _check, "hint": _hint, "picture": _picture}.items():
        shell.register_magic_function(_guarded(session, magic), magic_name=name)


def _guarded(session, magic):
    """The magic as IPython calls it; what a person can mend is said in a sentence."""

    def call(line):
        try:
            display(magic(session, line.split()))
        except KataError as error:
            print(error)
        except KeyboardInterrupt:
            print("interrupted; nothing was lost.")

    call.__doc__ = magic.__doc__
    return call


def _check(session, words):
    """Run the visible tests of an exercise on the code in the notebook; without a name, those of all."""
    names = [hints.find_exercise(session.topic, word) for word in words] or list(session.exercises)
    found = check(session.topic, session.cells(), names)
    session.statuses |= {exercise["name"]: exercise["status"] for exercise in found}
    return Report(found, list(_steps(session, found)))


def _steps(session, found):
    """What comes next: the place and a hint, or the next exercise, or the way to the verdict."""
    unseen = [exercise["name"] for exercise in found if not session.was_run(exercise["name"])]
    if unseen:
        yield f"{', '.join(unseen)}: not run since the kernel started, so the saved version was checked."
    waiting = [exercise for exercise in found if exercise["status"] != "pass"]
    left = [name for name in session.exercises if session.statuses.get(name) != "pass"]
    if waiting:
        name, failures = waiting[0]["name"], waiting[0]["failures"]
        where = next((failure["line"] for failure in failures[:1] if failure["line"]), f"cell {name}")
        yield f"next: {where}, or ask `%hint {name}`"
    elif left:
        yield f"next: {left[0]}"
    else:
        number = session.topic.number
        yield "every exercise passes its visible tests. Save the notebook; then, in a terminal:"
        yield f"`{tool('notebook.py', number, '--sync')}`"
        yield f"`{tool('check.py', number)}`"


def _hint(session, words):
    """Show the next hint for an exercise, or that of a level: %hint pad2d, %hint pad2d 2."""
    levels = [int(word) for word in words if word.isdecimal()]
    names = [hints.find_exercise(session.topic, word) for word in words if not word.isdecimal()]
    left = [name for name in session.exercises if session.statuses.get(name) != "pass"]
    name = (names or left or list(session.exercises))[0]
    level = levels[0] if levels else min(hints.seen_level(session.topic, name) + 1, max(hints.LEVELS))
    if level not in hints.LEVELS:
        solution = tool("hint.py", session.topic.number, "--exercise", name, "--give-up")
        raise KataError(f"hints have the levels 1, 2 and 3. The solution of {name}: {solution}")
    hints.mark_seen(session.topic, name, level)
    more = f"more: `%hint {name} {level + 1}`" if level < max(hints.LEVELS) else ""
    heading = f"topic {session.topic.number} {name}, level {level} of {len(hints.LEVELS)}"
    return Hint(heading, hints.hint(session.topic, name, level), more)


def _picture(session, words):
    """Draw what the code in the notebook computes, as a page to move about in."""
    from kata.pictures import page, studio

    with _file(session.topic, session.cells()) as path:
        drawing = studio.drawn(session.topic.number, str(path))
        said = [*drawing.problems, drawing.says]
        return Page([_told(line, path, session.cells()) for line in said], page.make(drawing))
