"""Arguments and results: schema from hints and docstring, validation with messages a model can act on."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import pytest
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, HttpUrl, JsonValue, computed_field
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from interlock import Ctx, action
from interlock.canonical import canonical
from interlock.errors import CanonicalError, DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from somewhere_else import Desk


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    article: str
    count: int = Field(1, alias="n", ge=1)

    @computed_field
    @property
    def twice(self) -> int:
        return 2 * self.count


@dataclasses.dataclass
class Receipt:
    id: str
    at: datetime
    amount: Decimal
    lines: list[Line] = dataclasses.field(default_factory=list)


class Options(TypedDict, total=False):
    colour: Literal["red", "blue"]


class Odd:
    pass


def schema_of(function):
    return action.read(function).schema()


def properties_of(function):
    return schema_of(function)["parameters"]["properties"]


def arguments(function, **given):
    return action.read(function).signature.arguments(given)


def problem(function, given):
    with pytest.raises(ValueError) as refused:
        action.read(function).signature.arguments(given)
    return str(refused.value)


async def look(ctx: Ctx[Desk], ref: str, amount: Decimal = 10, *, dry: bool = False) -> Receipt:
    """Look at a booking."""


class TestSchema:
    """What a model is shown."""

    def test_the_whole(self):
        """Name, description and parameters, without pydantic's titles."""
        assert schema_of(look) == {
            "name": "look",
            "description": "Look at a booking.",
            "parameters": {
                "type": "object",
                "additionalProperties": False,
                "required": ["ref"],
                "properties": {
                    "ref": {"type": "string"},
                    "amount": {"anyOf": [{"type": "number"}, {"type": "string"}], "default": 10},
                    "dry": {"type": "boolean", "default": False},
                },
            },
        }

    def test_no_arguments(self):
        """An action without arguments has an empty object."""

        def ping(ctx: Ctx[None]) -> None: ...

        assert schema_of(ping)["parameters"] == {
            "type": "object",
            "additionalProperties": False,
            "properties": {},
        }

    def test_google_docstrings(self):
        """Descriptions come from the section on arguments, which the description of the action leaves out."""

        def book(ctx: Ctx[None], ref: str, seats: int = 1) -> None:
            """Book seats.

            Only in advance.

            Args:
                ref: The reference, six letters:
                    no digits.
                seats: How many.
            """

        assert schema_of(book)["description"] == "Book seats.\n\nOnly in advance."
        assert properties_of(book)["ref"]["description"] == "The reference, six letters:\nno digits."
        assert properties_of(book)["seats"]["description"] == "How many."

    def test_numpy_docstrings(self):
        """The other common style is read too."""

        def book(ctx: Ctx[None], ref: str) -> None:
            """Book seats.

            Parameters
            ----------
            ref : str
                The reference.
            """

        assert properties_of(book)["ref"]["description"] == "The reference."
        assert schema_of(book)["description"] == "Book seats."

    def test_sphinx_docstrings(self):
        """And the third."""

        def book(ctx: Ctx[None], ref: str) -> None:
            """Book seats.

            :param ref: The reference.
            """

        assert properties_of(book)["ref"]["description"] == "The reference."

    def test_an_ordinary_docstring_is_kept_whole(self):
        """Without a section on arguments the description is what was written."""

        def book(ctx: Ctx[None], ref: str) -> None:
            """Book seats.

            Note: only in advance.
            """

        assert schema_of(book)["description"] == "Book seats.\n\nNote: only in advance."

    def test_annotated_fields(self):
        """What was given to pydantic is kept, and its description wins over the docstring's."""

        def book(
            ctx: Ctx[None],
            seats: Annotated[int, Field(ge=1, le=9, description="How many.")],
            ref: str = Field("AB12", pattern="^[A-Z0-9]+$", description="Which."),
        ) -> None:
            """Book.

            Args:
                seats: Something else.
                ref: Something else.
            """

        assert properties_of(book) == {
            "seats": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."},
            "ref": {"type": "string", "default": "AB12", "pattern": "^[A-Z0-9]+$", "description": "Which."},
        }
        assert "seats: Input should be less than or equal to 9 (got 10)" in problem(book, {"seats": 10})
        assert arguments(book, seats=2) == {"seats": 2, "ref": "AB12"}

    @pytest.mark.parametrize(
        "name",
        [
            "model_config",
            "model_dump",
            "schema",
            "json",
            "copy",
            "self",
            "cls",
            "_x",
            "__y__",
            "a_b",
            "class_",
            "dict",
        ],
    )
    def test_any_name(self, name):
        """A parameter may be called what its author likes; it doesn't meet pydantic's own names."""
        space = {"Ctx": Ctx}
        exec(f"def look(ctx: Ctx, {name}: int, other: int = 2) -> None: ...", space)
        looked = action.read(space["look"])
        assert looked.schema()["parameters"]["required"] == [name]
        assert looked.signature.arguments({name: 1}) == {name: 1, "other": 2}
        assert looked.signature.names == (name, "other")

    def test_types_for_type_checkers_only(self):
        """The context's type may be known to type checkers only: nobody needs it at run time."""
        assert schema_of(look)["name"] == "look"


class TestRefusedSignatures:
    """What has no schema is refused before any model sees it."""

    def refused(self, function):
        with pytest.raises(DeclarationError) as refused:
            action.irreversible(function).check()
        return str(refused.value)

    def test_collectors(self):
        """A model gives arguments by name."""

        def stars(ctx: Ctx[None], *refs: str) -> None: ...

        def more(ctx: Ctx[None], **refs: str) -> None: ...

        def slashed(ctx: Ctx[None], ref: str, /) -> None: ...

        for function in (stars, more, slashed):
            assert "use named parameters only" in self.refused(function)

    def test_no_context(self):
        """The first parameter is the context, and the message shows where it goes."""

        def nothing() -> None: ...

        def ref_only(ref: str) -> None: ...

        def collected(*args: str) -> None: ...

        assert "write def nothing(ctx: Ctx[…], …)" in self.refused(nothing)
        assert "write def ref_only(ctx: Ctx[…], ref: str, …)" in self.refused(ref_only)
        assert "its first parameter is the context" in self.refused(collected)

    def test_no_type(self):
        """A parameter without a type is named, with an example."""

        def book(ctx: Ctx[None], ref) -> None: ...

        assert "parameter 'ref' has no type; write for example ref: str" in self.refused(book)

    def test_types_that_are_not_there(self):
        """A type that can't be resolved at run time is named."""

        def book(ctx: Ctx[None], when: Callable[[], int]) -> None: ...

        def broken(ctx: Ctx[None], when: "list[int") -> None: ...  # noqa: F722

        def missing(ctx: Ctx[None], when: json.Nothing) -> None: ...

        for function in (book, broken, missing):
            assert "can't be resolved" in self.refused(function)

    def test_types_without_a_schema(self):
        """A type that JSON can't say is refused, as an argument, a default and a result."""

        def takes(ctx: Ctx[None], odd: Odd) -> None: ...

        def gives(ctx: Ctx[None]) -> Odd: ...

        assert "action 'takes': its parameters have no schema" in self.refused(takes)
        assert "action 'gives': its result can't be recorded" in self.refused(gives)

    def test_a_default_of_another_type(self):
        """A default that no call could use is found when the action is declared."""

        def book(ctx: Ctx[None], seats: int = "many") -> None: ...

        assert "the default of 'seats' does not have its type" in self.refused(book)

    def test_bytes(self):
        """Bytes would be read back as other bytes; pydantic has a type that isn't."""

        def takes(ctx: Ctx[None], data: list[bytes]) -> None: ...

        def gives(ctx: Ctx[None]) -> bytes: ...

        assert "a parameter holds bytes, which JSON can't say; write pydantic.Base64Bytes" in self.refused(takes)
        assert "its result holds bytes" in self.refused(gives)

        def well(ctx: Ctx[None], data: Base64Bytes) -> None: ...

        assert arguments(well, data="AP8=") == {"data": b"\x00\xff"}


class TestValidation:
    """What is said about arguments that don't fit."""

    def test_defaults_are_filled(self):
        """All arguments are there, and a default has the form that a given value has."""
        filled = arguments(look, ref="AB12")
        assert filled == {"ref": "AB12", "amount": Decimal(10), "dry": False}
        assert canonical(filled) == canonical(arguments(look, ref="AB12", amount="10", dry=False))

    def test_a_mutable_default_is_each_calls_own(self):
        """A list that an action changes is not the next call's default."""

        def book(ctx: Ctx[None], seats: list[int] = []) -> None: ...  # noqa: B006

        signature = action.read(book).signature
        signature.arguments({})["seats"].append(1)
        assert signature.arguments({}) == {"seats": []}

    def test_extra_arguments(self):
        """An argument that does not exist is refused, and what was meant is guessed."""
        assert problem(look, {"ref": "x", "amout": 1}) == "amout: there is no such argument; did you mean 'amount'?"
        assert "there are: ref, amount, dry" in problem(look, {"ref": "x", "q": 1})
        assert "a_ref: there is no such argument" in problem(look, {"a_ref": "x"})

        def ping(ctx: Ctx[None]) -> None: ...

        assert problem(ping, {"q": 1}) == "q: there is no such argument; it takes none"

    def test_look_alikes(self):
        """A name that only looks like a known one shows its true letters."""
        said = problem(look, {"ref": "x", "аmount": 1})
        assert said == "\\u0430mount: there is no such argument; did you mean 'amount'?"

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({}, "ref: Field required"),
            ({"ref": 3}, "ref: Input should be a valid string (got 3)"),
            ({"ref": "x", "amount": "forty"}, "amount: Input should be a valid decimal (got 'forty')"),
            ({"ref": "x", "amount": math.nan}, "amount: Input should be a finite number (got nan)"),
            ({"ref": "x", "amount": "Infinity"}, "amount: Input should be a finite number (got 'Infinity')"),
            ({"ref": "x", "dry": "maybe"}, "dry: Input should be a valid boolean"),
            ({1: "x"}, "1: Keys should be strings (got 1)"),
            ([], "arguments: Input should be a valid dictionary"),
            (None, "arguments: Input should be a valid dictionary"),
            ({"\ud800": 1}, "unable to parse raw data as a unicode string"),
        ],
    )
    def test_messages(self, given, words):
        """Each message names the argument, what it should be and what it was."""
        assert words in problem(look, given)

    def test_nan(self):
        """A float is a number."""

        def heat(ctx: Ctx[None], degrees: float) -> None: ...

        for unreal in (math.nan, math.inf, "nan", "inf"):
            assert "finite number" in problem(heat, {"degrees": unreal})

    def test_long_integers(self):
        """An integer of thirty digits goes through unchanged; one of thousands is refused."""

        def count(ctx: Ctx[None], number: int) -> None: ...

        for given in (10**29, str(10**29)):
            filled = arguments(count, number=given)
            assert filled == {"number": 10**29}
            assert arguments(count, **msgspec.json.decode(canonical(filled))) == filled
        assert "number: " in problem(count, {"number": "9" * 5000})
        with pytest.raises(CanonicalError):
            canonical(arguments(count, number=10**5000))

        assert "ref: Input should be a valid string" in problem(look, {"ref": 10**5000})

    def test_long_text(self):
        """A megabyte is taken; a message about a megabyte is short."""
        text = "x" * 2**20
        assert arguments(look, ref=text)["ref"] == text
        assert len(problem(look, {"ref": "a", "amount": text, "dry": [text] * 9})) < 1000
        assert len(problem(look, {str(number): number for number in range(10_000)})) < 5000

    def test_deep_nesting(self):
        """Ten thousand levels are refused in a short message, at the latest by the canonical form."""

        def keep(ctx: Ctx[None], typed: JsonValue = None, anything: Any = None, ref: str = "") -> None: ...

        deep: Any = 1
        for _ in range(10_000):
            deep = [deep]
        assert len(problem(keep, {"typed": deep})) < 1000
        assert len(problem(keep, {"ref": deep})) < 1000
        with pytest.raises(CanonicalError, match="nested too deeply"):
            canonical(arguments(keep, anything=deep))

    def test_lone_surrogates(self):
        """Half a character is refused before it reaches the journal."""
        with pytest.raises(CanonicalError, match="surrogate"):
            canonical(arguments(look, ref="\ud83d"))


class TestRecorded:
    """What was recorded is read back as what it was."""

    def test_arguments(self):
        """Recorded arguments are taken in again as the same values: a retry sends exactly what was sent."""

        def order(  # noqa: PLR0917
            ctx: Ctx[None],
            lines: list[Line],
            url: HttpUrl,
            after: timedelta,
            seats: set[int],
            options: Options,
            data: Base64Bytes,
            receipt: Receipt | None = None,
        ) -> None: ...

        first = arguments(
            order,
            lines=[{"article": "tea", "n": 2}],
            url="http://x.y/?q=ä",
            after="PT90S",
            seats=[3, 1],
            options={"colour": "red"},
            data="AP8=",
            receipt={"id": "r", "at": "2026-01-31T12:00:00Z", "amount": 1.10, "lines": [{"article": "x"}]},
        )
        recorded = canonical(first)
        again = arguments(order, **msgspec.json.decode(recorded))
        assert again == first
        assert canonical(again) == recorded

    def test_results(self):
        """A recorded result comes back as the type that the action returns."""
        receipt = Receipt(
            "r1", datetime.fromisoformat("2026-01-31T12:00:00+00:00"), Decimal("1.10"), [Line(article="a")]
        )
        assert action.read(look).signature.result(canonical(receipt)) == receipt

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            (dict[int, Decimal], {1: Decimal("1.10")}),
            (list[Line], [Line(article="a", n=3)]),
            (Options, {"colour": "blue"}),
            (int | None, None),
            (set[str], {"a", "b"}),
            (tuple[int, str], (1, "a")),
            (Base64Bytes, b"\x00\xff"),
            (timedelta, timedelta(days=1)),
            (Any, {"a": [1, None]}),
            (None, None),
        ],
        ids=["dict", "list", "typed dict", "optional", "set", "tuple", "bytes", "duration", "any", "nothing"],
    )
    def test_kinds_of_results(self, kind, value):
        """Whatever a type says, recording and reading it gives the value back."""

        def give(ctx): ...

        give.__annotations__["return"] = kind
        assert action.read(give).signature.result(canonical(value)) == value

    def test_a_result_of_another_shape(self):
        """What was recorded before the type changed is read as plain data."""

        def give(ctx: Ctx[None]) -> int: ...

        def untyped(ctx: Ctx[None]): ...

        assert action.read(give).signature.result(b'{"was":"other"}') == {"was": "other"}
        assert action.read(untyped).signature.result(b"[1]") == [1]
