"""Talking to an agent over HTTP: what is streamed, in which order, and to whom."""

import asyncio

from server_helpers import SENT, PacedModel, desk

from interlock import Agent, Finished, Policy, Proposal, Runtime, ScriptedModel, permit
from interlock.kernel import events as ev


def names(events):
    return [one.name for one in events]


def texts(events):
    return [one.data["text"] for one in events if one.name == "sentence"]


async def test_an_answer_is_streamed_with_its_run_and_its_end(serve):
    """First the run, then each sentence with its place, then what it left."""
    async with serve() as (rt, client):
        events = await client().said("hi")
        assert names(events) == ["run", "sentence", "sentence", "done"]
        assert texts(events) == ["Hello. ", "This is answer 1."]
        assert events[-1].data == {"output": "Hello. This is answer 1."}
        places = [one.id for one in events]
        assert places == sorted(places)
        run = rt.run(events[0].data["id"])
        assert await run.result() == Finished("Hello. This is answer 1.")


async def test_sentences_arrive_while_the_model_still_speaks(serve):
    """The first sentence is there before the model has said the second."""
    model = PacedModel("One.", "Two.", "Three.")
    async with serve(desk(model)) as (_, client), client().chat("go") as events:
        assert (await anext(events)).name == "run"
        model.go_on(2)
        # A sentence is over when the next one begins.
        assert (await anext(events)).data == {"text": "One. "}
        model.go_on()
        assert (await anext(events)).data == {"text": "Two. "}
        assert names([one async for one in events]) == ["sentence", "done"]


async def test_drafts_only_for_those_who_ask(serve):
    """Words that nobody has looked at yet come only with ?drafts=1, and the sentence comes all the same."""
    model = PacedModel("One.", "Two.")
    async with serve(desk(model)) as (_, client):
        async with client().chat("go", drafts=True) as events:
            assert (await anext(events)).name == "run"
            while not model.asked:
                await asyncio.sleep(0.01)
            model.go_on()
            draft = await anext(events)
            assert (draft.name, draft.data, draft.id) == ("draft", {"text": "One. "}, None)
            model.go_on()
            rest = [one async for one in events]
            assert texts(rest) == ["One. ", "Two. "]
        model.go_on(2)
        assert "draft" not in names(await client().said("go"))


async def test_a_client_that_leaves_does_not_stop_the_run(serve):
    """The run goes on to its end, and nobody listens to it any more."""
    model = PacedModel("One.", "Two.")
    async with serve(desk(model)) as (rt, client):
        async with client().chat("go") as events:
            run = rt.run((await anext(events)).data["id"])
        while any(not one.done() for one in rt._mail._watchers.get(run.id, ())):
            await asyncio.sleep(0.01)
        model.go_on(2)
        assert await run.result() == Finished("One. Two. ")


async def test_connecting_again_gives_the_rest_and_no_repeats(serve):
    """Last-Event-ID is the last sentence that was seen; what comes after it is told once, to the end."""
    model = PacedModel("One.", "Two.", "Three.")
    async with serve(desk(model)) as (_, client):
        ana = client()
        async with ana.chat("go") as events:
            run = (await anext(events)).data["id"]
            model.go_on(2)
            seen = await anext(events)
        async with ana.following(run, seen.id) as events:
            assert (await anext(events)).data == {"id": run}
            model.go_on()
            rest = [one async for one in events]
            assert texts(rest) == ["Two. ", "Three. "]
            assert rest[-1].name == "done"
        again = await ana.http.get(f"/agents/runs/{run}/events", headers={"Last-Event-ID": str(rest[-1].id)})
        assert (again.status_code, again.content) == (204, b"")
        whole = await ana.http.get(f"/agents/runs/{run}/events?after={seen.id}")
        assert whole.text.count("event: sentence") == 2


async def test_a_conversation_remembers(serve):
    """The next message of a conversation begins a run that knows what was said before."""
    async with serve() as (_, client):
        await client().said("first", conversation="c")
        events = await client().said("recall", conversation="c")
        assert texts(events) == ["You said: first, recall."]


async def test_a_message_sent_again_under_its_id_is_told_again(serve):
    """A client that lost the connection sends the same message and gets the same answer, of the same run."""
    async with serve() as (rt, client):
        first = await client().said("hi", conversation="c", message_id="m1")
        again = await client().said("hi", conversation="c", message_id="m1")
        assert again == first
        assert len(await rt.journal.conversation("", "c")) == 1


async def test_a_message_sent_again_while_its_run_is_at_work(serve):
    """What was said between the lost connection and the new one is not lost with it."""
    model = PacedModel("One.", "Two.", "Three.")
    message = {"conversation": "c", "message_id": "m1"}
    async with serve(desk(model)) as (rt, client):
        async with client().chat("hi", **message) as events:
            run = (await anext(events)).data["id"]
        model.go_on(2)
        while not await rt.journal.history(run, 0, (ev.Said,)):
            await asyncio.sleep(0.01)
        async with client().chat("hi", **message) as events:
            assert [(await anext(events)).name, (await anext(events)).data] == ["run", {"text": "One. "}]
            model.go_on()
            assert texts([one async for one in events]) == ["Two. ", "Three. "]


async def test_the_next_message_answers_a_question(serve):
    """What the agent asks ends the stream; the answer goes on in the same run, and what was said is not repeated."""
    async with serve() as (_, client):
        asked = await client().said("ask", conversation="c")
        assert names(asked) == ["run", "question"]
        assert asked[-1].data["kind"] == "question"
        assert "Which colour?" in asked[-1].data["says"]
        answered = await client().said("blue", conversation="c")
        assert answered[0].data == asked[0].data
        assert answered[0].id > asked[0].id
        assert texts(answered) == ["All done: blue."]


async def test_a_question_answered_at_its_own_endpoint(serve):
    """The stream of the run goes on with what the answer led to."""
    async with serve() as (_, client):
        ana = client()
        run, question = await ana.said("ask", conversation="c")
        async with ana.following(run.data["id"], run.id) as events:
            assert (await anext(events)).name == "run"
            assert (await anext(events)).data == question.data
            wrong = await ana.decide(question.data["id"], "approve")
            assert (wrong.status_code, wrong.json()) == (400, {"error": "this question takes one of: answer"})
            assert (await ana.decide(question.data["id"], "answer", " ")).status_code == 400
            assert (await ana.decide(question.data["id"], "answer", "blue")).status_code == 204
            rest = [one async for one in events]
            assert texts(rest) == ["All done: blue."]
        assert (await ana.decide(question.data["id"], "answer", "red")).status_code == 409


async def test_the_user_confirms_or_says_no(serve):
    """Nothing is done before the user says yes, and after a no the agent is told why."""
    async with serve() as (_, client):
        ana = client()
        run, question = await ana.said("mail bob")
        assert question.data["kind"] == "confirmation"
        assert "bob" in question.data["says"]
        assert not SENT
        assert (await ana.decide(question.data["id"], "approve")).status_code == 204
        async with ana.following(run.data["id"]) as events:
            assert "sent to bob" in texts([one async for one in events])[-1]
        assert SENT == ["bob"]
        run, question = await ana.said("mail eve")
        assert (await ana.decide(question.data["id"], "deny", "not her")).status_code == 204
        async with ana.following(run.data["id"]) as events:
            assert "not her" in texts([one async for one in events])[-1]
        assert SENT == ["bob"]


async def test_what_a_sub_agent_asks_reaches_the_user(serve):
    """Its question comes in the stream of the run that the user knows; the sub-agent itself can't be talked to."""
    clerk = desk()
    delegating = ScriptedModel([Proposal("desk", {"task": "mail bob"}), "It is done."])
    front = Agent("front", [clerk], model=delegating, policy=Policy(permit(["desk", "mail"])))
    async with serve(front) as (rt, client):
        ana = client()
        run, question = await ana.said("write to bob", agent="front")
        assert question.data["kind"] == "confirmation"
        assert (await client("bob").decide(question.data["id"], "approve")).status_code == 404
        async with ana.following(run.data["id"]) as events:
            assert [(await anext(events)).data for _ in range(2)] == [run.data, question.data]
            assert (await ana.decide(question.data["id"], "approve")).status_code == 204
            assert texts([one async for one in events]) == ["It is done."]
        assert SENT == ["bob"]
        assert "front/desk" in rt.agents
        assert (await ana.http.post("/agents/front%2Fdesk/chat", json={"text": "hi"})).status_code == 404


async def test_what_others_decide_is_waited_for_but_not_decided_here(serve):
    """The user hears whom the run waits for; not even with the question's id can the user approve."""
    async with serve() as (rt, client):
        ana = client()
        run, waiting = await ana.said("pay 40")
        assert (waiting.name, waiting.data) == ("waiting", {"for": ["finance"]})
        (question,) = await rt.questions()
        refused = await ana.decide(question.id, "approve")
        assert refused.status_code == 403
        async with ana.following(run.data["id"], run.id) as events:
            assert [(await anext(events)).name, (await anext(events)).name] == ["run", "waiting"]
            await question.approve(by="carol")
            assert texts([one async for one in events]) == ["All done: paid 40."]


async def test_a_question_is_told_once(serve):
    """Whatever else changes in the run while it waits, its question is not told again."""
    async with serve() as (rt, client):
        ana = client()
        run, _ = await ana.said("pay 40")
        async with ana.following(run.data["id"]) as events:
            assert [(await anext(events)).name for _ in range(2)] == ["run", "waiting"]
            rt._mail.stir(run.data["id"])
            while not rt._mail._watchers.get(run.data["id"]):
                await asyncio.sleep(0.01)
            (question,) = await rt.questions()
            await question.approve(by="carol")
            assert names([one async for one in events]) == ["sentence", "done"]


async def test_a_failed_run_says_so_and_not_why(serve):
    """The words of an error stay in the journal."""

    def broken(_):
        raise ValueError("no such file: /srv/secret.py")

    agent = desk(PacedModel("x"))
    agent._model.respond = broken
    async with serve(agent) as (rt, client):
        events = await client().said("hi")
        assert (events[-1].name, events[-1].data) == ("stopped", {"status": "parked"})
        assert "secret" in (await rt.run(events[0].data["id"]).result()).reason


async def test_a_parked_run_is_followed_until_it_goes_on(serve):
    """Who follows a parked run hears that it is parked, and the rest once somebody has let it go on."""
    model = PacedModel("One.")
    broken = model.respond

    def failing(_):
        raise ValueError("down")

    model.respond = failing
    async with serve(desk(model)) as (rt, client):
        run = (await client().said("hi"))[0].data["id"]
        async with client().following(run) as events:
            assert [(await anext(events)).name for _ in range(2)] == ["run", "stopped"]
            await rt.run(run).unpark(by="carol")
            again = await anext(events)
            assert (again.name, again.data) == ("stopped", {"status": "parked"})
            model.respond = broken
            model.go_on()
            await rt.run(run).unpark(by="carol")
            assert names([one async for one in events]) == ["sentence", "done"]


async def test_a_silent_stream_shows_signs_of_life(serve, monkeypatch):
    """While nothing is said, comments come, so that nobody in between closes the connection."""
    monkeypatch.setattr("interlock.server.streaming.HEARTBEAT", 0.01)
    model = PacedModel("One.")
    async with serve(desk(model)) as (_, client), client().chat("go") as events:
        assert [(await anext(events)).name for _ in range(3)] == ["run", "comment", "comment"]
        model.go_on()
        assert [one.name async for one in events if one.name != "comment"] == ["sentence", "done"]


async def test_a_runtime_that_closes_ends_its_streams(serve):
    """The stream ends as a stream ends, in the middle of a run; afterwards the endpoints say that it is closed."""
    model = PacedModel("One.")
    async with serve(desk(model)) as (rt, client), client().chat("go", drafts=True) as events:
        assert (await anext(events)).name == "run"
        await rt.__aexit__(None, None, None)
        assert [one async for one in events] == []
        response = await client().http.post("/agents/desk/chat", json={"text": "hi"})
        assert (response.status_code, response.json()) == (503, {"error": "this can't be done now; try again"})
        # The fixture closes it too, which does nothing more.


async def test_a_runtime_that_is_not_open_yet():
    """A host that serves before it has opened the runtime is told so, not confused."""
    from starlette.testclient import TestClient

    client = TestClient(Runtime(":memory:", desk()).asgi())
    for response in (client.post("/desk/chat", json={"text": "hi"}), client.get("/runs/r/events")):
        assert response.status_code == 503
