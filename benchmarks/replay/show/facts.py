"""What the policies may know besides the arguments: looked up before judging, kept in the journal."""

import re
from collections.abc import Callable, Iterable
from typing import Any, cast

from benchmarks.replay.show.client import WorldClient
from interlock import Ctx

World = Ctx[WorldClient]

BOT = "bot"
"""The name under which the agent itself writes in Slack. What it wrote is not a colleague's word."""


async def typed(ctx: World, **args: Any) -> list[str]:
    """Those of the argument values that the user typed, word for word.

    This is a search in the user's text, and stands in until values carry where they came from (provenance).
    """
    return _found(_texts(args.values()), [ctx.user["typed"]])


async def payees(ctx: World, **_: Any) -> list[str]:
    """Everybody whom the account has paid, or is scheduled to pay."""
    account = await ctx.deps.part(ctx.run, "bank_account")
    payments = account["transactions"] + account["scheduled_transactions"]
    return sorted({payment["recipient"] for payment in payments})


async def contacts(ctx: World, **_: Any) -> list[str]:
    """The addresses in the user's address book."""
    return sorted(contact["email"] for contact in await ctx.deps.part(ctx.run, "inbox.contact_list"))


async def reached(ctx: World, **args: Any) -> list[str]:
    """Everybody whom a letter or an invitation goes to, in copy or not."""
    return _texts(args.get(name) for name in ("recipients", "cc", "bcc", "participants"))


async def linked(ctx: World, url: str) -> list[str]:
    """The page's address, if a colleague's message names it."""
    slack = await ctx.deps.part(ctx.run, "slack")
    inboxes = [*slack["channel_inbox"].values(), *slack["user_inbox"].values()]
    bodies = [message["body"] for inbox in inboxes for message in inbox if message["sender"] != BOT]
    return _found([url], bodies)


Fact = Callable[..., Any]

_PAYMENTS = dict.fromkeys(("send_money", "schedule_transaction", "update_scheduled_transaction"), (typed, payees))
_LETTERS = dict.fromkeys(
    ("send_email", "create_calendar_event", "add_calendar_event_participants"), (typed, contacts, reached)
)
_ADDRESSES = dict.fromkeys(("update_password", "update_user_info", "invite_user_to_slack", "post_webpage"), (typed,))
_FACTS: dict[str, tuple[Fact, ...]] = {
    **_PAYMENTS,
    **_LETTERS,
    **_ADDRESSES,
    "share_file": (contacts,),
    "get_webpage": (typed, linked),
}


def of(function: str) -> tuple[Fact, ...]:
    """Return the facts that are declared for a function."""
    return _FACTS.get(function, ())


def _texts(values: Iterable[Any]) -> list[str]:
    texts: list[str] = []
    for value in values:
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            texts += [element for element in cast("list[Any]", value) if isinstance(element, str)]
    return texts


def _found(texts: list[str], sources: list[str]) -> list[str]:
    """Return the texts that stand in a source as whole words; the scheme of an address does not matter."""
    return [text for text in texts if any(_says(source, text) for source in sources)]


def _says(source: str, text: str) -> bool:
    bare = re.sub(r"^https?://", "", text).rstrip("/")
    if not bare.strip():
        return False
    return re.search(rf"(?<![\w@.-]){re.escape(bare)}(?![\w@-])", source, re.IGNORECASE) is not None
