"""The rules of the kata: what file a solution may be, what it may import, where it may not look.

It imports NumPy, the standard library without its network, `cnn`'s earlier topics, and nothing else; it does not
look into the code that calls it. Both are read off the file before it runs; what its functions import and do is
seen by the `guard`.
"""

import ast
import stat
import sys
from itertools import chain
from pathlib import Path

from kata.errors import SolutionError
from kata.topics import all_topics

LARGEST = 2**20  # bytes of a solution's file
# fmt: off
NETWORK = {
    "socket", "_socket", "ssl", "_ssl", "socketserver", "urllib.request", "urllib.robotparser", "http.client",
    "http.server", "ftplib", "poplib", "imaplib", "nntplib", "smtplib", "smtpd", "telnetlib", "xmlrpc", "wsgiref",
    "webbrowser", "antigravity",
}
FRAMES = {"_getframe", "_current_frames", "currentframe", "f_back", "f_locals", "tb_frame", "gi_frame", "ag_frame"}
OBJECTS = {"get_objects", "get_referrers"}
TRACING = {"gettrace", "getprofile", "settrace", "settrace_all_threads", "setprofile",
    "setprofile_all_threads", "set_local_events",
}
# fmt: on
LOOKING = {
    **dict.fromkeys(FRAMES, "looks into the code that calls it"),
    **dict.fromkeys(OBJECTS, "looks through objects that are not its own"),
    **dict.fromkeys(TRACING, "meddles with the counting of bytecodes"),
    "sys.monitoring": "meddles with the counting of bytecodes",
}


# --- the file -----------------------------------------------------------------------------------


def text_of(path):
    """Return the text of a solution's file.

    Raises
    ------
    SolutionError
        If there is no such file, or it is nothing that could be read as a solution; one sentence.
    """
    path = Path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SolutionError(f"{path} is not a file. Move it away; python tools/reset.py {path.stem} makes one.")
        if status.st_size > LARGEST:
            raise SolutionError(
                f"{path.name} has {status.st_size:,} bytes, which no solution needs: keep it under {LARGEST:,}."
            )
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SolutionError(f"{path} is missing. python tools/reset.py {path.stem} makes a fresh one.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SolutionError(f"{path} can't be read: {error}. Save it as UTF-8 text.") from None


def parsed(path):
    """Return the syntax tree of a solution's file, None where it has none."""
    try:
        return ast.parse(text_of(path))
    except (SolutionError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


# --- what is in it ------------------------------------------------------------------------------


def refuse_foul(path, text, stems):
    """Raise SolutionError for the first thing in a file that the kata does not allow; one sentence with its line.

    Parameters
    ----------
    path : Path
    text : str
    stems : set of str
        What may be taken from `cnn`, see `earlier_stems`.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # running the file will tell
    line, said = next(chain(_foul_imports(tree, stems), _foul_names(tree)), (None, ""))
    if said:
        raise SolutionError(f"{path.name}:{line} {said}", line)


def _foul_names(tree):
    """(line, what is wrong) of every use of a name that leads out of the solution."""
    for node in ast.walk(tree):
        for name in filter(LOOKING.get, _used(node)):
            yield node.lineno, f"uses {name}: a solution that {LOOKING[name]} is not tested."


def _used(node):
    """The names of `LOOKING`'s kind that a node uses: attributes, and what is imported from a module."""
    if isinstance(node, ast.Attribute):
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        return node.attr, f"{owner}.{node.attr}"
    if isinstance(node, ast.ImportFrom):
        return [name for alias in node.names for name in (alias.name, f"{node.module}.{alias.name}")]
    return ()


# --- imports ------------------------------------------------------------------------------------


def earlier_stems(topic):
    """What a solution of the topic may take from `cnn`."""
    return {"foundations", *(other.stem for other in all_topics() if other.number < topic.number)}


def _foul_imports(tree, stems):
    """(line, what is wrong) of every import outside any function that is not allowed."""
    for node in _outside_functions(tree):
        for said in filter(None, (judge(name, stems) for name in imported(node))):
            yield node.lineno, said


def _outside_functions(tree):
    """The nodes of a tree that running the file reaches."""
    waiting = [tree]
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.expr)):
            waiting += ast.iter_child_nodes(node)


def imported(node):
    """The dotted names that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return members(node.module, [alias.name for alias in node.names])
    return []


def members(module, names):
    """What `from module import names` imports; of packages whose modules are judged apart, each of them."""
    if module in ("cnn", "urllib", "http"):
        return [f"{module}.{name}" for name in names]
    return [module]


def judge(name, stems):
    """Return what is wrong with importing the module `name`, "" where nothing is."""
    package, _, rest = name.partition(".")
    if package == "cnn" and rest and rest.partition(".")[0] not in stems:
        return f"imports {name}: of cnn a topic may use the earlier topics, here {', '.join(sorted(stems))}."
    if package in ("cnn", "numpy"):
        return ""
    if any(name == module or name.startswith(f"{module}.") for module in NETWORK):
        return f"imports {name}, which is for the network: a solution needs nothing but its arguments."
    if package in sys.stdlib_module_names:
        return ""
    return f"imports {name}: a solution uses NumPy, the standard library and cnn, nothing else."
