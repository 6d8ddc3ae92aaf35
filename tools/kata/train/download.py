"""Fetching CIFAR-10: the official archive or nothing, and nothing of it outside its folder."""

import contextlib
import os
import shutil
import tarfile
import zlib
from pathlib import Path

from kata.errors import KataError

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
SIZE = 170_052_171  # bytes
ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
FILES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
MOST = 1 << 30  # bytes a whole archive may unpack to
ATTEMPTS = 3
TIMEOUT = 30  # seconds without a byte
OTHERWISE = "Use --synthetic, which needs no network, or --data DIR with the .bin files."


def fetch(folder, url=URL, md5=MD5, size=SIZE, progress=None, attempts=ATTEMPTS):
    """Make `folder` hold cifar-10-batches-bin, from the archive at `url`; return the folder.

    What is there already is kept. An interrupted transfer is begun again, `attempts` times in all; a wrong file
    is not. Everything happens in a folder `.incoming` that is gone afterwards, whatever the outcome.

    Parameters
    ----------
    folder : Path
    url, md5 : str
    size : int or None, bytes
        Another size is refused before the first byte is read; None takes any.
    progress : function (received, total), optional
        Told how many bytes have come.

    Raises
    ------
    KataError
        If there is no network or no room, the archive is another one, or a member would leave the folder.
    """
    folder = Path(folder)
    if all((folder / FOLDER / name).is_file() for name in FILES):
        return folder
    incoming = folder / ".incoming"
    try:
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(parents=True)
        archive = _retrieve(incoming, url, md5, _Watch(size, progress), attempts)
        _extract(archive, incoming)
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        os.replace(incoming / FOLDER, folder / FOLDER)
    except OSError as error:
        raise KataError(
            f"{folder} can't be written ({error.strerror or error}). Make room, or use --data DIR."
        ) from None
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    return folder


class _Watch:
    """What pooch tells its progress to: counts bytes, and refuses an archive of the wrong size at once."""

    def __init__(self, size, progress):
        self._size, self._progress = size, progress
        self.answered, self.received, self._total = False, 0, 0

    @property
    def total(self):
        return self._total

    @total.setter
    def total(self, total):
        if self._size and total and total != self._size:
            raise KataError(f"the server offers {total} bytes, CIFAR-10's archive has {self._size}. {OTHERWISE}")
        self.answered, self._total, self.received = True, total, 0

    def update(self, count):
        self.received = min(self.received + count, self._total or self.received + count)
        if self._progress:
            self._progress(self.received, self._total)

    def reset(self):
        self.received = 0

    def close(self):
        pass


def _retrieve(folder, url, md5, watch, attempts):
    """Download with pooch, which keeps the file only if its hash is right; return its path."""
    import logging

    import pooch  # type: ignore[import-untyped]
    from requests.exceptions import RequestException

    pooch.get_logger().setLevel(logging.ERROR)
    downloader = pooch.HTTPDownloader(progressbar=watch, chunk_size=1 << 16, timeout=TIMEOUT)
    for attempt in range(1, attempts + 1):
        watch.answered = False
        try:
            return Path(pooch.retrieve(url, f"md5:{md5}", ARCHIVE, folder, downloader=downloader))
        except RequestException as error:
            if not watch.answered or attempt == attempts:
                raise KataError(_no_luck(url, watch, error)) from None
        except ValueError:
            raise KataError(
                f"what came from {url} has not the MD5 {md5} of CIFAR-10's archive and was thrown away. {OTHERWISE}"
            ) from None


def _no_luck(url, watch, error):
    if watch.answered:
        return f"the transfer from {url} broke off after {watch.received} of {watch.total} bytes. Try again later."
    status = getattr(error.response, "status_code", None)
    why = f"the server answers {status}" if status else type(error).__name__
    return f"{url} can't be fetched ({why}). {OTHERWISE}"


def _extract(archive, folder):
    """Unpack the archive into `folder`, after a look at every member; it must hold the six files."""
    try:
        with tarfile.open(archive, "r:gz") as bundle:
            members = bundle.getmembers()
            _check_members(members, folder)
            bundle.extractall(folder, members, filter="data")
    except tarfile.FilterError as error:
        raise KataError(f"the archive is not safe to unpack, and nothing of it was: {error}.") from None
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise KataError(f"the archive can't be unpacked ({error}). {OTHERWISE}") from None
    missing = [name for name in FILES if not (folder / FOLDER / name).is_file()]
    if missing:
        raise KataError(f"the archive has no {FOLDER}/{missing[0]}, so it is not CIFAR-10's. {OTHERWISE}")


def _check_members(members, folder):
    """Refuse a member that would leave the folder or is no plain file, and an archive that would fill the disk."""
    for member in members:
        tarfile.data_filter(member, folder)
        if not (member.isreg() or member.isdir()) or member.name.split("/")[0] not in (FOLDER, "."):
            raise KataError(
                f"the archive is not safe to unpack, and nothing of it was: {member.name!r} is not a file "
                f"of {FOLDER}. {OTHERWISE}"
            )
    total = sum(member.size for member in members)
    if total > MOST:
        raise KataError(f"the archive would unpack to {total} bytes, CIFAR-10 is 184 MB. {OTHERWISE}")


@contextlib.contextmanager
def shown():
    """Yield a `progress` function that draws a bar on a terminal and is silent elsewhere."""
    from kata.render import terminal_is_interactive

    if not terminal_is_interactive():
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = TextColumn(ARCHIVE), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(*columns, transient=True) as bars:
        bar = bars.add_task("", total=None)
        yield lambda received, total: bars.update(bar, completed=received, total=total or None)
