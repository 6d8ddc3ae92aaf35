"""Where images come from and where a run is kept; decided before anything heavy is imported."""

import os
from pathlib import Path

from kata.errors import KataError
from kata.render import shown_path
from kata.topics import ROOT
from kata.train import checkpoint

HOME = ROOT / ".data"


def home():
    """Return the folder for what is fetched, drawn and trained, made to be ignored by git."""
    try:
        HOME.mkdir(exist_ok=True)
        if not (HOME / ".gitignore").exists():
            (HOME / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise KataError(f"{HOME} can't be written ({error.strerror}). Use --data DIR and --out DIR.") from None
    return HOME


def chosen(data, download, drawn):
    """Return what the three options ask for, else CIFAR10_DIR's folder: "download", "synthetic" or a folder."""
    asked = {"--data": data, "--download": download and "download", "--synthetic": drawn and "synthetic"}
    asked = {option: value for option, value in asked.items() if value}
    if len(asked) > 1:
        raise KataError(f"{' and '.join(asked)} exclude each other. Give one.")
    source = next(iter(asked.values()), None) or os.environ.get("CIFAR10_DIR") or "synthetic"
    return source if source in ("download", "synthetic") else str(Path(source).absolute())


def out_folder(out, model, source, resume):
    """Return the folder of the run: the one named, the latest to be resumed, or a new one in .data/runs."""
    if out:
        return Path(out).absolute()
    runs = home() / "runs"
    stem = f"{model or 'simple_cnn'}-{'synthetic' if source == 'synthetic' else 'cifar10'}"
    if resume:
        begun = list(runs.glob(f"{model or '*'}-*/{checkpoint.NAME}"))
        if begun:
            return max(begun, key=lambda path: path.stat().st_mtime).parent
    number = 1
    while (runs / f"{stem}-{number}" / checkpoint.NAME).exists():
        number += 1
    return runs / f"{stem}-{number}"


def record(out, resume):
    """Return the record of the checkpoint to resume, None to begin.

    Raises
    ------
    KataError
        If there is a checkpoint and nobody asked to resume it, or it can't be read.
    """
    if not resume and (out / checkpoint.NAME).exists():
        raise KataError(f"{shown_path(out)} holds a run already. --resume goes on with it; another --out begins anew.")
    return checkpoint.read_record(out)
