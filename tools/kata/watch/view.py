"""What the screen shows, as lines of styled text: pure functions of the state, for any width and height."""

import ast
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from kata import source
from kata.render import COLORS, counts, fault_line
from kata.watch import focus

KEYS = ("h hint", "a all", "n next", "l board", "r reset", "u undo", "o open", "q quit")
MARKS = {"pass": "■", "fail": "✗", "todo": "·", "wait": "·"}
PLAIN_MARKS = {"pass": "#", "fail": "x", "todo": ".", "wait": "."}
SLOW = 2  # seconds after which the running test is named


@dataclass
class View:
    """Everything the screen depends on."""

    topic: object
    verdict: dict | None = None
    run: object = None  # a Run in progress
    since: float | None = None  # when its last news came
    first: str = ""  # id of the test to show while it fails
    panel: tuple | None = None  # (title, lines) over the body
    note: str = ""
    polls: bool = False
    plain: bool = False  # only ASCII

    def focus(self):
        """Return the exercise, as a verdict has it, and the failure to show; of the run where it has one already."""
        failure = focus.failing(self.run, self.first) if self.run else None
        if failure:
            looks = self.run.diagnoses.get(failure["exercise"], {})
            mistake = next(iter(looks.get("mistakes", [])), None)
            return {"mistake": mistake, "follows": False, "counterexample": None} | looks, failure
        return (focus.decided(self.verdict, self.first) if self.verdict else None) or (None, None)

    def exercise(self):
        """Return the name of the exercise in focus, None where there is none."""
        exercise, failure = self.focus()
        return failure["exercise"] if failure else exercise and exercise["name"]


def frame(view, width, height):
    """Return the whole screen: `height` lines no wider than `width`."""
    head = [_title(view, width), _progress(view, width)]
    foot = [Text(view.note, style="yellow", no_wrap=True), _keys(width)]
    room = max(0, height - len(head) - len(foot) - (height > 12))
    body = _panel(view, width, room) if view.panel else _body(view, width, room)
    gap = [Text()] if height > 12 else []
    lines = [*head, *gap, *body[:room], *[Text()] * (room - len(body)), *foot][:height]
    for line in lines:
        line.truncate(width, overflow="ellipsis" if not view.plain else "crop")
    return lines


def _title(view, width):
    left = Text(f"topic {view.topic.number} {view.topic.stem}", style="bold")
    right = Text(_state(view))
    gap = max(2, width - left.cell_len - right.cell_len)
    return left + Text(" " * gap) + right


def _state(view):
    """At the right of the first line: what is going on, else the counts of the last verdict."""
    if view.run is not None:
        if not view.run.tests:
            return "starting ..."
        quiet = time.monotonic() - view.since
        if quiet > SLOW:
            names = [test["id"] for test in view.run.tests if test["id"] not in view.run.results]
            known = [name for name in names if name == view.first] or names
            return f"{focus.name_of(known[0])}, {quiet:.0f} s ..." if known else f"{quiet:.0f} s ..."
        return _count(view.run)
    return ", ".join(counts(view.verdict)) if view.verdict else ""


def _count(run):
    """How far the suite is that runs: the hidden one only after the visible."""
    suites = {"visible": [], "hidden": []}
    for test in run.tests:
        suites["hidden" if test["suite"] == "test_hidden.py" else "visible"].append(test["id"] in run.results)
    name = "visible" if not all(suites["visible"]) or not suites["hidden"] else "hidden"
    return f"running, {name} {sum(suites[name])} of {len(suites[name])} ..."


def _progress(view, width):
    """A mark an exercise, then how many pass."""
    exercises = view.verdict["exercises"] if view.verdict else []
    statuses = [exercise["status"] for exercise in exercises] or ["todo"] * len(source.exercises(view.topic.outline))
    marks = PLAIN_MARKS if view.plain else MARKS
    line = Text()
    for status in statuses:
        line.append(marks[status], style=COLORS[status])
        line.append(" " if 2 * len(statuses) + 30 < width else "")
    if exercises:
        done = sum(exercise["status"] == "pass" for exercise in exercises)
        line.append(f" {done} of {len(exercises)} exercises pass")
    if view.polls:
        line.append("  (looking for saves)", style="dim")
    return line


def _keys(width):
    """The keys with what they do, or the letters alone where these don't fit."""
    full = "  ".join(KEYS)
    line = Text(no_wrap=True)
    if len(full) > width:
        return Text(" ".join(key[0] for key in KEYS), style="bold")
    for key in KEYS:
        line.append(key[0], style="bold")
        line.append(f"{key[1:]}  ", style="dim")
    line.right_crop(2)
    return line


# --- the body -----------------------------------------------------------------------------------


def _panel(view, width, room):
    title, said = view.panel
    lines = [Text(title, style="bold"), Text()]
    lines += [line if isinstance(line, Text) else Text(line) for line in said]
    if len(lines) > room:
        lines[max(room - 1, 0) :] = [Text("...", style="dim")]
    return lines


def _body(view, width, room):
    """Blocks of lines; where they don't fit, those that matter least go first."""
    blocks = _blocks(view, width)
    for weight in (GAP, PRINTED, CALL, WINDOW, PLACE):
        for lines in reversed([lines for of, lines in blocks if of == weight]):
            excess = sum(len(lines) for _, lines in blocks) - room
            if excess > 0:
                del lines[max(0, len(lines) - excess) if weight == PRINTED else 0 :]
    return [line for _, lines in blocks for line in lines]


# How early a block makes room: the largest first, 0 never.
GAP, PRINTED, CALL, WINDOW, PLACE = 5, 4, 3, 2, 1


def _blocks(view, width):
    exercise, failure = view.focus()
    if failure and failure["kind"] == "broken":
        return _problem(failure["details"][0], failure["line"], width)
    if failure:
        return _failure(view, exercise, failure, width)
    if view.verdict and view.verdict["problem"]:
        return _problem(view.verdict["problem"], "", width)
    if exercise:
        return _to_do(view, exercise, width)
    return [(0, _all_done(view, width))] if view.verdict else []


def _failure(view, exercise, failure, width):
    name, counterexample = failure["exercise"], exercise["counterexample"]
    details, call, window = failure["details"], failure["call"], failure.get("window") or {}
    if failure["suite"] == "test_hidden.py" and counterexample:
        call, *details = counterexample
    fault = None if view.run else view.verdict["fault"]
    kind = {"hang": "hangs", "crash": "crashes", "broken": "can't be tested"}.get(failure["kind"], "")
    if view.run and failure is view.run.preview:
        kind = "looking for a smaller example ..."
    heading = Text(name, style="bold red") + Text(f"  {kind or failure['test'].rpartition('.')[2]}", style="dim")
    blocks = [
        (0, [heading]),
        (0, folded(failure["sentence"], width, "bold")),
        (GAP, [Text()]),
        (0, [line for text in details[:4] for line in folded(text, width, "red")[:3]]),
        (CALL, folded(f"after {call}", width)[:3] if call else []),
        (WINDOW, [Text(), *_window(window, width)] if window else []),
        (GAP, [Text()]),
        (PLACE, _place(view)),
        (0, _looks(exercise, width)),
        (0, folded(fault_line(fault), width, "magenta") if fault else []),
        (PRINTED, _printed(failure["printed"], width)),
    ]
    return [block for block in blocks if block[1]]


def _looks(exercise, width):
    mistake = exercise["mistake"]
    if exercise["follows"]:
        return folded("follows from another exercise: over the reference's others this one is right", width, "magenta")
    if mistake:
        return folded(f"looks like: {mistake['says']} (hint level {mistake['level']})", width, "magenta")
    return []


def _printed(lines, width):
    return [Text(f"printed: {line}"[:width], style="cyan") for line in lines]


def _place(view):
    """The learner's own line: where it was raised or hangs, else where the exercise begins."""
    path, number = place(view)
    code = _code(path, number)
    return [Text(f"{path.name}:{number}  ", style="bold") + Text(code, style="", no_wrap=True)]


def place(view):
    """Return (file, line) to go to: the failure's own line, else where the exercise begins."""
    exercise, failure = view.focus()
    path, _, number = (failure["line"] if failure else "").rpartition(":")
    if number.isdigit():
        return Path(path), int(number)
    line = failure is None and exercise and exercise["line"]
    return view.topic.starter, line or _line_of(view.topic.starter, view.exercise()) or 1


def _code(path, number):
    try:
        return source.read(path).splitlines()[number - 1].strip()
    except (OSError, ValueError, IndexError):
        return ""


def _line_of(path, name):
    try:
        return source.exercises(path).get(name, 0)
    except (OSError, SyntaxError, ValueError):
        return 0


def _window(window, width):
    """Expected and got side by side, the first difference in brackets."""
    rows, columns = len(window["expected"]), len(window["expected"][0])
    row, column = window["mark"]
    cell = max(len(text) for side in ("expected", "got") for line in window[side] for text in line) + 2
    fit = max(1, min(columns, (width - 4) // 2 // cell))
    first = max(0, min(column - fit // 2, columns - fit))
    last = first + fit
    block = fit * cell
    title = f"expected {window['place']}"
    gap = max(4, len(title) + 2 - block)
    if 2 * block + gap > width:
        title, gap = "expected", 4
    tables = {side: [line[first:last] for line in window[side]] for side in ("expected", "got")}
    lines = [Text(f"{title:<{block + gap}} got", style="dim")]
    for i in range(rows):
        line = Text(no_wrap=True)
        for side, style in (("expected", "bold green"), ("got", "bold red")):
            for j, text in enumerate(tables[side][i], first):
                marked = (i, j) == (row, column)
                line.append(f"[{text}]".rjust(cell) if marked else f"{text} ".rjust(cell), style if marked else "")
            line.append(" " * gap if side == "expected" else "")
        lines.append(line)
    return lines


def _problem(problem, place, width):
    """The solution could not be tested at all: why, and the lines around the place."""
    path, _, number = place.rpartition(":")
    return [(0, folded(problem, width, "bold red")), (GAP, [Text()]), (PLACE, _around(path, number, width))]


def _around(path, number, width):
    """Five lines of a file, the one meant marked."""
    try:
        lines = source.read(path).splitlines()
        number = int(number)
    except (OSError, ValueError):
        return []
    shown = []
    for at in range(max(1, number - 2), min(len(lines), number + 2) + 1):
        mark = ">" if at == number else " "
        shown.append(Text(f"{mark} {at:>4}  {lines[at - 1].expandtabs(4)}", style="bold" if at == number else "dim"))
    return shown


def _to_do(view, exercise, width):
    """An exercise not begun, or one that waits for another: what it is, and what its first test says."""
    name = exercise["name"]
    first = next(iter(exercise["failures"]), None)
    line = exercise["line"]
    head = Text(f"next: {name}", style="bold yellow")
    if exercise["status"] == "wait":
        head += Text(f"  waits for {first['exercise']}", style="dim")
    return [
        (0, [head]),
        (0, [Text(f"{view.topic.starter.name}:{line}", style="bold"), Text()]),
        (CALL, folded(_summary(view.topic, name), width)),
        (GAP, [Text()]),
        (WINDOW, folded(f"its first test: {first['sentence']}", width) if first else []),
        (GAP, [Text()]),
        (PRINTED, [Text("o opens the file there, h shows a hint; save, and the tests run.", style="dim")]),
    ]


def _summary(topic, name):
    """The first paragraph of an exercise's docstring."""
    tree = ast.parse(source.read(topic.outline))
    node = next((node for node in tree.body if getattr(node, "name", "") == name), None)
    text = (ast.get_docstring(node) or "") if node else ""
    return " ".join(text.split("\n\n")[0].split())


def _all_done(view, width):
    verdict = view.verdict
    if verdict["complete"]:
        said = "complete: every test of the visible and the hidden suite passes."
    elif verdict["awaits_hidden"]:
        said = "the visible suite passes; the hidden one is your instructor's."
    else:
        said = "every exercise passes, and yet the topic is not complete: python tools/check.py tells why."
    said = f"{view.topic} is {said}" if verdict["complete"] else said
    onward = folded("n goes on to the next topic, l shows the board.", width)
    return [*folded(said, width, "bold green"), Text(), *onward]


def folded(text, width, style=""):
    """Return prose as lines of at most `width` columns."""
    lines = textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=True)
    return [Text(line, style=style) for line in lines]
