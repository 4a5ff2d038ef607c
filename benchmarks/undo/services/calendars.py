"""CalDAV: an event is created (its inverse call deletes it) and moved (a snapshot, with its ETag)."""

import http.client
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from benchmarks.undo.services.dumps import State
from interlock import Ctx, Refused, Versioned, action

if TYPE_CHECKING:
    from benchmarks.undo.services.world import World

CALENDAR = "/ana/work/"
BOARD, LUNCH = f"{CALENDAR}board.ics", f"{CALENDAR}lunch.ics"
EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//benchmark//desk//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T000000Z
DTSTART:{start}
DTEND:{end}
SUMMARY:{title}
END:VEVENT
END:VCALENDAR
"""
LIST = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
USER = {"Authorization": f"Basic {b64encode(b'ana:secret').decode()}"}
NOT_FOUND, PRECONDITION = 404, 412


class Calendar:
    """Ana's calendars."""

    name = "CalDAV"

    def __init__(self, port: int) -> None:
        self._port = port

    def read(self, href: str) -> Versioned | None:
        """Return an event's text with its ETag."""
        status, etag, text = self._send("GET", href)
        return None if status == NOT_FOUND else Versioned(text, etag)

    def create(self, uid: str, title: str, start: str, end: str) -> dict[str, str]:
        """Create an event once for each *uid*, and return its address and ETag."""
        href = f"{CALENDAR}{uid}.ics"
        text = EVENT.format(uid=uid, title=title, start=start, end=end)
        status, etag, _ = self._send("PUT", href, text, **{"If-None-Match": "*", "Content-Type": "text/calendar"})
        return {"href": href, "etag": self._send("GET", href)[1] if status == PRECONDITION else etag}

    def write(self, href: str, text: str, version: str | int) -> None:
        """Put a text over an event.

        Raises:
            Refused: somebody changed it in the meantime.
        """
        headers = {"If-Match": str(version), "Content-Type": "text/calendar"}
        if self._send("PUT", href, text, **headers)[0] == PRECONDITION:
            raise Refused(f"somebody changed {href} in the meantime")

    def delete(self, href: str, version: str) -> None:
        """Delete an event; one that is not there is deleted.

        Raises:
            Refused: somebody changed it in the meantime.
        """
        if self.read(href) is not None and self._send("DELETE", href, **{"If-Match": version})[0] == PRECONDITION:
            raise Refused(f"somebody changed {href} in the meantime")

    def move(self, href: str, start: str, end: str) -> None:
        """Give an event another time."""
        self._edit(href, f"DTSTART:{start}", f"DTEND:{end}")

    def seed(self) -> None:
        """Begin with two events in one calendar."""
        self._send("DELETE", CALENDAR)
        self._send("MKCALENDAR", CALENDAR)
        for uid, day in (("board", 12), ("lunch", 13)):
            self.create(uid, uid.title(), f"202601{day}T090000Z", f"202601{day}T100000Z")

    def state(self) -> State:
        """Return all of Ana's calendars, with every event in them."""
        calendars = self._hrefs("/ana/")
        events = [href for calendar in calendars for href in self._hrefs(calendar)]
        return {href: {"calendar": True} for href in calendars} | {href: self._event(href) for href in events}

    def edit_another(self) -> None:
        """Rename the event that the agent does not touch."""
        self._edit(LUNCH, "SUMMARY:Lunch with Eve")

    def edit_ours(self) -> None:
        """Rename the event that the agent has moved."""
        self._edit(BOARD, "SUMMARY:Board and Eve")

    def _edit(self, href: str, *lines: str) -> None:
        found = self.read(href)
        if found is None:
            raise Refused(f"there is no {href}")
        text = found.state
        for line in lines:
            text = re.sub(rf"(?m)^{line.partition(':')[0]}:[^\r\n]*", line, text)
        self.write(href, text, found.version)

    def _event(self, href: str) -> list[str]:
        _, etag, text = self._send("GET", href)
        return [etag, text]

    def _hrefs(self, folder: str) -> list[str]:
        _, _, answer = self._send("PROPFIND", folder, LIST, Depth="1")
        found = ET.fromstring(answer).iter("{DAV:}href")
        return [href for one in found if (href := unquote(one.text or "")) != folder]

    def _send(self, method: str, href: str, body: str | None = None, **headers: str) -> tuple[int, str, str]:
        """Return status, ETag and body of the answer.

        Raises:
            OSError: the server answered that it could not do it.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request(method, href, body and body.encode(), {**USER, **headers})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 400 and answer.status not in {NOT_FOUND, PRECONDITION}:
            raise OSError(f"{method} {href} was answered with {answer.status}: {text[:200]}")
        return answer.status, answer.getheader("ETag", ""), text


@action.reversible(idempotent=True)
def create_event(ctx: Ctx["World"], title: str, start: str, end: str) -> dict[str, str]:
    """Put an event into the calendar."""
    return ctx.deps.calendar.create(re.sub(r"\W", "-", ctx.key), title, start, end)


@create_event.undo
def _(ctx: Ctx["World"], done: dict[str, str], title: str, start: str, end: str) -> None:
    ctx.deps.calendar.delete(done["href"], done["etag"])


@action.reversible
def move_event(ctx: Ctx["World"], href: str, start: str, end: str) -> None:
    """Move an event to another time."""
    ctx.deps.calendar.move(href, start, end)


@move_event.snapshot
def _(ctx: Ctx["World"], done: None, href: str, start: str, end: str) -> dict[str, Any]:
    return {href: ctx.deps.calendar.read(href)}


@move_event.undo
def _(ctx: Ctx["World"], done: None, href: str, start: str, end: str) -> None:
    ctx.deps.calendar.write(href, ctx.before[href].state, ctx.now[href].version)
