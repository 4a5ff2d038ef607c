"""The one thread of a process that writes a journal: takes all that waits, commits, wakes all that waited."""

import sqlite3
from asyncio import AbstractEventLoop, CancelledError, Future, get_running_loop
from collections import deque
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from interlock.errors import JournalError, JournalUnavailableError
from interlock.journal.connection import explain
from interlock.journal.known import Known
from interlock.journal.store import Entry
from interlock.journal.transaction import Look, Request, Transaction

ROOM = 64 * 1024 * 1024
"""How many bytes an event loop may have waiting for the writer before its next append waits for room."""

REQUEST_BYTES = 512
"""What a request counts for besides its payloads."""

CHECKPOINT_BYTES = 8 * 1024 * 1024
"""After how many bytes in the log, roughly, it is copied into the file: about 40 ms of work."""

COMMIT_BYTES = 16 * 1024
"""What a commit writes to the log besides its payloads: the pages of indexes that it touches."""

Outcome = int | Exception


class Lane:
    """The waiters of one event loop; touched by that loop's thread only, except for `settle`."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.room = ROOM
        self._crowd: deque[tuple[Future[None], int]] = deque()  # who waits for room and for how much

    async def enter(self, size: int) -> None:
        """Wait for room, in the order of asking; a request enters as soon as there is any room at all."""
        if self.room > 0:
            self.room -= size
            return
        turn = self.loop.create_future()
        self._crowd.append((turn, size))
        try:
            await turn
        except CancelledError:
            if not turn.cancelled():  # its room was already taken
                self.room += size
            raise

    def settle(self, settled: list[tuple["Job", Outcome]]) -> None:
        """From the writer's thread, hand each waiter its outcome."""
        try:
            self.loop.call_soon_threadsafe(self._deliver, settled)
        except RuntimeError:
            return  # the loop was closed: nobody waits any more

    def _deliver(self, settled: list[tuple["Job", Outcome]]) -> None:
        for job, outcome in settled:
            self.room += job.size
            if job.future.done():  # its waiter was cancelled; what it asked for happened all the same
                continue
            if isinstance(outcome, Exception):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)
        while self._crowd and self.room > 0:
            turn, size = self._crowd.popleft()
            if not turn.done():
                self.room -= size
                turn.set_result(None)


class Job(NamedTuple):
    """A request, who waits for its outcome, and what it weighs."""

    request: Request
    future: Future[int]
    lane: Lane
    size: int


class Writer:
    """Owns the writing connection, in a thread of its own, until `close`."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self._path = path
        self._known = Known(connection, path)
        self._moved = False  # another connection has committed since the last look
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()  # None: close
        self._lanes: dict[AbstractEventLoop, Lane] = {}
        self._logged = 0  # bytes since the last checkpoint, roughly
        self._stopped = False
        self._thread = Thread(target=self._work, name=f"journal {path}", daemon=True)
        self._thread.start()

    def ask(self, request: Request, size: int = 0) -> Awaitable[int]:
        """Have *request*, which carries *size* bytes, committed; what is returned gives its answer.

        A cancelled caller stops waiting; what it asked for may still be committed.
        """
        loop = get_running_loop()
        lane = self._lanes.get(loop) or self._add_lane(loop)
        size += REQUEST_BYTES
        if lane.room <= 0:
            return self._ask_in_turn(loop, lane, request, size)
        lane.room -= size
        return self._put(loop, lane, request, size)

    async def _ask_in_turn(self, loop: AbstractEventLoop, lane: Lane, request: Request, size: int) -> int:
        await lane.enter(size)
        return await self._put(loop, lane, request, size)

    def _put(self, loop: AbstractEventLoop, lane: Lane, request: Request, size: int) -> Future[int]:
        future: Future[int] = loop.create_future()
        self._jobs.put(Job(request, future, lane, size))
        if self._stopped:
            future.cancel()
            raise closed(self._path)
        return future

    def _add_lane(self, loop: AbstractEventLoop) -> Lane:
        open_ = {known: lane for known, lane in self._lanes.copy().items() if not known.is_closed()}
        self._lanes = open_ | {loop: Lane(loop)}
        return self._lanes[loop]

    def close(self) -> None:
        """Commit what was accepted, then close the connection; blocks until the thread has ended."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while not self._stopped:
            jobs = self._gather()
            if jobs:
                self._settle(jobs, self._commit(jobs))
                self._checkpoint(jobs)
        left = [job for job in self._waiting() if job is not None]
        self._settle(left, [closed(self._path) for _ in left])
        self._connection.close()

    def _gather(self) -> list[Job]:
        """Wait for a job, then take all that are there, up to the one that says to close."""
        jobs: list[Job] = []
        for job in chain((self._jobs.get(),), self._waiting()):
            if job is None:
                self._stopped = True
                break
            jobs.append(job)
        return jobs

    def _waiting(self) -> Iterator[Job | None]:
        with suppress(Empty):
            while True:
                yield self._jobs.get_nowait()

    def _commit(self, jobs: Sequence[Job]) -> list[Outcome]:
        try:
            return self._transact([job.request for job in jobs])
        except Exception as error:  # noqa: BLE001  # whatever it is, the thread lives on and the waiters are told
            self._roll_back()
            if len(jobs) > 1 and not isinstance(error, (JournalError, sqlite3.OperationalError)):
                # One request broke the statement of all (an integer beyond 64 bits, say): each for itself.
                return [outcome for job in jobs for outcome in self._commit([job])]
            return [self._failure(error) for _ in jobs]

    def _transact(self, requests: list[Request]) -> list[Outcome]:
        connection, known = self._connection, self._known
        connection.execute("BEGIN IMMEDIATE")
        self._moved |= known.refresh()
        transaction = Transaction(
            connection, known, sum(len(request.drafts) for request in requests if isinstance(request, Entry))
        )
        outcomes = [self._take(transaction, request) for request in requests]
        transaction.write()
        connection.execute("COMMIT")
        return outcomes

    def _take(self, transaction: Transaction, request: Request) -> Outcome:
        try:
            if isinstance(request, Look):
                moved, self._moved = self._moved, False
                return int(moved)
            return transaction.take(request)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001  # refused alone; its neighbours are kept
            return error

    def _checkpoint(self, jobs: Sequence[Job]) -> None:
        """Once in a while copy the log into the file, after the waiters were told: they don't wait for it.

        A second thread that copies in the background gains 3 % and never comes to the log's end under a
        steady load.
        """
        self._logged += COMMIT_BYTES + sum(job.size for job in jobs)
        if self._logged > CHECKPOINT_BYTES:
            self._logged = 0
            with suppress(sqlite3.Error):  # all is safe in the log; the next time may do better
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _roll_back(self) -> None:
        self._known.forget()
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _failure(self, error: Exception) -> Exception:
        """Return an error for one waiter: each gets its own, since raising writes a traceback into it."""
        if isinstance(error, sqlite3.Error):
            return explain(error, self._path)
        return type(error)(*error.args)

    def _settle(self, jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
        lanes: dict[Lane, list[tuple[Job, Outcome]]] = {}
        for job, outcome in zip(jobs, outcomes, strict=True):
            lanes.setdefault(job.lane, []).append((job, outcome))
        for lane, settled in lanes.items():
            lane.settle(settled)


def closed(path: str) -> JournalUnavailableError:
    """Return the error for whoever uses a store that was closed."""
    return JournalUnavailableError(f"{path}: this store is closed; open a new one")
