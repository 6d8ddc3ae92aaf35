"""watch.py as a learner uses it: on a terminal and on a pipe, with real saves and real keys."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

TRIPLED = {"return 2 * x": "return 3 * x"}


def is_remembered(course, number):
    """Tell whether check.py recalls the verdict on a topic that watch.py reached, and what it is."""
    found = course.verdict(number)
    return found["cached"], found["complete"]


def test_lines(course):
    """Without a terminal every save's verdict is printed as check.py prints it, and a request to end ends it."""
    course.solve(21, TRIPLED)
    command = [sys.executable, "-u", str(course.root / "tools" / "watch.py"), "21"]
    own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {}
    process = subprocess.Popen(
        command, cwd=course.root, env=course.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8", **own,
    )  # fmt: skip
    said = until(process, "next:")
    assert "watching" in said and "topic 21 mini: 2 of 3 exercises pass" in said
    assert "looks like: the numbers are tripled (hint level 2)" in said and "\x1b" not in said
    course.solve(21)
    assert "topic 21 mini: complete" in until(process, "complete")
    assert is_remembered(course, 21) == (True, True)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode in (143, 1)


def until(process, word):
    said = ""
    while word not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    return said


def test_no_such_topic(course):
    """A wrong call is one sentence and status 2."""
    done = course.run("watch.py", "99")
    assert done.returncode == 2 and "No topic is called '99'" in done.stderr


if os.name == "posix":
    from kata.bench.watch import Watched, flat, storm

    @pytest.fixture
    def start(course):
        """Start watch.py on a terminal; all that were started are ended."""
        started = []

        def begin(*options, number=21, stem="mini", **settings):
            env = course.environment(settings.pop("env", None))
            started.append(Watched(course.root, number, stem, *options, env=env, **settings))
            return started[-1]

        yield begin
        for watched in started:
            watched.close()

    def test_from_red_to_complete(course, start):
        """The stub, a wrong line, the right ones: each save's verdict is on the screen, and check.py knows it."""
        reference = course.topic(21).reference.read_text("utf-8")
        watched = start()
        watched.wait_settled("next: double")
        assert "0 of 3 exercises pass" in watched.terminal.text()
        shouting = 'print("here I am", x)\n    return 3 * x'
        watched.save(reference.replace("return 2 * x", shouting), "rename")
        watched.wait_settled("looks like: the numbers are tripled (hint level 2)")
        lines = watched.terminal.lines()
        assert lines[0].startswith("topic 21 mini") and "2 of 3 exercises pass" in lines[1]
        assert lines[3].startswith("double  test_two_numbers") and lines[4] == "The numbers 1 and -3 become 2 and -6."
        assert "at [0]: expected 2, got 3" in lines and "after double(x (2,))" in lines
        assert "expected [0:2]   got" in lines and " [2] -6          [3] -9" in lines
        assert "printed: here I am [ 1. -3.]" in lines
        assert lines[23] == "h hint  a all  n next  l board  r reset  u undo  o open  q quit"
        watched.save(reference, "twice")
        watched.wait_settled("topic 21 mini is complete")
        watched.terminal.type("n")
        watched.wait_settled("next: quadruple")
        watched.terminal.type("q")
        assert watched.terminal.process.wait(60) == 0
        assert is_remembered(course, 21) == (True, True)

    def test_keys(course, start):
        """Every key does what the last line says."""
        seen = course.root / "edited"
        tool = course.root / "an editor.py"
        tool.write_text(f"import sys\nopen({str(seen)!r}, 'w').write(sys.argv[-1])\n", "utf-8")
        course.solve(21, TRIPLED)
        watched = start(env={"VISUAL": f"'{sys.executable}' '{tool}'"})
        screen = watched.terminal
        watched.wait_settled("2 of 3 exercises pass")
        screen.type("h")
        watched.wait("Hint for double, level 1 of 3")
        screen.type("h")
        watched.wait("Hint for double, level 2 of 3")
        screen.type(" l")
        watched.wait("> topic 21 mini 2 of 3 exercises pass topic 22 later not begun")
        screen.type("o")
        screen.wait(lambda text: seen.exists() and "double  test_two_numbers" in text)
        assert seen.read_text("utf-8") == str(course.topic(21).starter)
        screen.type("r")
        watched.wait("Put the starter in place of mini.py?")
        screen.type("n")
        watched.wait("left alone.")
        screen.type("ry")
        watched.wait_settled("0 of 3 exercises pass")
        screen.type("u")
        watched.wait_settled("2 of 3 exercises pass")
        screen.type("a")
        watched.wait_settled("every topic is checked.")
        assert "topic 22  later  0 of 2 exercises pass" in screen.text()

    @pytest.mark.parametrize("way", ["q", "ctrl-c", "terminate"])
    def test_terminal_left_as_it_was(start, way):
        """However it ends, the terminal's modes, screen and cursor are what they were, and no process is left."""
        watched = start()
        screen = watched.terminal
        before = screen.before
        watched.wait_settled("next: double")
        assert screen.settings() != before
        processes = watched.processes()
        assert len(processes) == 1
        screen.process.terminate() if way == "terminate" else screen.type("q" if way == "q" else "\x03")
        assert screen.process.wait(60) == (143 if way == "terminate" else 0)
        assert screen.settings() == before
        written = screen.written()
        assert written.rindex(b"\x1b[?1049l") > written.rindex(b"\x1b[?1049h")
        assert written.rindex(b"\x1b[?25h") > written.rindex(b"\x1b[?25l")
        while any(is_running(process) for process in processes):
            time.sleep(0.02)

    def is_running(process):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True

    def test_paused(start):
        """Ctrl-Z gives the terminal back to the shell, and going on draws the screen again."""
        watched = start()
        watched.wait_settled("next: double")
        process = watched.terminal.process
        watched.terminal.type("\x1a")
        while os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(0.02)
        assert watched.terminal.settings() == watched.terminal.before
        process.send_signal(signal.SIGCONT)
        watched.wait("next: double")

    def test_small_terminal(start):
        """A smaller terminal shows less, and still what failed; one that is dragged larger shows all again."""
        watched = start(columns=50, rows=10)
        watched.wait_settled("next: double")
        reference = watched.file.parents[2] / "reference" / "mini.py"
        watched.save(reference.read_text("utf-8").replace("return 2 * x", "return 3 * x"))
        watched.wait_settled("The numbers 1 and -3 become 2 and -6. at [0]: expected 2, got 3")
        assert "q quit" not in watched.terminal.text() and "h a n l r u o q" in watched.terminal.text()
        watched.terminal.resize(80, 24)
        watched.wait("q quit")

    def test_storm(course, start):
        """Of forty saves at random moments every verdict awaited is that of the last content, and nothing is left."""
        right = course.topic(21).reference.read_text("utf-8")
        contents = [
            (right.replace("return 2 * x", "return 3 * x"), "looks like: the numbers are tripled"),
            (right.replace("return 2 * dout", "return -2 * dout"), "looks like: the way back changes the sign"),
            (right, "is complete"),
            (f"{right}\ndef broken(:\n", "has a syntax error"),
            (None, "is missing"),
        ]
        endless = right.replace("return 2 * x", "while True:\n        pass")
        watched = start()
        watched.wait_settled("next: double")
        assert storm(watched, contents, endless, saves=40, seed=3).startswith("40 saves")
        assert json.loads(course.topic(21).memory.read_text("utf-8"))["format"] and flat("a\n b") == "a b"
