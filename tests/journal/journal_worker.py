"""A process of its own for the tests: `journal_worker.py PATH COMMAND …`, one line per acknowledged thing."""

import asyncio
import sys

from journal_helpers import NOW, draft, more, start

from interlock.errors import DriverConflictError
from interlock.journal.sqlite import SqliteStore


def say(*words) -> None:
    print(*words, flush=True)  # noqa: T201  # the parent reads it


async def append(store: SqliteStore, prefix: str, runs: str, events: str) -> None:
    """Append to many runs at once and say what was acknowledged."""

    async def live(run: str) -> None:
        for seq in range(int(events)):
            entry = (
                more(run, seq, draft(f"{run} {seq + 1}".encode())) if seq else start(run, draft(f"{run} 1".encode()))
            )
            await store.append(entry)
            say(run, seq + 1)

    await asyncio.gather(*(live(f"{prefix}{number}") for number in range(int(runs))))


async def signal(store: SqliteStore, run: str, count: str) -> None:
    """Put signals into one run's inbox."""
    for number in range(int(count)):
        say(await store.signal(run, "message", str(number).encode(), NOW))


async def claim(store: SqliteStore, run: str, count: str) -> None:
    """Claim one run again and again."""
    for _ in range(int(count)):
        say(await store.claim(run))


async def drive(store: SqliteStore, owner: str) -> None:
    """Drive until killed, or say who does."""
    try:
        await store.drive(owner)
    except DriverConflictError as error:
        say("refused", error)
        return
    say("driving")
    await asyncio.sleep(60)


async def main(path: str, command: str, *words: str) -> None:
    store = SqliteStore(path)
    try:
        await globals()[command](store, *words)
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
