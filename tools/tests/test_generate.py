"""generate.py makes starters and stub files from the reference."""


def test_nothing_to_do(course):
    """It is silent where every starter is the generated one already."""
    done = course.run("generate.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_reference_changed(course):
    """A starter nobody began follows the reference, without a copy of the old one."""
    topic = course.topic(21)
    topic.reference.write_text(topic.reference.read_text("utf-8").replace("Double every", "Double each"), "utf-8")
    done = course.run("generate.py")
    assert done.returncode == 0
    assert "mini.py" in done.stdout and "mini.pyi" in done.stdout and "kept" not in done.stdout
    assert "Double each number." in topic.starter.read_text("utf-8")
    assert "Double each number." in (course.root / "tools" / "cnn" / "mini.pyi").read_text("utf-8")
    assert not list(topic.folder.glob("*.backup-*"))


def test_begun_exercise_is_kept(course):
    """Code in a starter is kept beside the new one."""
    text = course.solve(21).read_text("utf-8")
    done = course.run("generate.py")
    assert done.returncode == 0
    (backup,) = course.topic(21).folder.glob("mini.backup-*.py")
    assert backup.read_text("utf-8") == text
    assert "kept" in done.stdout and backup.name in done.stdout


def test_malformed_markers(course):
    """A malformed marker ends it with file and line and status 2, and the starter stays."""
    topic = course.topic(21)
    before = topic.starter.read_bytes()
    text = topic.reference.read_text("utf-8")
    topic.reference.write_text(text.replace("    # endregion\n", "", 1), "utf-8")
    done = course.run("generate.py")
    assert done.returncode == 2
    assert "mini.py:" in done.stderr and "# endregion" in done.stderr and "Traceback" not in done.stderr
    assert topic.starter.read_bytes() == before


def test_solution_stays_out(course):
    """No line of a solution region stands in a starter."""
    starter = course.topic(21).starter.read_text("utf-8")
    assert "return 2" not in starter and "_factor" not in starter
    assert starter.count("raise NotImplementedError") == 5
