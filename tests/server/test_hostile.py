"""Whatever a client sends, it gets one clear error in JSON, and nothing begins."""

import asyncio

import pytest
from server_helpers import PacedModel, desk

from interlock import Agent, Finished, MemoryStore
from interlock.kernel import events as ev
from interlock.server.bodies import LONGEST_BODY

JSON = {"content-type": "application/json"}
BAD = [
    (b"", 400),
    (b"{", 400),
    (b"\xff\xfe", 400),
    (b"null", 400),
    (b"[]", 400),
    (b'"text"', 400),
    (b"{}", 400),
    (b'{"text": ""}', 400),
    (b'{"text": " \\n"}', 400),
    (b'{"text": 1}', 400),
    (b'{"text": null}', 400),
    (b'{"text": "\\ud800"}', 400),
    (b'{"text": ' + b"[" * 100_000, 400),
    (b'{"text": "a", "messageId": "m"}', 400),
    (b'{"text": "a", "message_id": ""}', 400),
    (b'{"text": "a", "conversation": ""}', 400),
    (b'{"text": "a", "conversation": {"$ne": ""}}', 400),
    (b'{"text": "a", "conversation": "' + b"c" * 201 + b'"}', 400),
    (b'{"text": "' + b"a" * 100_001 + b'"}', 400),
    (b'{"text": "' + b"a" * LONGEST_BODY + b'"}', 413),
]


def told(response):
    """Return the error that a client is told; there is nothing else in it, and nothing of the inside."""
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    assert body["error"]
    for inside in ("Traceback", ".py", "/src", "msgspec", "starlette"):
        assert inside not in body["error"]
    return body["error"]


@pytest.fixture
async def ana(serve):
    async with serve() as (rt, client):
        yield client()
        assert await rt.journal.feed() == []


async def test_bodies_that_are_no_messages(ana):
    """Each is refused with what is wrong with it."""
    for body, status in BAD:
        response = await ana.http.post("/agents/desk/chat", content=body, headers=JSON)
        assert response.status_code == status, body[:50]
        told(response)


async def test_a_body_that_does_not_tell_its_length(ana):
    """It is read up to the limit, and refused there."""

    async def pieces():
        for _ in range(LONGEST_BODY // 65_536 + 1):
            yield b" " * 65_536

    response = await ana.http.post("/agents/desk/chat", content=pieces(), headers=JSON)
    assert response.status_code == 413
    told(response)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_what_a_page_of_another_site_can_send_is_refused(ana, kind):
    """Forms and plain text go out with the user's cookies without asking; JSON does not."""
    response = await ana.http.post("/agents/desk/chat", content=b'{"text": "hi"}', headers={"content-type": kind})
    assert response.status_code == 415
    assert "application/json" in told(response)


async def test_addresses_that_are_not_there(ana):
    """Unknown agents, pages and methods; names are taken as they are."""
    for method, address, status in [
        ("POST", "/agents/dusk/chat", 404),
        ("POST", "/agents/desk%00/chat", 404),
        ("POST", "/agents/..%2Fdesk/chat", 404),
        ("POST", "/agents/desk/chat/", 404),
        ("GET", "/agents/", 404),
        ("GET", "/agents/desk/chat", 405),
        ("DELETE", "/agents/runs/r/events", 405),
        ("GET", "/agents/runs/%00/events", 404),
        ("GET", f"/agents/runs/{'r' * 5000}/events", 404),
    ]:
        response = await ana.http.request(method, address, json={"text": "hi"})
        assert response.status_code == status, address
        told(response)


async def test_an_agent_that_nothing_drives_is_not_there(serve):
    """A message to an agent of a foreign loop would never be answered."""
    async with serve(Agent("desk")) as (_, client):
        response = await client().http.post("/agents/desk/chat", json={"text": "hi"})
        assert response.status_code == 404


@pytest.mark.parametrize("place", ["-1", "1.5", "x", "²", "١", "9" * 40, "1 2", "0x1", str(2**63)])
async def test_places_that_are_none(serve, place):
    """A Last-Event-ID that is no number is told, in the header and in the address."""
    async with serve() as (_, client):
        ana = client()
        run = (await ana.said("hi"))[0].data["id"]
        one = await ana.http.get(f"/agents/runs/{run}/events", headers={"Last-Event-ID": place.encode()})
        two = await ana.http.get(f"/agents/runs/{run}/events", params={"after": place})
        assert (one.status_code, two.status_code) == (400, 400)
        assert told(one) == told(two)


async def test_a_place_behind_the_end(serve):
    """A client that has seen more than there is has seen everything, and still hears the end of a run at work."""
    model = PacedModel("One.")
    async with serve(desk(model)) as (_, client):
        ana = client()
        async with ana.chat("hi") as events:
            run = (await anext(events)).data["id"]
        async with ana.following(run, 10**6) as events:
            assert (await anext(events)).name == "run"
            model.go_on()
            assert [one.name async for one in events] == ["sentence", "done"]
        assert (await ana.http.get(f"/agents/runs/{run}/events?after=1000000")).status_code == 204


async def test_decisions_that_are_none(serve):
    """Only what a question takes is taken; the question stays open."""
    async with serve() as (rt, client):
        ana = client()
        question = (await ana.said("mail bob"))[-1].data["id"]
        for body in (
            {},
            {"decision": "happened"},
            {"decision": "answer", "text": "yes"},
            {"decision": ["approve"]},
            {"decision": "approve", "by": "carol"},
            {"decision": "approve", "text": None},
        ):
            response = await ana.http.post(f"/agents/questions/{question}", json=body)
            assert response.status_code == 400
            told(response)
        form = await ana.http.post(f"/agents/questions/{question}", data={"decision": "approve"})
        assert form.status_code == 415
        assert [one.id for one in await rt.questions()] == [question]


async def test_strange_words_come_back_as_they_were(serve):
    """Line breaks, zeros, markup and other scripts in names and texts break no stream and no run."""
    strange = "a\r\n\r\nevent: done\ndata: {}\x00\u2028<b>ß 🚲"
    async with serve() as (rt, client):
        events = await client().said(strange, conversation=strange, message_id=strange)
        assert [one.name for one in events] == ["run", "sentence", "sentence", "done"]
        started = (await rt.run(events[0].data["id"]).history())[0].event
        assert (started.conversation, started.message) == (strange, strange)
        model = PacedModel("x\r\nevent: done\ndata: {}\u2028 y.")
    async with serve(desk(model)) as (_, client):
        model.go_on()
        events = await client().said("hi")
        assert "".join(one.data["text"] for one in events if one.name == "sentence") == model.sentences[0] + " "


class LateInbox(MemoryStore):
    """A store that shows nobody its inbox from a message's arrival until a run has ended."""

    def __init__(self):
        super().__init__()
        self.open = asyncio.Event()
        self.open.set()

    async def signals(self, **options):
        await self.open.wait()
        return await super().signals(**options)

    async def signal(self, *signal):
        self.open.clear()
        return await super().signal(*signal)

    async def append(self, entry):
        position = await super().append(entry)
        if any(one.type == "run_ended" for one in entry.drafts):
            self.open.set()
        return position


async def test_a_message_that_came_too_late_for_its_run(serve):
    """It begins a run of its own, and the stream goes on with that one."""
    model, store = PacedModel("One."), LateInbox()
    async with serve(desk(model), store) as (rt, client):
        async with client().chat("first", conversation="c") as events:
            run = (await anext(events)).data["id"]
            while not model.asked:
                await asyncio.sleep(0.01)
            second = asyncio.create_task(client().said("second", conversation="c", message_id="m2"))
            while store.open.is_set():
                await asyncio.sleep(0.01)
            model.go_on(2)
            assert [one.name async for one in events] == ["sentence", "done"]
        told = await second
        assert [one.name for one in told] == ["run", "sentence", "done", "run", "sentence", "done"]
        assert told[0].data["id"] == run != told[3].data["id"]
        following = rt.run(told[3].data["id"])
        assert await following.result() == Finished("One. ")
        started = (await following.history())[0].event
        assert isinstance(started, ev.RunStarted)
        assert started.message == "m2"
