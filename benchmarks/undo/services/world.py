"""All services of the run together: what the agent's actions are given, in whatever process they run."""

from collections.abc import Mapping
from functools import cached_property

from benchmarks.undo.services.bookings import Bookings
from benchmarks.undo.services.bucket import Bucket
from benchmarks.undo.services.calendars import Calendar
from benchmarks.undo.services.dumps import State
from benchmarks.undo.services.messages import Mailbox
from benchmarks.undo.services.outbox import Outbox
from benchmarks.undo.services.repository import Repository
from benchmarks.undo.services.servers import Addresses
from benchmarks.undo.services.service import Service
from benchmarks.undo.services.table import Table
from benchmarks.undo.services.workspace import Workspace


class World:
    """The services at some addresses; each is connected to when it is first used."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses

    @cached_property
    def bucket(self) -> Bucket:
        """S3."""
        return Bucket(self.addresses.aws)

    @cached_property
    def table(self) -> Table:
        """DynamoDB."""
        return Table(self.addresses.aws)

    @cached_property
    def calendar(self) -> Calendar:
        """CalDAV."""
        return Calendar(self.addresses.caldav)

    @cached_property
    def repository(self) -> Repository:
        """The git server."""
        return Repository(self.addresses.git, self.addresses.repositories)

    @cached_property
    def mailbox(self) -> Mailbox:
        """IMAP."""
        return Mailbox(self.addresses.imap)

    @cached_property
    def outbox(self) -> Outbox:
        """SMTP."""
        return Outbox(self.addresses.smtp, self.addresses.outbox)

    @cached_property
    def workspace(self) -> Workspace:
        """Files."""
        return Workspace(self.addresses.workspace)

    @cached_property
    def bookings(self) -> Bookings:
        """PostgreSQL."""
        return Bookings(self.addresses.postgres)

    @property
    def services(self) -> Mapping[str, Service]:
        """All of them, by name."""
        rest = (self.repository, self.mailbox, self.workspace, self.bookings, self.outbox)
        return {one.name: one for one in (self.bucket, self.table, self.calendar, *rest)}

    def seed(self) -> None:
        """Bring every service to its beginning."""
        for service in self.services.values():
            service.seed()

    def state(self) -> Mapping[str, State]:
        """Return all that every service holds."""
        return {name: service.state() for name, service in self.services.items()}
