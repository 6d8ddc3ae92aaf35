"""What the documents say is so: commands, links, the topic tables."""

import re
import shlex
from urllib.parse import unquote

import pytest

from kata.topics import MODULE, ROOT, all_topics

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", MODULE / "README.md", *sorted(MODULE.glob("Topic */README.md"))]


def test_ci_runs_the_readme_command():
    """The script of CI runs exactly the test command that the README names."""
    commands = re.findall(r"^    (python -m pip install .+)$", README, re.MULTILINE)
    assert len(commands) == 2
    assert commands[1].endswith("python -m pytest")
    assert commands[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name + "/" + page.name)
def test_links_lead_somewhere(page):
    """Every relative link of a page leads to a file."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [unquote(link) for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name + "/" + page.name)
def test_commands_exist(page):
    """Every tool and every topic folder that a page names is there."""
    text = page.read_text(encoding="utf-8")
    tools = set(re.findall(r"tools/(\w+\.py)\b", text)) - {"VERB.py"}
    folders = set(re.findall(r'pytest "Module02-CNNs/([^"]+)"', text))
    assert [tool for tool in sorted(tools) if not (ROOT / "tools" / tool).exists()] == []
    assert [name for name in sorted(folders) if not (MODULE / name).is_dir()] == []


@pytest.mark.parametrize("topic", all_topics(), ids=str)
def test_topic_is_in_both_tables(topic):
    """Both READMEs have a row for the topic, with a link to its lesson."""
    for page in (README, (MODULE / "README.md").read_text(encoding="utf-8")):
        assert f"{topic.folder.name}/README.md" in unquote(page)


def test_readme_commands_can_be_split():
    """The commands in the README's code blocks are whole: quotes are closed."""
    for line in re.findall(r"^ {4,}((?:python|pytest) .+)$", README, re.MULTILINE):
        assert shlex.split(line)
