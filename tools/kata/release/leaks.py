"""Does a folder give a hidden test away: its name, its sentence, or a number that only it has?

What stands in a visible suite, a starter or a lesson is public, whatever a hidden suite says besides.
"""

import ast
import re

from kata import source
from kata.topics import ROOT, all_topics

DIGITS = 4  # numbers with fewer significant digits are anybody's
NUMBER = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.]*\w)")


def find(root):
    """Return a sentence for every hidden test's name, sentence or number in a file under `root`."""
    names, sentences, numbers = _secrets()
    return [
        found
        for path in sorted(root.rglob("*"))
        if path.is_file()
        for found in _in(path, root, names, sentences, numbers)
    ]


def _in(path, root, names, sentences, numbers):
    text = path.read_text(encoding="utf-8", errors="replace")
    place, plain = path.relative_to(root).as_posix(), " ".join(text.split())
    yield from (f"{place} names {name}" for name in sorted(names & set(re.findall(r"\btest_\w+", text))))
    yield from (f"{place} says: {sentence}" for sentence in sorted(sentences) if sentence in plain)
    yield from (f"{place} holds {number:g}" for number in sorted(numbers & _numbers_in(text)))
    if path.name == "test_hidden.py":
        yield f"{place} is a hidden suite"


def _secrets():
    """Return (names, sentences, numbers) of the hidden suites that nothing public has."""
    hidden = [_told(topic.hidden) for topic in all_topics()]
    public = [_told(topic.visible) for topic in all_topics()]
    secret, known = ([set().union(*kind) for kind in zip(*suites, strict=True)] for suites in (hidden, public))
    known[2] |= set().union(*map(_public_numbers, all_topics()))
    return tuple(all_of - those for all_of, those in zip(secret, known, strict=True))


def _told(suite):
    """Return the names, sentences and telling numbers of a suite."""
    tree = ast.parse(source.read(suite))
    tests = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test")]
    sentences = {" ".join((ast.get_docstring(test) or "").split("\n\n")[0].split()) for test in tests}
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    numbers = {float(value) for value in constants if type(value) in (int, float) and _is_telling(value)}
    return {test.name for test in tests}, sentences - {""}, numbers


def _is_telling(value):
    digits = re.sub(r"e.*|\D", "", f"{value!r}").strip("0")
    return len(digits) >= DIGITS


def _public_numbers(topic):
    lesson = topic.folder / "README.md"
    texts = [source.starter(topic), source.read(lesson) if lesson.exists() else ""]
    return set().union(*map(_numbers_in, texts), _numbers_in(source.read(ROOT / "reference" / "foundations.py")))


def _numbers_in(text):
    return {float(number.replace("_", "")) for number in NUMBER.findall(text.replace(",", "")) if len(number) < 30}
