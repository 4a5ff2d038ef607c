"""Plain functions, governed: for a loop that calls its tools itself."""

import inspect
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from interlock.actions.schema import Signature
from interlock.adapters.governor import Block, Governor, here
from interlock.adapters.telling import told
from interlock.canonical import canonical, digest
from interlock.errors import CanonicalError, DeclarationError, InterlockError
from interlock.models import Proposal
from interlock.runtime.outcomes import Done, Failed, Outcome, Unknown, Waiting

P = ParamSpec("P")
R = TypeVar("R")


class NotDoneError(InterlockError):
    """A governed function was not performed, or nobody knows whether it was; its text is what a model is told.

    Attributes:
        outcome: What became of the proposal: denied, waiting, failed or unknown.
    """

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(told(outcome))


def governed(function: Callable[P, R], governor: Governor) -> Callable[P, R]:
    """Return the function, sync or async, with the guardian before it and the journal around it.

    It is called within `with governor.run("some id"):`. The same call in a block with the same id, after a crash, gives
    what it gave then: calls are told apart by their arguments, and equal ones by their order. Where the governor has
    labels, a text comes back as a model may be shown it; a value of another type is what the function returned.

    Args:
        function: What the loop calls, with type hints; the governor knows it by its name.
        governor: Who judges it.

    Raises:
        DeclarationError: its hints give no schema.
        PolicyError: a rule names an argument that it does not have.

    The function that is returned raises what `function` raises where nothing has happened, `NotDoneError` where it was
    not performed, and `DeclarationError` outside a block.
    """
    name = getattr(function, "__name__", "")
    governor.bind_to(name, Signature(name, function, has_context=False))

    body = cast("Callable[..., Any]", function)

    async def wait_for(*args: Any, **kwargs: Any) -> Any:
        block, proposal = _proposed(governor, name, body, args, kwargs)
        outcome = await governor.perform(block.where, proposal, lambda given: body(**given))
        return _result(governor, block.calls, proposal, outcome)

    def call(*args: Any, **kwargs: Any) -> Any:
        block, proposal = _proposed(governor, name, body, args, kwargs)
        outcome = governor.perform_sync(block.where, proposal, lambda given: body(**given))
        return _result(governor, block.calls, proposal, outcome)

    proposed = wait_for if inspect.iscoroutinefunction(function) else call
    return cast("Callable[P, R]", wraps(body)(proposed))


def _proposed(
    governor: Governor, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Block, Proposal]:
    block = here()
    if block is None or block.governor is not governor:
        raise DeclarationError(f'{name} was called outside a run; call it within `with governor.run("some id"):`')
    arguments = _arguments(function, args, kwargs)
    return block, Proposal(name, arguments, key=_key(block.calls, name, arguments))


def _arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments by name; what does not fit is left to the guardian, which says what is wrong."""
    try:
        return dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except TypeError:
        if args:
            raise
        return kwargs


def _key(calls: Counter[str], name: str, arguments: dict[str, Any]) -> str:
    """Return the key of a call: its arguments, and its place among calls with the same ones."""
    try:
        said = canonical(arguments)
    except CanonicalError:
        said = ascii(arguments).encode()
    same = f"{name}/{digest(said)[:16]}"
    calls[same] += 1
    return f"{same}/{calls[same]}"


def _result(governor: Governor, calls: Counter[str], proposal: Proposal, outcome: Outcome) -> Any:
    showing = governor.showing(proposal.key)
    if isinstance(outcome, Done):
        return showing.text(outcome.result) if isinstance(outcome.result, str) else outcome.result
    if isinstance(outcome, Failed):
        outcome = Failed(showing.text(outcome.error))
    if isinstance(outcome, (Waiting, Unknown)):
        # Called again with these arguments it is this very call, so that an answer is found and nobody asked twice.
        calls[proposal.key.rpartition("/")[0]] -= 1
    raise NotDoneError(outcome)
