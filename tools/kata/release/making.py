"""Building the student's repository in a folder of its own."""

import ast
import json
import re
import shutil
import tempfile
import tomllib
from pathlib import Path

from kata import pristine, source
from kata.errors import KataError
from kata.proofs import prove
from kata.release import leaks
from kata.topics import MODULE, ROOT, STARTERS, TOOLS, all_topics

FOR_CONTRIBUTORS = ("prove.py", "generate.py", "release.py", "grade.py")
NOT_SHIPPED = ("proofs.py", "mutations.py", "release", "grading", "bench/grade.py", pristine.FILE.name)  # of tools/kata
AS_THEY_ARE = ("LICENSE", ".gitignore", "conftest.py", "reference/foundations.py")
STUDENT = Path(__file__).with_name("student.md")
ONLY_HERE = re.compile(r"^(dev|cluster) = \[[^\]]*\]\n", re.MULTILINE)  # extras of pyproject.toml


def release(out, proved, announce):
    """Make the student's repository in the folder `out`, all of it or nothing.

    Parameters
    ----------
    out : Path
        A folder that does not exist yet, or is empty.
    proved : list of Topic
        The topics that are proved first.
    announce : function (text)
        Told what is being done.

    Raises
    ------
    KataError
        If a proof does not hold, `out` is taken, or what was made would give a hidden test away.
    """
    out = Path(out).resolve()
    _require_free(out)
    for topic in proved:
        announce(f"proving {topic} ...")
        _require_proved(topic)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent, ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / "repository"
        build(made)
        given_away = leaks.find(made)
        if given_away:
            raise KataError(f"nothing was released, it would give hidden tests away: {'; '.join(given_away[:5])}.")
        if out.exists():
            out.rmdir()
        made.rename(out)


def _require_free(out):
    if out == ROOT or ROOT in out.parents:
        raise KataError(f"{out} lies in the course itself. Choose a folder outside {ROOT}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise KataError(f"{out} is there already. Choose a new folder, or remove it first.")


def _require_proved(topic):
    for claim, faults in prove(topic):
        if faults:
            raise KataError(
                f"nothing was released, a proof of {topic} does not hold: {claim}: {faults[0]}. "
                f"See python tools/prove.py {topic.number}"
            )


# --- building -----------------------------------------------------------------------------------


def build(root):
    """Write the student's repository to the folder `root`."""
    for name in AS_THEY_ARE:
        if (ROOT / name).exists():
            _copy(ROOT / name, root)
    for path in _tools():
        _copy(path, root)
    for topic in all_topics():
        _topic(topic, root)
    manifest = {topic.hints.name: {topic.visible.name: pristine.digest(topic.visible)} for topic in all_topics()}
    _write(root / pristine.FILE.relative_to(ROOT), json.dumps(manifest, indent=1) + "\n")
    _write(root / "pyproject.toml", _pyproject(root))
    if (MODULE / "README.md").exists():
        _write(root / MODULE.name / "README.md", _map(source.read(MODULE / "README.md")))
    _write(root / "README.md", _readme(root))


def _copy(path, root):
    target = root / path.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _tools():
    """The tools a learner has, and what they stand on."""
    yield from (path for path in sorted(TOOLS.glob("*.py")) if path.name not in FOR_CONTRIBUTORS)
    for tree in (TOOLS / "cnn", TOOLS / "kata"):
        kept_out = {tree / name for name in NOT_SHIPPED}
        for path in sorted(tree.rglob("*")):
            own = not {path, *path.parents} & kept_out and "__pycache__" not in path.parts
            if path.is_file() and own and not path.name.startswith("."):
                yield path


def _topic(topic, root):
    """Lesson, visible suite, hints and starter, the starter also where `reset.py` and the suites find it again."""
    for path in sorted(topic.folder.rglob("*")):
        if path == topic.visible or path.suffix in (".md", ".svg", ".png"):
            _copy(path, root)
    for path in sorted(topic.hints.glob("level-*.md")):
        _copy(path, root)
    starter = source.starter(topic)
    for place in (topic.starter, STARTERS / topic.starter.name):
        _write(root / place.relative_to(ROOT), starter)


# --- texts --------------------------------------------------------------------------------------


def _pyproject(root):
    """The course's pyproject.toml with the packages and tests there are, without the contributors' extras."""
    text = ONLY_HERE.sub("", source.read(ROOT / "pyproject.toml"))
    packages = tomllib.loads(text)["tool"]["setuptools"]["packages"]
    shipped = [name for name in packages if (root / "tools" / name.replace(".", "/")).is_dir()]
    text = re.sub(r"^packages = \[[^\]]*\]", f"packages = {json.dumps(shipped)}", text, flags=re.MULTILINE)
    for gone in sorted(set(packages) - set(shipped)):
        text = re.sub(rf'^"{re.escape(gone)}" = .*\n', "", text, flags=re.MULTILINE)
    text = re.sub(r"^testpaths = .*$", f'testpaths = ["{MODULE.name}"]', text, flags=re.MULTILINE)
    tomllib.loads(text)
    return text


def _map(text):
    """The module's map; the paragraph on whose code a topic stands is told as it is here."""
    here = (
        "Each topic imports the earlier ones from `cnn`: your own code, once `check.py` has seen its visible suite\n"
        "pass. This repository ships no solutions, so the order above is a rule: a topic waits for those it stands on."
    )
    paragraphs = text.split("\n\n")
    return "\n\n".join(here if "reference's until then" in " ".join(p.split()) else p for p in paragraphs)


def _readme(root):
    """The student's README: the topics from the module's map, the commands from the tools that are shipped."""
    topics = "\n".join(
        f"- [{topic.number} `{topic.starter.name}`]({_url(topic.folder)}/README.md)" for topic in all_topics()
    )
    tools = "\n".join(
        f"| `python tools/{path.name}` | {_first_line(path)} |" for path in sorted((root / "tools").glob("*.py"))
    )
    first = all_topics()[0]
    values = {"topics": topics, "tools": tools, "folder": first.folder.name, "number": first.number}
    return source.read(STUDENT).format(
        **values, starter=first.starter.name, exercise=next(iter(source.exercises(first.outline)))
    )


def _url(folder):
    return folder.relative_to(ROOT).as_posix().replace(" ", "%20")


def _first_line(path):
    return (ast.get_docstring(ast.parse(source.read(path))) or "").splitlines()[0]
