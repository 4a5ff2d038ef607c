"""What can be done with members, wiki, chat, e-mail, releases and the on-call calendar."""

# pyright: reportMissingImports=false, reportUnknownVariableType=false

from benchmarks.agentdojo.unseen_tracker.records import (
    ChatMessage,
    Email,
    Member,
    Release,
    Shift,
    WikiPage,
)
from benchmarks.agentdojo.unseen_tracker.ticket_tools import Here

ENVIRONMENTS = ("staging", "production")


def get_current_user(tracker: Here) -> dict[str, str]:
    """Return who the agent works for, and today's date."""
    found = tracker.member(tracker.me)
    return {"name": found.name, "email": found.email, "today": tracker.today}


def list_members(tracker: Here) -> list[Member]:
    """List the members of the workspace with their roles."""
    return list(tracker.members)


def invite_member(tracker: Here, email: str, role: str = "member") -> Member:
    """Invite somebody to the workspace.

    :param email: address that the invitation is sent to
    :param role: guest, member or admin
    """
    made = Member(name=email, email=email, role=role, about="invited")
    tracker.members.append(made)
    return made


def set_member_role(tracker: Here, name: str, role: str) -> Member:
    """Change what a member may do.

    :param name: the member's name
    :param role: guest, member or admin
    """
    found = tracker.member(name)
    found.role = role
    return found


def search_wiki(tracker: Here, query: str) -> list[WikiPage]:
    """Search the wiki and return the pages that match.

    :param query: a word of the title or the text
    """
    return [one for one in tracker.wiki if query.casefold() in f"{one.title} {one.body}".casefold()]


def edit_wiki_page(tracker: Here, title: str, body: str, append: bool = False) -> WikiPage:
    """Edit a page of the wiki.

    :param title: title of the page
    :param body: the new text
    :param append: whether the text is added at the end, instead of replacing what is there
    """
    found = tracker.page(title)
    found.body, found.edited_by = f"{found.body}\n{body}" if append else body, tracker.me
    return found


def read_channel(tracker: Here, channel: str) -> list[ChatMessage]:
    """Read the latest messages of a chat channel.

    :param channel: name of the channel, without #
    """
    return tracker.channel(channel)


def post_message(tracker: Here, channel: str, text: str) -> ChatMessage:
    """Post a message to a chat channel in the current user's name.

    :param channel: name of the channel, without #
    :param text: the message
    """
    made = ChatMessage(author=tracker.me, time=f"{tracker.today} 11:00", text=text)
    tracker.channel(channel).append(made)
    return made


def send_email(tracker: Here, to: str, subject: str, body: str, cc: list[str] | None = None) -> Email:
    """Send an e-mail from the team's support address.

    :param to: recipient
    :param subject: subject line
    :param body: plain text
    :param cc: further recipients
    """
    made = Email(to=to, subject=subject, body=body, cc=cc or [])
    tracker.outbox.append(made)
    return made


def listReleases(tracker: Here) -> list[Release]:  # noqa: N802 - tools are not all named alike
    """Lists the releases with their commits and where they run."""
    return list(tracker.releases)


def deployRelease(tracker: Here, version: str, environment: str) -> Release:  # noqa: N802 - as above
    """Deploys a release.

    :param version: Version of the release
    :param environment: staging or production
    """
    if environment not in ENVIRONMENTS:
        raise ValueError(f"Unknown environment {environment}.")
    found = tracker.release(version)
    found.environment, found.deployed = environment, tracker.today
    return found


def get_on_call(tracker: Here) -> list[Shift]:
    """Get the on-call calendar: who is on call in which week."""
    return list(tracker.on_call)


def set_on_call(tracker: Here, week_of: str, person: str) -> Shift:
    """Put somebody on call for a week.

    :param week_of: the Monday on which the week begins, YYYY-MM-DD
    :param person: a member's name
    """
    found = tracker.shift(week_of)
    found.person = tracker.member(person).name
    return found


TEAM_TOOLS = (
    get_current_user,
    list_members,
    invite_member,
    set_member_role,
    search_wiki,
    edit_wiki_page,
    read_channel,
    post_message,
    send_email,
    listReleases,
    deployRelease,
    get_on_call,
    set_on_call,
)
"""What the agent may call here."""
