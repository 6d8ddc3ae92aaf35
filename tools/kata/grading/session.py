"""Grading a class from beginning to end: what is done already is kept, what is left is graded, all of it is told.

A result is kept under `OUT/.results/` as soon as it is there, under a name made from the files handed in, the course
and Python: an interrupted run goes on where it was, the same files are graded once, an edited course grades anew.
"""

import json
import sys
from pathlib import Path

from kata import source
from kata.errors import KataError
from kata.grading import report
from kata.grading.course import digest, pack
from kata.progress import write_atomically
from kata.topics import ROOT


class Session:
    """The grading of some submissions into a folder.

    Parameters
    ----------
    submissions : list of Submission
    topics : list of Topic
        Those that count.
    out : Path
        Where results and reports go.
    seconds : float
        Limit for one test.
    """

    def __init__(self, submissions, topics, out, seconds):
        self.topics, self.out, self.seconds = topics, Path(out), seconds
        self.course = pack()
        self.class_ = [report.Graded(submission, problem=submission.problem) for submission in submissions]
        self._keys, self.orders, self._results = {}, {}, {}
        for graded in self.class_:
            self._plan(graded)

    def _plan(self, graded):
        """Note what of a submission is untouched, and what is to be checked."""
        files = graded.submission.files
        graded.untouched = {topic for topic, content in files.items() if _is_starter(topic, content)}
        begun = sorted(set(files) - graded.untouched, key=lambda topic: topic.number)
        if not begun:
            return
        order = {
            "files": {topic.starter.relative_to(ROOT).as_posix(): files[topic] for topic in begun},
            "topics": [topic.number for topic in begun],
            "seconds": self.seconds,
        }
        self._keys[graded.name] = key = self._key(order)
        self.orders[key] = order

    def _key(self, order):
        files = [part for place, content in order["files"].items() for part in (place.encode(), content)]
        what = f"{sys.version_info[0]}.{sys.version_info[1]} {self.seconds}"
        return digest(self.course, what.encode(), *files)

    def waiting(self):
        """Return the orders that have no result yet, by key; take in those that have one."""
        for key in self.orders:
            if result := self._recall(key):
                self._results[key] = result
        return {key: order for key, order in self.orders.items() if key not in self._results}

    def _recall(self, key):
        try:
            result = json.loads(self._file(key).read_text(encoding="utf-8"))
            return result if isinstance(result.get("verdicts"), list) else None
        except (OSError, ValueError, AttributeError):
            return None

    def take(self, key, result):
        """Keep a result; one that is a problem is kept for this run only, so that the next one tries again."""
        self._results[key] = result
        if "verdicts" in result:
            self._write(self._file(key), json.dumps(result))

    def _file(self, key):
        return self.out / ".results" / f"{key}.json"

    def finish(self, partial):
        """Write the tables and pages; return the graded class."""
        for graded in self.class_:
            result = self._results.get(self._keys.get(graded.name), {})
            graded.problem = graded.problem or result.get("problem", "")
            by_number = {verdict["topic"]: verdict for verdict in result.get("verdicts", [])}
            graded.verdicts = {topic: by_number[topic.number] for topic in self.topics if topic.number in by_number}
        self._write(self.out / "grades.csv", "\ufeff" + report.grades_csv(self.class_, self.topics, partial))
        self._write(self.out / "mistakes.csv", "\ufeff" + report.mistakes_csv(self.class_))
        self._write(self.out / "report.md", report.class_page(self.class_, self.topics, partial))
        for graded in self.class_:
            page = report.learner_page(graded, self.topics, partial)
            self._write(self.out / "learners" / f"{graded.name}.md", page)
        return self.class_

    def _write(self, path, text):
        try:
            write_atomically(path, text)
        except OSError as error:
            raise KataError(
                f"{path} can't be written ({error.strerror}). Make room, or choose another --out."
            ) from None


def _is_starter(topic, content):
    """Tell whether a file is the starter as it was given, newlines aside."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n") == source.starter(topic)
    except UnicodeDecodeError:
        return False
