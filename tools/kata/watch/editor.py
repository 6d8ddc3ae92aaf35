"""Opening a file at a line in the learner's editor."""

import os
import shlex
import subprocess
from pathlib import Path

from kata.errors import KataError

WITH_PLUS = ("vi", "vim", "nvim", "view", "nano", "emacs", "emacsclient", "micro", "joe", "ne", "kak", "mg", "gedit")
WITH_COLON = ("subl", "zed", "hx", "helix")
WITH_GOTO = ("code", "code-insiders", "codium", "cursor", "windsurf")
OWN_WINDOW = (*WITH_GOTO, "subl", "zed", "gedit", "notepad")


def command(path, line, environment=os.environ):
    """Return the command that opens the file at the line, as a list.

    Raises
    ------
    KataError
        If neither VISUAL nor EDITOR says which editor; the message names the file and line.
    """
    chosen = environment.get("VISUAL") or environment.get("EDITOR")
    if not chosen:
        raise KataError(f"neither VISUAL nor EDITOR names your editor; the place is {path.name}:{line}.")
    words = shlex.split(chosen, posix=os.name == "posix")
    words = [word.strip('"') for word in words]
    name = Path(words[0]).stem.lower()
    if name in WITH_PLUS:
        return [*words, f"+{line}", str(path)]
    if name in WITH_COLON:
        return [*words, f"{path}:{line}"]
    if name in WITH_GOTO:
        return [*words, "-g", f"{path}:{line}"]
    return [*words, str(path)]


def has_own_window(command):
    """Tell whether the editor leaves the terminal alone."""
    return Path(command[0]).stem.lower() in OWN_WINDOW


def run(command):
    """Run the editor to its end.

    Raises
    ------
    KataError
        If there is no such program.
    """
    try:
        subprocess.call(command)
    except OSError as error:
        raise KataError(f"{command[0]} can't be started: {error.strerror or error}.") from None
