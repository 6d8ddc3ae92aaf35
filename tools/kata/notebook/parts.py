"""A Python file as parts, one a notebook cell: the head, each exercise, and what stands between two of them.

Joined again, the parts are the file, letter for letter. Inside this package newlines are \\n; `styled` gives a
text the newlines of the file it goes to.
"""

import ast
import itertools
import re
import warnings
from dataclasses import dataclass

from kata.errors import KataError

HEAD = "head"
BETWEEN = ""
GAP = 3  # newlines after a part: the end of its last line and two empty lines
SCRATCH = "# scratch"
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)
DEFINITION = re.compile(r"^(?:async +def|def|class)[ \t]+(\w+)")


@dataclass(frozen=True)
class Part:
    """A piece of a file: whose it is (`HEAD`, an exercise, `BETWEEN`), its text, and the newlines behind it."""

    name: str
    text: str
    gap: int = GAP


def split(text, exercises):
    """Return the parts of a file's text; one that is no Python is cut at the lines that look like definitions.

    >>> split("import numpy as np\\n\\n\\ndef f(x):\\n    return x\\n", ["f"])
    [Part(name='head', text='import numpy as np', gap=3), Part(name='f', text='def f(x):\\n    return x', gap=1)]
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    cuts, above = [(0, HEAD)], 0
    for line, end, name in _statements(lines, text):
        owner = name if name in exercises else BETWEEN
        if owner != BETWEEN or not (cuts[-1][1] == BETWEEN or (name is None and cuts[-1][1] == HEAD)):
            cuts.append((_with_comment(lines, line, above), owner))
        above = end
    if len(cuts) > 1 and not "".join(lines[: cuts[1][0]]).strip():
        cuts[:2] = [(0, cuts[1][1])]  # nothing stands before the first definition
    ends = [line for line, _ in cuts[1:]] + [len(lines)]
    return [_part(name, "".join(lines[first:end])) for (first, name), end in zip(cuts, ends, strict=True)]


def _part(name, text):
    stripped = text.rstrip("\n")
    return Part(name, stripped, len(text) - len(stripped))


def _statements(lines, text):
    """Yield (first line, line behind it, name or None where it defines nothing) for each top-level statement."""
    body = _body(text)
    if body is not None:
        for node in body:
            decorators = [decorator.lineno for decorator in getattr(node, "decorator_list", [])]
            yield min([node.lineno, *decorators]) - 1, node.end_lineno, getattr(node, "name", None)
        return
    decorated = None
    for number, line in enumerate(lines):
        found = DEFINITION.match(line)
        if line.startswith("@") and decorated is None:
            decorated = number
        elif found:
            yield (number if decorated is None else decorated), number + 1, found[1]
            decorated = None


def _with_comment(lines, line, least):
    """The first line of the comment that stands directly above a line."""
    while line > least and lines[line - 1].startswith("#"):
        line -= 1
    return line


def join(parts):
    """Return the text whose parts these are."""
    return "".join(part.text + "\n" * part.gap for part in parts)


def merged(base, mine, yours):
    """Return the parts in which each change of either side is made, or None where the two can't be told apart.

    Parameters
    ----------
    base, mine, yours : list of Part
        What both sides were, and what they are; part by part, only one of them may have changed.
    """
    if not [part.name for part in base] == [part.name for part in mine] == [part.name for part in yours]:
        return None
    made = []
    for old, one, other in zip(base, mine, yours, strict=True):
        if old != one and old != other and one != other:
            return None
        made.append(other if one == old else one)
    return made


# --- what a cell of the learner's own is ---------------------------------------------------------


def names(text):
    """Return the names that a text's top-level statements bind, as far as they can be told.

    >>> sorted(names("import numpy as np\\nEPS = 1e-5\\ndef f(): pass"))
    ['EPS', 'f', 'np']
    """
    body = _body(text)
    return frozenset(defined(text) if body is None else itertools.chain.from_iterable(map(_bound, body)))


def defined(text):
    """Return the functions and classes that a text defines, in order, whether or not it is Python as it stands."""
    return [found[1] for found in map(DEFINITION.match, text.split("\n")) if found]


def belongs(text, exercises):
    """Tell whether a cell of the learner's own belongs to the file.

    It does when it holds functions, classes and CONSTANTS, imports beside them, and nothing that runs; or when it
    defines an exercise. A first line `# scratch` keeps it out.

    >>> belongs("import math\\ndef f(): pass", []), belongs("f()", []), belongs("import math", [])
    (True, False, False)
    """
    if text.lstrip().startswith(SCRATCH):
        return False
    return _is_definitions(_body(text)) or not set(exercises).isdisjoint(defined(text))


def is_head(text):
    """Tell whether a cell holds a docstring and imports alone, as a file's head does."""
    body = _body(text) or []
    body = body[has_docstring(text) :]
    return bool(body) and all(isinstance(node, IMPORTS) for node in body)


def has_docstring(text):
    """Tell whether a text opens with a string."""
    body = _body(text)
    return bool(body) and ast.get_docstring(ast.Module(body, [])) is not None


def _body(text):
    """The top-level statements, None where the text is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a learner's code IPython warns where it is run
            return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return None


def _is_definitions(body):
    return any(map(_defines, body or [])) and all(isinstance(node, IMPORTS) or _defines(node) for node in body)


def _defines(node):
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        bound = _bound(node)
        return bool(bound) and all(name.isupper() for name in bound)
    return isinstance(node, DEFINITIONS)


def _bound(node):
    if isinstance(node, DEFINITIONS):
        return [node.name]
    if isinstance(node, IMPORTS):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


# --- bytes ---------------------------------------------------------------------------------------


def decoded(content, path):
    """Return a file's text with \\n as newlines, and as the second its style: (newline, byte order mark)."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise KataError(f"{path} can't be read: {error}. Save it as UTF-8 text.") from None
    windows = 2 * text.count("\r\n") > text.count("\n")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return re.sub("\r\n?", "\n", text.removeprefix(mark)), ("\r\n" if windows else "\n", mark)


def styled(text, style):
    """Return a text in a file's style, as `decoded` found it."""
    newline, mark = style
    return mark + text.replace("\n", newline)
