"""SMTP: a mail is sent, and what has left can't be taken back."""

import mailbox
import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.undo.services.dumps import State
from interlock import Ctx, action

if TYPE_CHECKING:
    from benchmarks.undo.services.world import World

Sent = tuple[str, str]
"""To whom, and the subject."""


class Outbox:
    """What the SMTP server has taken."""

    name = "SMTP"

    def __init__(self, port: int, folder: Path) -> None:
        self._port, self._folder = port, folder

    def send(self, to: str, subject: str, text: str) -> None:
        """Send a mail."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "desk@example.org", to, subject
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", self._port, timeout=30) as smtp:
            smtp.send_message(mail)

    def seed(self) -> None:
        """Begin with one mail of somebody else."""
        self._box().clear()
        self.send("bob@example.org", "Good morning", "Good morning!\n")

    def state(self) -> State:
        """Return all mails that were taken: how often each."""
        found: dict[str, int] = {}
        for mail in self._box():
            name = f"{mail['X-RcptTo']}: {mail['Subject']}: {mail.get_payload()}"
            found[name] = 1 + found.get(name, 0)
        return found

    def edit_another(self) -> None:
        """Send another mail, as somebody else would."""
        self.send("eve@example.org", "Good evening", "Good evening!\n")

    def edit_ours(self) -> None:
        """A mail that has left can't be changed."""

    def _box(self) -> "mailbox.Maildir":
        return mailbox.Maildir(self._folder)


@action.irreversible
def send_email(ctx: Ctx["World"], to: str, subject: str, text: str) -> None:
    """Send a mail."""
    ctx.deps.outbox.send(to, subject, text)
