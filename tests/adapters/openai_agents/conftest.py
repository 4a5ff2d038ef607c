"""What the tests of the OpenAI Agents SDK share."""

import pytest
from openai_agents_desk import governing


@pytest.fixture
def governor():
    with governing() as made:
        yield made
