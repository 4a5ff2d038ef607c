"""What went wrong at a provider, as one `ModelError` that says what happened and what to do."""

import re
from typing import cast

import httpx2
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestTimeout,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
    UserError,
)

from interlock.models.model import ModelError
from interlock.models.recording import Recording

SHOWN = 300
"""How many characters of a provider's own words an error repeats."""

TIMEOUTS = (ModelTimeoutError, ModelRequestTimeout, httpx2.TimeoutException)
TRANSIENT = (
    ModelConnectionError,
    ModelRateLimitError,
    ModelRequestTimeout,
    ModelServerError,
    ModelUnavailableError,
    httpx2.TransportError,
)
TRANSIENT_STATUSES = frozenset({408, 409, 425, 429})

_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")


def failure(model: str, error: Exception, recording: Recording, key: str) -> ModelError:
    """Return the error to raise for what a model class raised.

    *key* says how the model gets its credential, such as "set OPENAI_API_KEY".
    """
    exchanges = recording.exchanges
    text = f"{model} {_what(error, key, asked=bool(exchanges))}"
    return ModelError(
        recording.without_credentials(text),
        transient=_is_transient(error, asked=bool(exchanges)),
        retry_after=error.retry_after if isinstance(error, ModelAPIError) else None,
        wire=exchanges,
    )


def variables(text: str) -> tuple[str, ...]:
    """Return the environment variables that a message names, in order."""
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


def _is_transient(error: Exception, *, asked: bool) -> bool:
    if isinstance(error, ModelQuotaExceededError | UserError):
        return False
    if isinstance(error, TRANSIENT):
        return True
    if isinstance(error, ModelHTTPError):
        return error.status_code in TRANSIENT_STATUSES or error.status_code >= 500
    # An answer that can't be read may be readable the next time; what failed before anything was sent will again.
    return asked


def _what(error: Exception, key: str, *, asked: bool) -> str:
    """Say what happened, in words that follow the model's name."""
    if isinstance(error, ModelHTTPError):
        return _refused(error, key)
    if isinstance(error, TIMEOUTS):
        return "gave no answer in time; ask again, or give it a longer timeout"
    if isinstance(error, ModelConnectionError | httpx2.TransportError):
        return f"could not be reached, or the connection broke ({_cause(error)}); check the network and the URL"
    if isinstance(error, ModelAPIError):
        return f"reported an error: {_said(error)}"
    words = _short(str(error) or type(error).__name__)
    return f"gave no answer that can be used: {words}" if asked else f"can't be asked this way: {words}"


def _refused(error: ModelHTTPError, key: str) -> str:
    status = error.status_code
    if isinstance(error, ModelQuotaExceededError):
        return f"has no quota or credit left ({status}): {_said(error)}"
    match status:
        case 401 | 403:
            # Not the provider's own words: some repeat the key.
            return f"refused the key ({status}); {key}"
        case 404:
            return f"is not known there ({status}); check the model's name and the URL: {_said(error)}"
        case 429:
            return f"is asked too often ({status}): {_said(error)}"
        case _ if status in TRANSIENT_STATUSES or status >= 500:
            return f"failed ({status}); ask again later: {_said(error)}"
        case _:
            return f"refused the request ({status}): {_said(error)}"


def _said(error: ModelAPIError) -> str:
    """Return the provider's own words."""
    body = error.body
    while isinstance(body, dict):
        fields = cast(dict[str, object], body)
        body = fields.get("error") or fields.get("message") or fields.get("detail") or str(fields)
    return _short(body if isinstance(body, str) else str(error))


def _cause(error: BaseException) -> str:
    """Return the words of the innermost error that has any: the ones around it only say "connection error"."""
    words = type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        words = str(cause) or words
        cause = cause.__cause__ or cause.__context__
    return _short(words)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN else f"{flat[:SHOWN]}…"
