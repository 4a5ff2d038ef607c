"""Finds the model class of pydantic-ai for a name such as `openai:gpt-5`, and gives it a client that records."""

from typing import Any, get_args, get_type_hints

import httpx2
from msgspec import Struct
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, infer_model
from pydantic_ai.providers import Provider, infer_provider_class

from interlock.errors import DeclarationError
from interlock.models import bedrock
from interlock.models.failures import variables

CHAT = ("openai", "openai-chat")
"""The providers whose chat API other servers speak too: what they mean where a `base_url` is given."""

BEDROCK = "bedrock"
"""The provider that is recorded through the events of its own client."""

KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google": "GOOGLE_API_KEY"}
"""Where the best-known providers look for their key."""


class Opened(Struct, frozen=True):
    """A model class at hand; `key` says how to give it another key, `unrecorded` why it can't be recorded."""

    model: Model
    key: str
    unrecorded: str


def opened(
    name: str, base_url: str | None, api_key: str | None, client: httpx2.AsyncClient, timeout: httpx2.Timeout
) -> Opened:
    """Return the model class that *name* stands for.

    Raises:
        DeclarationError: the name is not understood, or the provider's package or key is missing.
    """
    family, _, model = name.partition(":")
    if not (family and model):
        raise DeclarationError(f"model {name!r} names no provider; write it like 'openai:gpt-5'")
    if "/" in family:
        raise DeclarationError(f"model {name!r} stands behind a gateway; name the provider itself and give base_url=")
    key = f"set {KEYS[family]}" if family in KEYS and not (base_url or api_key) else "give it another api_key"
    try:
        if base_url and family in CHAT:
            return Opened(_compatible(model, base_url, api_key, client), key, "")
        given = {"base_url": base_url, "api_key": api_key}
        provider = _provider(family, {what: value for what, value in given.items() if value}, client, timeout)
        return Opened(infer_model(name, lambda _: provider), key, _unrecorded(family))
    except ImportError as error:
        raise DeclarationError(f"model {name!r} needs a package that is not installed: {error}") from None
    except (UserError, ValueError) as error:
        raise DeclarationError(_unopened(name, str(error))) from None


def _compatible(model: str, base_url: str, api_key: str | None, client: httpx2.AsyncClient) -> Model:
    """Return the chat API of whatever serves *base_url*; it never gets the environment's key of OpenAI."""
    from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415 - brings OpenAI's SDK
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider  # noqa: PLC0415 - the same

    provider = OpenAICompatibleProvider("openai-compatible", base_url=base_url, api_key=api_key, http_client=client)
    return OpenAIChatModel(model, provider=_unretried(provider))


def _provider(family: str, given: dict[str, str], client: httpx2.AsyncClient, timeout: httpx2.Timeout) -> Provider[Any]:
    """Return the provider with what it was given, recorded if it can be."""
    takes = _takes(family)
    for what in given:
        if what not in takes:
            raise DeclarationError(f"the provider {family!r} takes no {what}; leave it out")
    provides = infer_provider_class(family)
    if family == BEDROCK:
        more = {"aws_read_timeout": timeout.read, "aws_connect_timeout": timeout.connect}
        provider = provides(**given, **more)
        bedrock.record(provider.client)
        return provider
    more = {"http_client": client} if _takes_client(family) else {}
    return _unretried(provides(**given, **more))


def _unretried(provider: Provider[Any]) -> Provider[Any]:
    """Return the provider without retries of its own: the runtime owns them. Only one maker's SDKs retry unasked."""
    if hasattr(provider.client, "max_retries"):
        provider.client.max_retries = 0
    return provider


def _takes(family: str) -> dict[str, Any]:
    """Return what can be given to a provider, and of which type."""
    try:
        return get_type_hints(infer_provider_class(family).__init__)
    except NameError:
        # Its types name packages that are not installed, so none of them is our client's.
        return {}


def _takes_client(family: str) -> bool:
    return httpx2.AsyncClient in get_args(_takes(family).get("http_client"))


def _unrecorded(family: str) -> str:
    if family == BEDROCK or _takes_client(family):
        return ""
    return f"the provider {family!r} sends through a client of its own, so what goes over the wire can't be recorded"


def _unopened(name: str, words: str) -> str:
    """Say why a model can't be opened; pydantic-ai's words are about its own arguments, so only their facts stay."""
    missing = variables(words)
    if missing and "ariable" in words:
        return f"model {name!r} lacks {' or '.join(missing)}: set it in the environment, or give api_key= or base_url="
    return f"model {name!r} can't be opened: {words}"
