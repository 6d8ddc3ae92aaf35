"""What plain `pytest` on a topic prints after its dots: failures as sentences, todos in a line each, where to begin."""

from collections import Counter

from kata import source
from kata.render import shown_path, tool
from kata.topics import topic_of_suite


def write_summary(terminal, reports):
    """Write the section of every topic among the failed suite reports."""
    root = terminal.config.rootpath
    by_topic = {}
    for report in reports:
        by_topic.setdefault(topic_of_suite(root / report.nodeid.split("::")[0]), []).append(report.finding)
    for topic, findings in by_topic.items():
        terminal.write_sep("=", str(topic))
        _write_topic(terminal, topic, findings)


def write_onward(terminal, topics):
    """Say what comes after a green visible suite."""
    for topic in topics:
        terminal.write_line(f"the visible suite of {topic} passes. next: {tool('check.py', topic.number)}")


def _write_topic(terminal, topic, findings):
    broken = [finding for finding in findings if finding.kind == "broken"]
    for message in dict.fromkeys(finding.details[0] for finding in broken):
        terminal.write_line(message, red=True)
    failing = {}
    for finding in findings:
        if finding.kind == "fail":
            failing.setdefault(finding.exercise, []).append(finding)
    for first, *more in failing.values():
        _write_failure(terminal, topic, first, more)
    todo = Counter(finding.exercise for finding in findings if finding.kind == "todo")
    for name, count in todo.items():
        tests = "1 test waits" if count == 1 else f"{count} tests wait"
        terminal.write_line(f"  todo  {name:<28}{tests}", yellow=True)
    where = next((finding.line for finding in broken if finding.line), "")
    _write_next(terminal, topic, {*failing, *todo}, where, begun=len(todo) < len(source.exercises(topic.outline)))


def _write_failure(terminal, topic, finding, more):
    """One exercise: its first failing test in full, the others by name."""
    terminal.write_line(f"  fail  {finding.exercise}", red=True, bold=True)
    terminal.write_line(f"        {finding.sentence}", bold=True)
    details, call = finding.details, finding.call
    if finding.suite == "test_hidden.py":
        details, call = _counterexample(terminal, topic, finding)
    printed = [f"printed: {line}" for line in finding.printed]
    for line in [*details, *([f"after {call}"] if call else []), *printed]:
        terminal.write_line(f"        {line}")
    names = [f"{f.suite} {f.test.rpartition('.')[2]}" for f in (finding, *more[:4])]
    names += [f"and {len(more) - 4} more"] if len(more) > 4 else []
    terminal.write_line("        " + f"\n{'':8}".join(names) + "\n")


def _counterexample(terminal, topic, finding):
    """Of a hidden test only the sentence is shown, and a counter-example made for the occasion."""
    from kata.loading import load
    from kata.mistakes import Diagnosis
    from kata.topics import solution_path

    path = solution_path(topic, terminal.config.getoption("--solution"), terminal.config.invocation_params.dir)
    found = Diagnosis(topic).counterexample(load(path), finding.exercise)
    return ([found[1]], found[0]) if found else (finding.details, "")


def _write_next(terminal, topic, waiting, where, begun):
    """Name the file and line of the first exercise that is not passing, and the command for a hint."""
    if terminal.config.getoption("--solution") != "mine":
        return
    name = next((name for name in source.exercises(topic.outline) if name in waiting), None)
    terminal.write_line(f"{'next' if begun else 'begin'}: {shown_path(topic.starter)}{_line(topic, name, where)}")
    terminal.write_line(f"   or: {tool('hint.py', topic.number)}")


def _line(topic, name, where):
    """Return ":LINE  name" of an exercise in the learner's file, or ":LINE" of what breaks it, or nothing."""
    if where:
        return f":{where.rpartition(':')[2]}"
    try:
        lines = source.exercises(topic.starter) | source.stubs_left(topic.starter)
    except (OSError, SyntaxError, ValueError):
        return ""
    return f":{lines[name]}  {name}" if name in lines else ""
