"""What a solution does while it runs, and what of it the kata refuses.

A solution computes: it starts no process, reaches no network, writes in its working folder alone, reads no other
code of the course, and its functions import what the file may (see `rules`). Python's audit events tell, on every
system; what raises none is wrapped. Whatever runs in another thread than the tests' is the solution's doing. This
keeps accidents and casual cheating from having any effect; it is no sandbox.
"""

import builtins
import contextlib
import functools
import importlib
import os
import sys
import threading
from pathlib import Path
from types import FunctionType

from hypothesis.errors import StopTest, UnsatisfiedAssumption

from kata.errors import SolutionError
from kata.rules import judge, members
from kata.tampering import is_watched
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
UNTOLD = {"_posixsubprocess.fork_exec": "subprocess.Popen", "os.mkfifo": "os.mkdir", "os.mknod": "os.mkdir"}


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
        self.files, self.stems, self.name = set(files), stems, os.path.basename(files[0])
        self.folders = tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)
        self.refusals, self.thread = [], threading.get_ident()
        self.rules = {
            "open": self._opening,
            "os.truncate": lambda path, size: self._writing(path),
            **dict.fromkeys(WRITING, self._writing),
            **dict.fromkeys(STARTING, lambda *_: "starts another process: a solution computes in its own."),
            **dict.fromkeys(
                REACHING, lambda *_: "reaches for the network: a solution needs nothing but its arguments."
            ),
            **dict.fromkeys(SIGNALLING, self._signalling),
            "object.__setattr__": self._changing,
        }

    def begin(self):
        """Watch from now on; there is no way back."""
        sys.addaudithook(self._see)
        sys.meta_path.insert(0, self)
        self._watch_imports()
        for name, event in UNTOLD.items():
            self._announce(*name.split("."), event)
        for control in (UnsatisfiedAssumption, StopTest):
            self._watch_control(control)

    def _see(self, event, arguments):
        rule = self.rules.get(event)
        frame = self._solution_frame() if rule else None
        said = rule(*arguments) if frame else ""
        if said:
            self._refuse(said, frame)

    def _refuse(self, said, frame):
        own = frame.f_code.co_filename in self.files
        place = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}" if own else f"a thread of {self.name}"
        error = SolutionError(f"{place} {said}", frame.f_lineno if own else None)
        self.refusals.append(error)
        raise error

    def _solution_frame(self):
        """The solution's innermost frame on the stack, None where the harness or numpy.testing act by themselves.

        In a thread that the solution started, any frame.
        """
        innermost = frame = sys._getframe(2)
        while frame and frame.f_code.co_filename not in self.files:
            if frame.f_globals.get("__name__", "").startswith("numpy.testing"):
                return None  # it asks the system what processor this is
            frame = frame.f_back
        return frame if frame or threading.get_ident() == self.thread else innermost

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

    def _changing(self, thing, name, value):
        """Judge what replaces the code, or the defaults, inside of a function that stays where it is."""
        watched = isinstance(thing, FunctionType) and is_watched(thing.__module__ or "")
        return f"replaces the {name} of {thing.__qualname__}, which it is tested with." if watched else ""

    def _announce(self, module, name, event):
        """Have a function that raises no audit event raise one."""
        with contextlib.suppress(ImportError, AttributeError):  # no such function on this system
            place = importlib.import_module(module)
            plain = getattr(place, name)

            @functools.wraps(plain)
            def announced(*args, **kwargs):
                self._see(event, args)
                return plain(*args, **kwargs)

            setattr(place, name, announced)

    def _watch_control(self, control):
        """Refuse what would make hypothesis pass an example over."""
        plain = control.__init__

        def __init__(error, *args, **kwargs):
            frame = self._solution_frame()
            if frame:
                self._refuse(f"raises hypothesis' {control.__name__}, which ends a test early.", frame)
            plain(error, *args, **kwargs)

        control.__init__ = __init__

    # --- imports --------------------------------------------------------------------------------

    def find_spec(self, name, path=None, target=None):
        """Stand first among those who find modules, and find none: judge what is about to be loaded, whoever asks.

        What the standard library loads of its own is its business.
        """
        own = name.partition(".")[0] in sys.stdlib_module_names
        said = "" if own else judge(name, self.stems)
        frame = self._solution_frame() if said else None
        others = [finder for finder in sys.meta_path if finder is not self] if frame else []
        if any(finder.find_spec(name, path, target) for finder in others):  # what is not there, many ask for in vain
            self._refuse(said, frame)

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
