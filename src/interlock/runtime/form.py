"""The form that a quarantined model fills in: a type, offered as the one thing to propose, and checked strictly."""

from typing import Any, cast

import msgspec

from interlock.actions.context import Ctx
from interlock.actions.schema import MisfitError, Signature
from interlock.agents.loop import ANSWER
from interlock.canonical import canonical
from interlock.models import Definition, Response

LONGEST_TEXT = 1_000
"""How many characters one text of an answer may have, where its type does not say less."""

LONGEST_FORM = 20_000
"""How many bytes of JSON an answer may have."""


class Form:
    """A type as what a model can propose, and nothing else.

    Args:
        name: What reads, for messages.
        output: The type: a pydantic model, a dataclass, an enum, plain data.

    Raises:
        DeclarationError: the type has no JSON schema.
    """

    def __init__(self, name: str, output: Any) -> None:
        def answer(ctx: Ctx[Any], answer: Any) -> Any:
            """Give what the text states, once."""

        answer.__annotations__ = {"ctx": Ctx[Any], "answer": output, "return": output}
        self._signature = Signature(name, answer)
        self.definition = Definition(ANSWER, self._signature.doc, self._signature.json_schema())
        self.result = self._signature.result

    def filled(self, response: Response) -> Any:
        """Return the value that a model answered.

        Raises:
            MisfitError: it answered something else, or what does not fit the type or the bounds.
        """
        if [one.action for one in response.proposals] != [ANSWER]:
            raise MisfitError(f"propose {ANSWER} once, and nothing else", ("not_the_answer",))
        try:
            return self._checked(response)
        except MisfitError:
            raise
        except Exception as error:  # a validator of the author's own, or a value without a JSON form
            raise MisfitError(f"{type(error).__name__}: {error}", (type(error).__name__,)) from error

    def _checked(self, response: Response) -> Any:
        value = self._signature.strictly(msgspec.json.encode(response.proposals[0].args))["answer"]
        plain = canonical(value)
        if len(plain) > LONGEST_FORM:
            raise MisfitError(f"it has {len(plain):,} bytes, at most {LONGEST_FORM:,} are taken", ("too_long",))
        if _longest(msgspec.json.decode(plain)) > LONGEST_TEXT:
            raise MisfitError(f"a text in it is longer than {LONGEST_TEXT:,} characters", ("string_too_long",))
        return value


def _longest(value: Any) -> int:
    """Return the length of the longest text in plain data, keys among them."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return max(map(_longest, cast("list[Any]", value)), default=0)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return max(max(len(key), _longest(one)) for key, one in fields.items()) if fields else 0
    return 0
