"""Which suites are the course's own: a digest of each in `suites.json`, so that an edited or lost one decides nothing.

`tools/generate.py` writes the file, `prove.py` fails where it is stale. Newlines don't count.
"""

import hashlib
import json
from pathlib import Path

from kata import source
from kata.progress import write_atomically
from kata.topics import ROOT, TOOLS, all_topics

FILE = TOOLS / "kata" / "suites.json"


def spoilt(topic):
    """Return a sentence on why the topic's suites are not those the course came with, "" where they are."""
    if extra := next(filter(Path.exists, (folder / "__init__.py" for folder in _folders(topic))), None):
        return f"{extra.relative_to(ROOT)} would run before the tests do, so nothing is decided. Remove it."
    recorded = _recorded().get(topic.hints.name, {})
    if not recorded:
        return f"the suites of {topic} are not recorded. After writing them: python tools/generate.py"
    for suite in (topic.visible, topic.hidden):
        expected, found = recorded.get(suite.name), digest(suite)
        if expected != found:
            state = "is missing" if found is None else "is not the one the course came with"
            return (
                f"{suite.name} of {topic} {state}, so nothing is decided. Bring it back (git checkout, or a fresh "
                "download); after a change you mean to keep: python tools/generate.py"
            )
    return ""


def _folders(topic):
    """The topic's folder and those around it, up to the course's own."""
    return [topic.folder, *(folder for folder in topic.folder.parents if ROOT in (folder, *folder.parents))]


def record():
    """Write down the suites as they are; return whether the file changed."""
    text = json.dumps({topic.hints.name: _digests(topic) for topic in all_topics()}, indent=1) + "\n"
    if FILE.exists() and source.read(FILE) == text:
        return False
    write_atomically(FILE, text)
    return True


def is_recorded(topic):
    """Tell whether the record has the topic's suites as they are."""
    return _recorded().get(topic.hints.name) == _digests(topic)


def _recorded():
    try:
        return json.loads(source.read(FILE))
    except (OSError, ValueError):
        return {}


def _digests(topic):
    found = {suite.name: digest(suite) for suite in (topic.visible, topic.hidden)}
    return {name: value for name, value in found.items() if value}


def digest(suite):
    """Return the SHA-256 of a suite's text, None where there is none."""
    if not suite.is_file():
        return None
    return hashlib.sha256(suite.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
