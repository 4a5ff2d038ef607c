"""What every test of the Pydantic AI adapter stands in."""

import asyncio

import pydantic_ai_desk
import pytest


@pytest.fixture(autouse=True)
def _closed():
    """Close the journals that a test has opened."""
    yield
    while pydantic_ai_desk.opened:
        pydantic_ai_desk.opened.pop().close()


@pytest.fixture
def current_loop():
    """Give `run_sync` a loop: the one that it would make itself is never closed."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()
