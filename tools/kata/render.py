"""A verdict as text for people."""

import os
import shutil
import sys
import textwrap
from pathlib import Path

from kata.cli import click
from kata.topics import ROOT, find_topic

COLORS = {"pass": "green", "fail": "red", "todo": "yellow", "wait": "yellow"}
DETAIL_LINES = 6


def width():
    """The terminal's width, at most 100 columns."""
    return min(shutil.get_terminal_size((80, 24)).columns, 100)


def shown_path(path):
    """A path as short as it can be clicked: relative to the current folder where it lies below, else absolute."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def tool(name, *arguments):
    """The command line of a tool as it works from the current folder."""
    path = shown_path(ROOT / "tools" / name)
    quoted = f'"{path}"' if " " in path else path
    return " ".join(["python", quoted, *map(str, arguments)])


def counts(verdict):
    """visible 9/14, hidden not run."""
    visible = "visible {}/{}".format(*verdict["visible"])
    if verdict["hidden"]:
        return visible, "hidden {}/{}".format(*verdict["hidden"])
    return visible, "hidden not here" if verdict["awaits_hidden"] else "hidden not run"


def headline(verdict):
    """The first line: how far the topic is, and the two suites' counts at the right."""
    exercises = verdict["exercises"]
    done = sum(exercise["status"] == "pass" for exercise in exercises)
    state = "complete" if verdict["complete"] else f"{done} of {len(exercises)} exercises pass"
    left = f"topic {verdict['topic']} {verdict['stem']}: {state}"
    right = "({}, {})".format(*counts(verdict))
    gap = width() - len(left) - len(right)
    color = "green" if verdict["complete"] else None
    return click.style(left, bold=True, fg=color) + (" " * gap if gap > 1 else "\n  ") + right


def details(verdict):
    """One line an exercise; the evidence beside and under the failing ones, in full for the first."""
    column = max((len(exercise["name"]) for exercise in verdict["exercises"]), default=0)
    lines, in_full = [], True
    for exercise in verdict["exercises"]:
        status = click.style(exercise["status"], fg=COLORS[exercise["status"]])
        said = evidence(exercise, in_full)
        in_full &= exercise["status"] != "fail"
        first, *rest = _wrapped(said, width() - column - 10) or [""]
        lines.append(f"  {status}  {exercise['name']:<{column}}  {first}".rstrip())
        lines += [f"{'':{column + 10}}{line}" for line in rest]
    return lines


def evidence(exercise, in_full):
    """What is said about an exercise that does not pass: sentence, difference, call, test, likely mistake."""
    if exercise["status"] == "wait":
        return [f"waits for {exercise['failures'][0]['exercise']}"]
    if exercise["status"] != "fail":
        return []
    failure = exercise["failures"][0]
    said = [failure["sentence"]]
    if in_full:
        said += _difference(exercise, failure)
        more = len(exercise["failures"]) - 1
        said.append(failure["test"].rpartition(".")[2] + (f" and {more} more" if more else ""))
    if exercise["follows"]:
        said.append("follows from another exercise: over the reference's others it is right")
    if exercise["mistake"]:
        said.append(f"looks like: {exercise['mistake']['says']} (hint level {exercise['mistake']['level']})")
    return said


def _difference(exercise, failure):
    """Expected against got, and the call; of a hidden test only a fresh counter-example."""
    evidence, call = failure["details"], failure["call"]
    if failure["suite"] == "test_hidden.py" and exercise["counterexample"]:
        call, *evidence = exercise["counterexample"]
    if len(evidence) > DETAIL_LINES:
        evidence = [*evidence[:DETAIL_LINES], "..."]
    printed = [f"printed: {line}" for line in failure["printed"]]
    return [*evidence, *([f"after {call}"] if call else []), *printed]


def _wrapped(lines, room):
    fold = textwrap.TextWrapper(max(room, 40), subsequent_indent="  ", break_long_words=False)
    return [part for line in lines for part in fold.wrap(line)]


def verdict_text(verdict):
    """The whole verdict on one topic."""
    lines = [headline(verdict)]
    if verdict["problem"]:
        lines += [click.style(f"  {line}", fg="red") for line in _wrapped([verdict["problem"]], width() - 2)]
    elif verdict["awaits_hidden"]:
        lines.append("  the visible suite passes; the hidden one is not here: your instructor's grade.py decides")
    elif not verdict["complete"]:
        lines += details(verdict)
    if verdict["fault"]:
        lines += _wrapped([fault_line(verdict["fault"])], width())
    return "\n".join(lines)


def fault_line(fault):
    count = len(fault["tests"])
    tests = "1 test passes" if count == 1 else f"{count} tests pass"
    return (
        f"the fault is in topic {fault['topic']}: over the reference's {fault['stem']} {tests} that fail over yours. "
        f"See {shown_path(fault['file'])}"
    )


def board(verdicts):
    """One line a topic; of one that was not checked (`standing` says so in words) nothing but that."""
    column = max(len(verdict["stem"]) for verdict in verdicts)
    lines = []
    for verdict in verdicts:
        if "standing" in verdict:
            state = click.style(verdict["standing"], fg="yellow")
            lines.append(f"topic {verdict['topic']}  {verdict['stem']:<{column}}  {state}")
            continue
        exercises = verdict["exercises"]
        done = sum(exercise["status"] == "pass" for exercise in exercises)
        state = "complete" if verdict["complete"] else f"{done} of {len(exercises)} exercises"
        color = "green" if verdict["complete"] else "red" if verdict["problem"] else None
        visible, hidden = counts(verdict)
        state = click.style(f"{state:<17}", fg=color)
        todo = sum(exercise["status"] == "todo" for exercise in exercises)
        line = f"topic {verdict['topic']}  {verdict['stem']:<{column}}  {state}  {visible:<14}  {hidden}"
        lines.append(line + (click.style(f"  {todo} todo", fg="yellow") if todo else ""))
        if verdict["problem"]:
            lines += [f"  {line}" for line in _wrapped([verdict["problem"]], width() - 2)]
    return "\n".join(lines)


def next_step(verdicts):
    """Name the file and line to go on at, and the command that helps; "" when all is complete."""
    for verdict in verdicts:
        if verdict["complete"] or verdict["awaits_hidden"]:
            continue
        topic = find_topic(verdict["topic"])
        if not Path(verdict["file"]).exists():
            return f"next: {tool('reset.py', topic.number)}"
        waiting = [exercise for exercise in verdict["exercises"] if exercise["status"] != "pass"]
        place = shown_path(verdict["file"])
        if waiting:
            place += f":{_line(waiting[0])}  {waiting[0]['name']}"
        if Path(verdict["file"]) != topic.starter:
            return f"next: {place}"
        return f"next: {place}\n  or: {tool('hint.py', topic.number)}"
    return ""


def _line(exercise):
    """Where to look: the learner's own line of the first failure, else the exercise's."""
    own = [failure["line"].rpartition(":")[2] for failure in exercise["failures"] if failure["kind"] != "todo"]
    return next((line for line in own[:1] if line), exercise["line"])


def note_unremembered(verdicts):
    """Say so when a verdict on the learner's own file could not be written down."""
    if any(verdict["remembered"] is False for verdict in verdicts):
        return f"note: {shown_path(ROOT / '.kata')} can't be written, so this verdict is not remembered."
    return ""


def note_edited(topics):
    """Say which topics were complete and hold another file now: `cnn` has the reference's until they are checked."""
    return "\n".join(
        f"note: {topic} is edited since, not checked: cnn takes the reference's until {tool('check.py', topic.number)}"
        for topic in topics
    )


def terminal_is_interactive():
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
