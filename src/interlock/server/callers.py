"""Who is asking: the host application says so, never the request's body."""

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request

from interlock.errors import DeclarationError
from interlock.runtime.options import Look


class Caller(NamedTuple):
    """Whom a request is made for; without `user=` nobody in particular."""

    user: Mapping[str, Any] | None
    id: str | None
    tenant: str


class Callers:
    """Asks the host's own functions.

    Args:
        user: Returns the user as an id, or as a mapping with an "id".
        tenant: Returns the tenant as a text.
    """

    def __init__(self, user: Look | None, tenant: Look | None) -> None:
        self._user = user
        self._tenant = tenant

    async def of(self, request: Request) -> Caller:
        """Return whom the request is made for.

        Raises:
            HTTPException: 401 where one of the functions returned None or an empty text, or what a function raised.
            DeclarationError: a function returned what can't be a user or a tenant.
        """
        user = None if self._user is None else _principal(await _found(self._user, request))
        tenant = "" if self._tenant is None else await _found(self._tenant, request)
        if not isinstance(tenant, str):
            raise DeclarationError(f"asgi(tenant=…) returned {type(tenant).__name__}; return a str")
        return Caller(user, None if user is None else user["id"], tenant)


async def _found(look: Look, request: Request) -> str | Mapping[str, Any]:
    answer = look(request)
    found = await answer if inspect.isawaitable(answer) else answer
    if found is None or found == "":
        raise HTTPException(401, "nobody is signed in")
    return found


def _principal(user: Any) -> Mapping[str, Any]:
    """Return the user as a mapping whose "id" is a text that is somebody's."""
    given = {"id": user} if isinstance(user, str) else user
    if not isinstance(given, Mapping):
        raise DeclarationError(f"asgi(user=…) returned {type(user).__name__}; return a str, or a mapping with an 'id'")
    principal = cast("Mapping[str, Any]", given)
    who = principal.get("id")
    if not isinstance(who, str) or not who:
        raise DeclarationError(f"asgi(user=…) returned a mapping whose 'id' is {type(who).__name__}, not a text")
    return principal
