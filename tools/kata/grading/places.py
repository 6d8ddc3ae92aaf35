"""Where submissions are graded: side by side on this machine, or on a Dask cluster. The work is the same."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from kata import source
from kata.errors import KataError
from kata.grading import work
from kata.grading.course import digest
from kata.waiting import as_completed

RETRIES = 2
TIMEOUT = "5s"


def on_this_machine(orders, course, jobs):
    """Yield (key, result) of every order, as they are done; `orders` maps keys to what `work.grade` takes."""
    stop = threading.Event()
    with ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(work.grade, order, course, stop): key for key, order in orders.items()}
        try:
            for future in as_completed(futures):
                yield futures[future], _result(future.exception(), future)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def on_cluster(orders, course, address):
    """Yield (key, result) of every order, as they are done by the workers of the scheduler at `address`.

    A worker needs Python with the course's dependencies; the work and the course are sent to it. What a worker was
    doing when it was lost is done by another one.

    Raises
    ------
    KataError
        If dask.distributed is not installed, no scheduler answers, or it is lost on the way.
    """
    client = _client(address)
    from distributed import as_completed as completed

    grade = _of_no_module()
    with client:
        sent = client.submit(bytes, course, key=f"course-{digest(course)}")  # made again if its worker is lost
        futures = {
            client.submit(grade, order, sent, key=f"grade-{key}", retries=RETRIES): key for key, order in orders.items()
        }
        for future in completed(list(futures)):
            if future.cancelled():
                raise KataError(f"the scheduler at {address} was lost. Run the same command again to go on.")
            key, result = futures.pop(future), _result(future.exception(), future)
            future.release()  # what is here need not be done again when its worker is lost
            yield key, result


def _client(address):
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise KataError('--scheduler takes dask.distributed: python -m pip install -e ".[cluster]"') from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is told in a sentence
    try:
        return Client(address, timeout=TIMEOUT)
    except (OSError, ValueError, TypeError) as error:
        raise KataError(f"no Dask scheduler answers at {address} ({error}).") from None


def _of_no_module():
    """Return `work.grade` as a function of no module, so that not its name but its code is sent to the workers."""
    names = {"__name__": "a submission's grading"}
    exec(compile(source.read(work.__file__), work.__file__, "exec"), names)
    return names["grade"]


def _result(error, future):
    """What the work returned, or a problem where it raised instead."""
    return {"problem": f"grading failed: {type(error).__name__}: {error}"} if error else future.result()
