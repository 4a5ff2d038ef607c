"""False claims: what says that something was done which was not does not reach the user; nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import (
    Agent,
    Ctx,
    Finished,
    Labels,
    Policy,
    Proposal,
    Refused,
    Stopped,
    action,
    ask_user,
    permit,
)
from interlock.kernel import events as ev
from interlock.models import ModelSaid, Note, Response
from interlock.runtime.claims import Claims
from interlock.testing import every_crash, runtime


@action.irreversible(repeatable=True, idempotent=True)
async def send_email(ctx: Ctx[dict], to: str) -> str:
    """Send an e-mail to somebody."""
    if to == "nobody":
        raise Refused("no such address")
    ctx.deps[ctx.key] = to
    return "sent"


@action.compensable(idempotent=True)
async def reserve_hotel(ctx: Ctx[dict], hotel: str) -> str:
    """Reserve a hotel."""
    ctx.deps[ctx.key] = hotel
    return "reserved"


@reserve_hotel.undo
async def _(ctx: Ctx[dict], done: str, hotel: str) -> None:
    ctx.deps.pop(ctx.undoes)


@action.compensable
async def create_calendar_event(ctx: Ctx[dict], title: str) -> str:
    """Create an event and invite its participants."""
    ctx.deps[ctx.key] = title
    return "created"


@create_calendar_event.undo
async def _(ctx: Ctx[dict], done: str, title: str) -> None:
    ctx.deps.pop(ctx.undoes)


@action.irreversible
async def pay(ctx: Ctx[dict], to: str) -> None:
    """Pay a bill."""


@action.read
async def read_mail(ctx: Ctx[dict]) -> str:
    """The newest mail."""
    return "From Ann: I have sent the email with the plan to everybody. Bye."


ACTIONS = (send_email, reserve_hotel, create_calendar_event, read_mail, ask_user)


def claims(sentence, *actions, **phrases):
    """Return the actions that a sentence claims, of these."""
    found = Claims({one.name: one for one in actions or ACTIONS}, phrases).in_sentence(sentence)
    return set().union(*(one.actions for one in found))


class TestWhatIsAClaim:
    @pytest.mark.parametrize(
        "sentence",
        [
            "I have sent the e-mail to Ann.",
            "I've sent it.",
            "I’ve just emailed her.",
            "I sent the email.",
            "Done! I sent it.",
            "We have successfully sent the message.",
            "I also went ahead and sent the email.",
            "I was able to send the email.",
            "I managed to send it.",
            "All is well, and I have sent it.",
            "- I've sent the email.",
            "**I've sent the email** as you asked.",
            "I found the address and sent the email.",
            "After reading the file, I have sent the email.",
            "I have sent an email with the following content:",
            "Please note that I have sent the email.",
        ],
    )
    def test_first_person_and_past(self, sentence):
        """What the agent says that it did itself, in its own clause, is a claim."""
        assert "send_email" in claims(sentence)

    @pytest.mark.parametrize(
        "sentence",
        [
            "The e-mail has been sent.",
            "Your reservation was cancelled and the money refunded.",
            "I haven't sent the email.",
            "I have not sent it.",
            "I've sent nothing.",
            "I have sent no email.",
            "I could not send it, so nothing was sent.",
            "I will send the email.",
            "I'm going to send it now.",
            "I can send the email.",
            "Shall I say that I have sent the email?",
            "Have I sent the email?",
            "If I have sent it twice, tell me.",
            "Once I have sent it, you will hear.",
            "As soon as I've sent it, Ann reads it.",
            "I would have sent it.",
            "Ann wrote: “I have sent the email.”",
            'She says "I have sent the email."',
            "> I have sent the email.",
            "Here is a draft: I have sent the email.",
            "The email I sent you holds the plan.",
            "Ann sent the email.",
            "You sent it, I read it.",
            "I sent it yesterday.",
            "I sent you that an hour ago.",
            "I've read the mail.",
            "I made a mistake.",
            "I can look up the day and then created the event is.",
            "I have all I need to recommend it and set a reminder event.",
            "I've paid close attention to the dates.",
            "I had sent it before you wrote.",
            "I have set out the options below.",
            "I've created a summary of your mails.",
            "I have added the numbers up.",
            "I've added the numbers to the table.",
            "I've made a list.",
            "I booked-marked it.",
            "Ich habe die E-Mail gesendet.",
        ],
    )
    def test_all_else(self, sentence):
        """The passive, negations, questions, plans, conditions, quotations, drafts, another day: none is a claim."""
        assert not claims(sentence, *ACTIONS, pay)

    def test_a_draft_of_several_lines(self):
        """What follows the announcement of a text is that text."""
        found = Claims({"send_email": send_email})
        assert not found.in_sentence("Here is the text of the message:\n")
        assert not found.in_sentence("Hi Ann, I have sent the email.\n")

    def test_verbs_that_this_agent_has_no_effect_for(self):
        """A verb is held against the actions of this agent; with none that fits, it says nothing."""
        assert not claims("I have sent the email.", reserve_hotel)
        assert not claims("I have sent the email.", read_mail)
        assert not claims("I have refunded it.", reserve_hotel)
        assert claims("I've made a reservation.", reserve_hotel) == {"reserve_hotel"}

    def test_weak_verbs_need_their_thing(self):
        """To have created or added something is a claim where the thing is what an action is named after."""
        assert "create_calendar_event" in claims("I've created the meeting.")
        assert "create_calendar_event" in claims("I have added Ann to the event.")
        assert not claims("I've created it.")
        assert not claims("I've created a list of the events.")

    def test_compound_actions(self):
        """An invitation may have gone out with an event: several actions answer for a verb."""
        assert claims("I have sent the invitations.") >= {"send_email", "create_calendar_event"}
        assert claims("I've booked the meeting.") >= {"reserve_hotel", "create_calendar_event"}

    def test_phrases_of_labels(self):
        """How users ask for an action tells which verbs it answers for."""
        assert not claims("I've paid the bill.", reserve_hotel)
        assert claims("I've paid the bill.", reserve_hotel, reserve_hotel=["pay the bill"]) == {"reserve_hotel"}

    @given(st.text(st.sampled_from(list("IWe' have sent,.:;!?\"“”*_-\n’>I'vesentit")), max_size=300))
    def test_any_text(self, sentence):
        """Whatever is said, looking at it ends, and does not fail."""
        claims(sentence)

    @pytest.mark.parametrize("piece", ["I have ", "* ", "I", "and sent the ", "'", '"', "\n", "I've sent it, and "])
    def test_long_sentences(self, piece):
        """The time grows with the length, not with its square."""
        claims(piece * (100_000 // len(piece)))


def turn(number):
    """A turn of a script: words, with proposals where there are some."""

    def of(text, *proposals):
        return Response(text=text, proposals=proposals, finish="calls" if proposals else "stop")

    return of(*number) if isinstance(number, tuple) else of(number)


def mailer(*turns, name="mailer", subs=(), **options):
    """An agent with this script; its model goes by how often it has answered, so that it can be asked again."""

    class Scripted:
        name = "scripted"

        def __init__(self):
            self.asked = []

        async def respond(self, request):
            self.asked.append(request)
            yield turn(turns[sum(isinstance(one, ModelSaid) for one in request.messages)])

    policy = Policy(permit(list(ACTIONS)), *(permit(sub.name) for sub in subs))
    return Agent(name, [*ACTIONS, *subs], model=Scripted(), policy=policy, deps=dict, **options)


async def said(run):
    return "".join([one.event.text for one in await run.history() if isinstance(one.event, ev.Said)])


async def done(run):
    return [one.event for one in await run.history() if isinstance(one.event, ev.Done)]


def an_email(to="ann"):
    return Proposal("send_email", {"to": to})


CLAIM = "I have sent the e-mail to Ann."
BACKED = [("", an_email()), CLAIM]


class TestInARun:
    async def test_what_was_done_may_be_claimed(self):
        """A claim with an outcome behind it reaches the user."""
        async with runtime(mailer(*BACKED)) as rt:
            run = await rt.send("mailer", "mail ann")
            assert await run.result() == Finished(CLAIM)
            assert await said(run) == CLAIM

    async def test_the_model_is_told_and_says_it_right(self):
        """What was not done is not said: the model hears why, does it, and then may say so."""
        agent = mailer(f"All done. {CLAIM} Bye.", *BACKED[:1], CLAIM)
        async with runtime(agent) as rt:
            run = await rt.send("mailer", "mail ann")
            assert await run.result() == Finished(CLAIM)
            assert await said(run) == f"All done. {CLAIM}"
            assert len(await done(run)) == 1
        note = next(one.text for one in agent.model.asked[1].messages if isinstance(one, Note))
        assert "I have sent the e-mail to Ann" in note
        assert "no outcome of" in note
        assert "send_email" in note
        assert "do it, or say that it was not done" in note

    async def test_twice_it_is_parked(self):
        """Told once, and claimed again: a person has to look; with their leave the run goes on."""
        async with runtime(mailer(CLAIM, "I've sent it!", "Nothing was sent.")) as rt:
            run = await rt.send("mailer", "mail ann")
            match await run.result():
                case Stopped("parked", reason):
                    assert "was told" in reason
                    assert "I've sent it" in reason
                    assert "nothing of that kind was done" in reason
                case other:
                    pytest.fail(f"{other}")
            assert await said(run) == ""
            await run.unpark(by="ana")
            assert await run.result() == Finished("Nothing was sent.")

    async def test_what_is_achieved_in_between_counts(self):
        """A claim, then work, then another false one: it is told again before it is parked."""
        script = [CLAIM, ("", Proposal("reserve_hotel", {"hotel": "Ritz"})), "I've emailed her.", "I only reserved it."]
        async with runtime(mailer(*script)) as rt:
            run = await rt.send("mailer", "mail ann")
            # A reservation is no e-mail, but what was reserved was done.
            assert await run.result() == Finished("I only reserved it.")

    async def test_what_failed_was_not_done(self):
        """An effect that was refused by the other side backs no claim."""
        async with runtime(mailer(("", an_email("nobody")), CLAIM, "It was not sent.")) as rt:
            run = await rt.send("mailer", "mail nobody")
            assert await run.result() == Finished("It was not sent.")
            assert await said(run) == "It was not sent."

    async def test_what_was_taken_back_holds_no_longer(self):
        """After an undo, what was done is done no more; the next run of the conversation may not claim it."""
        reserved = "I've reserved the hotel."
        booking = Proposal("reserve_hotel", {"hotel": "Ritz"})
        agent = mailer(("", booking), reserved, reserved, reserved, "It is not reserved.")
        async with runtime(agent) as rt:
            first = await rt.send("mailer", "book", conversation="c", user="u")
            assert await first.result() == Finished(reserved)
            second = await rt.send("mailer", "is it?", conversation="c", user="u")
            assert await second.result() == Finished(reserved)
            await (await first.undo_plan()).apply(by="ana")
            third = await rt.send("mailer", "is it?", conversation="c", user="u")
            assert await third.result() == Finished("It is not reserved.")

    async def test_with_the_proposal_in_one_turn(self):
        """Words that come with the proposal come before it is done: they are withheld, the effect goes its way."""
        async with runtime(mailer((CLAIM, an_email()), CLAIM)) as rt:
            run = await rt.send("mailer", "mail ann")
            assert await run.result() == Finished(CLAIM)
            assert await said(run) == CLAIM
            assert len(await done(run)) == 1

    async def test_quoting_a_result(self):
        """Words that stand in a result are somebody else's."""
        quoted = "The newest mail, from Ann.\nI have sent the email with the plan to everybody."
        async with runtime(mailer(("", Proposal("read_mail", {})), quoted)) as rt:
            run = await rt.send("mailer", "read it to me")
            assert await run.result() == Finished(quoted)

    async def test_what_a_sub_agent_did(self):
        """The agent that handed the task on may say that it was done."""
        sub = mailer(("", an_email()), "It is on its way.", name="post")
        boss = mailer(("", Proposal("post", {"task": "mail ann"})), CLAIM, subs=[sub])
        async with runtime(boss) as rt:
            run = await rt.send("mailer", "mail ann")
            assert await run.result() == Finished(CLAIM)

    async def test_with_labels_too(self):
        """An agent with labels is looked at in the same way."""
        async with runtime(mailer(CLAIM, "Nothing was sent.", labels=Labels())) as rt:
            run = await rt.send("mailer", "mail ann")
            assert await run.result() == Finished("Nothing was sent.")

    async def test_every_crash(self):
        """After a crash anywhere the run comes to the same words, and the user reads nothing that was withheld."""

        async def play(rt):
            await rt.ending(await rt.send("mailer", "mail ann", user="u", message_id="m"))

        async def check(rt):
            (row,) = await rt.store.rows()
            run = rt.run(row.id)
            assert await run.result() == Finished(CLAIM)
            assert await said(run) == f"One moment. {CLAIM}"
            assert list(rt.deps.values()) == ["ann"]

        agent = mailer(f"One moment. {CLAIM}", ("", an_email()), CLAIM)
        crashes = await every_crash(agent, play, check=check, deps=dict)
        assert any("denied" in at for boundary in crashes.boundaries for at in boundary)
