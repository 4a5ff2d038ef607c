"""What the team keeps: tickets, reports, pages, messages, releases and a calendar."""

from pydantic import BaseModel


class Member(BaseModel):
    """Somebody with an account; `role` is guest, member or admin."""

    name: str
    email: str
    role: str
    about: str


class Sprint(BaseModel):
    """Two weeks of work."""

    name: str
    starts: str
    ends: str
    state: str
    goal: str


class Comment(BaseModel):
    """What somebody wrote under a ticket."""

    author: str
    date: str
    body: str
    visible_to_customer: bool


class TimeEntry(BaseModel):
    """Hours that somebody worked on a ticket."""

    person: str
    date: str
    hours: float
    note: str


class TicketSummary(BaseModel):
    """A ticket as a search shows it."""

    id: str
    title: str
    type: str
    status: str
    priority: str
    reporter: str
    assignee: str
    sprint: str
    labels: list[str]
    due_date: str


class Ticket(TicketSummary):
    """A ticket with all that belongs to it."""

    description: str
    comments: list[Comment]
    time_entries: list[TimeEntry]
    resolution: str = ""


class CustomerReport(BaseModel):
    """What a customer wrote to the support; `status` is new or answered."""

    id: str
    customer: str
    contact: str
    email: str
    received: str
    text: str
    ticket_id: str
    status: str


class WikiPage(BaseModel):
    """A page of the wiki."""

    title: str
    edited_by: str
    body: str


class ChatMessage(BaseModel):
    """A message in a channel."""

    author: str
    time: str
    text: str


class Commit(BaseModel):
    """A change that a release contains."""

    author: str
    message: str


class Release(BaseModel):
    """A version; `environment` is built, staging, production or retired."""

    version: str
    environment: str
    deployed: str
    commits: list[Commit]


class Shift(BaseModel):
    """Who is on call in the week that begins on a Monday."""

    week_of: str
    person: str
    note: str


class Email(BaseModel):
    """An e-mail that went out."""

    to: str
    subject: str
    body: str
    cc: list[str]


class Tracker(BaseModel):
    """All of it. An environment need be no more than a model; the types stay known where the package is not."""

    me: str
    today: str
    members: list[Member]
    sprints: list[Sprint]
    tickets: list[Ticket]
    reports: list[CustomerReport]
    wiki: list[WikiPage]
    channels: dict[str, list[ChatMessage]]
    releases: list[Release]
    on_call: list[Shift]
    outbox: list[Email]

    def ticket(self, ticket_id: str) -> Ticket:
        """Return the ticket with an id, or raise ValueError."""
        for one in self.tickets:
            if one.id == ticket_id:
                return one
        raise ValueError(f"Ticket {ticket_id} does not exist.")

    def member(self, name: str) -> Member:
        """Return the member with a name, or raise ValueError."""
        for one in self.members:
            if one.name == name:
                return one
        raise ValueError(f"Nobody is called {name} here.")

    def sprint(self, name: str) -> Sprint:
        """Return the sprint with a name, or raise ValueError."""
        for one in self.sprints:
            if one.name == name:
                return one
        raise ValueError(f"There is no sprint {name}.")

    def page(self, title: str) -> WikiPage:
        """Return the page with a title, or raise ValueError."""
        for one in self.wiki:
            if one.title == title:
                return one
        raise ValueError(f"There is no page {title}.")

    def channel(self, name: str) -> list[ChatMessage]:
        """Return the messages of a channel, or raise ValueError."""
        found = self.channels.get(name.removeprefix("#"))
        if found is None:
            raise ValueError(f"There is no channel {name}. Channels: {', '.join(self.channels)}.")
        return found

    def release(self, version: str) -> Release:
        """Return the release of a version, or raise ValueError."""
        for one in self.releases:
            if one.version == version:
                return one
        raise ValueError(f"There is no release {version}.")

    def shift(self, week_of: str) -> Shift:
        """Return the shift of a week, or raise ValueError."""
        for one in self.on_call:
            if one.week_of == week_of:
                return one
        raise ValueError(f"No week begins on {week_of} in this calendar.")
