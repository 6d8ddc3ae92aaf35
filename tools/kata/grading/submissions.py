"""What was handed in: the starter files in a folder, a single file or an archive, and nothing else.

Archives are never unpacked: the files that are wanted are read out of them, by name and up to a size. Links are
ignored, so are other people's trees within a submission (virtual environments, `reference/`, hidden folders).
"""

import os
import re
import stat
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from kata.errors import KataError
from kata.topics import MODULE

FILE_BYTES = 2**20
ARCHIVE_BYTES = 2**28  # what an archive may claim to unpack to
ENTRIES = 50_000
NAME_BYTES = 150  # of a submission's name, and so of the file about it
FOREIGN = {"reference", "hints", "tools", "__macosx", "__pycache__", "site-packages", "node_modules"}
ARCHIVE_NAME = re.compile(r"(\.tar)?\.(zip|tar|gz|tgz|bz2|tbz2?|xz|txz)$", re.IGNORECASE)


@dataclass
class Submission:
    """One learner's files.

    `files` maps a topic to the bytes handed in, `taken` to where they were found; `notes` are remarks on what was
    taken and left out, `problem` one sentence where nothing can be graded.
    """

    name: str
    path: Path
    files: dict = field(default_factory=dict)
    taken: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    problem: str = ""


def collect(paths, topics):
    """Return the `Submission`s that the paths hold, one a path, each with a name of its own.

    Raises
    ------
    KataError
        If none of the paths is there, or the only one is a folder that holds a whole class.
    """
    if not any(map(os.path.lexists, paths)):
        raise KataError(f"{paths[0]}: there is no such file or folder.")
    if len(paths) == 1:
        _refuse_class(paths[0], topics)
    found = [_read(Path(path), topics) for path in paths]
    _name_apart(found)
    return found


def _refuse_class(path, topics):
    """A folder that holds no starter itself, but several things that do, is a class and not a submission."""
    inside = sorted(Path(path).iterdir()) if Path(path).is_dir() else []
    own = {MODULE.name, *(name for topic in topics for name in (topic.starter.name, topic.folder.name))}
    if own & {entry.name for entry in inside}:
        return
    holders = [entry for entry in inside if _read(entry, topics).files]
    if len(holders) > 1:
        raise KataError(f"{path} holds {len(holders)} submissions. Give them one by one: {path}{os.sep}*")


def _read(path, topics):
    submission = Submission(_name(path, topics), path)
    try:
        contents, archives = _contents(path, topics, submission.notes)
        for topic in topics:
            _take(submission, topic, {place: data for place, (stem, data) in contents.items() if stem == topic.stem})
        if not submission.files:
            submission.problem = _nothing(submission, topics, archives)
    except Exception as error:  # whatever is wrong with one submission, the others are graded
        submission.problem = f"{path.name} can't be read: {error or type(error).__name__}."
    submission.problem, *submission.notes = map(_as_text, [submission.problem, *submission.notes])
    submission.taken = {topic: _as_text(place) for topic, place in submission.taken.items()}
    return submission


def _as_text(name):
    """The name of a file as text that can be written down, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _nothing(submission, topics, archives):
    """Say that there was nothing to take, and what there was instead."""
    names = ", ".join(topic.starter.name for topic in topics)
    packed = f"It holds {', '.join(map(str, archives))}: unpack that first." if archives else ""
    return " ".join([*submission.notes, f"none of the starter files is in it: {names}.", packed]).strip()


def _take(submission, topic, candidates):
    """Take the best of the candidates for a topic's file, and note that there was a choice."""
    for place in [place for place, data in candidates.items() if data is None]:
        del candidates[place]
        submission.notes.append(f"{place} is larger than {FILE_BYTES >> 20} MB and was left out.")
    if not candidates:
        return
    first, *others = sorted(candidates, key=lambda place: _rank(place, topic))
    submission.files[topic], submission.taken[topic] = candidates[first], str(first)
    if others:
        left = ", ".join(map(str, others))
        submission.notes.append(
            f"{topic.starter.name} is there {len(candidates)} times: {first} was taken, not {left}."
        )


def _rank(place, topic):
    """The starter's own name comes first, then the topic's own folder, then what lies less deep."""
    renamed = place.name.casefold() != topic.starter.name.casefold()
    return renamed, place.parent.name.casefold() != topic.folder.name.casefold(), len(place.parts), str(place)


# --- names --------------------------------------------------------------------------------------


def _name(path, topics):
    """Whose submission it is: the name of folder or archive; of a single file what adorns the stem, or its folder."""
    path = path.absolute()
    topic = _topic_named(path.name, topics) if path.suffix.lower() == ".py" else None
    if topic:
        adorned = path.stem.casefold().rpartition(topic.stem.casefold())[0]
        return path.stem[: len(adorned)].strip(" _-.") or path.parent.name
    return (path.name if path.is_dir() else ARCHIVE_NAME.sub("", path.name)) or path.name


def _topic_named(name, topics):
    """Return the topic of a file called STEM.py, or as learning platforms rename it: doe_jane_417_STEM-2.py."""
    if name.casefold().startswith("test_"):
        return None
    exact = next((topic for topic in topics if name.casefold() == topic.starter.name.casefold()), None)
    return exact or next((topic for topic in topics if re.fullmatch(_adorned(topic.stem), name, re.IGNORECASE)), None)


def _adorned(stem):
    return rf"(.*[ _.-])?{re.escape(stem)}([ _-]?\(?\d+\)?)?\.py"


def _name_apart(submissions):
    """Give every submission a name of its own, in every file system."""
    taken = set()
    for submission in submissions:
        name = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", _as_text(submission.name))
        name = name.encode()[:NAME_BYTES].decode(errors="ignore").rstrip(". ") or "_"
        choices = [name, *(f"{name} ({number})" for number in range(2, len(submissions) + 2))]
        submission.name = next(choice for choice in choices if choice.casefold() not in taken)
        taken.add(submission.name.casefold())


# --- contents -----------------------------------------------------------------------------------


def _contents(path, topics, notes):
    """Return {place: (stem, bytes)} of the files that may be a topic's, and the archives among the others.

    Bytes are None where there are too many. What could not be looked into is added to the notes.
    """
    archives = []

    def wanted(place):
        parts = [part.casefold() for part in place.parts]
        hidden = any(part.startswith(".") and part != ".." for part in parts)
        if hidden or FOREIGN & set(parts[:-1]):
            return None
        if ARCHIVE_NAME.search(place.name):
            archives.append(place)
        topic = _topic_named(place.name, topics)
        return topic and topic.stem

    return _found(path, topics, wanted, notes), archives


def _found(path, topics, wanted, notes):
    if not path.exists():
        raise KataError("there is nothing under this name" if not path.is_symlink() else "it is a link to nothing")
    if not (path.is_dir() or path.is_file()):
        raise KataError("it is no folder and no regular file")
    if path.is_dir():
        return _in_folder(path, wanted, notes)
    if path.suffix.lower() == ".py":
        topic = _topic_named(path.name, topics)
        if not topic:
            raise KataError("its name is none of the starters'")
        return {PurePosixPath(path.name): (topic.stem, _bounded(path.open("rb")))}
    if zipfile.is_zipfile(path):
        return _in_zip(path, wanted)
    if tarfile.is_tarfile(path):
        return _in_tar(path, wanted)
    raise KataError("it is no folder, Python file, zip or tar archive")


def _in_folder(path, wanted, notes):
    os.scandir(path).close()  # raises where the folder itself can't be read

    def unread(error):
        notes.append(f"{Path(error.filename).relative_to(path)} can't be read ({error.strerror}).")

    found, entries = {}, 0
    for folder, folders, files in os.walk(path, onerror=unread):
        folders[:] = [name for name in folders if not name.startswith(".") and name.casefold() not in FOREIGN]
        entries += len(files)
        _require(entries <= ENTRIES, f"it holds more than {ENTRIES} files")
        for name in files:
            file = Path(folder, name)
            place = PurePosixPath(file.relative_to(path).as_posix())
            stem = wanted(place)
            if stem and not file.is_symlink() and file.is_file():
                found[place] = stem, _bounded(file.open("rb"))
    return found


def _in_zip(path, wanted):
    found = {}
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        _require(len(members) <= ENTRIES, f"it holds more than {ENTRIES} files")
        for member in members:
            place = PurePosixPath(member.filename.replace("\\", "/"))
            stem = wanted(place)
            if stem and not member.is_dir() and not stat.S_ISLNK(member.external_attr >> 16):
                found[place] = stem, _bounded(archive.open(member))
    return found


def _in_tar(path, wanted):
    found, size = {}, 0
    with tarfile.open(path) as archive:
        for entries, member in enumerate(archive, 1):
            size += max(member.size, 0)
            _require(entries <= ENTRIES, f"it holds more than {ENTRIES} files")
            _require(size <= ARCHIVE_BYTES, f"it unpacks to more than {ARCHIVE_BYTES >> 20} MB")
            place = PurePosixPath(member.name)
            stem = wanted(place)
            if stem and member.isreg():
                found[place] = stem, _bounded(archive.extractfile(member))
    return found


def _bounded(file):
    """Return the file's bytes, None where they are more than a solution has."""
    with file:
        data = file.read(FILE_BYTES + 1)
    return data if len(data) <= FILE_BYTES else None


def _require(fine, trouble):
    if not fine:
        raise KataError(trouble)
