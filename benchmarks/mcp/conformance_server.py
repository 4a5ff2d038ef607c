"""The server that the conformance suite expects to find: what its scenarios call, and no more.

`python -m benchmarks.mcp.conformance_server` speaks over its standard streams, `--port PORT` over HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import warnings
from typing import TYPE_CHECKING, Any

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http import EventMessage, EventStore
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext
    from mcp.server.streamable_http import EventCallback
    from starlette.applications import Starlette

    Context = ServerRequestContext[Any]
    Content = list[types.ContentBlock]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
_PAUSE_S = 0.05
_RETRY_MS = 500


# Tools.


async def _simple_text(ctx: Context, given: dict[str, Any]) -> Content:
    return [_text("This is a simple text response for testing.")]


async def _image(ctx: Context, given: dict[str, Any]) -> Content:
    return [_png()]


async def _audio(ctx: Context, given: dict[str, Any]) -> Content:
    return [types.AudioContent(type="audio", data=WAV, mime_type="audio/wav")]


async def _embedded(ctx: Context, given: dict[str, Any]) -> Content:
    return [_resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")]


async def _mixed(ctx: Context, given: dict[str, Any]) -> Content:
    data = json.dumps({"test": "data", "value": 123})
    return [_text("Several kinds of content:"), _png(), _resource("test://mixed", "application/json", data)]


async def _logging(ctx: Context, given: dict[str, Any]) -> Content:
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", words, related_request_id=ctx.request_id)  # pyright: ignore[reportDeprecated]
        await asyncio.sleep(_PAUSE_S)
    return [_text("Logged three times.")]


async def _progress(ctx: Context, given: dict[str, Any]) -> Content:
    for done in (0, 50, 100):
        await ctx.session.report_progress(done, 100)
        await asyncio.sleep(_PAUSE_S)
    return [_text("Progressed three times.")]


async def _error(ctx: Context, given: dict[str, Any]) -> Content:
    raise RuntimeError("This tool intentionally returns an error for testing")


async def _sampling(ctx: Context, given: dict[str, Any]) -> Content:
    asked = types.SamplingMessage(role="user", content=_text(given["prompt"]))
    answer = await ctx.session.create_message([asked], max_tokens=100, related_request_id=ctx.request_id)  # pyright: ignore[reportDeprecated]
    return [_text(f"LLM response: {answer.content}")]


async def _elicitation(ctx: Context, given: dict[str, Any]) -> Content:
    fields = {"username": _field("User's response"), "email": _field("User's email address")}
    return await _elicited(ctx, given["message"], fields, ["username", "email"])


async def _defaults(ctx: Context, given: dict[str, Any]) -> Content:
    fields = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    return await _elicited(ctx, "Everything has a default.", fields)


async def _enums(ctx: Context, given: dict[str, Any]) -> Content:
    plain = ["option1", "option2", "option3"]
    titled = [{"const": f"value{number}", "title": f"Option {number}"} for number in (1, 2, 3)]
    older = ["opt1", "opt2", "opt3"]
    fields = {
        "untitledSingle": {"type": "string", "enum": plain},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {"type": "string", "enum": older, "enumNames": ["Option One", "Option Two", "Option Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}},
    }
    return await _elicited(ctx, "Choose.", fields)


async def _reconnection(ctx: Context, given: dict[str, Any]) -> Content:
    """Close the stream in the middle of the call; the answer is there for who comes back."""
    if ctx.close_sse_stream is not None:
        await ctx.close_sse_stream()
    await asyncio.sleep(_PAUSE_S)
    return [_text("Answered after the stream was closed.")]


async def _schema_only(ctx: Context, given: dict[str, Any]) -> Content:
    return [_text("Only its schema is looked at.")]


async def _elicited(ctx: Context, message: str, fields: dict[str, Any], required: list[str] | None = None) -> Content:
    schema = {"type": "object", "properties": fields, "required": required or []}
    answer = await ctx.session.elicit_form(message, schema, ctx.request_id)
    return [_text(f"Elicitation completed: action={answer.action}, content={json.dumps(answer.content)}")]


_NOTHING: dict[str, Any] = {"type": "object", "properties": {}}
_NEW_KEYWORDS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
    "additionalProperties": False,
}


def _takes(name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


TOOLS: dict[str, tuple[dict[str, Any], Callable[[Context, dict[str, Any]], Awaitable[Content]]]] = {
    "test_simple_text": (_NOTHING, _simple_text),
    "test_image_content": (_NOTHING, _image),
    "test_audio_content": (_NOTHING, _audio),
    "test_embedded_resource": (_NOTHING, _embedded),
    "test_multiple_content_types": (_NOTHING, _mixed),
    "test_tool_with_logging": (_NOTHING, _logging),
    "test_tool_with_progress": (_NOTHING, _progress),
    "test_error_handling": (_NOTHING, _error),
    "test_sampling": (_takes("prompt"), _sampling),
    "test_elicitation": (_takes("message"), _elicitation),
    "test_elicitation_sep1034_defaults": (_NOTHING, _defaults),
    "test_elicitation_sep1330_enums": (_NOTHING, _enums),
    "test_reconnection": (_NOTHING, _reconnection),
    "json_schema_2020_12_tool": (_NEW_KEYWORDS, _schema_only),
}


async def list_tools(ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    tools = [
        types.Tool(name=name, description=f"{name}, for a scenario", input_schema=one[0]) for name, one in TOOLS.items()
    ]
    return types.ListToolsResult(tools=tools)


async def call_tool(ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    if params.name not in TOOLS:
        raise MCPError(types.INVALID_PARAMS, f"unknown tool {params.name}")
    try:
        return types.CallToolResult(content=await TOOLS[params.name][1](ctx, params.arguments or {}))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a tool is told to the model
        return types.CallToolResult(content=[_text(str(error))], is_error=True)


# Resources.

_STATIC = {
    "test://static-text": types.TextResourceContents(
        uri="test://static-text", mime_type="text/plain", text="This is the content of the static text resource."
    ),
    "test://static-binary": types.BlobResourceContents(uri="test://static-binary", mime_type="image/png", blob=PNG),
    "test://watched-resource": types.TextResourceContents(
        uri="test://watched-resource", mime_type="text/plain", text="It may change."
    ),
}


async def list_resources(ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
    found = [
        types.Resource(
            uri=uri, name=uri.partition("//")[2], description=f"{uri}, for a scenario", mime_type=one.mime_type
        )
        for uri, one in _STATIC.items()
    ]
    return types.ListResourcesResult(resources=found)


async def list_templates(
    ctx: Context, params: types.PaginatedRequestParams | None
) -> types.ListResourceTemplatesResult:
    template = types.ResourceTemplate(uri_template="test://template/{id}/data", name="template")
    return types.ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(ctx: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    uri = str(params.uri)
    if uri in _STATIC:
        return types.ReadResourceResult(contents=[_STATIC[uri]])
    if uri.startswith("test://template/") and uri.endswith("/data"):
        number = uri.removeprefix("test://template/").removesuffix("/data")
        text = json.dumps({"id": number, "templateTest": True, "data": f"Data for ID: {number}"})
        return types.ReadResourceResult(
            contents=[types.TextResourceContents(uri=uri, mime_type="application/json", text=text)]
        )
    raise MCPError(types.INVALID_PARAMS, f"there is no resource {uri}")


async def subscribe(ctx: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
    return types.EmptyResult()


async def unsubscribe(ctx: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
    return types.EmptyResult()


# Prompts, completions, logging.

_PROMPTS = {
    "test_simple_prompt": [],
    "test_prompt_with_arguments": ["arg1", "arg2"],
    "test_prompt_with_embedded_resource": ["resourceUri"],
    "test_prompt_with_image": [],
}


async def list_prompts(ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
    prompts = [
        types.Prompt(
            name=name,
            description=f"{name}, for a scenario",
            arguments=[types.PromptArgument(name=argument, required=True) for argument in arguments],
        )
        for name, arguments in _PROMPTS.items()
    ]
    return types.ListPromptsResult(prompts=prompts)


async def get_prompt(ctx: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
    given = params.arguments or {}
    match params.name:
        case "test_simple_prompt":
            said: Content = [_text("This is a simple prompt for testing.")]
        case "test_prompt_with_arguments":
            said = [_text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")]
        case "test_prompt_with_embedded_resource":
            embedded = _resource(given["resourceUri"], "text/plain", "Embedded resource content for testing.")
            said = [embedded, _text("Please process the embedded resource above.")]
        case "test_prompt_with_image":
            said = [_png(), _text("Please analyze the image above.")]
        case _:
            raise MCPError(types.INVALID_PARAMS, f"unknown prompt {params.name}")
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=one) for one in said])


async def complete(ctx: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
    return types.CompleteResult(completion=types.Completion(values=["test", "testing"], total=2, has_more=False))


async def set_level(ctx: Context, params: types.SetLevelRequestParams) -> types.EmptyResult:
    return types.EmptyResult()


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _png() -> types.ImageContent:
    return types.ImageContent(type="image", data=PNG, mime_type="image/png")


def _resource(uri: str, kind: str, text: str) -> types.EmbeddedResource:
    inner = types.TextResourceContents(uri=uri, mime_type=kind, text=text)
    return types.EmbeddedResource(type="resource", resource=inner)


def _field(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


class Events(EventStore):
    """What was sent on each stream, kept in memory for clients that come back."""

    def __init__(self) -> None:
        self._sent: list[tuple[str, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: types.JSONRPCMessage | None) -> str:
        self._sent.append((stream_id, message))
        return str(len(self._sent))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        last = int(last_event_id)
        stream = self._sent[last - 1][0]
        for number, (where, message) in enumerate(self._sent[last:], start=last + 1):
            if where == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def server() -> Server:
    """Return the server with all that the scenarios ask for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MCPDeprecationWarning)  # the suite still asks for log levels
        return Server(  # pyright: ignore[reportDeprecated]
            "conformance",
            version="1",
            on_list_tools=list_tools,
            on_call_tool=call_tool,
            on_list_resources=list_resources,
            on_list_resource_templates=list_templates,
            on_read_resource=read_resource,
            on_subscribe_resource=subscribe,
            on_unsubscribe_resource=unsubscribe,
            on_list_prompts=list_prompts,
            on_get_prompt=get_prompt,
            on_completion=complete,
            on_set_logging_level=set_level,
        )


def app() -> Starlette:
    """Return the server as a web application."""
    return server().streamable_http_app(event_store=Events(), retry_interval=_RETRY_MS)


async def over_stdio() -> None:
    """Serve one client over the standard streams."""
    here = server()
    async with stdio_server() as (read, write):
        await here.run(read, write, here.create_initialization_options())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, help="serve over HTTP on this port")
    port = options.parse_args().port
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    if port is None:
        asyncio.run(over_stdio())
    else:
        uvicorn.run(app(), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
