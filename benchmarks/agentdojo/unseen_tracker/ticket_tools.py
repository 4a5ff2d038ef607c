"""What can be done with tickets, sprints and customers' reports."""

# pyright: reportMissingImports=false, reportUnknownVariableType=false

from typing import Annotated

from agentdojo.functions_runtime import Depends

from benchmarks.agentdojo.unseen_tracker.records import (
    Comment,
    CustomerReport,
    Sprint,
    Ticket,
    TicketSummary,
    TimeEntry,
    Tracker,
)

STATUSES = ("open", "in progress", "in review", "blocked", "done", "closed")


def everything(tracker: Tracker) -> Tracker:
    """Return the whole environment: what a tool depends on."""
    return tracker


Here = Annotated[Tracker, Depends(everything)]


def search_tickets(
    tracker: Here, query: str = "", status: str | None = None, assignee: str | None = None, sprint: str | None = None
) -> list[TicketSummary]:
    """Search tickets. All filters can be combined; without any, all tickets are returned.

    :param query: words that the title or the description contains
    :param status: one of open, in progress, in review, blocked, done, closed
    :param assignee: a member's name, or 'nobody' for tickets that are not assigned
    :param sprint: a sprint's name
    """
    wanted = "" if assignee == "nobody" else assignee
    return [
        TicketSummary(**one.model_dump(include=set(TicketSummary.model_fields)))
        for one in tracker.tickets
        if query.casefold() in f"{one.title} {one.description}".casefold()
        and status in (None, one.status)
        and wanted in (None, one.assignee)
        and sprint in (None, one.sprint)
    ]


def get_ticket(tracker: Here, ticket_id: str) -> Ticket:
    """Get a ticket with its description, comments and time entries.

    :param ticket_id: e.g. KLP-123
    """
    return tracker.ticket(ticket_id)


def createTicket(  # noqa: N802, PLR0917 - tools are not all named alike, nor short
    tracker: Here,
    title: str,
    description: str,
    type: str = "task",  # noqa: A002 - what trackers call it
    priority: str = "medium",
    sprint: str = "",
    labels: list[str] | None = None,
) -> Ticket:
    """Creates a ticket. The reporter is the current user.

    :param title: Short summary
    :param description: Full description
    :param type: bug, feature, task or chore
    :param priority: low, medium, high or critical
    :param sprint: Name of a sprint. The ticket goes to the backlog if omitted.
    :param labels: Labels to set
    """
    made = Ticket(
        id=f"KLP-{max(int(one.id.removeprefix('KLP-')) for one in tracker.tickets) + 1}",
        title=title,
        type=type,
        status="open",
        priority=priority,
        reporter=tracker.me,
        assignee="",
        sprint=tracker.sprint(sprint).name if sprint else "",
        labels=labels or [],
        due_date="",
        description=description,
        comments=[],
        time_entries=[],
    )
    tracker.tickets.append(made)
    return made


def update_ticket(  # noqa: PLR0917 - a field each
    tracker: Here,
    ticket_id: str,
    title: str | None = None,
    priority: str | None = None,
    sprint: str | None = None,
    due_date: str | None = None,
    labels: list[str] | None = None,
) -> Ticket:
    """Change fields of a ticket. Fields that are left out stay as they are.

    :param ticket_id: e.g. KLP-123
    :param title: new title
    :param priority: low, medium, high or critical
    :param sprint: name of the sprint to move it to
    :param due_date: YYYY-MM-DD
    :param labels: all labels that it shall have, replaces the present ones
    """
    found = tracker.ticket(ticket_id)
    if sprint:
        tracker.sprint(sprint)
    changes = {"title": title, "priority": priority, "sprint": sprint, "due_date": due_date, "labels": labels}
    for name, value in changes.items():
        if value is not None:
            setattr(found, name, value)
    return found


def transition_ticket(tracker: Here, ticket_id: str, status: str, resolution: str = "") -> Ticket:
    """Move a ticket to another status.

    :param ticket_id: e.g. KLP-123
    :param status: open, in progress, in review, blocked, done or closed
    :param resolution: for closed tickets: fixed, duplicate, won't do
    """
    if status not in STATUSES:
        raise ValueError(f"Unknown status {status}.")
    found = tracker.ticket(ticket_id)
    found.status, found.resolution = status, resolution
    return found


def assign_ticket(tracker: Here, ticket_id: str, assignee: str) -> Ticket:
    """Assign a ticket to a member of the team.

    :param ticket_id: e.g. KLP-123
    :param assignee: the member's name
    """
    found = tracker.ticket(ticket_id)
    found.assignee = tracker.member(assignee).name
    return found


def add_comment(tracker: Here, ticket_id: str, body: str, visible_to_customer: bool = False) -> Comment:
    """Comment on a ticket.

    :param ticket_id: e.g. KLP-123
    :param body: text of the comment
    :param visible_to_customer: if true, the customer who reported the ticket sees the comment and is notified
    """
    made = Comment(author=tracker.me, date=tracker.today, body=body, visible_to_customer=visible_to_customer)
    tracker.ticket(ticket_id).comments.append(made)
    return made


def log_time(tracker: Here, ticket_id: str, hours: float, date: str, note: str = "") -> TimeEntry:
    """Log time that the current user has worked on a ticket.

    :param ticket_id: e.g. KLP-123
    :param hours: e.g. 1.5
    :param date: YYYY-MM-DD
    :param note: what was done
    """
    made = TimeEntry(person=tracker.me, date=date, hours=hours, note=note)
    tracker.ticket(ticket_id).time_entries.append(made)
    return made


def delete_ticket(tracker: Here, ticket_id: str) -> str:
    """Delete a ticket with its comments for good.

    :param ticket_id: e.g. KLP-123
    """
    tracker.tickets.remove(tracker.ticket(ticket_id))
    return f"{ticket_id} was deleted."


def list_sprints(tracker: Here) -> list[Sprint]:
    """List the sprints: closed, active and planned."""
    return list(tracker.sprints)


def list_customer_reports(tracker: Here, status: str | None = None) -> list[CustomerReport]:
    """List what customers wrote to the support, with the tickets that were made of it.

    :param status: new or answered
    """
    return [one for one in tracker.reports if status in (None, one.status)]


TICKET_TOOLS = (
    search_tickets,
    get_ticket,
    createTicket,
    update_ticket,
    transition_ticket,
    assign_ticket,
    add_comment,
    log_time,
    delete_ticket,
    list_sprints,
    list_customer_reports,
)
"""What the agent may call here."""
