"""Why one test is not passed: what plugin, runner and verdict hand to one another."""

import re
from dataclasses import dataclass, field, replace


@dataclass
class Finding:
    """Why one test is not passed.

    `kind` is "todo" (an exercise still raises NotImplementedError), "broken" (the solution can't be tested
    at all), "hang", "crash" or "fail"; `exercise` the one to look at; `details` what was expected and got;
    `call` the solution's last call; `line` the place in the learner's file, "path:number" or ""; `printed`
    the last lines the solution printed; `window` the numbers around the first difference (`testing.window`).
    """

    kind: str
    exercise: str
    sentence: str
    test: str
    suite: str
    details: list = field(default_factory=list)
    call: str = ""
    line: str = ""
    printed: list = field(default_factory=list)
    window: dict = field(default_factory=dict)


def without_numbers(finding):
    """Return what may be told of a hidden test's failure: what kind it is, and where in the learner's own file.

    Its inputs and expected values are not among it, nor is what the learner printed of them: of every
    line of evidence only the clauses before the first number stay, of a NotImplementedError no more than that.
    """
    details = [line if line.startswith("raised at") else _leading_words(line) for line in finding.details]
    if finding.kind == "todo":
        details = [f"{finding.exercise} raises NotImplementedError"]
    return replace(finding, details=[line for line in details if line], call="", printed=[], window={})


def _leading_words(line):
    """The clauses of a line before the first that holds a digit; names of dtypes count as words."""
    kept = []
    for clause in re.split(r"(?<=[:,;]) ", line):
        if re.search(r"\d", re.sub(r"\b(float|u?int|complex)\d+\b", "", clause)):
            break
        kept.append(clause)
    return " ".join(kept).rstrip(":,;")


def of_test(test, kind, message, line=""):
    """Return the `Finding` for a collected test ({id, exercise, suite, sentence}) that gave none itself."""
    return Finding(
        kind, test["exercise"], test["sentence"], short_name(test["id"]), test["suite"], [message], line=line
    )


def short_name(test_id):
    """TestCol2im.test_overlaps_add_up for test_visible.py::TestCol2im::test_overlaps_add_up."""
    return test_id.partition("::")[2].replace("::", ".")
