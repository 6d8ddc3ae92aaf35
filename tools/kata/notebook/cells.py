"""What a cell of a topic's notebook is, and the file that its solution cells make. Plain data, no library needed.

What a cell is for stands in its metadata, {"kata": {"role": ..., "part": ..., "gap": ...}}; the notebook's own has
{"kata": {"topic": ..., "base": ..., "end": ...}}, where base is the starter's text when the two last agreed.
"""

import re

from kata.notebook.parts import BETWEEN, GAP, Part, belongs, is_head, join

SETUP, LESSON, HEADING, SOLUTION, CHECK, LAST = "setup", "lesson", "heading", "solution", "check", "last"


def path_of(topic):
    """Where a topic's notebook lies: beside the starter, with its stem."""
    return topic.starter.with_suffix(".ipynb")


def kata(thing):
    """What this course wrote into a cell's or a notebook's metadata, {} where nothing."""
    found = thing.get("metadata", {}).get("kata")
    return found if isinstance(found, dict) else {}


def solution_cells(notebook, exercises):
    """Return the cells that make the solution file, in order."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    marked = any(kata(cell) for cell in code)  # some editors strip what they do not know
    return [cell for cell in code if _is_solution(cell, set(exercises), marked)]


def _is_solution(cell, exercises, marked):
    role, text = kata(cell).get("role"), text_of(cell)
    return role == SOLUTION or (role is None and (belongs(text, exercises) or (not marked and is_head(text))))


def text_of(cell):
    """A cell's text, newlines as \\n, without the empty lines at its end."""
    text = cell["source"]
    text = text if isinstance(text, str) else "".join(text)
    return re.sub("\r\n?", "\n", text).rstrip("\n")


def gathered(notebook, exercises):
    """Return the text of the file that the notebook's solution cells make."""
    cells = solution_cells(notebook, exercises)
    written = [cell for cell in cells if text_of(cell)] or cells[:1]
    parts = [Part(BETWEEN, text_of(cell), _gap(cell)) for cell in written]
    if parts:
        end = kata(notebook).get("end", 1)
        parts[-1] = Part(BETWEEN, parts[-1].text, end if isinstance(end, int) else 1)
    return join(parts)


def _gap(cell):
    gap = kata(cell).get("gap", GAP)
    return gap if isinstance(gap, int) and gap > 0 else GAP


def base(notebook):
    """Return the text on which notebook and starter last agreed, or None where that is not known."""
    text = kata(notebook).get("base")
    return text if isinstance(text, str) else None


def agree(notebook, text):
    """Write into the notebook that it and the starter agree on `text`."""
    end = len(text) - len(text.rstrip("\n"))
    notebook["metadata"]["kata"] = {**kata(notebook), "base": text, "end": end}
