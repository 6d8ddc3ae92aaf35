"""Pristine starters and stub files: made from the reference, written, taken back."""

import ast
import time

from kata import source
from kata.errors import KataError
from kata.progress import write_atomically
from kata.topics import REFERENCE, TOOLS


def is_pristine(topic):
    """Tell whether the learner's file is the starter, to the letter (newlines aside)."""
    try:
        return source.read(topic.starter) == source.starter(topic)
    except (FileNotFoundError, UnicodeDecodeError):
        return False


def is_untouched(topic):
    """Tell whether no exercise of the file has been begun, whatever version of the starter it is."""
    try:
        tree = ast.parse(source.read(topic.starter))
    except FileNotFoundError:
        return True
    except (SyntaxError, ValueError, OSError):
        return False
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return all((len(f.body) == 2 and isinstance(f.body[1], ast.Raise)) or _is_bare(f) for f in functions)


def _is_bare(function):
    return len(function.body) == 1 and isinstance(function.body[0], ast.Raise)


def write(topic):
    """Put the pristine starter in place; return the path of the backup, or None where none was needed."""
    backup = None if is_pristine(topic) or not topic.starter.exists() else keep(topic)
    _write(topic.starter, source.starter(topic))
    return backup


def keep(topic):
    """Copy the learner's file beside itself and return the copy's path."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = [f"{topic.stem}.backup-{stamp}{suffix}.py" for suffix in ("", *(f"-{n:02}" for n in range(2, 100)))]
    path = next(topic.folder / name for name in names if not (topic.folder / name).exists())
    try:
        path.write_bytes(topic.starter.read_bytes())
    except OSError as error:
        raise KataError(
            f"{path} can't be written ({error.strerror}), so {topic.starter.name} was left alone."
        ) from None
    return path


def backups(topic):
    """Return the copies `keep` made, oldest first."""
    return sorted(topic.folder.glob(f"{topic.stem}.backup-*.py"), key=lambda path: path.stem)


def undo(topic):
    """Bring the newest backup back; what it replaces is kept in its turn unless it is pristine.

    Returns
    -------
    restored, kept : Path, Path or None

    Raises
    ------
    KataError
        If there is no backup.
    """
    copies = backups(topic)
    if not copies:
        raise KataError(f"there is no backup of {topic.starter.name} to bring back.")
    kept = None if is_pristine(topic) or not topic.starter.exists() else keep(topic)
    try:
        copies[-1].replace(topic.starter)
    except OSError as error:
        raise KataError(
            f"{topic.starter} can't be written ({error.strerror}); {copies[-1].name} still has it."
        ) from None
    return copies[-1], kept


def _write(path, text):
    try:
        write_atomically(path, text)
    except OSError as error:
        raise KataError(f"{path} can't be written ({error.strerror}). Check the folder's permissions.") from None


# --- stub files for editors ---------------------------------------------------------------------


def stub_path(reference):
    return TOOLS / "cnn" / f"{reference.stem}.pyi"


def all_references():
    return sorted(REFERENCE.glob("*.py"))


def stub(reference):
    """Return the text of the .pyi file of a reference: public signatures and docstrings, no code."""
    tree = ast.parse(source.read(reference))
    body = [node for node in map(_bare, tree.body) if node is not None]
    head = f"# Made from reference/{reference.name} by tools/generate.py, so that editors know cnn.{reference.stem}.\n"
    return f"{head}{ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))}\n"


def _bare(node):
    """A definition without its code; imports and docstrings as they are; None for anything else."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return node
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return node
    private = getattr(node, "name", "").startswith("_") and not getattr(node, "name", "").startswith("__")
    if isinstance(node, ast.FunctionDef) and not private:
        text = [node.body[0]] if ast.get_docstring(node) else []
        node.body = [*text, ast.Expr(ast.Constant(...))]
        return node
    if isinstance(node, ast.ClassDef) and not private:
        node.body = [inner for inner in map(_bare, node.body) if inner is not None] or [ast.Expr(ast.Constant(...))]
        return node
    return None


def write_stubs():
    """Write the stub file of every reference; return the paths that changed."""
    changed = []
    for reference in all_references():
        path = stub_path(reference)
        if not path.exists() or source.read(path) != stub(reference):
            _write(path, stub(reference))
            changed.append(path)
    return changed
