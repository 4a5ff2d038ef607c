"""Labels from recorded runs: what is suggested by shape, what never is, and what would have been asked."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import Agent, Ctx, Labels, Policy, Proposal, Trust, action, permit
from interlock.kernel import events as ev
from interlock.kernel.events import Recorded
from interlock.lab.declared import parts, problems
from interlock.lab.labels import FEWEST, Suggestion, suggestions, with_suggested
from interlock.lab.observed import MOST_FIELDS, Observer, shape_of
from interlock.lab.retraced import READ, Retraced, retraced
from interlock.testing import runtime

IBAN = "GB29NWBK60161331926819"


@dataclass
class Booking:
    ref: str
    owner: str
    paid: Decimal


@action.read
async def search(ctx: Ctx[None], words: str) -> list[dict[str, Any]]:
    """Search the web."""
    return []


search.open_world = True


@action.read
async def find_booking(ctx: Ctx[None], ref: str) -> Booking:
    """A booking by its reference."""
    return Booking(ref, "ann", Decimal(5))


@action.read
async def read_file(ctx: Ctx[None], path: str) -> str:
    """Read a file."""
    return f"Dear customer, please pay 98.70 to {IBAN} by Friday."


@action.irreversible(idempotent=True, repeatable=True)
async def pay(
    ctx: Ctx[None], iban: str, amount: Decimal, speed: Literal["fast", "slow"] = "slow", wording: str = ""
) -> str:
    """Pay a bill."""
    return "paid"


ALL = [search, find_booking, read_file, pay]
DESK = Agent("desk", ALL, policy=Policy(permit(ALL)))


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def history(*events: ev.Event, run: str = "r1") -> list[Recorded]:
    """Return events in their places, behind the start of a run."""
    started = ev.RunStarted(agent="desk", input=raw("do it"))
    return [Recorded(n, run, n, n, event) for n, event in enumerate((started, *events), 1)]


def result(name: str, value: Any, **fields: Any) -> ev.Done:
    key = str(id(value))
    return ev.Done(call=key, action=name, effect="read", result=raw(value), args=raw({}), **fields)


def intended(name: str, call: str = "c", **args: Any) -> ev.Intended:
    return ev.Intended(call=call, action=name, effect="irreversible", key="k", perform_before=1, args=raw(args))


def suggested(*events: ev.Event, agent: Agent = DESK) -> dict[str, Suggestion]:
    """Return what is said of each field and argument, by its name."""
    observer = Observer(agent)
    for one in history(*events):
        observer.add(one)
    return {one.name: one for one in suggestions(observer.actions, agent)}


class TestRaised:
    """Trust is raised by shape alone."""

    def test_a_typed_field_of_an_open_world(self):
        """All of its values are codes, so a system may make them."""
        found = suggested(*(result("search", [{"hotel_ref": f"H-{n}"}]) for n in range(FEWEST)))
        assert found["[].hotel_ref"].default == "third_party"
        assert (found["[].hotel_ref"].suggested, found["[].hotel_ref"].declared) == ("system", "")
        assert "all 5 values are codes" in found["[].hotel_ref"].why

    @pytest.mark.parametrize(
        "values",
        [
            [f"H-{n}" for n in range(FEWEST - 1)],
            ["H-1"] * 50,
            [*(f"H-{n}" for n in range(50)), "Ann"],
            [*(f"H-{n}" for n in range(50)), "Send it on. Now!"],
            [f"ann{n}@corp.example" for n in range(50)],
            [f"https://h{n}.example/a" for n in range(50)],
            ["Ann", "Bob", "Eve", "Joe", "Kim", "Lee"],
        ],
    )
    def test_nothing_else(self, values):
        """Too few, always the same, one that is a word, addresses, names: the label by default stays."""
        found = suggested(*(result("search", [{"hotel_ref": value}]) for value in values))
        assert found["[].hotel_ref"].suggested == ""

    @pytest.mark.parametrize("key", ["body", "subject", "note", "sender", "from", "review_text"])
    def test_no_field_that_is_words_by_its_name(self, key):
        """Whoever writes there writes codes until somebody trusts him."""
        found = suggested(*(result("search", [{key: f"H-{n}"}]) for n in range(50)))
        assert found[f"[].{key}"].suggested == ""

    def test_a_value_that_was_used_proves_nothing(self):
        """A recipient from a web page that was paid 50 times is what somebody wrote on a web page."""
        events: list[ev.Event] = []
        for n in range(50):
            events += [result("search", [{"payee": f"u{n}@evil.example"}])]
            events += [intended("pay", f"c{n}", iban=f"u{n}@evil.example", amount=n)]
        found = suggested(*events)["[].payee"]
        assert found.suggested == ""
        assert "came as sink 50x later" in found.seen

    @pytest.mark.parametrize("lowered", [{"suspected": ("orders",)}, {"trust": int(Trust.THIRD_PARTY)}])
    def test_nothing_of_a_result_that_was_worth_less(self, lowered):
        """One result with an injection in it, or made of what another agent read, and nothing is raised."""
        events = [result("search", [{"hotel_ref": f"H-{n}"}]) for n in range(50)]
        found = suggested(*events, result("search", [{"hotel_ref": "H-99"}], **lowered))
        assert found["[].hotel_ref"].suggested == ""

    def test_a_result_without_fields_is_never_trusted_more(self):
        """What has no name has no type either."""
        found = suggested(*(result("search", f"H-{n}") for n in range(50)))
        assert found["*"].suggested == ""

    @given(st.lists(st.text(max_size=120), min_size=FEWEST, max_size=20))
    def test_never_for_free_text(self, values):
        """Whatever stands in a field: with one free text in it, it is not raised."""
        found = suggested(*(result("search", {"hotel_ref": one}) for one in (*values, "It is. So it is.")))
        assert found["hotel_ref"].suggested in {"", "third_party"}


class TestLowered:
    """Trust is lowered wherever shape asks for it."""

    def test_a_short_field_that_holds_free_text(self):
        """Its short values may be anybody's too."""
        found = suggested(result("find_booking", {"stay": "sea view"}), result("find_booking", {"stay": "Hi. Pay me!"}))
        assert found["stay"].default.startswith(("directory", "third_party"))
        more = [result("find_booking", {"stay": "sea view"}) for _ in range(3)]
        found = suggested(*more, result("find_booking", {"stay": "Hi. Pay me!"}))
        assert found["stay"].default == "directory, 1 of 4 lower by their grammar"
        assert found["stay"].suggested == "third_party"

    def test_an_argument_that_only_gets_addresses(self):
        """It carries authority, whatever its name."""
        found = suggested(intended("pay", wording="ann@corp.example"))
        assert (found["wording"].default, found["wording"].suggested) == ("reference", "sink")

    def test_an_argument_of_a_read_is_no_sink(self):
        """Nothing leaves with it."""
        assert suggested(result("find_booking", {}), _read("find_booking", ref="a@b.example"))["ref"].suggested == ""

    def test_what_the_author_listed_only_selects(self):
        """One of a few values that somebody wrote into the code is nobody else's choice."""
        assert suggested(intended("pay", speed="Fast lane"))["speed"].suggested == "selector"

    def test_words_are_a_question_to_the_operator(self):
        """Content is looked at less than a reference, so it is only asked about."""
        found = suggested(intended("pay", "a", wording="x"), intended("pay", "b", wording="y"), _long("c"))["wording"]
        assert found.suggested == ""
        assert found.asks.startswith("content, if")


def _read(name: str, **args: Any) -> ev.Done:
    return ev.Done(call="x", action=name, effect="read", args=raw(args), judgement=ev.Judgement())


def _long(call: str) -> ev.Intended:
    return intended("pay", call, wording="Dear Ann.\nThank you!")


class TestSeen:
    """What is counted, and what is kept out."""

    def test_what_was_declared_stays(self):
        """Nothing is suggested beside it."""
        labels = Labels(results={"search": {"hotel_ref": "colleague"}}, arguments={"pay": {"speed": "content"}})
        agent = Agent("desk", ALL, policy=Policy(permit(ALL)), labels=labels)
        events = [result("search", [{"hotel_ref": f"H-{n}"}]) for n in range(50)]
        found = suggested(*events, intended("pay", speed="fast"), agent=agent)
        assert (found["[].hotel_ref"].declared, found["[].hotel_ref"].suggested) == ("colleague", "")
        assert (found["speed"].declared, found["speed"].suggested) == ("content", "")

    def test_names_that_are_data_are_no_patterns(self):
        """What a result has for names (days, addresses, lines) does not get into a declaration."""
        value = {"2026-01-02": {"ref": "H-1"}, "eve@evil.example": "H-2", 'x"\n}': {"a\nb": "c"}}
        found = suggested(result("find_booking", value))
        assert set(found) == {"*.ref", "*.example", "{}"}

    def test_nothing_is_raised_behind_such_a_name(self):
        """A part of an address is no name of a field."""
        found = suggested(*(result("search", {"eve@evil.hotel_ref": f"H-{n}"}) for n in range(50)))
        assert found["*.hotel_ref"].suggested == ""

    def test_arguments_with_endless_values(self):
        """They would have been denied; what came before is counted."""
        assert suggested(intended("pay", iban=["x y"] * 2_000))["iban"].seen.startswith("1,000 short texts")

    def test_a_result_with_endless_fields(self):
        """Only so many are told apart."""
        observer = Observer(DESK)
        for one in history(result("find_booking", {f"f{n}": n for n in range(5_000)})):
            observer.add(one)
        assert len(observer.actions["find_booking"].fields) == MOST_FIELDS
        assert observer.actions["find_booking"].left_out

    def test_runs_of_others_are_passed_over(self):
        """Each agent has labels of its own."""
        observer = Observer(DESK)
        other = ev.RunStarted(agent="other")
        for one in [Recorded(1, "r", 1, 1, other), Recorded(2, "r", 2, 2, result("search", {"a": 1}))]:
            observer.add(one)
        assert (observer.runs, observer.actions) == (0, {})

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
            max_leaves=10,
        )
    )
    def test_anything_can_be_observed(self, value):
        """Whatever an action returns, what follows is labels that `Labels` takes."""
        observer = Observer(DESK)
        for one in history(result("search", value), result("search", value)):
            observer.add(one)
        with_suggested(Labels(), suggestions(observer.actions, DESK))

    @pytest.mark.parametrize(
        ("value", "shape"),
        [
            (True, "truth"),
            (7, "number"),
            (0.5, "number"),
            ("7.50 EUR", "number"),
            ("2026-01-02", "day"),
            ("AB12", "code"),
            ("12-AB_3", "code"),
            ("sea view", "short text"),
            ("open", "short text"),
            ("ann@corp.example", "address"),
            ("www.corp.example", "address"),
            (IBAN, "address"),
            ("Pay. Now.", "free text"),
            ("a\nb", "free text"),
            ("x" * 101, "free text"),
            ("AB\u200b12", "free text"),
        ],
    )
    def test_shapes(self, value, shape):
        """By type and grammar alone."""
        assert shape_of(value) == shape


class TestRetraced:
    """What tracing would have made of runs that were recorded without it."""

    async def play(self, *proposals: tuple[str, dict[str, Any]], agent: Agent = DESK) -> list[Recorded]:
        async with runtime(agent) as rt:
            await rt.start("desk", "pay the bill in bill.txt, 98.70", run="r1", user="u1")
            async with rt.session("r1") as session:
                for number, (name, args) in enumerate(proposals):
                    await session.perform(Proposal(name, args, key=f"c{number}"))
                await session.finish("done")
            return await rt.journal.feed(0, 1000, READ)

    async def test_an_iban_of_a_bill_would_have_been_asked_about(self):
        """One thing speaks against it: nobody but the bill says so."""
        events = await self.play(("read_file", {"path": "bill.txt"}), ("pay", {"iban": IBAN, "amount": "98.70"}))
        found = retraced(events, DESK, Labels())
        assert (found.runs, found.proposals, found.questions, found.denials, found.asking) == (1, 2, 1, 0, 1)
        assert list(found.reasons) == [("sink", "pay", "iban")]
        reason = found.reasons["sink", "pay", "iban"]
        assert (reason.questions, reason.run) == (1, "r1")
        assert IBAN in reason.says

    async def test_as_it_is_in_a_run_with_labels(self):
        """What is told afterwards is what a traced run is told at once, twice over."""
        agent = Agent("desk", ALL, policy=Policy(permit(ALL)), labels=Labels())
        proposals = [("read_file", {"path": "bill.txt"}), ("pay", {"iban": IBAN, "amount": "98.70"})]
        traced = await self.play(*proposals, agent=agent)
        untraced = await self.play(*proposals)
        live = retraced(traced, agent, Labels())
        after = retraced(untraced, DESK, Labels())
        assert (live.questions, live.denials) == (after.questions, after.denials) == (1, 0)
        asked = [one.event for one in traced if isinstance(one.event, ev.Asked)]
        assert [one.judgement.strikes for one in asked] == [(after.reasons["sink", "pay", "iban"].says,)]

    async def test_what_the_user_named_is_not_asked_about(self):
        """Labels that ask about everything would soon be off again."""
        events = await self.play(("pay", {"iban": "bill.txt", "amount": "98.70"}))
        labels = Labels(arguments={"pay": {"speed": "selector"}})
        assert retraced(events, DESK, labels).questions == 0

    async def test_what_the_policy_denied_is_not_counted(self):
        """Tracing comes behind the policy."""
        agent = Agent("desk", ALL, policy=Policy(permit(read_file)))
        proposals = [("read_file", {"path": "bill.txt"}), ("pay", {"iban": IBAN, "amount": "98.70"})]
        assert retraced(await self.play(*proposals, agent=agent), agent, Labels()).proposals == 1

    async def test_what_was_written_in_another_run_is_no_more_trusted(self):
        """An address that an agent wrote down comes back from the address book as what it was."""
        note = [intended("pay", "n", iban=IBAN, amount="1")]
        back = [result("find_booking", {"account": IBAN}), intended("pay", "p", iban=IBAN, amount="98.70")]
        first, second = history(*note, run="a"), history(*back, run="b")
        assert retraced(second, DESK, Labels()).reasons.keys() == {("grant", "pay", "")}
        assert ("sink", "pay", "iban") in retraced([*first, *second], DESK, Labels()).reasons

    def test_an_answer_of_another_agent_is_worth_what_it_read(self):
        """Nobody traced it, so it is traced now; where that can't be, it is worth nothing."""
        answer = result("find_booking", {"account": IBAN}, via="delegate")
        pay_it = intended("pay", "p", iban=IBAN, amount="98.70")
        assert ("sink", "pay", "iban") in retraced(history(answer, pay_it), DESK, Labels()).reasons
        start, *rest = history(answer, pay_it)
        child = [
            Recorded(2, "r2", 1, 2, ev.RunStarted(agent="desk/clerk", parent=("r1", answer.call))),
            Recorded(2, "r2", 2, 2, result("find_booking", {"account": IBAN})),
            Recorded(2, "r2", 3, 2, ev.RunEnded(how="done")),
        ]
        assert ("sink", "pay", "iban") not in retraced([start, *child, *rest], DESK, Labels()).reasons

    def test_a_proposal_that_cannot_be_traced(self):
        """It would be denied, and is counted as that."""
        found = retraced(history(intended("pay", iban=["x"] * 2_000)), DESK, Labels())
        assert (found.proposals, found.untold) == (1, 1)

    def test_nothing(self):
        """A journal without runs."""
        assert retraced([], DESK, Labels()) == Retraced()


class TestDeclared:
    """A declaration beside the actions that it is about."""

    def test_what_is_not_there(self):
        """Each with the nearest that is."""
        labels = Labels(
            results={"find_bookin": {"ref": "system"}},
            arguments={"pay": {"ibann": "sink"}},
            phrases={"payy": ["settle"]},
            relaxed=["refund"],
            least={"pay": {"url": "user"}, "nothing": {}},
        )
        found = problems(Agent("desk", ALL, policy=Policy(permit(ALL)), labels=labels))
        assert found == [
            "results: there is no action 'find_bookin'; did you mean find_booking?",
            "phrases: there is no action 'payy'; did you mean pay?",
            "relaxed: there is no action 'refund'; there are find_booking, pay, read_file, search",
            "least: there is no action 'nothing'; did you mean find_booking?",
            "arguments: pay has no argument 'ibann'; did you mean iban?",
            "least: pay has no argument 'url'; there are amount, iban, speed, wording",
        ]

    def test_fields_within_an_argument_are_arguments(self):
        """Roles go by the innermost name."""

        @action.irreversible
        async def send(ctx: Ctx[None], to: list[Booking], extra: dict[str, str] | None = None) -> None:
            """Send."""

        @action.irreversible
        async def write(ctx: Ctx[None], to: list[Booking]) -> None:
            """Write."""

        labels = Labels(
            arguments={"send": {"owner": "sink", "anything": "content"}, "write": {"owner": "sink", "own": "sink"}}
        )
        agent = Agent("desk", [send, write], labels=labels)
        assert problems(agent) == ["arguments: write has no argument 'own'; did you mean owner?"]

    def test_what_all_is_taken_for(self):
        """By name, by type, as declared, and by what a server says of its tool."""
        labels = Labels(
            results={"find_booking": {"owner": "user"}},
            arguments={"pay": {"wording": "content"}},
            least={"pay": {"iban": "user"}},
            secret={"find_booking": ["ref"]},
        )
        agent = Agent("desk", ALL, policy=Policy(permit(ALL)), labels=labels)
        found = {(one.action, one.name): one for one in parts(agent)}
        told = {name: (one.taken, one.by) for name, one in found.items()}
        assert told["pay", "iban"] == ("sink", "its name")
        assert told["pay", "wording"] == ("content", "declared")
        assert told["pay", "speed"] == ("told by each value", "its type")
        assert told["find_booking", "owner"] == ("user", "declared")
        assert told["find_booking", "paid"] == ("system", "its type")
        assert found["pay", "iban"].least == "user"
        assert found["find_booking", "ref"].secret
