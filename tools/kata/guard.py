"""What a solution does while it runs, and what of it the kata refuses.

A solution computes: it starts no process, reaches no network, writes in its working folder alone, reads no other
code of the course, and its functions import what the file may (see `rules`). Python's audit events tell, on every
system. This keeps accidents and casual cheating from having any effect; it is no sandbox.
"""

import builtins
import importlib
import os
import sys
from pathlib import Path

from kata.errors import SolutionError
from kata.rules import judge, members
from kata.topics import ROOT

# fmt: off
WRITING = {
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.utime",
    "shutil.move", "shutil.rmtree", "sqlite3.connect",
}
STARTING = {
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn",
    "subprocess.Popen", "_winapi.CreateProcess",
}
REACHING = {
    "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname",
    "socket.sendmsg", "socket.sendto",
}
SIGNALLING = {"os.kill", "os.killpg"}
# fmt: on


class Guard:
    """Sees what a solution does, and refuses what the kata does not allow.

    Every refusal is an exception in the solution and is kept in `refusals`, so that a solution that swallows
    it is found out all the same. Code that runs for the harness is never refused anything.

    Parameters
    ----------
    files : list of str
        The solution's file and those of the learner's earlier topics.
    stems : set of str
        What may be taken from `cnn`.
    folders : list of str
        The folders that may be written in.
    """

    def __init__(self, files, stems, folders):
        self.files, self.stems = set(files), stems
        self.folders = tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)
        self.refusals = []
        self.rules = {
            "open": self._opening,
            "os.truncate": lambda path, size: self._writing(path),
            **dict.fromkeys(WRITING, self._writing),
            **dict.fromkeys(STARTING, lambda *_: "starts another process: a solution computes in its own."),
            **dict.fromkeys(
                REACHING, lambda *_: "reaches for the network: a solution needs nothing but its arguments."
            ),
            **dict.fromkeys(SIGNALLING, self._signalling),
        }

    def begin(self):
        """Watch from now on; there is no way back."""
        sys.addaudithook(self._see)
        self._watch_imports()

    def _see(self, event, arguments):
        rule = self.rules.get(event)
        frame = self._solution_frame() if rule else None
        said = rule(*arguments) if frame else ""
        if said:
            self._refuse(said, frame)

    def _refuse(self, said, frame):
        file = frame.f_code.co_filename
        error = SolutionError(f"{os.path.basename(file)}:{frame.f_lineno} {said}", frame.f_lineno)
        self.refusals.append(error)
        raise error

    def _solution_frame(self):
        """The solution's innermost frame on the stack, None where the harness or numpy.testing act by themselves."""
        frame = sys._getframe(2)
        while frame and frame.f_code.co_filename not in self.files:
            if frame.f_globals.get("__name__", "").startswith("numpy.testing"):
                return None  # it asks the system what processor this is
            frame = frame.f_back
        return frame

    def _opening(self, path, mode, flags):
        if isinstance(path, int):
            return ""
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            return self._writing(path)
        place = Path(os.path.realpath(os.fsdecode(path)))
        code = place.suffix == ".py" and ROOT in place.parents and str(place) not in self.files
        return f"reads {place.name}: a solution reads no other code of the course." if code and not _importing() else ""

    def _writing(self, *arguments):
        beneath = isinstance(arguments[-1], int) and arguments[-1] >= 0  # a folder opened before: shutil judged that
        for path in (os.fsdecode(path) for path in arguments if isinstance(path, (str, bytes, os.PathLike))):
            if not self._is_at_work(path) and not (beneath and not os.path.isabs(path)):
                return f"writes {path}: a solution writes in its working folder alone."
        return ""

    def _is_at_work(self, path):
        place = os.path.realpath(path)
        return place == os.devnull or os.path.join(place, "").startswith(self.folders)

    def _signalling(self, process, *_):
        return "" if process == os.getpid() else "signals another process."

    def _watch_imports(self):
        """Judge `__import__` and `import_module` by who calls them: modules loaded before pass no other gate."""
        plain, plain_module = builtins.__import__, importlib.import_module

        def __import__(name, globals=None, locals=None, fromlist=(), level=0):
            frame = sys._getframe(1)
            if level == 0 and self.files & {frame.f_code.co_filename, (globals or {}).get("__file__")}:
                self._judge(members(name, fromlist) if fromlist else [name], frame)
            return plain(name, globals, locals, fromlist, level)

        def import_module(name, package=None):
            frame = sys._getframe(1)
            if frame.f_globals.get("__file__") in self.files:
                self._judge([name], frame)
            return plain_module(name, package)

        builtins.__import__, importlib.import_module = __import__, import_module

    def _judge(self, names, frame):
        for said in filter(None, (judge(str(name), self.stems) for name in names)):
            self._refuse(said, frame)


def _importing():
    """Tell whether an import statement is what opens a file."""
    frame = sys._getframe(3)
    while frame and frame.f_code.co_filename.startswith("<frozen"):
        if frame.f_code.co_name == "_find_and_load":
            return True
        frame = frame.f_back
    return False
