"""On a terminal there are colour and progress; elsewhere plain lines; Ctrl-C and a closed pipe end quietly."""

import os
import signal
import subprocess
import sys
import time


def test_plain_elsewhere(course):
    """Into a file or a pipe no control character is written."""
    for arguments in (["check.py", "--all"], ["hint.py", 21], ["reset.py", 21]):
        done = course.run(*arguments)
        assert "\x1b" not in done.stdout + done.stderr and "\r" not in done.stdout.replace("\r\n", "\n")


def test_no_color_elsewhere_either(course):
    """NO_COLOR changes nothing where there is no colour."""
    assert course.run("check.py", 21, env={"NO_COLOR": "1"}).stdout == course.run("check.py", 21).stdout


if os.name == "posix":
    import pty
    import select

    SECONDS = 120

    def on_terminal(course, *command, answer=b"", **environment):
        """Run a tool on a pseudo-terminal; return its exit status and all it wrote there."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, str(course.root / "tools" / command[0]), *command[1:]],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=course.root,
            env=course.environment({"TERM": "xterm", **environment}),
            start_new_session=True,
        )
        os.close(theirs)
        os.write(ours, answer)
        written = b""
        while True:
            assert select.select([ours], [], [], SECONDS)[0], written
            try:
                piece = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not piece:
                break
            written += piece
        os.close(ours)
        return process.wait(timeout=SECONDS), written.decode()

    def test_progress(course):
        """On a terminal a bar shows how far the tests are, then makes room for the coloured verdict."""
        status, written = on_terminal(course, "check.py", "--all")
        assert status == 1
        assert "tests" in written and "21 mini" in written
        assert written.rstrip().endswith("hint.py 21") and "\x1b[" in written

    def test_no_color(course):
        """NO_COLOR takes the colour from a terminal too."""
        _, written = on_terminal(course, "check.py", "21", NO_COLOR="1")
        colours = [f"\x1b[{number}m" for number in (31, 32, 33)]
        assert not any(colour in written for colour in colours)
        _, hint = on_terminal(course, "hint.py", "21", NO_COLOR="1")
        assert "\x1b" not in hint

    def test_dumb_terminal(course):
        """A terminal that can't move its cursor gets no progress bar."""
        _, written = on_terminal(course, "check.py", "21", TERM="dumb")
        assert "tests" not in written and "\x1b[2K" not in written
        assert "topic 21 mini: 0 of 3 exercises pass" in written

    def test_json_on_a_terminal(course):
        """--format json is data on a terminal too: no bar, no colour."""
        _, written = on_terminal(course, "check.py", "21", "--format", "json")
        assert "\x1b" not in written and written.startswith("{")

    def test_answered_on_a_terminal(course):
        """A question is answered at the keyboard."""
        course.write(21, "x = 1\n")
        status, written = on_terminal(course, "reset.py", "21", answer=b"y\n")
        assert status == 0 and "Replace it by the starter" in written
        assert "raise NotImplementedError" in course.topic(21).starter.read_text("utf-8")

    def started(course, *command, **environment):
        """Start a tool on pipes, in a group of its own so that only it is interrupted."""
        return subprocess.Popen(
            [sys.executable, str(course.root / "tools" / command[0]), *command[1:]],
            cwd=course.root,
            env=course.environment(environment),
            start_new_session=True,
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def test_interrupted(course, tmp_path):
        """Ctrl-C is one line and status 1; no verdict is remembered and no process is left."""
        loop = "import os\n    open('running', 'w').write(f'{os.getpid()}\\n')\n    while True:\n        pass"
        course.solve(21, {"return 2 * x": loop})
        process = started(course, "check.py", "--all", TMPDIR=str(tmp_path))
        while not (running := "".join(mark.read_text() for mark in tmp_path.glob("kata-*/work/running"))).endswith(
            "\n"
        ):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
        assert (process.returncode, out, err) == (1, "", "check: interrupted; nothing was lost.\n")
        assert not course.topic(21).memory.exists()
        assert not is_running(int(running))

    def is_running(process):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True

    def test_interrupted_question(course):
        """Ctrl-C at a question leaves everything as it is."""
        path = course.write(21, "x = 1\n")
        process = started(course, "reset.py", "21")
        asked = ""
        while "[y/N]" not in asked:
            asked += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 1 and "Traceback" not in out + err
        assert path.read_text("utf-8") == "x = 1\n"

    def test_closed_pipe(course):
        """A reader that goes away early is no error worth a traceback."""
        reading, writing = os.pipe()
        os.close(reading)
        command = [sys.executable, str(course.root / "tools" / "hint.py"), "21"]
        done = subprocess.run(
            command, env=course.environment(), stdout=writing, stderr=subprocess.PIPE, encoding="utf-8", check=False
        )
        os.close(writing)
        assert done.returncode == 1 and done.stderr == ""
