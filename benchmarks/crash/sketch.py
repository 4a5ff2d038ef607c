"""The smallest system that keeps the promises, and what is left of them with one line missing.

It shows that the harness sees what it must see (`python -m benchmarks.crash.selftest`): a system that keeps
the promises has to come out clean, and each flaw has to be found. It is a text file with one synced line an
event and a thread a run.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.crash.client import NoAnswerError, find, pay
from benchmarks.crash.contract import (
    ENDED,
    WAITING,
    Options,
    acknowledge,
    amount,
    boundaries,
    has,
    names,
    think_time,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAW = "CRASH_SKETCH_FLAW"
"""The environment variable that names the flaw.

`forgets` acknowledges before it writes, `blind` pays again without looking, `hasty` believes too early that a
payment was never made, `silent` never asks and `stuck` never resumes.
"""

HOOK = "CRASH_SKETCH_AT"
QUESTION = "waits for a person"


class Book:
    """All events, one a line, synced; knows each run's events in order."""

    def __init__(self, path: Path, flaw: str) -> None:
        self.events: defaultdict[str, list[tuple[str, float, str]]] = defaultdict(list)
        self.crossed = 0
        self._flaw = flaw
        self._lock = threading.Lock()
        self._limit = int(os.environ.get(HOOK, "0"))
        for line in _whole_lines(path):
            run, kind, at, said = line.split("\t")
            self.events[run].append((kind, float(at), said))
        self._file = path.open("a")

    def append(self, run: str, kind: str, said: str = "") -> None:
        with self._lock:
            if self._flaw == "forgets":
                acknowledge(run, len(self.events[run]), kind)
                time.sleep(0.02)
            self._cross()
            now = time.time()
            self._file.write(f"{run}\t{kind}\t{now}\t{said}\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            self.events[run].append((kind, now, said))
            self._cross()
            acknowledge(run, len(self.events[run]) - 1, kind)

    def last(self, run: str) -> tuple[str, float, str]:
        return self.events[run][-1] if self.events[run] else ("", 0.0, "")

    def _cross(self) -> None:
        self.crossed += 1
        if self.crossed == self._limit:
            os.kill(os.getpid(), signal.SIGKILL)


class Payer:
    """Takes one run from wherever its events say it is to its end."""

    def __init__(self, options: Options, book: Book, flaw: str) -> None:
        self._options = options
        self._book = book
        self._flaw = flaw
        self._answers = options.answers()

    def run(self, name: str) -> str:
        if not self._book.events[name]:
            self._think(name, "first")
        elif self._flaw == "stuck" and self._book.last(name)[0] == "intent":
            return QUESTION
        while self._book.last(name)[0] != "end":
            match self._book.last(name)[0]:
                case "model":
                    self._pay(name)
                case "intent":
                    self._recover(name)
                case "unknown":
                    self._book.append(name, "ask")
                case "ask" if self._question(name) not in self._answers:
                    return QUESTION
                case "ask":
                    self._learn(name, self._answers[self._question(name)])
                case _:
                    self._think(name, "last")
                    self._book.append(name, "end")
        return "end"

    def _think(self, name: str, turn: str) -> None:
        time.sleep(think_time(name, turn, self._options.think))
        self._book.append(name, "model" if turn == "first" else "said")

    def _question(self, name: str) -> str:
        return f"{name} {len(self._book.events[name]) - 1}"

    def _pay(self, name: str) -> None:
        self._book.append(name, "intent")
        self._send(name)

    def _send(self, name: str) -> None:
        try:
            receipt = pay(self._options.service, name, amount(name), key=name)
        except NoAnswerError:
            self._recover(name)
        else:
            self._book.append(name, "outcome", receipt)

    def _recover(self, name: str) -> None:
        """Settle an intent without an outcome: by the key, a patient probe, or a person."""
        match self._options.mode:
            case "keys":
                self._send(name)
            case "probe":
                self._probe(name)
            case _ if self._flaw == "blind":
                self._send(name)
            case _ if self._flaw == "silent":
                self._book.append(name, "outcome", "assumed")
            case _:
                self._book.append(name, "unknown")

    def _probe(self, name: str) -> None:
        settle = 0.0 if self._flaw == "hasty" else self._options.settle
        deadline = self._book.last(name)[1] + settle
        while not (receipt := find(self._options.service, name)):
            if time.time() > deadline:
                return self._pay(name)
            time.sleep(0.05)
        return self._book.append(name, "outcome", receipt)

    def _learn(self, name: str, receipt: str | None) -> None:
        self._book.append(name, "answer", receipt or "")
        if not receipt:
            self._pay(name)


def main(argv: list[str]) -> int:
    options, flaw = Options.parse(argv), os.environ.get(FLAW, "")
    book = Book(options.directory / "book.txt", flaw)
    if options.check:
        for run, events in book.events.items():
            for seq, (kind, _, _) in enumerate(events):
                has(run, seq, kind)
        return ENDED
    with ThreadPoolExecutor(options.runs) as threads:
        ends = list(threads.map(Payer(options, book, flaw).run, names(options.runs)))
    boundaries(book.crossed)
    return WAITING if QUESTION in ends else ENDED


def _whole_lines(path: Path) -> Iterator[str]:
    """Return the lines that were written whole, and cut off what a kill left behind."""
    if path.exists():
        whole = path.read_bytes().rpartition(b"\n")
        path.write_bytes(whole[0] + whole[1])
        yield from whole[0].decode().splitlines()
