"""Where the course can be had from: the git remote's address, and links that open it elsewhere."""

import re
import subprocess
from urllib.parse import quote, urlsplit

from kata.notebook.cells import path_of
from kata.topics import ROOT

GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+)")


def address():
    """Return the address from which anybody can clone the course, "" where git knows of none."""
    return public(_git("remote", "get-url", _remote())) if _remote() else ""


def public(url):
    """Return a remote's address as others can use it: https, without name and password; "" for a folder.

    >>> public("git@github.com:ada/cnns.git"), public("https://ada:secret@git.example/cnns"), public("/srv/cnns")
    ('https://github.com/ada/cnns', 'https://git.example/cnns', '')
    """
    short = re.fullmatch(r"[\w.-]+@([\w.-]+):(?!/)(.+)", url)
    if short:
        url = f"ssh://{short[1]}/{short[2]}"
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http", "ssh", "git") or not parts.hostname:
        return ""
    port = f":{parts.port}" if parts.port and parts.scheme in ("https", "http") else ""
    scheme = "http" if parts.scheme == "http" else "https"
    return f"{scheme}://{parts.hostname}{port}/{parts.path.strip('/').removesuffix('.git')}"


def links(topics):
    """Return lines of Markdown that open the course elsewhere; none for what the remote's branch does not hold."""
    found, branch = GITHUB.fullmatch(address()), _branch()
    if not found or not branch:
        return []
    owner, name = found.groups()
    here = f"{owner}/{name}"
    lines = []
    if _is_there(branch, ".devcontainer/devcontainer.json"):
        lines.append(f"[Open in GitHub Codespaces](https://codespaces.new/{here}?ref={quote(branch)})")
    if _is_there(branch, ".binder/requirements.txt"):
        lines.append(f"[Open on Binder](https://mybinder.org/v2/gh/{here}/{quote(branch, safe='')}?urlpath=lab)")
    for topic in topics:
        path = path_of(topic).relative_to(ROOT).as_posix()
        if _is_there(branch, path):
            colab = f"https://colab.research.google.com/github/{here}/blob/{quote(branch)}/{quote(path)}"
            lines.append(f"[Topic {topic.number} on Colab]({colab})")
    return lines


def _remote():
    """The remote's name where the course is a repository of its own: origin, else the first."""
    if _git("rev-parse", "--show-prefix", missing=None) != "":
        return ""
    names = _git("remote").split()
    return "origin" if "origin" in names else (names or [""])[0]


def _branch():
    """The branch that visitors get: the remote's default as far as it is known here, else the present one."""
    default = _git("symbolic-ref", "--short", f"refs/remotes/{_remote()}/HEAD")
    branch = default.partition("/")[2] or _git("symbolic-ref", "--short", "HEAD")
    return branch if _git("rev-parse", "--verify", f"refs/remotes/{_remote()}/{branch}") else ""


def _is_there(branch, path):
    """Tell whether the remote's branch, as last fetched or pushed, holds a file."""
    return bool(_git("ls-tree", "--name-only", f"refs/remotes/{_remote()}/{branch}", path))


def _git(*words, missing=""):
    """What a git command prints, `missing` where it fails or there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, encoding="utf-8", errors="replace", check=False
        )
    except OSError:
        return missing
    return done.stdout.strip() if done.returncode == 0 else missing
