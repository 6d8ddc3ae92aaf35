"""Hints in three levels, from looking to doing, and behind them the solution for who gives up.

`hints/NN-stem/level-K.md` holds a section `## exercise` for each exercise of the topic.
"""

import ast
import re
import textwrap

from kata import progress, source
from kata.errors import KataError
from kata.verdict import check, recalled_statuses

LEVELS = (1, 2, 3)
SOLUTION = 4  # what is remembered as seen once the solution was
ITEM = r"\s*(?:[-*]|\d+[.])\s+"
TIED = "\N{NO-BREAK SPACE}"  # before a number and a full stop: at the start of a line they would look like an item


def sections(topic, level):
    """Return {exercise: text} of one level's file.

    Raises
    ------
    KataError
        If the topic has no such file.
    """
    path = topic.hints / f"level-{level}.md"
    if not path.exists():
        raise KataError(f"{path} is missing: {topic} has no hints of level {level}.")
    parts = re.split(r"^## +(.+?)\s*$", source.read(path), flags=re.MULTILINE)
    return {name: text.strip("\n") for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def hint(topic, exercise, level):
    """Return one hint's text."""
    found = sections(topic, level).get(exercise)
    if not found:
        raise KataError(f"{topic.hints.name}/level-{level}.md has no section '## {exercise}'.")
    return found


def solution(topic, exercise):
    """Return the reference's code of an exercise, its steps as comments, without the marks around it.

    Raises
    ------
    KataError
        If the repository is one that ships no solutions.
    """
    if topic.is_released:
        raise KataError("this repository ships no solutions. Level 3 is the last hint; ask your instructor for more.")
    text = source.definition(source.read(topic.reference), exercise)
    marks = (source.OPEN, source.CLOSE)
    return "".join(line for line in text.splitlines(keepends=True) if line.strip() not in marks)


def find_exercise(topic, name):
    """Return the exercise called `name`, in any case.

    Raises
    ------
    KataError
        If the topic has none of that name; the message lists them.
    """
    names = list(source.exercises(topic.outline))
    for exercise in names:
        if exercise.lower() == name.lower():
            return exercise
    raise KataError(f"{topic} has no exercise {name!r}. It has: {', '.join(names)}.")


def obstacle(topic):
    """Return a sentence where the learner's file can't be read as Python, so that no hint would help; else ""."""
    try:
        ast.parse(source.read(topic.starter))
    except SyntaxError as error:
        return f"{topic.starter.name}:{error.lineno or 1} has a syntax error, {error.msg}. Mend that first."
    except FileNotFoundError:
        return f"{topic.starter} is missing. python tools/reset.py {topic.number} makes a fresh one."
    except (OSError, ValueError) as error:
        return f"{topic.starter} can't be read: {error}."
    return ""


def current_exercise(topic, announce):
    """Return the first exercise that does not pass, or None where all do.

    The last check answers if it was on exactly this file, and a first exercise that is still a stub needs
    no check; otherwise the tests run, and `announce(text)` is told first.
    """
    names = list(source.exercises(topic.outline))
    if _is_stub(topic, names[0]):
        return names[0]
    statuses = _statuses(topic, announce)
    return next((name for name in names if statuses.get(name) != "pass"), None)


def _is_stub(topic, name):
    return name in source.stubs_left(topic.starter)


def passes(topic, exercise, announce):
    """Tell whether the exercise passes as the file is now; the tests run where the last check can't answer."""
    return not _is_stub(topic, exercise) and _statuses(topic, announce).get(exercise) == "pass"


def _statuses(topic, announce):
    """{exercise: status} from the last check if it was on exactly this file, else from a new one."""
    statuses = recalled_statuses(topic)
    if statuses is None:
        announce(f"checking {topic.starter.name} first ...")
        statuses = {exercise["name"]: exercise["status"] for exercise in check(topic)["exercises"]}
    return statuses


def seen_level(topic, exercise):
    """Return the highest hint level shown so far for the exercise, 0 for none."""
    seen = progress.recall(topic).get("hints", {}).get(exercise, 0)
    return seen if isinstance(seen, int) else 0


def mark_seen(topic, exercise, level):
    """Remember that a level was shown."""
    seen = progress.recall(topic).get("hints", {})
    if level > seen.get(exercise, 0):
        progress.remember(topic, hints={**seen, exercise: level})


def wrapped(text, width):
    """Fold prose to `width` columns, paragraph by paragraph; code blocks and tables stay as they are.

    A list begins after a blank line or a block, as in Markdown: within a paragraph "5. " is a number and a full stop.
    """
    lines, paragraph, fenced = [], [], False
    for line in [*text.splitlines(), ""]:
        fence = line.startswith("```")
        plain = fenced or fence or not line.strip() or line.startswith(("    ", "|"))
        listed = not paragraph or re.match(ITEM, paragraph[0])
        if plain or (listed and re.match(ITEM, line)):
            lines += _folded(paragraph, width)
            paragraph = []
        if plain:
            lines.append(line)
        else:
            paragraph.append(line.strip())
        fenced ^= fence
    return "\n".join(lines).rstrip()


def _folded(paragraph, width):
    """The lines of one paragraph or list item, continuation lines under its text."""
    if not paragraph:
        return []
    item = re.match(ITEM, paragraph[0])
    indent = " " * len(item.group()) if item else ""
    text = re.sub(r" (?=\d+[.] )", TIED, " ".join(paragraph))
    folded = textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False)
    return [line.replace(TIED, " ") for line in folded]
