"""The proofs that the course keeps its word: what `prove.py` runs, one generator of findings a proof.

A proof is a function of a topic that returns (claim, faults): the claim with its figures, and a list of
sentences, empty where it holds.
"""

import ast
import io
import os
import re
import tempfile
import tokenize
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from kata import hints, loading, mutations, pristine, source, starters
from kata.errors import KataError, SolutionError
from kata.mistakes import Diagnosis, load_bank, twisted, twisted_source
from kata.runner import Request, run

MISTAKES_AT_LEAST = 12
LONGEST_RUN = 12  # tokens of the reference's code that a hint may hold in one piece
FORBIDDEN = re.compile("skip|skipif|skipTest|xfail|importorskip|time|perf_counter|monotonic|sleep|timeit")


def starter_is_generated(topic):
    """The starter is what the reference generates."""
    faults = [] if starters.is_pristine(topic) else [f"{topic.starter.name} differs; run python tools/generate.py"]
    return "the starter is what the reference generates", faults


def stub_is_generated(topic):
    """The editors' stub file is what the reference generates."""
    path = starters.stub_path(topic.reference)
    fine = path.exists() and source.read(path) == starters.stub(topic.reference)
    faults = [] if fine else [f"{path.name} differs; run python tools/generate.py"]
    return "the editors' stub file is what the reference generates", faults


def suites_are_recorded(topic):
    """The suites are those that are recorded as the course's own."""
    faults = [] if pristine.is_recorded(topic) else ["suites.json is stale; run python tools/generate.py"]
    return "the suites are those recorded as the course's own", faults


def suites_are_plain(topic):
    """The suites hold no skip, no xfail, no clock, and test every exercise twice."""
    faults = []
    for suite in (topic.visible, topic.hidden):
        tree = ast.parse(source.read(suite))
        for node in ast.walk(tree):
            name = getattr(node, "attr", getattr(node, "id", getattr(node, "name", None)))
            if isinstance(node, (ast.Attribute, ast.Name, ast.alias)) and FORBIDDEN.fullmatch(name):
                faults.append(f"{suite.name}:{node.lineno} uses {name}")
        marked = set(re.findall(r'@exercise\("(\w+)"\)', source.read(suite)))
        for exercise in source.exercises(topic.reference):
            if exercise not in marked:
                faults.append(f"{suite.name} has no test of {exercise}")
    return "no skip, xfail or clock; both suites test every exercise", faults


def reference_is_green(topic):
    """Every test passes for the reference."""
    shown = _run(topic, topic.reference)
    red = [name for name in _ids(topic) if not _passed(shown, name)]
    return f"the reference passes all {len(_ids(topic))} tests", [f"red: {name}" for name in red]


def starter_is_red(topic):
    """Every test fails for the starter."""
    with _Solution(topic, source.starter(topic)) as path:
        shown = _run(topic, path)
    green = [name for name in _ids(topic) if _passed(shown, name)]
    return f"the starter fails all {len(_ids(topic))} tests", [f"green: {name}" for name in green]


def hints_are_three(topic):
    """Every exercise has a hint of each level, and none holds a run of the reference's code."""
    faults, names = [], list(source.exercises(topic.reference))
    for level in hints.LEVELS:
        try:
            found = hints.sections(topic, level)
        except KataError as error:
            faults.append(str(error))
            continue
        if list(found) != names:
            faults.append(f"level-{level}.md has sections {list(found)}, the exercises are {names}")
        for name in names:
            text = found.get(name, "")
            if not text:
                faults.append(f"level-{level}.md: {name} is empty")
            run_of_code = shared_run(text, source.read(topic.reference))
            if len(run_of_code) >= LONGEST_RUN:
                faults.append(f"level-{level}.md: {name} gives code away: {' '.join(run_of_code)}")
    texts = [hints.sections(topic, level) for level in hints.LEVELS] if not faults else []
    if len({text for found in texts for text in found.values()}) != sum(map(len, texts)):
        faults.append("two hints are the same")
    return f"three hints for each of {len(names)} exercises, no code given away", faults


def shared_run(prose, code):
    """Return the longest run of the code's tokens that the prose holds, as a list.

    Both are cut into words and single signs, without comments, docstrings or white space, so that spacing
    and line breaks hide nothing.
    """
    words, tokens = re.findall(r"\w+|[^\w\s]", prose.replace("`", " ")), code_tokens(code)
    at = {}
    for position, token in enumerate(tokens):
        at.setdefault(token, []).append(position)
    best, lengths = [], {}
    for index, word in enumerate(words):
        lengths = {position: lengths.get(position - 1, 0) + 1 for position in at.get(word, ())}
        longest = max(lengths.values(), default=0)
        if longest > len(best):
            best = words[index + 1 - longest : index + 1]
    return best


def code_tokens(code):
    """Return the tokens of Python code as words and single signs, without strings of several lines or comments."""
    kept = []
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        plain = token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.OP, tokenize.STRING)
        if plain and not token.string.startswith(('"""', 'r"""')):
            kept += re.findall(r"\w+|[^\w\s]", token.string)
    return kept


def mistakes_turn_red(topic):
    """Every known mistake turns at least one test red."""
    bank = load_bank(topic)
    kills = _kills(topic)
    faults = [f"{mistake.name} passes every test" for mistake in bank.mistakes if not kills[mistake.name]]
    if len(bank.mistakes) < MISTAKES_AT_LEAST:
        faults.append(f"only {len(bank.mistakes)} mistakes; a topic has at least {MISTAKES_AT_LEAST}")
    names = [mistake.name for mistake in bank.mistakes]
    faults += [f"two mistakes are called {name}" for name in sorted({n for n in names if names.count(n) > 1})]
    return f"each of {len(bank.mistakes)} mistakes turns a test red", faults


def mistakes_are_named(topic):
    """Every mistake is named as itself and as no other; reference and starter as none."""
    diagnosis = Diagnosis(topic)
    exercises = list(source.exercises(topic.reference))
    faults = [f"{name} has no probe" for name in exercises if name not in diagnosis.bank.probes]
    faults += [
        f"{m.name} is about {m.exercise}, no exercise" for m in diagnosis.bank.mistakes if m.exercise not in exercises
    ]
    faults += [
        f"{m.name}: hint level {m.level} is none" for m in diagnosis.bank.mistakes if m.level not in hints.LEVELS
    ]
    modules = {"the reference": loading.load(topic.reference)}
    modules["the starter"] = loading.load(topic.reference, source.starter(topic))
    modules |= {mistake.name: twisted(topic, mistake) for mistake in diagnosis.bank.mistakes}
    for name, module in modules.items():
        named = sorted({m.name for exercise in exercises for m in diagnosis.names(module, exercise)})
        expected = [] if name.startswith("the ") else [name]
        if named != expected:
            faults.append(f"{name} is named as {', '.join(named) or 'nothing'}")
    return "each mistake is named as itself alone, reference and starter as none", faults


def tests_turn_red(topic):
    """Every test is turned red by a known mistake or, failing that, by a generic mutation."""
    by_mistake = set().union(*_kills(topic).values())
    left = [name for name in _ids(topic) if name not in by_mistake]
    unmutated = _try_mutations(topic, left)
    unkilled = _try_others_mistakes(topic, unmutated)
    by_mutation = len(left) - len(unmutated)
    mistaken = len(_ids(topic)) - by_mutation - len(unkilled)
    claim = f"every test can fail: {mistaken} by a mistake, {by_mutation} by a generic mutation"
    return claim, [f"nothing turns it red: {name}" for name in unkilled]


PROOFS = [
    starter_is_generated,
    stub_is_generated,
    suites_are_recorded,
    suites_are_plain,
    reference_is_green,
    starter_is_red,
    hints_are_three,
    mistakes_turn_red,
    mistakes_are_named,
    tests_turn_red,
]


# --- running ------------------------------------------------------------------------------------


def _run(topic, path, only=None):
    """Run both suites whole: nothing waits for anything."""
    ids = frozenset(_ids(topic) if only is None else only)
    return run(Request(topic, Path(path), only=ids, rules=False, diagnose=False, shrink=False))


@cache
def _tests(topic):
    """All tests as they are collected, none of them run."""
    return run(Request(topic, topic.reference, only=frozenset(), diagnose=False)).tests


def _ids(topic):
    return [test["id"] for test in _tests(topic)]


def _passed(shown, name):
    return shown.results.get(name, {}).get("outcome") == "passed"


def _red(shown, names):
    return {name for name in names if name in shown.results and not _passed(shown, name)}


class _Solution:
    """A text as a solution file in a folder of its own: `with _Solution(topic, text) as path:`."""

    def __init__(self, topic, text):
        self.name, self.text = topic.starter.name, text

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kata-proof-")
        path = Path(self.folder.name) / self.name
        path.write_text(self.text, encoding="utf-8")
        return path

    def __exit__(self, *_):
        self.folder.cleanup()


def _mutant_run(topic, text, only=None):
    with _Solution(topic, text) as path:
        return _run(topic, path, only)


@cache
def _kills(topic):
    """{mistake: tests of its exercise that it turns red, or of all exercises where it passes its own}."""
    exercises = {test["id"]: test["exercise"] for test in _tests(topic)}
    mistakes = load_bank(topic).mistakes
    own = [{name for name in exercises if exercises[name] == mistake.exercise} for mistake in mistakes]
    reds = _side_by_side(_red_for, [topic] * len(mistakes), mistakes, own)
    return {m.name: red or _red_for(topic, m, set(exercises)) for m, red in zip(mistakes, reds, strict=True)}


def _side_by_side(function, *arguments):
    """Return the results of a function on lists of arguments, as `map` does, on all cores."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(function, *arguments))


def _red_for(topic, mistake, names):
    """Return those of the tests that fail for the mistake."""
    return _red(_mutant_run(topic, twisted_source(topic, mistake), names), names)


def _try_mutations(topic, names):
    """Return those of the tests that no generic mutation of the exercises turns red.

    A mutant has one mutation in every exercise whose tests still wait, functions and classes apart.
    """
    exercises = {test["id"]: test["exercise"] for test in _tests(topic)}
    module = loading.load(topic.reference)
    left = []
    for is_class in (False, True):
        waiting = {name for name in names if isinstance(getattr(module, exercises[name]), type) is is_class}
        for batch in _batches(mutations.names(is_class), os.cpu_count() or 1):
            mutants = [_mutant(topic, sorted({exercises[name] for name in waiting}), mutation) for mutation in batch]
            runs = _side_by_side(_mutant_run, [topic] * len(batch), mutants, [frozenset(waiting)] * len(batch))
            waiting -= set().union(*(_red(shown, list(waiting)) for shown in runs))
            if not waiting:
                break
        left += sorted(waiting)
    return left


def _try_others_mistakes(topic, names):
    """Return those of the tests that no mistake turns red, of whatever exercise it is."""
    mistakes = load_bank(topic).mistakes if names else []
    reds = _side_by_side(_red_for, [topic] * len(mistakes), mistakes, [set(names)] * len(mistakes))
    return sorted(set(names).difference(*reds))


def _mutant(topic, exercises, mutation):
    """The text of the reference with a mutation applied to some of its exercises."""
    lines = [f"mutations.apply(globals(), {exercise!r}, {mutation!r})" for exercise in exercises]
    return "\n".join([source.read(topic.reference), "from kata import mutations", *lines, ""])


def _batches(values, size):
    return [values[start : start + size] for start in range(0, len(values), size)]


def prove(topic):
    """Yield (claim, faults) of every proof of a topic, in order.

    The naming of mistakes runs in a process of its own beside the others: it compiles and runs code all the
    time, which Python 3.11 doesn't do safely on a second thread while the first one parses.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        naming = beside.submit(_held_to_account, mistakes_are_named, topic)
        for proof in PROOFS:
            yield naming.result() if proof is mistakes_are_named else _held_to_account(proof, topic)


def _held_to_account(proof, topic):
    """Return what a proof finds, and what keeps it from finding anything as its fault."""
    try:
        return proof(topic)
    except (KataError, SolutionError, OSError, SyntaxError) as error:
        return " ".join(proof.__doc__.split()).rstrip("."), [str(error)]
