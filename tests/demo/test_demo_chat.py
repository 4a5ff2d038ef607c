"""The chat of `--model`, with the scripted model in a real one's place."""

import demo.__main__ as story
import pytest
from demo import chat, desk, script, seed
from demo.conversations import conversations


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(story, "CACHE", tmp_path)
    return story.fresh()


async def talk(place, monkeypatch, name, *typed):
    """Be the customer of a scripted conversation and type these lines."""
    one = next(one for one in conversations() if one.id == name)
    lines = iter([one.says[0], *typed, ""])
    monkeypatch.setattr(chat, "CUSTOMER", one.customer)
    prompts = []
    monkeypatch.setattr("builtins.input", lambda prompt: prompts.append(prompt) or next(lines))
    assert await chat.chat(place, script.model([one])) == 0
    return seed.ref(one.customer), prompts


async def test_what_the_desk_asks_is_asked_in_the_terminal(place, monkeypatch, capsys):
    ref, prompts = await talk(place, monkeypatch, "cancellation-1", "y")
    assert f'You confirm: cancel_booking(ref="{ref}") (y/n) ' in prompts
    assert "It is cancelled." in capsys.readouterr().out


async def test_the_terminal_also_approves(place, monkeypatch):
    _, prompts = await talk(place, monkeypatch, "large-1", "y")
    assert any(prompt.startswith("As finance, you approve: refund") for prompt in prompts)


async def test_a_question_to_the_user_is_answered(place, monkeypatch, capsys):
    _, prompts = await talk(place, monkeypatch, "asking-1", "Yes.")
    assert any(prompt.startswith("Would IL") for prompt in prompts)
    assert "You now fly on" in capsys.readouterr().out


def test_a_model_that_does_not_exist_is_one_line(monkeypatch, place, capsys):
    monkeypatch.setattr("sys.argv", ["demo", "--model", "no-such-provider:x"])
    assert story.main() == 1
    told = capsys.readouterr()
    assert len(told.err.splitlines()) == 1
    assert "no-such-provider" in told.err
    assert desk.NAME not in told.out
