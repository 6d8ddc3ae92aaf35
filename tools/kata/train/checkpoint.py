"""A training on disk: one file, replaced as a whole or not at all, in which nothing but numbers and JSON lies.

checkpoint.npz is a zip of arrays in numpy's format (no pickle) and one member run.json: the settings, how far the
training is, and the generator's state. Zip carries a check sum for each member, so a damaged file is noticed.
"""

import contextlib
import io
import json
import zipfile
from pathlib import Path

from kata.errors import KataError
from kata.progress import write_atomically

NAME = "checkpoint.npz"
RECORD = "run.json"
FORMAT = 1


def sweep(folder):
    """Remove what writes that were killed half-way left in the folder."""
    for litter in folder.glob(".*.*"):
        if litter.name.startswith((f".{NAME}.", ".metrics.jsonl.", ".times.jsonl.")):
            with contextlib.suppress(OSError):
                litter.unlink()


def save(folder, record, arrays):
    """Write the checkpoint: `record` plain data, `arrays` a dict of arrays.

    Raises
    ------
    KataError
        If it can't be written; the one before is whole then.
    """
    import numpy as np

    content = io.BytesIO()
    np.savez(content, **arrays)
    with zipfile.ZipFile(content, "a") as bundle:
        bundle.writestr(RECORD, json.dumps({"format": FORMAT, **record}))
    try:
        write_atomically(folder / NAME, content.getvalue())
    except OSError as error:
        raise KataError(
            f"{folder / NAME} can't be written ({error.strerror}). "
            "The checkpoint before it, if any, is whole: make room, then go on with --resume."
        ) from None


def read_record(folder):
    """Return the record alone, without numpy; None where there is no checkpoint.

    Raises
    ------
    KataError
        If the file is no checkpoint, or a damaged one.
    """
    path = Path(folder) / NAME
    if not path.exists():
        return None
    with _readable(path), zipfile.ZipFile(path) as bundle:
        record = json.loads(bundle.read(RECORD))
        if record["format"] != FORMAT:
            raise KataError(f"{path} is a checkpoint of another version. Train anew with another --out.")
        return record


def read_arrays(folder):
    """Return the arrays of the checkpoint, every check sum verified."""
    import numpy as np

    path = Path(folder) / NAME
    with _readable(path), np.load(path, allow_pickle=False) as bundle:
        return {name: bundle[name] for name in bundle.files if name != RECORD}


@contextlib.contextmanager
def _readable(path):
    """Turn whatever a damaged file brings about into a sentence."""
    try:
        yield
    except (zipfile.BadZipFile, EOFError, KeyError, TypeError, ValueError, NotImplementedError, OSError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged, or none"
        raise KataError(
            f"{path} can't be read as a checkpoint ({what}). Move it away to train anew, or restore a copy."
        ) from None
