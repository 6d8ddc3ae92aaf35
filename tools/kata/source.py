"""Reading Python files as text: exercises, solution regions, starters. Nothing here runs the file.

In a reference file a solution stands between two comment lines,

    # region solution
    # 1. What the learner does first.
    # 2. What comes next.
    ...the code...
    # endregion

and the starter has, in its place, the numbered steps as TODO lines and a `raise NotImplementedError`
that names topic and exercise. A region outside any function (private helpers) leaves only its steps.
"""

import ast
import re
from pathlib import Path

from kata.errors import KataError

OPEN, CLOSE = "# region solution", "# endregion"


def read(path):
    """Return the text of a Python file, newlines as \\n."""
    return Path(path).read_text(encoding="utf-8-sig")


def exercises(path):
    """Return {name: line} of the public functions and classes of a file, in source order."""
    tree = ast.parse(read(path), str(path))
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name: node.lineno for node in tree.body if isinstance(node, kinds) and node.name[0] != "_"}


def definition(text, name):
    """Return the source of the top-level function or class `name` in `text`."""
    lines = text.splitlines()
    first, last = _span(text, name)
    return "\n".join(lines[first - 1 : last]) + "\n"


def _span(text, name):
    for node in ast.parse(text).body:
        if getattr(node, "name", None) == name:
            decorators = [decorator.lineno for decorator in node.decorator_list]
            return min([node.lineno, *decorators]), node.end_lineno
    raise KeyError(name)


def starter(topic):
    """Return the text of the topic's pristine starter, made from its reference or, without one, as it was shipped.

    Raises
    ------
    KataError
        If the region markers are malformed: nested, unclosed, closed twice, or empty.
    """
    if topic.is_released:
        return read(topic.outline)
    text = read(topic.reference)
    lines = text.splitlines()
    owners = _owners(text)
    made, region = [], None
    for number, line in enumerate(lines, 1):
        mark = line.strip()
        if mark == OPEN:
            if region is not None:
                _refuse(topic, number, "opens a solution region inside another")
            region = number
        elif mark == CLOSE:
            if region is None:
                _refuse(topic, number, "closes a solution region that was never opened")
            _require_one_block(topic, lines, region, number)
            made += _stub(topic, lines[region - 1 : number], owners.get(region), region)
            region = None
        elif re.match(r"#\s*(end\s*)?region\b", mark, re.IGNORECASE):
            _refuse(topic, number, "reads like a region marker but is none")
        elif region is None:
            made.append(line)
    if region is not None:
        _refuse(topic, region, "opens a solution region that is never closed")
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(made).rstrip() + "\n")


def _require_one_block(topic, lines, first, last):
    """Refuse a region that ends in another function or level than it began in."""
    indent = _indent(lines[first - 1])
    inside = [line for line in lines[first:last] if line.strip()]
    if _indent(inside[-1]) != indent or any(not line.startswith(indent) for line in inside):
        _refuse(topic, first, "opens a solution region that leaves its function before it is closed")


def _indent(line):
    return line[: -len(line.lstrip())]


def _refuse(topic, line, what):
    raise KataError(f"{topic.reference}:{line} {what}. Pair every '{OPEN}' with one '{CLOSE}'.")


def _stub(topic, region, owner, number):
    """The lines that replace a region: its steps as TODO lines, and the raise where a function owns it."""
    indent = _indent(region[0])
    body = [line.strip() for line in region[1:-1]]
    if not any(line and not line.startswith("#") for line in body):
        _refuse(topic, number, "opens a solution region with no code in it")
    steps = []
    for line in body:
        if not line.startswith("#"):
            break
        steps.append(line)
    todo = [indent + _todo(step) for step in steps]
    if owner:
        todo.append(f'{indent}raise NotImplementedError("{str(topic).capitalize()}: {owner} is still to do")')
    return todo


def _todo(step):
    """Turn `# 1. Pad x.` into `# TODO 1. Pad x.` and keep continuation lines aligned under it."""
    numbered = re.match(r"# (?=[0-9]+[.])", step)
    return f"# TODO {step[2:]}" if numbered else f"#     {step[1:]}"


def _owners(text):
    """Return {line: qualified name of the innermost function around it}."""
    owners = {}

    def visit(node, prefix):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                name = f"{prefix}{child.name}"
                if isinstance(child, ast.FunctionDef):
                    owners.update(dict.fromkeys(range(child.lineno, child.end_lineno + 1), name))
                visit(child, f"{name}.")

    visit(ast.parse(text), "")
    return owners


def stubs_left(path):
    """Return the exercises of a file that still raise NotImplementedError, as {name: line of the raise}."""
    left = {}
    for node in ast.parse(read(path), str(path)).body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Raise) and "NotImplementedError" in ast.dump(inner):
                left.setdefault(node.name, inner.lineno)
    return left
