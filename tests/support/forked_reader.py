"""Read images in a process, in threads of it, and in processes that are forked meanwhile; each must get its own.

A forked process makes its own client, because the client of its parent refuses to work there.

Run as ``python -m tests.support.forked_reader URL`` next to a server that answers ``/v2/images/ID`` with that id.
"""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.errors import InvalidRequestError

READS, CHILDREN, THREADS = 48, 4, 2


def read(cloud: Cloud, reader: int) -> bool:
    """Read images that no other reader reads at the same time, and return whether they came."""
    wanted = [f"{reader}-{number}" for number in range(READS)]
    return [cloud.image(image_id).id for image_id in wanted] == wanted


def is_refused(cloud: Cloud) -> bool:
    """Check that a client of the parent sends nothing."""
    try:
        cloud.image("any")
    except InvalidRequestError as error:
        return "another process" in error.message
    return False


def connect(url: str) -> Cloud:
    """Make a client of this process."""
    return Cloud.from_session(Session(auth=Token(url, "token")))


def main(url: str) -> int:
    """Return the number of readers that got something else."""
    cloud = connect(url)
    with ThreadPoolExecutor(CHILDREN) as pool:  # each leaves a connection that is open and idle
        list(pool.map(lambda number: read(cloud, number), range(CHILDREN)))
    wrong: list[int] = []

    def follow(reader: int) -> None:
        while not over.is_set() and not wrong:
            wrong.extend([] if read(cloud, reader) else [reader])

    over = threading.Event()
    threads = [threading.Thread(target=follow, args=(100 + number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    children = []
    for number in range(CHILDREN):
        child = os.fork()
        if not child:
            try:
                os._exit(not (is_refused(cloud) and read(connect(url), 200 + number)))
            finally:
                os._exit(2)
        children.append(child)
    wrong += [] if read(cloud, 50) else [50]
    failed = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    over.set()
    for thread in threads:
        thread.join()
    sys.stdout.write(f"children: {failed}, parent: {wrong}\n")
    return len(wrong) + sum(map(bool, failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
