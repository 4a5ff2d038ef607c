"""What tracing costs: matching a proposal against what a run has seen, taking in a result, and the memory it holds.

A proposal has five arguments: a recipient, an amount, a day, a subject and a body of 2 kB with two links. None of its
values was seen, so that each is looked for everywhere. Times are those of the processor, so that other work on the
machine does not count; the clock's are beside them.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks._convention import progress, quick, table, write_results
from interlock.kernel import events as ev
from interlock.provenance import Index, Known, Labels, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOAL_US = 1_000
ACTIONS = {
    name: Known(name, effect=effect)
    for name, effect in (("pay", "irreversible"), ("list_rows", "read"), ("read_page", "read"), ("list_emails", "read"))
}
RANDOM = random.Random(1)
WORDS = ["".join(RANDOM.choices("abcdefghijklmnop", k=RANDOM.randint(2, 9))) for _ in range(5_000)]


def text(length: int) -> str:
    """Return words of so many characters."""
    return " ".join(RANDOM.choices(WORDS, k=length // 3))[:length]


def rows(count: int, first: int) -> list[dict[str, Any]]:
    """Return records as a table has them: an id, a name, a day, an amount, a note."""
    return [
        {
            "id": first + number,
            "name": f"{RANDOM.choice(WORDS)} {first + number}",
            "date": f"2024-{1 + number % 12:02}-{1 + number % 28:02}",
            "amount": round(RANDOM.random() * 1_000, 2),
            "note": text(60),
        }
        for number in range(count)
    ]


def mails(first: int) -> list[dict[str, Any]]:
    """Return six e-mails, in all 4 kB of JSON."""
    return [
        {
            "id": f"m-{first + number}",
            "sender": f"{RANDOM.choice(WORDS)}@mail{first + number}.example",
            "subject": text(30),
            "date": f"2024-{1 + number % 12:02}-{1 + number % 28:02} 10:00",
            "read": True,
            "body": text(500),
        }
        for number in range(6)
    ]


def proposal(number: int) -> dict[str, Any]:
    """Return the arguments of a payment with a message; nobody has seen any of them."""
    links = f"see https://docs.example.com/{number} and www.site{number}.example/x"
    return {
        "recipient": f"bob{number}@unseen.example",
        "amount": 123_456.78 + number,
        "date": f"2031-05-{1 + number % 28:02}",
        "subject": f"Invoice {number} of Unseen",
        "body": f"{text(1_900)} {links}",
    }


def raw(value: Any) -> msgspec.Raw:
    """Return JSON as events hold it."""
    return msgspec.Raw(msgspec.json.encode(value))


class Fed:
    """An index, and how results come into it."""

    def __init__(self) -> None:
        self.index = Index(Labels(), ACTIONS, Written())
        self.seq = 1
        self.index.add(1, ev.RunStarted(agent="bench", input=raw("Pay the invoice of 50 dollars to Bob by May 3rd")))

    def read(self, action: str, result: Any) -> Callable[[], None]:
        """Return what takes a result in."""
        self.seq += 1
        event = ev.Done(call=f"c{self.seq}", action=action, effect="read", args=raw({"q": "x"}), result=raw(result))
        return lambda: self.index.add(self.seq, event)

    def fill(self, atoms: int) -> None:
        """Read tables of about so many different values: 25 rows of five."""
        for number in range(atoms // 125):
            self.read("list_rows", rows(25, number * 25))()


def times(tasks: Iterator[Callable[[], Any]]) -> dict[str, float]:
    """Return how long tasks take, in microseconds: of the processor, and by the clock."""
    spent: list[float] = []
    clock: list[float] = []
    for task in tasks:
        before, began = time.thread_time_ns(), time.perf_counter_ns()
        task()
        clock.append((time.perf_counter_ns() - began) / 1_000)
        spent.append((time.thread_time_ns() - before) / 1_000)
    return {"p50": _at(spent, 50), "p99": _at(spent, 99), "clock_p50": _at(clock, 50), "clock_p99": _at(clock, 99)}


def _at(values: list[float], percent: int) -> float:
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


def tracing(fed: Fed, turns: int) -> dict[str, float]:
    """Return how long tracing a proposal takes."""

    def tasks() -> Iterator[Callable[[], Any]]:
        for number in range(turns):
            args = proposal(number)
            yield lambda args=args: fed.index.trace("pay", args)

    return times(tasks())


def tracing_first(fed: Fed, turns: int) -> dict[str, float]:
    """Return how long tracing a proposal takes right behind two results: what indexing leaves to it is in here."""

    def tasks() -> Iterator[Callable[[], Any]]:
        for number in range(turns):
            fed.read("list_rows", rows(30, 100_000 + number * 30))()
            fed.read("list_emails", mails(number * 6))()
            args = proposal(number)
            yield lambda args=args: fed.index.trace("pay", args)

    return times(tasks())


def memory(make: Callable[[], Any]) -> float:
    """Return how much memory what is made holds, in MB; only Python's allocations are seen."""
    gc.collect()
    tracemalloc.start()
    made = make()
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    del made
    return round(held, 1)


def filled(atoms: int) -> Fed:
    """Return an index that has read about so many different values."""
    fed = Fed()
    fed.fill(atoms)
    return fed


def written(values: int) -> Written:
    """Return what an agent's tenant remembers after so many different texts were written."""
    made = Written()
    for number in range(values):
        made.take(f"text {number}")
    return made


def main() -> None:
    """Measure, print, and write the results."""
    turns = 200 if quick() else 2_000
    progress("tracing proposals")
    fed = filled(10_000)
    traced = tracing(fed, turns)
    first = tracing_first(filled(10_000), turns // 2)
    small = times(fed.read("list_emails", mails(number * 6)) for number in range(turns // 2))
    dense = times(fed.read("list_rows", rows(30, 100_000 + number * 30)) for number in range(turns // 2))
    fed = filled(10_000)
    large = times(Fed().read("read_page", text(1_000_000)) for _ in range(5))
    fed.read("read_page", text(1_000_000))()
    loaded = tracing(fed, turns)
    rows_ = [
        ["trace a proposal, 10,000 atoms", *traced.values()],
        ["the same, right behind two new results", *first.values()],
        ["the same, and 1 MB of third-party text", *loaded.values()],
        ["index six e-mails, 4 kB", *small.values()],
        ["index a table of 150 values, 4 kB", *dense.values()],
        ["index a text of 1 MB", *large.values()],
    ]
    print(table(["microseconds", "p50", "p99", "clock p50", "clock p99"], rows_))
    progress("counting memory")
    sizes = {
        "index_10k": memory(lambda: filled(10_000)),
        "index_200k": memory(lambda: filled(200_000)),
        "written_1m": memory(lambda: written(1_000_000)),
    }
    print("\n" + table(["memory", "MB"], [[name, size] for name, size in sizes.items()]))
    print(f"\ngoals: a proposal p99 and a 4 kB result in at most {GOAL_US} microseconds; memory bounded")
    results = {
        "trace_us": traced,
        "trace_first_us": first,
        "trace_1mb_us": loaded,
        "index_4kb_us": small["p50"],
        "index_4kb": small,
        "index_4kb_dense": dense,
        "index_1mb_us": large["p50"],
        "memory_mb": sizes,
        "goal_us": GOAL_US,
    }
    write_results("provenance", results)


if __name__ == "__main__":
    main()
