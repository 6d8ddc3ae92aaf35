"""What is told of a graded class: a table of points, a page a learner, the mistakes made most."""

import csv
import io
from collections import Counter
from dataclasses import dataclass, field

from kata import source
from kata.formats import points, said

MISSING, UNTOUCHED, DONE = "not handed in", "the starter as given", "complete"


@dataclass
class Graded:
    """A submission and what became of it: `verdicts` maps a topic to its verdict, `untouched` are starters as given."""

    submission: object
    verdicts: dict = field(default_factory=dict)
    untouched: set = field(default_factory=set)
    problem: str = ""

    @property
    def name(self):
        return self.submission.name

    def points(self, topic, partial):
        """Return the topic's points, None where it was not handed in or could not be graded."""
        if topic in self.untouched:
            return 0.0
        return points.of_verdict(self.verdicts[topic], partial)[0] if topic in self.verdicts else None

    def state(self, topic):
        if topic in self.untouched:
            return UNTOUCHED
        if topic not in self.verdicts:
            return MISSING if topic not in self.submission.files else "not graded"
        verdict = self.verdicts[topic]
        done = sum(exercise["status"] == "pass" for exercise in verdict["exercises"])
        return DONE if verdict["complete"] else f"{done} of {len(verdict['exercises'])} exercises"


def possible(topic):
    """Return how many points a topic has."""
    return len(source.exercises(topic.outline))


# --- tables -------------------------------------------------------------------------------------


def grades_csv(class_, topics, partial):
    """Return the table of points: a row a submission, a column a topic, empty where nothing was handed in."""
    head = ["submission", f"points (of {sum(map(possible, topics))})"]
    head += [f"{topic.number} {topic.stem} (of {possible(topic)})" for topic in topics]
    rows = [[*head, "complete", "problem"]]
    for graded in class_:
        found = [graded.points(topic, partial) for topic in topics]
        complete = [str(topic.number) for topic in topics if graded.state(topic) == DONE]
        total = _number(round(sum(number or 0 for number in found), points.DIGITS))
        rows.append([_cell(graded.name), total, *map(_number, found), " ".join(complete), _cell(graded.problem)])
    return _csv(rows)


def mistakes_csv(class_):
    """Return the table of known mistakes: how many submissions made each, the most made first."""
    head = ["submissions", "topic", "exercise", "mistake", "looks like", "hint level"]
    return _csv([head, *([count, *mistake] for mistake, count in _mistakes(class_))])


def _csv(rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def _number(value):
    return "" if value is None else f"{value:g}"


def _cell(text):
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _mistakes(class_):
    """[((topic, exercise, name, says, level), submissions)], the most made first."""
    made = Counter(
        (str(topic), exercise["name"], *(exercise["mistake"][key] for key in ("name", "says", "level")))
        for graded in class_
        for topic, verdict in graded.verdicts.items()
        for exercise in verdict["exercises"]
        if exercise["mistake"]
    )
    return sorted(made.items(), key=lambda item: (-item[1], item[0]))


# --- pages --------------------------------------------------------------------------------------


def class_page(class_, topics, partial):
    """Return the page about the whole class, in Markdown."""
    rows = [[str(topic), *_counts(class_, topic), _mean(class_, topic, partial), possible(topic)] for topic in topics]
    lines = ["# The class", "", f"{len(class_)} submissions. {counted(partial)}", ""]
    lines += _table(["topic", "handed in", "complete", "mean points", "of"], rows)
    lines += ["", "## Mistakes made most", ""]
    found = [[n, topic, f"`{exercise}`", says, level] for (topic, exercise, _, says, level), n in _mistakes(class_)]
    lines += (
        _table(["submissions", "topic", "exercise", "looks like", "hint level"], found) if found else ["None is known."]
    )
    troubles = [f"- {graded.name}: {graded.problem}" for graded in class_ if graded.problem]
    return "\n".join([*lines, *(["", "## Not graded", "", *troubles] if troubles else []), ""])


def _counts(class_, topic):
    """How many handed a topic in, and how many of them have it complete."""
    handed_in = sum(topic in graded.submission.files for graded in class_)
    return handed_in, sum(graded.state(topic) == DONE for graded in class_)


def counted(partial):
    """Say how points are counted."""
    rule = (
        "gives the share of its tests that pass" if partial else "gives it when all its tests pass, visible and hidden"
    )
    return f"Every exercise is worth one point and {rule}."


def _mean(class_, topic, partial):
    found = [graded.points(topic, partial) for graded in class_]
    found = [number for number in found if number is not None]
    return f"{sum(found) / len(found):.2f}" if found else ""


def learner_page(graded, topics, partial):
    """Return the page for one learner, in Markdown: what was taken, what each topic is worth and why."""
    lines = [f"# {graded.name}", ""]
    if graded.problem:
        lines += [graded.problem, ""]
    rows = [_row(graded, topic, partial) for topic in topics]
    lines += [*_table(["topic", "state", "visible", "hidden", "points", "of", "file"], rows), "", counted(partial)]
    lines += ["", *(f"- {note}" for note in graded.submission.notes)] if graded.submission.notes else []
    for topic, verdict in graded.verdicts.items():
        if not verdict["complete"]:
            lines += ["", f"## {str(topic).capitalize()}", "", *_why(verdict)]
    return "\n".join([*lines, ""])


def _row(graded, topic, partial):
    verdict = graded.verdicts.get(topic, {})
    counts = ["{}/{}".format(*verdict[suite]) if verdict.get(suite) else "" for suite in ("visible", "hidden")]
    earned, taken = _number(graded.points(topic, partial)), graded.submission.taken.get(topic, "")
    return [str(topic), graded.state(topic), *counts, earned, possible(topic), taken]


def _why(verdict):
    """An exercise a paragraph, the evidence as it was said."""
    lines = _quoted(said.about_topic(verdict))
    if verdict["problem"]:
        return lines
    for exercise in verdict["exercises"]:
        if exercise["status"] != "pass":
            lines += [f"`{exercise['name']}`: {exercise['passed']} of {exercise['tests']} tests pass.", ""]
            lines += _quoted(said.lines(exercise))
    return lines


def _quoted(lines):
    return [*(f"    {part}" for line in lines for part in line.splitlines()), ""] if lines else []


def _table(head, rows):
    cells = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in row) + " |" for row in cells]
