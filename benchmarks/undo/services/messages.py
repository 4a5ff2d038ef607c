"""IMAP: a message is moved to another mailbox and marked; it is found again by its Message-ID."""

import hashlib
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from imaplib import IMAP4
from typing import TYPE_CHECKING, Any

from benchmarks.undo.services.dumps import State
from interlock import Ctx, Refused, action

if TYPE_CHECKING:
    from benchmarks.undo.services.world import World

BOXES = ("INBOX", "Archive")
OURS, ELSE = "<invoice@example.org>", "<newsletter@example.org>"
MESSAGE = "From: bob@example.org\r\nTo: ana@example.org\r\nMessage-ID: {id}\r\nSubject: Hello\r\n\r\nYours {id}\r\n"
DATE = '"05-Jan-2026 09:00:00 +0000"'


class Mailbox:
    """Ana's mail."""

    name = "IMAP"

    def __init__(self, port: int) -> None:
        self._port = port

    def read(self, message: str) -> dict[str, Any] | None:
        """Return the mailbox that a message is in, and its flags."""
        with self._session() as imap:
            found = _find(imap, message)
            return found and {"mailbox": found[0], "flags": _flags(imap, found[1])}

    def place(self, message: str, mailbox: str, flags: Sequence[str]) -> None:
        """Move a message to a mailbox, with those flags and no others; done again, it changes nothing.

        Raises:
            Refused: there is no such message.
        """
        with self._session() as imap:
            found = _find(imap, message)
            if found is None:
                raise Refused(f"there is no message {message}")
            if found[0] != mailbox:
                _ok(imap.uid("MOVE", found[1], mailbox))
                found = _find(imap, message)
                assert found is not None
            _ok(imap.uid("STORE", found[1], "FLAGS", f"({' '.join(flags)})"))

    def seed(self) -> None:
        """Begin with two messages in the first mailbox, one of them seen."""
        with self._session() as imap:
            for mailbox in _mailboxes(imap):
                _ok(imap.select(mailbox))
                _ok(imap.uid("STORE", "1:*", "+FLAGS", "(\\Deleted)"))
                _ok(imap.expunge())
            imap.create(BOXES[1])  # It answers NO where it is there.
            for message, flags in ((OURS, ""), (ELSE, "\\Seen")):
                _ok(imap.append(BOXES[0], f"({flags})", DATE, MESSAGE.format(id=message).encode()))

    def state(self) -> State:
        """Return all mailboxes and messages; the numbers that a server gives to messages are not part of it."""
        found: dict[str, Any] = {}
        with self._session() as imap:
            for mailbox in _mailboxes(imap):
                found[f"mailbox {mailbox}"] = True
                _ok(imap.select(mailbox, readonly=True))
                for uid in _ok(imap.uid("SEARCH", "ALL"))[0].decode().split():
                    message, state = _message(imap, uid)
                    found[message] = {
                        "mailbox": mailbox,
                        "copies": 1 + found.get(message, {}).get("copies", 0),
                        **state,
                    }
        return found

    def edit_another(self) -> None:
        """Flag the message that the agent does not touch."""
        self.place(ELSE, BOXES[0], ["\\Seen", "\\Flagged"])

    def edit_ours(self) -> None:
        """Note that the message which the agent has moved was answered."""
        self.place(OURS, BOXES[1], ["\\Seen", "\\Answered"])

    @contextmanager
    def _session(self) -> Generator[IMAP4]:
        with IMAP4("127.0.0.1", self._port, timeout=30) as imap:
            _ok(imap.login("ana", "secret"))
            yield imap


def _ok(answer: tuple[str, Any]) -> Any:
    """Return what the server said.

    Raises:
        IMAP4.error: it could not do it.
    """
    status, data = answer
    if status != "OK":
        raise IMAP4.error(f"the server answered {status} {data!r}")
    return data


def _mailboxes(imap: IMAP4) -> list[str]:
    return sorted(line.decode().rsplit(' "/" ', 1)[1].strip('"') for line in _ok(imap.list()))


def _find(imap: IMAP4, message: str) -> tuple[str, str] | None:
    """Return the mailbox (it is selected) and the number of a message."""
    for mailbox in _mailboxes(imap):
        _ok(imap.select(mailbox))
        if found := _ok(imap.uid("SEARCH", "HEADER", "Message-ID", message))[0].split():
            return mailbox, found[0].decode()
    return None


def _flags(imap: IMAP4, uid: str) -> list[str]:
    return _words(_ok(imap.uid("FETCH", uid, "(FLAGS)"))[0])


def _words(line: bytes) -> list[str]:
    """Return the flags in a line of an answer, without the one that says whether a session saw it first."""
    found = re.search(rb"FLAGS \(([^)]*)\)", line)
    return sorted(flag for flag in (found[1].decode().split() if found else []) if flag != "\\Recent")


def _message(imap: IMAP4, uid: str) -> tuple[str, dict[str, Any]]:
    head, text = _ok(imap.uid("FETCH", uid, "(FLAGS INTERNALDATE BODY.PEEK[])"))[0]
    date, name = re.search(rb'INTERNALDATE ("[^"]*")', head), re.search(rb"Message-ID: (\S+)", text)
    assert date is not None
    assert name is not None
    state = {"flags": _words(head), "date": date[1].decode(), "text": hashlib.sha256(text).hexdigest()}
    return name[1].decode(), state


@action.reversible
def file_message(ctx: Ctx["World"], message: str, mailbox: str) -> None:
    """File a message in a mailbox, as seen."""
    ctx.deps.mailbox.place(message, mailbox, ["\\Seen", "\\Flagged"])


@file_message.snapshot
def _(ctx: Ctx["World"], done: None, message: str, mailbox: str) -> dict[str, Any]:
    # Two objects, because it takes two requests to restore them: a process that dies between the two has restored one,
    # and the next finds each as it was or as the action left it. As one object it would be neither: a conflict.
    found = ctx.deps.mailbox.read(message)
    return {f"{message} {part}": found and found[part] for part in ("mailbox", "flags")}


@file_message.undo
def _(ctx: Ctx["World"], done: None, message: str, mailbox: str) -> None:
    ctx.deps.mailbox.place(message, ctx.before[f"{message} mailbox"], ctx.before[f"{message} flags"])
