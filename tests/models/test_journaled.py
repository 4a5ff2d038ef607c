"""An agent on a provider's protocol: what went over the wire is in the journal, byte for byte, and no secret is."""

import hashlib
import json

import msgspec
import pytest
from model_protocols import KEY, PROTOCOLS, Chat

from interlock import Agent, Ctx, Finished, Policy, Runtime, Stopped, action, permit
from interlock.context import shown
from interlock.journal.memory import MemoryStore
from interlock.kernel import events as ev


@action.read
async def find(ctx: Ctx[None], ref: str) -> str:
    """Find a booking."""
    return f"booking {ref} of Ana"


@action.irreversible(idempotent=True)
async def remind(ctx: Ctx[None], ref: str) -> str:
    """Send a reminder."""
    return f"reminded {ref}"


POLICY = Policy(permit([find, remind]))


async def kept(rt, run):
    """The exchanges of a run's turns, their pieces joined again."""
    found = []
    for one in await rt.journal.history(run.id, 0, (ev.TurnRecorded, ev.TurnFailed)):
        for exchange in msgspec.json.decode(bytes(one.event.wire)) or ():
            bodies = {}
            for side in ("request", "response"):
                pieces = [await rt.journal.store.blob(address) for address in exchange[side]]
                bodies[side] = (b"".join(pieces), exchange[side])
            found.append((exchange, bodies))
    return found


async def talk(model, server, rt_options=None):
    desk = Agent("desk", [find, remind], instructions="You are a desk.", model=model, policy=POLICY)
    return Runtime(MemoryStore(), desk, **(rt_options or {}))


@pytest.fixture(params=PROTOCOLS, ids=lambda one: one.name)
def speaks(request):
    return request.param


class TestWire:
    """The journal holds what the provider got and gave."""

    async def test_every_byte_is_there(self, server, model, protocol):
        """Pieces join to the bodies that the server saw, and the salted digests are theirs."""
        server.will(protocol.says(calls=[("c1", "find", ['{"ref": ', '"AB12"}'])]))
        server.will(protocol.says(calls=[("c2", "remind", ['{"ref": "AB12"}'])]))
        server.will(protocol.says(texts=["All ", "done. ", "Bye."]))
        async with await talk(model, server) as rt:
            run = await rt.send("desk", "Remind AB12, please", conversation="c", user="u1")
            assert [one async for one in run.text()] == ["All done. ", "Bye."]
            assert await run.result() == Finished("All done. Bye.")
            found = await kept(rt, run)
            assert [bodies["request"][0] for _, bodies in found] == [one.body for one in server.asked]
            for exchange, bodies in found:
                salt = bytes.fromhex(exchange["salt"])
                for side in ("request", "response"):
                    assert hashlib.sha256(salt + bodies[side][0]).hexdigest() == exchange[f"{side}_digest"]
                assert exchange["redacted"] == []
            heads = [set(bodies["request"][1]) for _, bodies in found]
            assert len(heads[1] - heads[0]) < len(heads[1]), "the pieces of the turn before are not stored again"
            turn = await shown(rt.journal, run.id, 3)
            assert turn.exact
            assert [one.text for one in turn.request.messages if hasattr(one, "action")] == [
                "booking AB12 of Ana",
                "reminded AB12",
            ]
            everything = [row.payload for row in await rt.journal.store.feed()]
            everything += [content async for _, content in rt.journal.store.blobs()]
            assert not any(KEY.encode() in one for one in everything)

    async def test_a_secret_is_not_kept(self, server, model, protocol):
        """A secret in the user's words never reaches the journal; one in the model's is redacted, and marked."""
        secret = "AKIA" + "Q3EGXAMPLE7ZLK2P"
        server.will(protocol.says(texts=["Your key is ", secret, ", keep it."]))
        async with await talk(model, server) as rt:
            run = await rt.send("desk", f"My key is {secret}")
            words = "".join([one async for one in run.text()])
            assert secret not in words
            everything = [row.payload for row in await rt.journal.store.feed()]
            everything += [content async for _, content in rt.journal.store.blobs()]
            assert not any(secret.encode() in one for one in everything)
            ((exchange, _),) = await kept(rt, run)
            assert exchange["redacted"]

    async def test_a_refused_key(self, server, model, protocol):
        """A wrong key parks the run at once, says what to do, and what the provider said is in the journal."""
        server.will([protocol.error("no such key")], status=401, headers={"content-type": "application/json"})
        async with await talk(model, server) as rt:
            run = await rt.send("desk", "hello")
            result = await run.result()
            assert isinstance(result, Stopped)
            assert result.status == "parked"
            assert "key" in result.reason
            assert KEY not in result.reason
            ((exchange, bodies),) = await kept(rt, run)
            assert exchange["status"] == 401
            assert b"no such key" in bodies["response"][0]

    async def test_it_goes_on_after_a_bad_key(self, server, model, protocol):
        """What was parked because of its model goes on when somebody lets it."""
        server.will([protocol.error("no such key")], status=401, headers={"content-type": "application/json"})
        server.will(protocol.says(texts=["Hello."]))
        async with await talk(model, server) as rt:
            run = await rt.send("desk", "hello")
            await run.result()
            await run.unpark(by="ops")
            assert await run.result() == Finished("Hello.")


class TestGarbage:
    """What a model may send that is no proposal."""

    async def test_arguments_that_are_no_json(self, server):
        """They go back to the model as not valid; the next turn can do better."""
        model = Chat().model(server.url)
        server.will(Chat().says(calls=[("c1", "find", ['{"ref": AB12'])]))
        server.will(Chat().says(calls=[("c2", "find", ['{"ref": "AB12"}'])]))
        server.will(Chat().says(texts=["Found."]))
        async with await talk(model, server) as rt:
            run = await rt.send("desk", "find AB12")
            assert await run.result() == Finished("Found.")
            denied = await rt.journal.history(run.id, 0, (ev.Denied,))
            assert [one.event.stage for one in denied] == ["validate"]
        told = json.loads(server.asked[1].body)["messages"][-1]
        assert told["role"] == "tool"
        assert "don't fit" in told["content"]
