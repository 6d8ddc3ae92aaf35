"""grade.py takes the right files from whatever was handed in, grades each alone, and loses none."""

import csv
import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile

import pytest

from kata.errors import KataError
from kata.grading import places, submissions
from kata.topics import all_topics, find_topic

CONV, COLS = find_topic("conv2d"), find_topic("im2col")
TRIPLED = {"return 2 * x": "return 3 * x"}


def collected(*paths):
    return submissions.collect(paths, all_topics())


def one(path):
    (submission,) = collected(path)
    return submission


def write(path, data=b"x = 1\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path, files, **member):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in member.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return path


# --- what is taken ------------------------------------------------------------------------------


def test_folder(tmp_path):
    """A folder gives its starter files and nothing else: no tests, no conftest, no other modules."""
    for name in ("conv2d.py", "im2col.py", "conftest.py", "test_hidden.py", "helper.py", "sub/sitecustomize.py"):
        write(tmp_path / "ada l" / name, name.encode())
    submission = one(tmp_path / "ada l")
    assert submission.name == "ada l" and submission.problem == "" and submission.notes == []
    assert submission.files == {CONV: b"conv2d.py", COLS: b"im2col.py"}


def test_topic_folder_is_preferred(tmp_path):
    """Of several candidates the one in the topic's folder is taken, else the one that lies least deep; it is said."""
    write(tmp_path / "a" / "old" / "conv2d.py", b"old")
    write(tmp_path / "a" / "conv2d.py", b"top")
    submission = one(tmp_path / "a")
    assert submission.files == {CONV: b"top"}
    assert submission.notes == ["conv2d.py is there 2 times: conv2d.py was taken, not old/conv2d.py."]
    write(tmp_path / "a" / "Module02-CNNs" / CONV.folder.name / "conv2d.py", b"right")
    submission = one(tmp_path / "a")
    assert submission.files == {CONV: b"right"} and "not conv2d.py, old/conv2d.py" in submission.notes[0]


@pytest.mark.parametrize("place", ["reference", "tools/starters", ".venv/lib", "__MACOSX", "a/.git", "x/__pycache__"])
def test_foreign_trees(tmp_path, place):
    """A solution that lies in the course's own trees or in hidden folders is nobody's work."""
    write(tmp_path / "a" / place / "conv2d.py")
    assert "none of the starter files is in it" in one(tmp_path / "a").problem
    files = {f"top/{place}/conv2d.py": b"wrong", "top/conv2d.py": b"right", "top/._conv2d.py": b"wrong"}
    assert one(zipped(tmp_path / "b.zip", files)).files == {CONV: b"right"}


@pytest.mark.parametrize(
    ("name", "learner"),
    [
        ("conv2d.py", "a class"),
        ("doe_jane_417_conv2d.py", "doe_jane_417"),
        ("Zoë Ünal-conv2d-2.py", "Zoë Ünal"),
        ("li.conv2d (1).py", "li"),
        ("CONV2D.PY", "a class"),
    ],
)
def test_single_file(tmp_path, name, learner):
    """A single file is known by its stem, also as learning platforms rename it."""
    submission = one(write(tmp_path / "a class" / name))
    assert submission.files == {CONV: b"x = 1\n"} and submission.name == learner


@pytest.mark.parametrize("name", ["answers.py", "myconv2d.py", "conv2d.ipynb", "conv2d.rar"])
def test_unknown_file(tmp_path, name):
    """What is nothing that can be graded is said to be so, in a sentence."""
    submission = one(write(tmp_path / name))
    assert submission.files == {} and submission.problem.startswith(f"{name} can't be read: it")


def test_archives(tmp_path):
    """Zip and tar archives are read, with or without a single folder on top."""
    files = {f"module-main/Module02-CNNs/{CONV.folder.name}/conv2d.py": b"1", "module-main/im2col.py": b"2"}
    for path in (zipped(tmp_path / "ada.zip", files), tarred(tmp_path / "ben.tar.gz", files)):
        submission = one(path)
        assert submission.name in ("ada", "ben") and submission.files == {CONV: b"1", COLS: b"2"}


def test_archive_that_climbs(tmp_path):
    """Nothing is unpacked, so a path that leaves the folder, a link and a device go nowhere."""
    before = sorted(tmp_path.rglob("*"))
    climbing = {"../../conv2d.py": b"1", "/im2col.py": b"2"}
    collected(zipped(tmp_path / "z.zip", climbing), tarred(tmp_path / "t.tgz", climbing))
    linked = tarred(tmp_path / "l.tgz", {"conv2d.py": b""}, type=tarfile.SYMTYPE, linkname="/etc/passwd")
    device = tarred(tmp_path / "d.tgz", {"conv2d.py": b""}, type=tarfile.CHRTYPE)
    assert one(linked).files == one(device).files == {}
    assert {path.suffix for path in set(tmp_path.rglob("*")) - set(before)} == {".zip", ".tgz"}


def test_zip_with_link(tmp_path):
    """A symbolic link in a zip archive is no file."""
    entry = zipfile.ZipInfo("conv2d.py")
    entry.external_attr = 0o120777 << 16
    assert one(zipped(tmp_path / "a.zip", {entry: b"/etc/passwd"})).files == {}


@pytest.mark.skipif(os.name != "posix", reason="Windows asks for a privilege")
def test_folder_with_link(tmp_path):
    """A symbolic link in a folder is not followed, be it a file or a folder."""
    write(tmp_path / "secret" / "conv2d.py")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "im2col.py").symlink_to(tmp_path / "secret" / "conv2d.py")
    (tmp_path / "a" / "more").symlink_to(tmp_path / "secret")
    assert one(tmp_path / "a").files == {}


def test_sizes(tmp_path, monkeypatch):
    """A file that is too large is left out, an archive that would unpack to too much is refused; both are said."""
    monkeypatch.setattr(submissions, "FILE_BYTES", 2**10)
    monkeypatch.setattr(submissions, "ARCHIVE_BYTES", 2**12)
    large = one(zipped(tmp_path / "a.zip", {"conv2d.py": bytes(2**11), "im2col.py": b"2"}))
    assert large.files == {COLS: b"2"} and "conv2d.py is larger than" in large.notes[0]
    bomb = one(tarred(tmp_path / "b.tgz", {"zeros": bytes(2**13), "conv2d.py": b"1"}))
    assert bomb.files == {} and "it unpacks to more than" in bomb.problem


def test_broken_archives(tmp_path):
    """An archive cut short or locked is that submission's problem alone."""
    whole = zipped(tmp_path / "a.zip", {"conv2d.py": os.urandom(2000)})
    cut = write(tmp_path / "b.zip", whole.read_bytes()[:900])
    torn = write(tmp_path / "c.tgz", tarred(tmp_path / "x.tgz", {"conv2d.py": os.urandom(9000)}).read_bytes()[:5000])
    locked = bytearray(whole.read_bytes())
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    found = collected(whole, cut, torn, write(tmp_path / "d.zip", bytes(locked)))
    assert [bool(submission.problem) for submission in found] == [False, True, True, True]
    assert "encrypted" in found[3].problem


def test_renamed_in_a_folder(tmp_path):
    """A copy that a browser or platform renamed is taken where the starter's own name is missing; a test never is."""
    renamed = one(write(tmp_path / "a" / "conv2d (1).py").parent)
    assert renamed.taken[CONV] == "conv2d (1).py"
    write(tmp_path / "b" / "work" / "deep" / "conv2d.py", b"right")
    write(tmp_path / "b" / "work" / "old_conv2d.py")
    assert one(tmp_path / "b").files[CONV] == b"right"
    assert one(write(tmp_path / "c" / "test_conv2d.py").parent).files == {}


def test_archive_within(tmp_path):
    """An archive in a folder is not opened, and where there is nothing else it is named."""
    archive = zipped(tmp_path / "conv2d.zip", {"conv2d.py": b"x = 1"})
    packed = write(tmp_path / "a" / "work.zip", archive.read_bytes()).parent
    assert "It holds work.zip: unpack that first." in one(packed).problem
    assert one(write(packed / "conv2d.py").parent).problem == ""


def test_nothing_there(tmp_path):
    """A path that leads nowhere is its own problem alone; a call with no other is refused."""
    found = collected(write(tmp_path / "conv2d.py"), tmp_path / "gone.zip")
    assert [submission.problem for submission in found] == [
        "",
        "gone.zip can't be read: there is nothing under this name.",
    ]
    with pytest.raises(KataError, match="there is no such file or folder"):
        collected(tmp_path / "*.zip")


if os.name == "posix":

    def test_what_is_no_file(tmp_path):
        """A link to nothing and a pipe are problems of their own; nobody waits for what a pipe may bring."""
        os.symlink("nothing", tmp_path / "a_conv2d.py")
        os.mkfifo(tmp_path / "b_conv2d.py")
        os.mkfifo(tmp_path / "c.zip")
        found = collected(*sorted(tmp_path.iterdir()))
        assert [submission.problem.partition(": ")[2] for submission in found] == [
            "it is a link to nothing.", *["it is no folder and no regular file."] * 2
        ]  # fmt: skip


if sys.platform == "linux":

    def test_names_of_any_bytes(tmp_path):
        """A name that is no UTF-8 is told with its odd bytes escaped, in a folder too."""
        folder = os.fsencode(tmp_path) + b"/Zo\xeb"
        os.mkdir(folder)
        os.mkdir(folder + b"/\xeb")
        path = write(tmp_path / os.fsdecode(b"Zo\xeb") / os.fsdecode(b"\xeb") / "conv2d.py").parents[1]
        submission = one(path)
        assert submission.name == "Zo_xeb" and submission.taken[CONV] == "\\xeb/conv2d.py"


def test_long_name(tmp_path):
    """A name is cut to what any file system takes, at a whole letter, and kept apart from the others."""
    long = [submissions.Submission("é" * 200, tmp_path) for _ in range(2)]
    submissions._name_apart(long)
    assert [submission.name for submission in long] == ["é" * 75, "é" * 75 + " (2)"]


def test_names_apart(tmp_path):
    """Every submission has a name of its own that any file system takes."""
    paths = [write(tmp_path / folder / "conv2d.py") for folder in ("a/Ada", "b/ada", "c/ADA")]
    found = collected(*paths, zipped(tmp_path / "ada.zip", {"conv2d.py": b""}))
    assert [submission.name for submission in found] == ["Ada", "ada (2)", "ADA (3)", "ada (4)"]
    odd = [submissions.Submission(name, tmp_path) for name in ("a:b?", "a_b_", "..", "x/y. ")]
    submissions._name_apart(odd)
    assert [submission.name for submission in odd] == ["a_b_", "a_b_ (2)", "_", "x_y"]


def test_whole_class_as_one(tmp_path):
    """A folder that holds a class, given as one submission, is refused with what to type instead."""
    write(tmp_path / "class" / "ada" / "conv2d.py")
    zipped(tmp_path / "class" / "ben.zip", {"conv2d.py": b""})
    with pytest.raises(KataError, match="holds 2 submissions"):
        one(tmp_path / "class")
    assert len(collected(*sorted((tmp_path / "class").iterdir()))) == 2


def test_extra_is_named():
    """Without dask.distributed, --scheduler says what to install."""
    code = "import sys; sys.modules['distributed'] = None; sys.path.insert(0, sys.argv[1])\n"
    code += "from kata.grading import places\nnext(places.on_cluster({}, b'', 'tcp://127.0.0.1:9'))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(places.__file__).rpartition("kata")[0]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.strip().endswith('--scheduler takes dask.distributed: python -m pip install -e ".[cluster]"')


# --- a class ------------------------------------------------------------------------------------


class Class:
    """A class's submissions, and what grading them gave."""

    def __init__(self, course, folder):
        self.course, self.folder = course, folder
        reference, later = (course.topic(n).reference.read_bytes() for n in (21, 22))
        wrong = reference.replace(b"return 2 * x", b"return 3 * x")
        write(folder / "ada" / "mini.py", reference)
        write(folder / "ada" / "later.py", later)
        write(folder / "ada" / "conftest.py", b"raise SystemExit('conftest ran')")
        write(folder / "ada" / "test_hidden.py", b"")
        write(folder / "bén" / "mini.py", wrong)
        write(folder / "bén" / "later.py", later)
        zipped(folder / "cem.zip", {"cem/mini.py": reference, "cem/later.py": later})  # ada's
        write(folder / "dora_mini.py", b"def (\n")
        write(folder / "eli" / "mini.py", course.topic(21).starter.read_bytes().replace(b"\n", b"\r\n"))
        write(folder / "fay" / "notes.txt", b"sorry")
        write(folder / "gus_mini-2.py", b"import os\nos._exit(0)\n")
        zipped(folder / "hal.zip", {"mini.py": b"1"}).write_bytes(b"PK\x03\x04 no more")
        narrow = b"return 2 * x if x.size < 6 else x"  # right where topic 21 looks
        tarred(folder / "ivy.tgz", {"mini.py": reference.replace(b"return 2 * x", narrow), "later.py": later})

    def paths(self):
        return sorted(self.folder.iterdir())

    def command(self, out, *options):
        command = [sys.executable, str(self.course.root / "tools" / "grade.py"), *map(str, self.paths())]
        return [*command, "--out", str(out), "--partial", *map(str, options)]

    def start(self, out, *options, **environment):
        """Start grade.py; return its process."""
        env = self.course.environment(environment)
        return subprocess.Popen(
            self.command(out, *options), cwd=self.folder.parent, env=env, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip


@pytest.fixture(scope="module")
def graded(pristine, tmp_path_factory):
    """A class graded with --jobs 2: its folder, where the results are, and what was printed."""
    folder = tmp_path_factory.mktemp("a class")
    (folder / "handed in").mkdir()
    made = Class(pristine, folder / "handed in")
    made.out = folder / "out"
    process = made.start(made.out, "--jobs", 2)
    made.printed, made.errors = process.communicate(timeout=600)
    made.status = process.returncode
    return made


def told(out):
    """Everything grading wrote: {file: bytes}."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def rows(out):
    return {row["submission"]: row for row in csv.DictReader(io.StringIO((out / "grades.csv").read_text("utf-8-sig")))}


def test_class(graded):
    """Each submission has one row with its points; what can't be graded has a sentence and stops no other."""
    assert graded.status == 1 and "Traceback" not in graded.errors
    found = rows(graded.out)
    assert list(found) == ["ada", "bén", "cem", "dora", "eli", "fay", "gus", "hal", "ivy"]
    points = {name: (row["21 mini (of 3)"], row["22 later (of 2)"], row["complete"]) for name, row in found.items()}
    assert points["ada"] == points["cem"] == ("3", "2", "21 22")
    assert points["bén"] == ("2.25", "2", "22")
    assert points["dora"] == points["gus"] == points["eli"] == ("0", "", "")
    assert points["fay"] == points["hal"] == ("", "", "")
    assert points["ivy"][0] == "3" and points["ivy"][2] == "21"
    assert [name for name, row in found.items() if row["problem"]] == ["fay", "hal"]
    assert "9 submissions" in graded.printed and "topic 21 mini           3 of 7 complete" in graded.printed


def test_own_earlier_topic(graded):
    """A topic stands on the submission's own earlier topic where that is complete, and the fault is found there."""
    page = (graded.out / "learners" / "ivy.md").read_text("utf-8")
    assert "the fault is in topic 21" in page


def test_pages(graded):
    """Every learner has a page that says what was taken and why points are missing, and names no hidden number."""
    pages = {path.stem: path.read_text("utf-8") for path in (graded.out / "learners").iterdir()}
    assert sorted(pages) == sorted(rows(graded.out))
    assert "looks like: the numbers are tripled" in pages["bén"] and "1 of 4 tests pass" in pages["bén"]
    assert "mini.py:1 has a syntax error" in pages["dora"]
    assert "the starter as given" in pages["eli"]
    assert "none of the starter files is in it" in pages["fay"]
    assert not any("31337" in page or "62674" in page or str(graded.course.root) in page for page in pages.values())


def test_mistakes(graded):
    """The mistakes are counted over the class."""
    table = (graded.out / "mistakes.csv").read_text("utf-8-sig").splitlines()
    assert table[1:] == ["1,topic 21 mini,double,tripled,the numbers are tripled,2"]
    assert "| 1 | topic 21 mini | `double` | the numbers are tripled | 2 |" in (graded.out / "report.md").read_text(
        "utf-8"
    )


def test_same_files_are_graded_once(graded):
    """Submissions of the same files share one result, and what need not be run has none."""
    assert len(list((graded.out / ".results").iterdir())) == 5


def test_checkout_is_left_alone(graded):
    """Grading leaves nothing in the course: no memory, no file of a submission."""
    assert not (graded.course.root / ".kata").exists()
    assert graded.course.topic(21).starter.read_text("utf-8").count("NotImplementedError") == 5


def test_killed_and_resumed(graded, tmp_path):
    """Killed, grade.py leaves no process behind; started again it grades only what was not done, to the same result."""
    scratch, out = tmp_path / "scratch", tmp_path / "out"
    scratch.mkdir()
    process = graded.start(out, "--jobs", 1, TMPDIR=str(scratch), TEMP=str(scratch), TMP=str(scratch))
    while process.poll() is None and len(done_in(out)) < 2:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    before = done_in(out)
    assert 2 <= len(before) < 5
    deadline = time.monotonic() + 200
    while orphans(scratch) and time.monotonic() < deadline:
        time.sleep(0.1)  # until they have seen that their parent is gone
    assert orphans(scratch) == []
    process = graded.start(out, "--jobs", 1)
    process.communicate()
    assert {name: when for name, when in done_in(out).items() if name in before} == before
    assert told(out) == told(graded.out)


@pytest.mark.skipif(os.name != "posix", reason="Windows ends a process without telling it")
def test_interrupted(course, tmp_path):
    """Told to end, grade.py ends what it is grading at once, however long that would take, and leaves nothing."""
    scratch, folders = tmp_path / "scratch", [tmp_path / name for name in "ab"]
    scratch.mkdir()
    for folder in folders:
        write(folder / "mini.py", b"while True:\n    pass\n#" + folder.name.encode())
    command = [sys.executable, course.root / "tools" / "grade.py", *folders, "--out", tmp_path / "out"]
    process = subprocess.Popen(
        [*map(str, command), "--time-limit", "290", "--jobs", "2"],
        env=course.environment({"TMPDIR": str(scratch)}),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while process.poll() is None and len(list(scratch.glob("*/course/tools"))) < 2:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)  # as Ctrl-C, which a process started in the background may not hear
        assert "interrupted; nothing was lost" in process.communicate(timeout=120)[1]
    finally:
        process.kill()
    assert process.returncode == 1 and orphans(scratch) == [] and list(scratch.iterdir()) == []


def test_unreadable_text(course, tmp_path):
    """A file that is no UTF-8 is told so once, not for each of its tests; where the reports go is no submission."""
    out = tmp_path / "class" / "out"
    write(tmp_path / "class" / "mini.py", b"# Zo\xeb\n" + course.topic(21).reference.read_bytes())
    out.mkdir()
    done = course.run("grade.py", tmp_path / "class" / "mini.py", out, "--out", out)
    assert done.returncode == 0 and done.stdout.startswith("1 submissions") and "is not graded" in done.stderr
    (page,) = (out / "learners").iterdir()
    assert page.read_text("utf-8").count("Save it as UTF-8 text.") == 1


def orphans(scratch):
    """The processes that run out of a scratch folder."""
    import psutil

    running = psutil.process_iter(["pid", "cmdline"])
    return [process.pid for process in running if str(scratch) in " ".join(process.info["cmdline"] or [])]


def done_in(out):
    """The results there are, with the moment each was written."""
    folder = out / ".results"
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*")} if folder.exists() else {}


# --- a cluster ----------------------------------------------------------------------------------


def test_cluster_with_a_worker_killed(graded, tmp_path):
    """On a cluster whose worker is killed midway the results are the same: none lost, none doubled."""
    import distributed
    import psutil

    out = tmp_path / "out"
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", local_directory=str(tmp_path)
    ) as cluster:
        first = psutil.Process(cluster.workers[0].pid)
        process = graded.start(out, "--scheduler", cluster.scheduler_address)
        while process.poll() is None and not done_in(out):
            time.sleep(0.02)
        assert process.poll() is None and len(done_in(out)) < 5
        first.kill()
        printed, errors = process.communicate(timeout=600)
    assert process.returncode == graded.status, errors
    assert told(out) == told(graded.out)
    assert printed.splitlines()[:-2] == graded.printed.splitlines()[:-2]


def test_no_scheduler(course, tmp_path):
    """Where no scheduler answers, that is said, and nothing is written but what was done."""
    write(tmp_path / "mini.py", b"x = 1\n")
    done = course.run("grade.py", tmp_path / "mini.py", "--out", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 2 and "no Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert not (tmp_path / "out" / "grades.csv").exists()


def test_empty_address(course, tmp_path):
    """An address that was left empty grades nothing."""
    write(tmp_path / "mini.py", b"x = 1\n")
    done = course.run("grade.py", tmp_path / "mini.py", "--out", tmp_path / "out", "--scheduler", "")
    assert done.returncode == 2 and "--scheduler has no address" in done.stderr


def test_jobs_or_scheduler(course, tmp_path):
    """--jobs and --scheduler exclude each other."""
    write(tmp_path / "mini.py", b"x = 1\n")
    done = course.run("grade.py", tmp_path / "mini.py", "--out", tmp_path / "o", "--scheduler", "x", "--jobs", 2)
    assert done.returncode == 2 and "Leave one out" in done.stderr


def test_generated_classes():
    """The benchmark's submissions are all different, and of four kinds."""
    from kata.bench.grade import generate

    texts = generate(CONV, 40)
    assert len(set(texts)) == 40
    assert all("NotImplementedError" in text for text in texts[1::4]) and texts[0].startswith('"""Topic 11')
