"""The matrix products' threads and kernels, chosen before numpy is imported: afterwards it is too late."""

import os
from pathlib import Path

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
KERNELS = "OPENBLAS_CORETYPE"
WANTED = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_bf16"}


def default_threads():
    """Return the threads OPENBLAS_NUM_THREADS asks for, or one a core."""
    asked = os.environ.get(THREADS[0], "")
    return int(asked) if asked.isdecimal() and int(asked) else os.cpu_count() or 1


def default_kernels(cpuinfo="/proc/cpuinfo"):
    """Return OpenBLAS's kernels to use, "" for its own choice.

    It takes AMD's processors with AVX-512 for older ones and gets half their speed; the kernels it has under
    the name Cooperlake run on them. What OPENBLAS_CORETYPE says goes before.
    """
    if KERNELS in os.environ:
        return os.environ[KERNELS]
    try:
        text = Path(cpuinfo).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    named = {key.strip(): value.split() for key, value in fields.items()}
    fits = named.get("vendor_id") == ["AuthenticAMD"] and set(named.get("flags", ())) >= WANTED
    return "Cooperlake" if fits else ""


def choose(threads, kernels, plain=True):
    """Set both for this process and its children; layers that share out a batch (`fast`) want one thread each."""
    threads = threads if plain else 1
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    os.environ.pop(KERNELS, None)
    if kernels:
        os.environ[KERNELS] = kernels


def described(threads, kernels, plain=True):
    """The choice as a line for people."""
    if not plain:
        shares = f"every batch in {threads} shares, " if threads > 1 else ""
        return f"layers: {shares}quickened by kata/train/fast.py (--plain: as they are)\n{described(1, kernels)}"
    of = f"the {kernels} kernels ({KERNELS}=... chooses others)" if kernels else "kernels of OpenBLAS's own choice"
    return f"matrix products: {threads} thread{'s' * (threads > 1)}, {of}"
