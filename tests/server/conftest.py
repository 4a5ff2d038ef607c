"""A desk that is served to users."""

from contextlib import asynccontextmanager

import pytest
from server_helpers import SENT, Client, desk, served, user_of
from starlette.applications import Starlette
from starlette.routing import Mount

from interlock import Agent, MemoryStore, Runtime


@pytest.fixture
async def serve():
    """Serve an agent (or a runtime's options) for users who are told apart by a header; gives runtime and clients."""
    SENT.clear()
    clients: list[Client] = []

    @asynccontextmanager
    async def serving(agent: Agent | None = None, store=None, **options):
        async with Runtime(store or MemoryStore(), agent or desk()) as rt:
            host = Starlette(routes=[Mount("/agents", rt.asgi(**{"user": user_of, **options}))])
            async with served(host) as base:

                def client(user: str = "ana") -> Client:
                    clients.append(Client(base, user))
                    return clients[-1]

                yield rt, client
                for one in clients:
                    await one.http.aclose()

    return serving
