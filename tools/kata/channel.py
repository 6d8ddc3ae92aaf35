"""What passes between the process that runs the tests and the one that decides: one JSON line a report.

The reports go to a file that the deciding side opened before the other began, so that removing it changes
nothing, and every line is signed with a key only the two know: what a solution prints, or writes into the file
by chance, is no report.
"""

import hashlib
import json

from kata.errors import KataError

LONGEST = 2**22  # bytes of one report
WIDEST = 2000  # characters of any one text in it


class Channel:
    """The testing side: writes reports, at once."""

    def __init__(self, path, key):
        self.file = open(path, "ab", buffering=0)  # noqa: SIM115
        self.key, self.sent = key, 0

    def send(self, event, **fields):
        self.sent += 1
        line = json.dumps({"number": self.sent, "event": event, **presentable(fields)}).encode()
        self.file.write(b"\n" + signature(self.key, line) + b" " + line + b"\n")  # nothing before it touches it


def presentable(value):
    """Return the value with its texts bounded, free of what a terminal would obey or could not show."""
    if isinstance(value, dict):
        return {key: presentable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [presentable(inner) for inner in value]
    if isinstance(value, str) and not (len(value) <= WIDEST and value.isprintable()):
        shown = value if len(value) <= WIDEST else f"{value[:WIDEST]}..."
        return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in shown)
    return value


def signature(key, line):
    return hashlib.blake2b(line, key=key.encode(), digest_size=16).hexdigest().encode()


class Follower:
    """The deciding side: takes the reports in as they come.

    `process` is the number of the one that reports, `current` the test that was begun and has not ended, `loading`
    tells whether the solution is being imported, `unfit` why it can't be tested at all (sentence, line), `broke`
    what became of the harness during the current test, `ended` whether the tests went to their end.
    """

    def __init__(self, path, key, shown):
        self.file = open(path, "w+b", buffering=0)  # noqa: SIM115
        self.key, self.shown = key, shown
        self.number, self.rest = 0, b""
        self.process = None
        self.current, self.loading, self.unfit, self.broke, self.ended = None, False, None, "", False

    def close(self):
        self.file.close()

    def read(self):
        """Take in all complete new lines; tell whether there were any reports."""
        *lines, rest = (self.rest + self.file.read()).split(b"\n")
        self.rest = rest[-LONGEST:]
        return sum(map(self._take, lines)) > 0

    def _take(self, line):
        """Take in one report; anything else is passed over."""
        signed, _, text = line.partition(b" ")
        if signed != signature(self.key, text):
            return False
        report = json.loads(text)
        if report["number"] <= self.number:
            return False
        self.number = report["number"]
        self._heed(report)
        return True

    def _heed(self, report):
        shown = self.shown
        match report["event"]:
            case "collected":
                shown.tests = shown.tests or report["tests"]
                self.process = report["process"]
            case "loading":
                self.loading = True
            case "loaded":
                self.loading = False
            case "unfit":
                self.loading, self.unfit = False, (report["message"], report["line"])
            case "start":
                self.current = report["id"]
            case "result":
                self.current = None
                shown.results.setdefault(report["id"], {key: report[key] for key in ("outcome", "finding")})
            case "preview":
                shown.preview = report["finding"]
            case "diagnosis":
                shown.diagnoses[report["exercise"]] = report
            case "uncollected":
                raise KataError(f"the suites could not be collected: {report['message']}")
            case "internal" if self.current:
                self.broke = report["message"]
            case "internal":
                raise KataError(f"the test harness itself failed: {report['message']}")
            case "end":
                self.ended = True
