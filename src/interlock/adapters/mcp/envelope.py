"""What requests carry besides what they ask: the envelope of the newer protocol versions, and headers over HTTP."""

from collections.abc import Mapping
from typing import Any, cast

from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
    mcp_param_headers,
    x_mcp_header_map,
)
from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY

KEYS = (PROTOCOL_VERSION_META_KEY, CLIENT_INFO_META_KEY, CLIENT_CAPABILITIES_META_KEY)
"""What of a request's `_meta` says who sends it, in versions without a handshake."""

Params = Mapping[str, Any]


def meta(params: Params | None) -> dict[str, Any]:
    """Return the `_meta` of a request, empty where it has none."""
    found = (params or {}).get("_meta")
    return dict(cast("Mapping[str, Any]", found)) if isinstance(found, Mapping) else {}


def carried(params: Params | None) -> dict[str, Any]:
    """Return the envelope that a request carries; nothing in versions with a handshake."""
    found = meta(params)
    return {key: found[key] for key in KEYS if key in found} if PROTOCOL_VERSION_META_KEY in found else {}


def of(hello: Params, version: str) -> dict[str, Any]:
    """Return the envelope that says what the parameters of `initialize` say."""
    values = (version, hello["clientInfo"], hello["capabilities"])
    return dict(zip(KEYS, values, strict=True))


def stamped(params: Params | None, envelope: Params) -> dict[str, Any]:
    """Return parameters within the envelope, unless they carry one already."""
    return {**(params or {}), "_meta": {**envelope, **meta(params)}}


def agreed(version: str) -> dict[str, str]:
    """Return the header that names the protocol version that was agreed on."""
    return {MCP_PROTOCOL_VERSION_HEADER: version} if version else {}


def headers(method: str, params: Params | None, version: str, schemas: Params | None = None) -> dict[str, str]:
    """Return the headers that a message has over HTTP; other transports drop them."""
    envelope = carried(params)
    if not envelope or params is None:
        return agreed(version)
    found = {**agreed(str(envelope[PROTOCOL_VERSION_META_KEY])), MCP_METHOD_HEADER: method}
    name = params.get(NAME_BEARING_METHODS.get(method, ""))
    if isinstance(name, str):
        found[MCP_NAME_HEADER] = encode_header_value(name)
        arguments = params.get("arguments")
        if method == "tools/call" and isinstance(arguments, Mapping):
            repeated = x_mcp_header_map((schemas or {}).get(name))
            found |= mcp_param_headers(repeated, cast("Mapping[str, Any]", arguments))
    return found
