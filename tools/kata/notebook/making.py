"""A topic's notebook: the lesson in sections, a cell for each part of the starter, a check under each exercise."""

import base64
import importlib.util
import json
import re
from dataclasses import replace
from difflib import SequenceMatcher
from importlib.resources import files
from urllib.parse import unquote

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, upgrade

from kata import source
from kata.errors import KataError
from kata.notebook.cells import CHECK, HEADING, LAST, LESSON, SETUP, SOLUTION, agree, kata, solution_cells, text_of
from kata.notebook.parts import GAP, defined, split
from kata.progress import write_atomically

IMAGES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
OWN = (
    "Your functions stand in the cells below: write one, run its cell, run the check under it. A cell of your own goes "
    "into `{file}` as well when it holds functions, classes or CONSTANTS and nothing that runs; `# scratch` as its "
    "first line keeps it out. Imports belong in the first of these cells. `%hint` shows the next hint."
)
PICTURE = (
    "### What your code does\n\n"
    "Drawn from the cells above. What is not written yet is the reference's, and is said to be."
)
DONE = (
    "## Done?\n\n`%check` shows how all exercises stand. To finish the topic, save the notebook, carry what you wrote "
    "into `{file}`, and let the hidden suite look at it. In a terminal:\n\n"
    "    python tools/notebook.py {number} --sync\n    python tools/check.py {number}\n\n"
    "If you work on Colab or Binder, download the notebook first and put it beside `{file}` in your own clone."
)


# --- making --------------------------------------------------------------------------------------


def make(topic, text, address=""):
    """Return the notebook of a topic whose starter holds `text`; `address` is where the course can be cloned from."""
    title, before, after = _sections(_lesson(topic))
    cells = [_code(SETUP, SETUP, first_cell(topic, address)), *_markdown(LESSON, [title, *before])]
    cells.append(_text(HEADING, "heading-own", OWN.format(file=topic.starter.name)))
    exercises = source.exercises(topic.outline)
    for number, part in enumerate(_open_ended(split(text, exercises))):
        if part.name in exercises:
            cells.append(_text(HEADING, f"heading-{part.name}", f"### `{part.name}`"))
        cells.append(_solution(part, number))
        if part.name in exercises:
            cells.append(_check(part.name))
    if has_picture(topic):
        cells += [_text(HEADING, "heading-picture", PICTURE), _code(CHECK, "picture", "%picture")]
    cells += _markdown(LESSON, after, len(before) + 1)
    cells.append(_text(LAST, LAST, DONE.format(file=topic.starter.name, number=topic.number)))
    notebook = new_notebook(cells=_with_unique_ids(cells), metadata={"kernelspec": KERNEL})
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["kata"] = {"topic": topic.number}
    agree(notebook, text)
    return notebook


def first_cell(topic, address):
    """Return the code that sets the notebook up, wherever it is opened."""
    text = files("kata.notebook").joinpath("first_cell.py").read_text(encoding="utf-8")
    text = text.replace('ADDRESS = ""', f"ADDRESS = {json.dumps(address)}")
    return text.replace("TOPIC = 0", f"TOPIC = {topic.number}").rstrip("\n")


def _lesson(topic):
    path = topic.folder / "README.md"
    return with_images(source.read(path), topic.folder) if path.is_file() else f"# {topic}"


def _sections(text):
    """Return a lesson's title with what stands under it, its sections up to the exercises, and those behind."""
    title, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    heads = [section.partition("\n")[0].lower() for section in sections]
    here = next((number for number, head in enumerate(heads) if "the exercises" in head), len(sections) - 1)
    return title, sections[: here + 1], sections[here + 1 :]


def with_images(text, folder):
    """Return a lesson with its pictures inside, so that it can be read away from its folder."""

    def inside(found):
        path = folder / unquote(found[2])
        kind = IMAGES.get(path.suffix.lower())
        if kind is None or not path.is_file():
            return found[0]
        return f"![{found[1]}](data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()})"

    return re.sub(r"!\[([^\]]*)\]\(([^():]+)\)", inside, text)


def has_picture(topic):
    """Tell whether picture.py draws the topic."""
    return importlib.util.find_spec("kata.pictures") is not None and (
        importlib.util.find_spec(f"kata.pictures.{topic.stem}") is not None
    )


def _markdown(role, texts, first=0):
    return [_text(role, f"{role}-{number}", text) for number, text in enumerate(texts, first)]


def _text(role, identity, text):
    return new_markdown_cell(text.strip("\n"), id=identity, metadata={"kata": {"role": role}})


def _code(role, identity, text, **more):
    return new_code_cell(text, id=identity, metadata={"kata": {"role": role, **more}})


def _open_ended(parts):
    """The parts with nothing said of the file's end: the last one need not stay the last."""
    return [*parts[:-1], replace(parts[-1], gap=GAP)]


def _check(name):
    return _code(CHECK, f"check-{name}", f"%check {name}")


def _solution(part, number=0):
    gap = {} if part.gap == GAP else {"gap": part.gap}
    return _code(SOLUTION, f"part-{part.name or f'between-{number}'}", part.text, part=part.name, **gap)


def _with_unique_ids(cells):
    """Number the ids that occur more than once."""
    taken = set()
    for cell in cells:
        wanted = re.sub(r"[^\w-]", "-", cell.get("id", "cell"), flags=re.ASCII)[:48]
        numbered = (f"{wanted}-{number}" for number in range(2, len(cells) + 2))
        cell["id"] = wanted if wanted not in taken else next(name for name in numbered if name not in taken)
        taken.add(cell["id"])
    return cells


# --- reading -------------------------------------------------------------------------------------


def read(path):
    """Return the notebook at `path`.

    Raises
    ------
    KataError
        If it is none; the message has the reason.
    """
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        return upgrade(notebook, from_minor=notebook.nbformat_minor)
    except OSError as error:
        raise KataError(f"{path} can't be read: {error.strerror}.") from None
    except Exception as error:  # nbformat passes on whatever a broken file leads to
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise KataError(f"{path} is no notebook: {reason}. Move it away, and notebook.py makes a new one.") from None


def write(path, notebook):
    """Replace the notebook at `path`, or leave it untouched."""
    try:
        write_atomically(path, nbformat.writes(notebook) + "\n")
    except OSError as error:
        raise KataError(f"{path} can't be written ({error.strerror}). Check the folder's permissions.") from None


# --- taking over ---------------------------------------------------------------------------------


def take_over(notebook, parts, exercises):
    """Make the solution cells hold exactly these parts; every other cell stays where it is."""
    cells, parts = solution_cells(notebook, exercises), _open_ended(parts)
    partner, unplaced = _paired(cells, parts), list(enumerate(parts))
    made = []
    for cell in notebook["cells"]:
        if not any(cell is one for one in cells):
            made.append(cell)
        elif id(cell) in partner:
            place = partner[id(cell)]
            made += _new_cells(made, [part for number, part in unplaced if number < place], exercises)
            unplaced = [(number, part) for number, part in unplaced if number > place]
            made.append(_filled(cell, parts[place]))
    behind = max((number for number, cell in enumerate(made) if kata(cell).get("role") in (SOLUTION, CHECK)), default=0)
    made[behind + 1 : behind + 1] = _new_cells([], [part for _, part in unplaced], exercises)
    notebook["cells"] = _with_unique_ids(made)


def _paired(cells, parts):
    """Return {id of a cell: number of the part it is to hold}, in order, like with like."""
    likeness = [defined(text_of(cell)) for cell in cells], [defined(part.text) for part in parts]
    likeness = [list(map(tuple, side)) for side in likeness]
    pairs = {}
    for kind, first, end, other, other_end in SequenceMatcher(None, *likeness, autojunk=False).get_opcodes():
        if kind == "equal" or (kind == "replace" and end - first == other_end - other):
            pairs |= {id(cells[first + step]): other + step for step in range(end - first)}
    return pairs


def _new_cells(before, parts, exercises):
    """Cells for parts that have none; they go in front of the heading that `before` may end with."""
    cells = []
    for part in parts:
        cells.append(_solution(part))
        if part.name in exercises:
            cells.append(_check(part.name))
    headings = []
    while cells and before and kata(before[-1]).get("role") == HEADING:
        headings.insert(0, before.pop())
    return cells + headings


def _filled(cell, part):
    """The cell with the part's text; its outputs stay, the learner may still be reading them."""
    gap = {} if part.gap == GAP else {"gap": part.gap}
    cell["metadata"]["kata"] = {"role": SOLUTION, "part": part.name, **gap}
    cell["source"] = part.text
    return cell
