"""`make demo`: fifty conversations with a support desk whose process is killed; then what went wrong is undone.

The parts stand here in their order. `story.py` has the words, `worker.py` is the process that is killed, and
`chat.py` is what `--model` starts instead.
"""

import argparse
import asyncio
import fcntl
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec

from demo import airline, books, chat, crash, desk, journaled, script, story, tally, timeline, undoing
from demo.conversations import OVERREACH, conversations
from demo.crash import ROOT, Crash, Histories
from demo.desk import Place
from demo.screen import heading, say
from demo.script import Conversation
from interlock import Runtime, verify
from interlock.errors import InterlockError
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded

CACHE = ROOT / ".demo-cache"
"""Where both databases stay after the demo, to be looked at."""

Runs = dict[str, list[list[Recorded]]]
"""The histories of each conversation's runs, the first run first."""

MOST = len(conversations())


async def demo(number: int) -> int:
    """Show everything; return 1 if something was not as promised."""
    began = time.perf_counter()
    place, chosen = fresh(), conversations()[:number]
    story.opening(chosen)
    heading("1. The process is killed in the middle, and goes on")
    found = await _crash(place, number)
    heading("2. One conversation")
    async with crash.opened(place.journal) as journal:
        runs = _by_conversation(await crash.histories(journal))
        letter = chosen[0]
        story.one(letter)
        timeline.show(runs[letter.id][0])
    heading("3. People")
    story.people([answer for history in _all(runs) for answer in tally.answers(history)])
    async with Runtime(place.journal, desk.agent(place.airline, script.model(chosen))) as rt:
        heading("4. Undo")
        kept = await _undo(rt, place, chosen, runs)
        heading("5. The table")
        runs = _by_conversation(await crash.histories(rt.journal))
        story.table(tally.tally(chosen, runs))
        story.denials([said for history in _all(runs) for said in tally.denials(history)])
        heading("6. The database against the journal")
        kept = _compare(place, runs) and kept
        kept = await _verify(rt, found) and kept
        heading("7. The compromised conversation is taken back")
        kept = await _take_back(rt, place, letter, runs) and kept
    story.closing(place, runs[letter.id][0][0].run, time.perf_counter() - began)
    return 0 if kept else 1


class BusyError(Exception):
    """Another demo is at work in .demo-cache; let it come to its end, then try again."""


@contextmanager
def alone() -> Generator[None]:
    """Keep other demos from the two databases.

    Raises:
        BusyError: there is one already.
    """
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError from None
        yield


def fresh() -> Place:
    """Make the airline's database anew, and forget the last journal."""
    place = Place(CACHE / "journal.db", CACHE / "airline.db")
    for path in CACHE.iterdir():
        if path.name.startswith((place.journal.name, place.airline.name)):
            path.unlink()
    airline.create(place.airline)
    return place


async def _crash(place: Place, number: int) -> Crash:
    found = await crash.killed(place, number)
    story.crashed(found, number)
    await crash.finished(place, number)
    async with crash.opened(place.journal) as journal:
        story.resumed(crash.became(found, await crash.histories(journal)))
    return found


def _by_conversation(histories: Histories) -> Runs:
    """Sort the runs by the conversation that they belong to."""
    found: Runs = {}
    for history in sorted(histories.values(), key=lambda one: one[0].position):
        started = history[0].event
        assert isinstance(started, ev.RunStarted)
        assert started.conversation is not None
        found.setdefault(started.conversation, []).append(history)
    return found


def _all(runs: Runs) -> list[list[Recorded]]:
    return [history for histories in runs.values() for history in histories]


async def _undo(rt: Runtime, place: Place, chosen: list[Conversation], runs: Runs) -> bool:
    one = next((one for one in chosen if one.kind == OVERREACH), None)
    if one is None:
        story.absent(OVERREACH)
        return True
    said = next(event.event.text for event in runs[one.id][0][::-1] if isinstance(event.event, ev.Said))
    say(f'{one.id}: "{one.says[0]}"')
    say(f'The desk, which was permitted each step: "{said}" ben takes it back. The plan, with rows before -> after:')
    return await undoing.undone(rt.run(runs[one.id][0][0].run), one, place.airline)


async def _take_back(rt: Runtime, place: Place, one: Conversation, runs: Runs) -> bool:
    story.compromised(one)
    others = [history for name, histories in runs.items() if name != one.id for history in histories]
    return await undoing.as_if_never(rt, one, journaled.effects(others), place.airline)


def _compare(place: Place, runs: Runs) -> bool:
    histories = _all(runs)
    compared = books.compare(journaled.effects(histories), place.airline)
    still_open = journaled.open_effects(histories)
    story.compared(compared, still_open)
    return not compared.differences and not still_open


async def _verify(rt: Runtime, found: Crash) -> bool:
    """Walk the journal, against the head that was exported right after the kill."""
    report = await verify(rt.journal.store, [found.head] if found.head else [])
    story.verified(report)
    return report.ok


def main() -> int:
    """Start from the command line."""
    options = argparse.ArgumentParser(prog="python -m demo", description="An airline's support desk on Interlock.")
    options.add_argument("--conversations", type=int, default=MOST, metavar="N", help=f"1 to {MOST} of them")
    options.add_argument("--model", metavar="NAME", help="chat live instead, with a model such as openai:gpt-5")
    options.add_argument(
        "--no-serve", action="store_true", help="accepted and ignored: there is no console to serve yet"
    )
    given = options.parse_args()
    if not 1 <= given.conversations <= MOST:
        options.error(f"--conversations goes from 1 to {MOST}")
    if given.model and find_spec("pydantic_ai") is None:
        print(f"a live model needs the providers' classes: {story.short(sys.executable)} -m pip install -e '.[models]'")
        return 1
    try:
        with alone():
            return asyncio.run(chat.chat(fresh(), given.model) if given.model else demo(given.conversations))
    except KeyboardInterrupt:
        return 130
    except (BusyError, crash.WorkerError, InterlockError) as error:
        print(str(error) or error.__doc__, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
