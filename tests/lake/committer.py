"""A process of its own that commits to a catalog until it is told or killed to stop.

`python committer.py URL WRITER COUNT MODE`: prints the hash of each commit that was acknowledged. In mode
`shared` all writers add to one counter, so that a lost update is a wrong sum.
"""

import sys

from ingot.lake import CommitConflictError, Content, ContentType, Put, SqlCatalog


def run(url: str, writer: str, count: int, mode: str) -> None:
    """Commits `count` times."""
    catalog = SqlCatalog(url)
    done = 0
    while done < count:
        key = ("s", "counter" if mode == "shared" else f"{writer}-{done}")
        seen = catalog.ref("main").hash
        before = catalog.content(seen, key)
        number = before.snapshot_id + 1 if before else 1
        content = Content(ContentType.TABLE, before.id if before else writer, f"/{writer}/{done}", number)
        try:
            made = catalog.commit(
                "main", [Put(key, content, before)], message=f"{writer} {done}", expected=seen
            )
        except CommitConflictError:
            continue
        print(made.hash, flush=True)  # noqa: T201
        done += 1
    catalog.close()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
