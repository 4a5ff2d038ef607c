"""`show --prompt`: what went over the wire, and whether it is still that."""

import json

import pytest

WIRED = '''
from hashlib import sha256
from interlock import Agent, Policy
from interlock.models import Exchange, Response

class Wired:
    """A scripted model that pretends to have a wire."""

    name = "scripted:wired"

    async def respond(self, request):
        pieces = (b'{"model":"m","messages":[', b'{"role":"user","content":"line 1\\\\nline 2 \\\\u001b[2J"}', b"]}")
        salt = bytes(16)
        digest = sha256(salt + b"".join(pieces)).hexdigest()
        redacted = ("openai-key",) if "secret" in request.messages[-1].text else ()
        where = "https://models.example/v1"
        sent = Exchange("POST", where, 200, pieces, digest, (b"{}",), digest, salt.hex(), redacted)
        yield Response(text="Hi.", model="m", input_tokens=7, output_tokens=2, cost="0.0012", wire=(sent,))

wired = Agent("wired", [], model=Wired(), policy=Policy())
'''


@pytest.fixture
def wired(project):
    (project.folder / "wired.py").write_text(WIRED)
    (project.folder / "interlock.toml").write_text('journal = "desk.db"\nagents = ["wired:wired"]\n')
    return project


def ask(interlock, words="hello"):
    return json.loads(interlock("run", "wired", words, "--json").stdout)["run"]


def test_what_went_over_the_wire(wired, interlock):
    """Its bytes, checked against their digest; as an outline for people, whole in JSON."""
    run = ask(interlock)
    shown = interlock("show", run, "--prompt", "1").stdout
    assert shown == (
        f"turn 1 of run {run}  scripted:wired\n"
        "exact: these bytes went over the wire, and their digest was checked\n"
        "POST https://models.example/v1\n"
        "\n"
        "model  m\n"
        "messages\n"
        "  - role  user\n"
        "    content  | line 1\n"
        "             | line 2 \\x1b[2J\n"
    )
    document = json.loads(interlock("show", run, "--prompt", "1", "--json").stdout)
    assert (document["source"], document["exact"]) == ("wire", True)
    assert document["body"] == '{"model":"m","messages":[{"role":"user","content":"line 1\\nline 2 \\u001b[2J"}]}'


def test_money(wired, interlock):
    """What a turn cost, and all of them."""
    shown = interlock("show", ask(interlock)).stdout
    assert "1 model turn, 7 + 2 tokens, $0.0012\n" in shown
    assert "turn 1     scripted:wired  7 + 2 tokens, " in shown


def test_what_was_redacted_is_not_called_exact(wired, interlock):
    """The rules that struck are named."""
    shown = interlock("show", ask(interlock, "a secret"), "--prompt", "1").stdout
    assert "redacted (openai-key); the rest is what went over the wire\n" in shown


def test_what_was_erased_or_changed(wired, interlock):
    """A piece that is gone, and one that is another: neither is what the model saw."""
    run = ask(interlock)
    wired.edit("UPDATE blobs SET bytes = x'00' WHERE bytes = CAST(']}' AS BLOB)")
    result = interlock("show", run, "--prompt", "1")
    assert "NOT what went over the wire: the digest does not fit; run `interlock verify`\n" in result.stdout
    assert interlock("verify").exit_code == 1
    wired.edit("DELETE FROM blobs WHERE bytes = x'00'")
    assert "incomplete: parts of it were erased\n" in interlock("show", run, "--prompt", "1").stdout
