"""Fetching the archive from a server on loopback: whole, or not at all, and never outside its folder."""

import hashlib
import http.server
import io
import socket
import tarfile
import threading

import pytest

from kata.errors import KataError
from kata.train import download

SMALL = bytes([3] + [7] * 3072)


def archive(members=None):
    """Return the bytes of a .tar.gz of {name: content}, CIFAR-10's names by default."""
    if members is None:
        members = {f"{download.FOLDER}/{name}": SMALL for name in download.FILES}
        members[f"{download.FOLDER}/readme.html"] = b"<p>"
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as bundle:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(data, str):
                info.type, info.linkname = tarfile.SYMTYPE, data
                bundle.addfile(info)
            else:
                info.size = len(data)
                bundle.addfile(info, io.BytesIO(data))
    return content.getvalue()


class Server:
    """Serves `content`, the first `broken` times only half of it; counts the requests."""

    def __init__(self, content, broken=0, status=200):
        self.requests = 0
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.requests += 1
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if owner.requests <= broken else content)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/cifar-10-binary.tar.gz"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def serve(monkeypatch):
    """Start servers that are gone after the test; no proxy stands between."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    servers = []

    def start(*args, **kwargs):
        servers.append(Server(*args, **kwargs))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def fetch(folder, server, content, **changed):
    settings = {"md5": hashlib.md5(content).hexdigest(), "size": len(content)} | changed
    return download.fetch(folder, url=server.url, **settings)


def refused(folder, server, content, match, **changed):
    """The fetch ends with one sentence and leaves nothing behind."""
    with pytest.raises(KataError, match=match) as caught:
        fetch(folder, server, content, **changed)
    assert "\n" not in str(caught.value)
    assert not folder.exists() or list(folder.iterdir()) == []


def test_good_archive(tmp_path, serve):
    """A whole archive with the right hash becomes a folder of files, and nothing else stays."""
    content = archive()
    server = serve(content)
    assert fetch(tmp_path / "data", server, content) == tmp_path / "data"
    assert [path.name for path in (tmp_path / "data").iterdir()] == [download.FOLDER]
    assert {path.name for path in (tmp_path / "data" / download.FOLDER).iterdir()} == {*download.FILES, "readme.html"}
    assert (tmp_path / "data" / download.FOLDER / "test_batch.bin").read_bytes() == SMALL


def test_there_already(tmp_path, serve):
    """What is there is not fetched again."""
    content = archive()
    server = serve(content)
    fetch(tmp_path, server, content)
    fetch(tmp_path, server, content)
    assert server.requests == 1


def test_progress_is_told(tmp_path, serve):
    """The caller hears how many bytes have come, up to all of them."""
    content, heard = archive(), []
    fetch(tmp_path, serve(content), content, progress=lambda received, total: heard.append((received, total)))
    assert heard[-1] == (len(content), len(content))


def test_interrupted_once(tmp_path, serve):
    """A transfer that breaks off is begun again by itself."""
    content = archive()
    server = serve(content, broken=1)
    fetch(tmp_path, server, content)
    assert server.requests == 2 and (tmp_path / download.FOLDER / "test_batch.bin").is_file()


def test_interrupted_and_retried_later(tmp_path, serve):
    """A transfer that keeps breaking off leaves nothing, and a later fetch succeeds."""
    content = archive()
    server = serve(content, broken=download.ATTEMPTS)
    refused(tmp_path, server, content, r"broke off after \d+ of \d+ bytes\. Try again")
    assert server.requests == download.ATTEMPTS
    fetch(tmp_path, server, content)
    assert (tmp_path / download.FOLDER / "test_batch.bin").is_file()


def test_killed_before(tmp_path, serve):
    """What a fetch that was killed left behind is cleared away by the next."""
    (tmp_path / ".incoming").mkdir()
    (tmp_path / ".incoming" / "half").write_bytes(b"half")
    content = archive()
    fetch(tmp_path, serve(content), content)
    assert [path.name for path in tmp_path.iterdir()] == [download.FOLDER]


def test_wrong_hash(tmp_path, serve):
    """An archive with another hash is thrown away, and not asked for twice."""
    content = archive()
    server = serve(content)
    refused(tmp_path, server, content, r"has not the MD5 0{32}.*--synthetic.*--data", md5="0" * 32)
    assert server.requests == 1


def test_wrong_size(tmp_path, serve):
    """An archive of another size is refused before it is read."""
    content = archive()
    refused(tmp_path, serve(content), content, rf"offers {len(content)} bytes, .* has 9\.", size=9)


def test_truncated_archive(tmp_path, serve):
    """An archive that ends too early, whatever its hash, is refused."""
    content = archive()[:-40]
    refused(tmp_path, serve(content), content, "can't be unpacked")


def test_no_archive_at_all(tmp_path, serve):
    """Something that is no archive is refused."""
    content = b"<html>captive portal</html>"
    refused(tmp_path, serve(content), content, "can't be unpacked")


def test_server_says_no(tmp_path, serve):
    """A status of 404 is one sentence with the way out."""
    content = archive()
    refused(tmp_path, serve(content, status=404), content, r"the server answers 404.*--synthetic.*--data DIR")


def test_nobody_answers(tmp_path, serve):
    """A refused connection is one sentence with the way out, at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/x.tar.gz"
    with pytest.raises(KataError, match=r"can't be fetched \(ConnectionError\).*--synthetic.*--data DIR"):
        download.fetch(tmp_path / "data", url=url)
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/tmp/kata-outside.txt", f"{download.FOLDER}/../../outside.txt", "other/file.txt"]
)
def test_member_leaving_the_folder(tmp_path, serve, name):
    """An archive with one member that would land elsewhere is refused as a whole, nothing unpacked."""
    members = {f"{download.FOLDER}/{file}": SMALL for file in download.FILES} | {name: b"out"}
    content = archive(members)
    refused(tmp_path / "deep" / "data", serve(content), content, "not safe to unpack, and nothing of it was")
    assert not list(tmp_path.rglob("outside.txt"))


def test_member_that_is_a_link(tmp_path, serve):
    """A link in the archive is refused: what follows could be written through it."""
    members = {f"{download.FOLDER}/{file}": SMALL for file in download.FILES} | {f"{download.FOLDER}/link": "data"}
    content = archive(members)
    refused(tmp_path / "data", serve(content), content, "not safe to unpack, and nothing of it was")


def test_file_missing(tmp_path, serve):
    """An archive without one of the six files is not CIFAR-10's."""
    content = archive({f"{download.FOLDER}/{name}": SMALL for name in download.FILES[:-1]})
    refused(tmp_path, serve(content), content, r"has no cifar-10-batches-bin/test_batch\.bin")


def test_folder_cannot_be_made(tmp_path, serve):
    """A folder that can't be made is one sentence."""
    (tmp_path / "file").write_text("in the way")
    content = archive()
    with pytest.raises(KataError, match="can't be written"):
        fetch(tmp_path / "file" / "data", serve(content), content)
