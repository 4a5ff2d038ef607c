"""Declaring actions: what works, and what is refused with words that say what to write."""

# ruff: noqa: ARG005  # the lambdas stand for functions with these parameters

import functools
import inspect

import pytest

from interlock import Action, Ctx, Refused, action, probe
from interlock.actions.action import FOREVER
from interlock.errors import DeclarationError


def refund_with(**attached):
    """Return a compensable action with the functions that are given."""

    @action.compensable
    async def refund(ctx: Ctx[None], ref: str, amount: int = 1) -> str:
        return ref

    for what, function in attached.items():
        getattr(refund, what)(function)
    return refund


class TestDecorators:
    """The four decorators, bare and with keywords."""

    @pytest.mark.parametrize("effect", ["read", "reversible", "compensable", "irreversible"])
    def test_each_effect(self, effect):
        """A decorator makes an action of its effect, named like its function."""
        decorator = getattr(action, effect)

        @decorator
        async def look(ctx: Ctx[None], ref: str) -> str:
            """A booking."""
            return ref

        assert isinstance(look, Action)
        assert (look.name, look.effect, look.is_async) == ("look", effect, True)
        assert repr(look) == f"<Action look {effect}>"

    def test_what_holds_without_keywords(self):
        """By default an action has thirty seconds, no idempotency key that counts, and no credentials."""

        @action.irreversible
        def send(ctx: Ctx[None]) -> None: ...

        assert (send.timeout, send.idempotent, send.settle) == (30_000_000, 0, 10_000_000)
        assert (send.refuses, send.credentials, send.is_async) == ((Refused,), (), False)

    def test_keywords(self):
        """Keywords say how long, under which key, and what the other side's refusal looks like."""

        @action.irreversible(
            timeout="5s", idempotent="24h", settle="0s", refuses=[ValueError], credentials=["bank", "mail"]
        )
        def send(ctx: Ctx[None]) -> None: ...

        assert (send.timeout, send.idempotent, send.settle) == (5_000_000, 86_400_000_000, 0)
        assert (send.refuses, send.credentials) == ((Refused, ValueError), ("bank", "mail"))

    def test_a_key_that_is_honoured_for_ever(self):
        """`idempotent=True` means without an end."""

        @action.irreversible(idempotent=True)
        def send(ctx: Ctx[None]) -> None: ...

        assert send.idempotent == FOREVER

    def test_the_function_stays_the_authors_own(self):
        """For unit tests the function is at hand as it was written."""

        @action.read
        def double(ctx: Ctx[None], number: int) -> int:
            return 2 * number

        assert double.function(Ctx(None), 21) == 42


class TestRefusedDeclarations:
    """Declaring nonsense is an error that says what to write."""

    @pytest.mark.parametrize(
        ("keywords", "words"),
        [
            ({"timeout": "soon"}, "is not a duration; write"),
            ({"timeout": "0s"}, "leaves it no time; write '30s'"),
            ({"settle": "-1s"}, "is not a duration; write"),
            ({"idempotent": "for ever"}, "is not a duration; write"),
            ({"refuses": ValueError}, r"write for example refuses=\(CardDeclined,\)"),
            ({"refuses": ["declined"]}, "lists the exceptions"),
            ({"refuses": [KeyboardInterrupt]}, "lists the exceptions"),
            ({"refuses": 3}, "lists the exceptions"),
            ({"credentials": "stripe"}, r"write credentials=\('stripe',\)"),
        ],
    )
    def test_keywords(self, keywords, words):
        """A keyword that says nothing useful is refused with an example of what would."""
        with pytest.raises(DeclarationError, match=words):

            @action.irreversible(**keywords)
            def send(ctx: Ctx[None]) -> None: ...

    def test_an_idempotent_read(self):
        """A read is simply done again."""
        with pytest.raises(DeclarationError, match="drop it"):

            @action.read(idempotent=True)
            def look(ctx: Ctx[None]) -> None: ...

    @pytest.mark.parametrize("thing", [3, "send", Ctx, functools.partial(print)])
    def test_what_is_no_function(self, thing):
        """Only a function can be an action."""
        with pytest.raises(DeclarationError, match="is not a function; write"):
            action.read(thing)

    def test_a_function_without_a_name(self):
        """A model proposes an action by its name, so it needs one that model APIs take."""
        with pytest.raises(DeclarationError, match="can't name an action"):
            action.read(lambda ctx: 1)

        def überweisen(ctx): ...  # noqa: PLC2401

        def long_name(ctx): ...

        long_name.__name__ = "x" * 65
        for function in (überweisen, long_name):
            with pytest.raises(DeclarationError, match="up to 64 ASCII letters"):
                action.read(function)

    def test_generators(self):
        """An action has one result."""

        def some(ctx):
            yield 1

        async def more(ctx):
            yield 1

        for function in (some, more):
            with pytest.raises(DeclarationError, match="one result, for example a list"):
                action.read(function)

    def test_a_hidden_coroutine(self):
        """A decorator that hides an async function would hand back a coroutine that never ran."""

        async def send(ctx: Ctx[None]) -> None: ...

        @functools.wraps(send)
        def wrapper(*args, **kwargs):
            return send(*args, **kwargs)

        with pytest.raises(DeclarationError, match="make its wrapper an async def"):
            action.irreversible(wrapper)

    @pytest.mark.parametrize("effect", ["reversible", "compensable"])
    def test_no_way_back(self, effect):
        """What is declared to be taken back has a function that does it."""

        @getattr(action, effect)
        def rename(ctx: Ctx[None]) -> None: ...

        with pytest.raises(DeclarationError, match=r"write @rename\.undo, or declare it @action\.irreversible"):
            rename.check()

    @pytest.mark.parametrize("effect", ["read", "irreversible"])
    def test_an_undo_of_what_has_none(self, effect):
        """An undo contradicts the effect; the message names the effects that have one."""

        @getattr(action, effect)
        def send(ctx: Ctx[None]) -> None: ...

        with pytest.raises(DeclarationError, match=r"@action\.reversible .* or @action\.compensable"):

            @send.undo
            def _(ctx: Ctx[None], done: None) -> None: ...

    @pytest.mark.parametrize("what", ["probe", "verify"])
    def test_looks_at_a_read(self, what):
        """A read has no effect to look for."""

        @action.read
        def look(ctx: Ctx[None]) -> None: ...

        with pytest.raises(DeclarationError, match="is a read"):
            getattr(look, what)(look.function)

    @pytest.mark.parametrize("what", ["undo", "probe", "verify", "fact"])
    def test_two_of_a_kind(self, what):
        """An action has one of each, and one fact of a name."""

        def twice(ctx, result=None, ref="", amount=1): ...

        with pytest.raises(DeclarationError, match=f"its {what}.* already"):
            refund_with(**{what: twice}).__getattribute__(what)(twice)

    def test_a_fact_without_a_name(self):
        """Rules read a fact by its name."""
        with pytest.raises(DeclarationError, match="a fact needs a name"):

            @refund_with().fact
            def _(ctx, ref, amount): ...

    @pytest.mark.parametrize(
        ("what", "function", "wanted"),
        [
            ("undo", lambda ctx, ref, amount: None, "def …(ctx, result, ref, amount)"),
            ("undo", lambda ctx, done, reference, amount: None, "def …(ctx, result, ref, amount)"),
            ("probe", lambda ctx, ref: None, "def …(ctx, ref, amount)"),
            ("verify", lambda ctx, done: None, "def …(ctx, result, ref, amount)"),
            ("fact", lambda ctx, ref, amount, more: None, "def …(ctx, ref, amount)"),
        ],
    )
    def test_functions_that_do_not_take_what_they_get(self, what, function, wanted):
        """A function that could not be called is refused before it is needed."""
        attached = {"undo": lambda ctx, result, ref, amount: None} | {what: function}
        with pytest.raises(DeclarationError) as refused:
            refund_with(**attached).check()
        assert wanted in str(refused.value)

    def test_functions_that_take_more_loosely(self):
        """Defaults and keyword collectors are welcome."""
        refund_with(undo=lambda ctx, done, **rest: None, probe=lambda ctx, ref="", amount=0: probe.never).check()


class TestContext:
    """What a function is given."""

    def test_credentials_are_the_declared_ones(self):
        """Another secret is not to be had, and the message says how to get it."""
        ctx = Ctx(None, credentials={"bank": "s3cret"})
        assert ctx.credential("bank") == "s3cret"
        with pytest.raises(DeclarationError, match=r"declare it with credentials=\('mail',\)"):
            ctx.credential("mail")

    def test_it_shows_no_secret(self):
        """Its repr names run, key and attempt and nothing that should not be logged."""
        ctx = Ctx("deps", key="k", run="r", attempt=2, credentials={"bank": "s3cret"})
        assert repr(ctx) == "<Ctx run=r key=k attempt=2>"

    def test_it_takes_no_other_attributes(self):
        """A misspelt assignment fails at once."""
        with pytest.raises(AttributeError):
            Ctx(None).dependencies = 1


def test_the_answers_of_a_probe_show_what_they_say():
    """A log line with an answer reads like the code that gives it."""
    answers = [probe.done(7), probe.never, probe.not_yet_known]
    assert [repr(one) for one in answers] == ["probe.done(7)", "probe.never", "probe.not_yet_known"]


def test_every_public_thing_says_what_it_is():
    """Public classes and methods of an action have docstrings."""
    for name, member in inspect.getmembers(Action):
        if not name.startswith("_"):
            assert inspect.getdoc(member), name
