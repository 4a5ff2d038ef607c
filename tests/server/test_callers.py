"""Who is asking comes from the host; what belongs to somebody else is not there."""

import logging

import pytest
from server_helpers import SENT, PacedModel, desk, user_of
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from starlette.testclient import TestClient

from interlock import MemoryStore, Runtime
from interlock.errors import DeclarationError, OtherUserError

NO_RUN = {"error": "there is no such run"}


async def test_a_run_acts_for_the_user_that_the_host_names(serve):
    """The user is the host's; one in the body is refused, not ignored."""
    async with serve() as (rt, client):
        run = (await client("ana").said("hi"))[0].data["id"]
        assert (await rt.journal.store.row(run)).user == "ana"
        response = await client("ana").http.post("/agents/desk/chat", json={"text": "hi", "user": "bob"})
        assert response.status_code == 400
        assert "unknown field `user`" in response.json()["error"]


async def test_a_run_of_another_user_looks_like_none(serve):
    """The answer about another's run is the answer about a run that never was."""
    async with serve() as (_, client):
        run = (await client("ana").said("hi"))[0].data["id"]
        bob = client("bob").http
        for address in (f"/agents/runs/{run}/events", "/agents/runs/nope/events", "/agents/runs/a%2F..%2Fb/events"):
            response = await bob.get(address)
            assert (response.status_code, response.json()) == (404, NO_RUN)


async def test_a_question_of_another_user_looks_like_none(serve):
    """Nobody answers for somebody else, and nobody learns that there is something to answer."""
    async with serve() as (_, client):
        question = (await client("ana").said("mail eve"))[-1].data["id"]
        run = question.rpartition(":")[0]
        for name in (question, "nope:1", f"{run}:1", f"{run}:999", f"{run}:x", run, "%20"):
            response = await client("bob").decide(name, "approve")
            assert (response.status_code, response.json()) == (404, {"error": "there is no such question"})
        # Her own events that are no questions are none either.
        assert (await client("ana").decide(f"{run}:1", "approve")).status_code == 404
        assert not SENT


async def test_a_conversation_of_another_user_looks_like_none(serve):
    """Its id does not let bob read what ana said, speak in her run, or answer what she was asked."""
    async with serve() as (rt, client):
        asked = await client("ana").said("ask", conversation="c")
        response = await client("bob").http.post("/agents/desk/chat", json={"text": "red", "conversation": "c"})
        assert (response.status_code, response.json()) == (404, {"error": "there is no such conversation"})
        assert [one.id for one in await rt.questions()] == [asked[-1].data["id"]]


async def test_a_message_never_speaks_for_another_user():
    """In Python too: a run acts for its user, so another user's message has no place in it."""
    model = PacedModel("One.")
    async with Runtime(MemoryStore(), desk(model)) as rt:
        run = await rt.send("desk", "hi", conversation="c", user={"id": "ana", "role": "boss"})
        for user in ("bob", None):
            with pytest.raises(OtherUserError, match="another user's"):
                await rt.send("desk", "and mine?", conversation="c", user=user)
        assert (await rt.send("desk", "hm", conversation="c", user="ana")).id == run.id
        assert (await rt.send("desk", "hi", conversation="c", user="bob", tenant="other")).id != run.id


async def test_the_same_id_in_another_tenant_is_another_user(serve):
    """A tenant keeps users apart who bear the same id."""

    async def tenant_of(request):
        return request.headers.get("x-tenant")

    async with serve(tenant=tenant_of) as (_, client):
        one, two = client("ana"), client("ana")
        one.http.headers["x-tenant"], two.http.headers["x-tenant"] = "red", "blue"
        run = (await one.said("hi", conversation="c"))[0].data["id"]
        assert (await two.said("recall", conversation="c"))[1].data == {"text": "You said: recall."}
        assert (await two.http.get(f"/agents/runs/{run}/events")).status_code == 404
        assert (await one.http.get(f"/agents/runs/{run}/events")).status_code == 200
        assert (await client("ana").http.get(f"/agents/runs/{run}/events")).status_code == 401


async def test_without_user_runs_have_none(serve):
    """For a laptop: everybody is the same nobody, and conversations work."""
    async with serve(user=None) as (rt, client):
        run = (await client().said("hi", conversation="c"))[0].data["id"]
        assert (await rt.journal.store.row(run)).user is None
        assert (await client().said("recall", conversation="c"))[1].data == {"text": "You said: hi, recall."}
        alone = await client().http.post("/agents/desk/chat", json={"text": "hi", "message_id": "m"})
        assert (alone.status_code, alone.json()["error"]) == (
            400,
            "a message_id needs a conversation that it is unique in",
        )


OURS = "something went wrong on this side"


def raising(error):
    def look(request):
        raise error

    return look


async def late(request):
    return {"id": "ana", "role": "clerk"}


ANSWERS = [
    (lambda _: None, 401, "nobody is signed in"),
    (lambda _: "", 401, "nobody is signed in"),
    (raising(HTTPException(403, "not from here", {"X-Why": "office"})), 403, "not from here"),
    (raising(AttributeError("'UnauthenticatedUser' has no id, see /srv/app.py")), 500, OURS),
    (lambda _: 42, 500, OURS),
    (lambda _: {"name": "ana"}, 500, OURS),
    (lambda _: {"id": 42}, 500, OURS),
    (late, 404, "there is no such agent"),
]


@pytest.mark.parametrize(("look", "status", "error"), ANSWERS)
async def test_who_cannot_be_told_is_nobody(look, status, error, caplog):
    """Whatever the host's function does, a request without a user goes no further, and only the log has the details."""
    async with Runtime(MemoryStore(), desk()) as rt:
        with caplog.at_level(logging.ERROR):
            response = TestClient(rt.asgi(user=look)).post("/nobody/chat", json={"text": "hi"})
        assert (response.status_code, response.json()) == (status, {"error": error})
        assert (status == 500) == bool(caplog.records)
        assert status != 403 or response.headers["x-why"] == "office"


async def test_request_app_is_the_hosts():
    """In user= the request's application is the one that it was mounted in, with what the host keeps there."""
    async with Runtime(MemoryStore(), desk()) as rt:
        host = Starlette(routes=[Mount("/agents", rt.asgi(user=lambda request: request.app.state.user))])
        host.state.user = None
        assert TestClient(host).post("/agents/desk/chat").status_code == 401


async def test_only_the_agents_that_are_named(serve):
    """Those who help behind the scenes can't be talked to; a name that the runtime does not have is told at once."""
    async with serve(agents=[]) as (rt, client):
        response = await client().http.post("/agents/desk/chat", json={"text": "hi"})
        assert (response.status_code, response.json()) == (404, {"error": "there is no such agent"})
        with pytest.raises(DeclarationError, match="names dusk; this runtime has: desk"):
            rt.asgi(user=user_of, agents=["dusk"])
