"""One run of 14 effects over all services, through a session: the agent, its policy, and what it proposes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.undo.services.bookings import cancel_booking
from benchmarks.undo.services.bucket import delete_object, put_object
from benchmarks.undo.services.calendars import BOARD, create_event, move_event
from benchmarks.undo.services.dumps import Changes, State, changed
from benchmarks.undo.services.messages import OURS, file_message
from benchmarks.undo.services.outbox import send_email
from benchmarks.undo.services.repository import commit_file, create_tag
from benchmarks.undo.services.table import count_stock
from benchmarks.undo.services.workspace import delete_file, move_file, write_file
from benchmarks.undo.services.world import World
from interlock import Agent, Done, Policy, Proposal, Runtime, permit

SERVICES = {
    "S3": (put_object, delete_object),
    "DynamoDB": (count_stock,),
    "CalDAV": (create_event, move_event),
    "git": (commit_file, create_tag),
    "IMAP": (file_message,),
    "files": (write_file, move_file, delete_file),
    "PostgreSQL": (cancel_booking,),
    "SMTP": (send_email,),
}
"""The actions of each service."""

MAIL = {"to": "ana@example.org", "subject": "Your booking AB12", "text": "It is cancelled.\n"}
"""The one effect that can't be taken back."""

WHEN = {"start": "20260114T090000Z", "end": "20260114T100000Z"}
PROPOSALS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("put_object", {"key": "report.csv", "text": "the report, written over\n"}),
    ("count_stock", {"item": "lamp", "count": 3}),
    ("write_file", {"path": "notes/plan.txt", "text": "another plan\n"}),
    ("create_event", {"title": "Kick-off", **WHEN}),
    ("commit_file", {"path": "src/desk.txt", "text": "what the desk does\n"}),
    ("cancel_booking", {"ref": "AB12"}),
    ("send_email", MAIL),
    ("put_object", {"key": "summary.csv", "text": "a new object\n"}),
    ("file_message", {"message": OURS, "mailbox": "Archive"}),
    ("move_file", {"path": "drafts/a.txt", "to": "notes/a.txt"}),
    ("move_event", {"href": BOARD, **WHEN}),
    ("create_tag", {"tag": "v1"}),
    ("delete_object", {"key": "draft.csv"}),
    ("delete_file", {"path": "notes/old.txt"}),
)
"""What the agent does, in its order."""

HALF = len(PROPOSALS) // 2


@dataclass
class Course:
    """What a run did: its id, and what each of its effects changed in its service."""

    run: str
    changes: list[tuple[str, Changes]] = field(default_factory=list[tuple[str, Changes]])
    """The service of each effect, and what the effect changed there; in order."""


def desk(world: World) -> Agent:
    """Return the agent that may do all of it."""
    actions = [action for group in SERVICES.values() for action in group]
    return Agent("desk", actions, policy=Policy(permit(actions)), deps=lambda: world)


def service_of(action: str) -> str:
    """Return the name of the service that an action works on."""
    return next(name for name, group in SERVICES.items() if any(one.name == action for one in group))


async def play(world: World, journal: Path, half_way: Callable[[], None] | None = None) -> Course:
    """Let the agent do everything; `half_way` happens in the middle of the run.

    Raises:
        RuntimeError: one of its proposals was not done.
    """
    async with Runtime(journal, desk(world)) as rt:
        run = await rt.start("desk")
        course = Course(run.id)
        async with rt.session(run.id) as session:
            for number, (action, args) in enumerate(PROPOSALS):
                if number == HALF and half_way is not None:
                    half_way()
                service = world.services[service_of(action)]
                before: State = service.state()
                outcome = await session.perform(Proposal(action, args, f"step-{number}"))
                if not isinstance(outcome, Done) or outcome.problem:
                    raise RuntimeError(f"{action}{args} was not done: {outcome}")
                course.changes.append((service.name, changed(before, service.state())))
            await session.finish("done")
    return course
