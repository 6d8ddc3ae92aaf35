"""What a process that runs a solution may take, where the system can bound it: memory, processor, room for files."""

import contextlib
import faulthandler
import os
import signal
import tempfile
import time

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

BLOCK = 4096  # bytes that the smallest file takes


def confine(order, stacks):
    """Bound this process as the order says, give it a temporary folder, have its stacks written when it dies."""
    limit(order["memory"], order["output"])
    os.makedirs(order["temp"], exist_ok=True)
    tempfile.tempdir = order["temp"]
    os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), order["temp"]))
    faulthandler.enable(stacks)
    if hasattr(signal, "SIGXCPU"):
        faulthandler.register(signal.SIGXCPU, stacks, chain=True)


def limit(memory, output):
    """Bound the address space and the size of the files written, in bytes."""
    if resource:
        _lower(resource.RLIMIT_AS, memory)
        _lower(resource.RLIMIT_FSIZE, output)
        _lower(resource.RLIMIT_CORE, 0)


def allow_processor(seconds):
    """Let all threads of this process together take `seconds` more of processor time."""
    if resource:
        _lower(resource.RLIMIT_CPU, int(time.process_time()) + seconds)


def takes_more(folder, most):
    """Tell whether what lies in a folder takes more than `most` bytes, every file and folder at least a block."""
    taken, waiting = 0, [folder]
    while waiting and taken <= most:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                taken += max(BLOCK, getattr(status, "st_blocks", status.st_size / 512) * 512)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return taken > most


def _lower(what, most):
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))
