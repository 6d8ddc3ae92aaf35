"""Dev container, VS Code and Binder begin as the README does, and show a learner what is theirs."""

import json
import re

from kata.topics import ROOT, all_topics

README = (ROOT / "README.md").read_text(encoding="utf-8")


def read(path):
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


def test_devcontainer():
    """The dev container has a Python the course runs on, and has run the README's first command."""
    made = read(".devcontainer/devcontainer.json")
    assert made["postCreateCommand"] == re.search(r"^    (python -m pip install .+)$", README, re.MULTILINE)[1]
    assert made["image"].endswith("python:3.12")
    assert made["customizations"]["vscode"]["extensions"] == read(".vscode/extensions.json")["recommendations"]


def test_tasks():
    """The tasks check, hint and watch call tools that are there, on the topic of the open file."""
    tasks = {task["args"][0]: task for task in read(".vscode/tasks.json")["tasks"]}
    assert set(tasks) == {f"tools/{name}.py" for name in ("check", "hint", "watch", "doctor")}
    for tool, task in tasks.items():
        assert (ROOT / tool).is_file() and task["command"] == "${command:python.interpreterPath}"
        assert task["args"][1:] == ([] if tool == "tools/doctor.py" else ["${file}"])


def test_explorer(clone):
    """VS Code's test explorer finds every topic's visible suite and no hidden one."""
    arguments = read(".vscode/settings.json")["python.testing.pytestArgs"]
    done = clone.pytest("--collect-only", "-q", *arguments)
    found = set(re.findall(r"^(.+?)::", done.stdout, re.MULTILINE))
    assert found == {topic.visible.relative_to(ROOT).as_posix() for topic in all_topics()}


def test_stubs_are_found():
    """The folders in which editors look for cnn hold a stub file for every topic."""
    for folder in read(".vscode/settings.json")["python.analysis.extraPaths"]:
        assert [
            topic.stem for topic in all_topics() if not (ROOT / folder / "cnn" / f"{topic.stem}.pyi").is_file()
        ] == []


def test_completion():
    """An editor that looks there completes what cnn holds, and jumps to it."""
    import jedi

    project = jedi.Project(ROOT / "Module02-CNNs", added_sys_path=[str(ROOT / "tools")])
    names = [name.name for name in jedi.Script("from cnn.im2col import conv2d_", project=project).complete()]
    assert {"conv2d_im2col_forward", "conv2d_im2col_backward"} <= set(names)
    script = jedi.Script("from cnn.im2col import Conv2d\nlayer = Conv2d(3, 5, 3)\nlayer.back", project=project)
    assert [name.name for name in script.complete()] == ["backward"]
    (place,) = script.goto(2, 10, follow_imports=True)
    assert place.module_path == ROOT / "tools" / "cnn" / "im2col.pyi"
    assert "class Conv2d" in place.module_path.read_text(encoding="utf-8").splitlines()[place.line - 1]


def test_binder():
    """Binder installs the course with its notebooks' needs and makes every notebook."""
    folder = ROOT / ".binder"
    assert (folder / "requirements.txt").read_text(encoding="utf-8") == "-e .[notebook]\n"
    assert (folder / "runtime.txt").read_text(encoding="utf-8") == "python-3.12\n"
    assert "python tools/notebook.py --all\n" in (folder / "postBuild").read_text(encoding="utf-8")
