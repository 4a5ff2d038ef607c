"""Credentials are found by their format or their value, and nothing else is."""

import base64
import json
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.errors import DeclarationError
from interlock.journal.redact import RULES, Redactor

ALNUM = string.ascii_letters + string.digits
chance = random.Random(7)


def some(length: int, alphabet: str = ALNUM) -> str:
    return "".join(chance.choice(alphabet) for _ in range(length))


JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS256"}', b'{"sub":"1234567"}')
)
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{some(64)}\n{some(64)}\n-----END RSA PRIVATE KEY-----"

REAL = {
    "openai-key": [
        f"sk-{some(48)}",
        f"sk-proj-{some(60)}",
        f"sk-svcacct-{some(60)}",
        f"sk-{some(32, '0123456789abcdef')}",
    ],
    "anthropic-key": [f"sk-ant-api03-{some(90)}"],
    "openrouter-key": [f"sk-or-v1-{some(64, '0123456789abcdef')}"],
    "aws-key-id": ["AKIAIOSFODNN7EXAMPLE", f"ASIA{some(16, string.ascii_uppercase)}"],
    "github-token": [f"ghp_{some(36)}", f"gho_{some(36)}", f"github_pat_{some(22)}_{some(59)}"],
    "gitlab-token": [f"glpat-{some(20)}"],
    "slack-token": [f"xoxb-{some(12, string.digits)}-{some(24)}", f"xapp-1-{some(10)}-{some(20)}"],
    "slack-webhook": [f"https://hooks.slack.com/services/T{some(8)}/B{some(8)}/{some(24)}"],
    "stripe-key": [f"sk_live_{some(24)}", f"rk_test_{some(24)}", f"whsec_{some(32)}"],
    "google-key": [f"AIza{some(35)}"],
    "google-oauth": [f"ya29.{some(60)}", f"GOCSPX-{some(28)}"],
    "huggingface-token": [f"hf_{some(34)}"],
    "npm-token": [f"npm_{some(36)}"],
    "pypi-token": [f"pypi-AgEIcHlwaS5vcmc{some(80)}"],
    "sendgrid-key": [f"SG.{some(22)}.{some(43)}"],
    "jwt": [f"{JWT}.{some(43)}"],
    "private-key": [PEM, PEM.replace("RSA ", ""), PEM.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK")],
}
PARTLY = {
    "aws-secret-key": (
        f'aws_secret_access_key = "{some(39)}/"',
        'aws_secret_access_key = "[redacted:aws-secret-key]"',
    ),
    "bearer-token": (f"Authorization: Bearer 1{some(30)}", "Authorization: Bearer [redacted:bearer-token]"),
    "url-password": ("postgres://me:hunter2@db/x", "postgres://me:[redacted:url-password]@db/x"),
}
FRIENDS = [
    "task-list and risk-assessment-for-the-whole-department-2024",
    "sk-learn-is-a-library-with-a-long-hyphenated-name",
    "a desk-0123456789abcdef0123456789abcdef0123",
    "AKIA is a prefix; AKIAshort; XAKIAIOSFODNN7EXAMPLE",
    "ghp_short, high_priority_and_a_very_long_snake_case_name_indeed",
    "xoxo-, hugs and kisses",
    "https://hooks.slack.com/services",
    "sk_live_ and sk_test_short",
    "https://example.com:8080/path?user=a@b.c and mailto:someone@example.com",
    "see https://example.com/@user:tag",
    "a bearer of good news, Bearer authentication-is-explained-here",
    "eyJ.not.a.token and eyJhbGciOiJIUzI1NiJ9 alone",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "half_life, hf_ and npm_install and pypi-server and SG. as in Singapore",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "8c6976e5-b541-0415-bde9-08bd4dee15df call_AbCdEfGhIjKlMnOpQrStUvWx",
]


@pytest.fixture(scope="module")
def redactor():
    return Redactor()


def surroundings(secret: str):
    """Return texts that hold *secret* as agents meet it."""
    yield secret
    yield f"my key is {secret}, keep it"
    yield f"line one\n{secret}\nline three"
    yield f"KEY={secret}"
    yield json.dumps({"nested": f"x\n{secret}"})


def test_every_rule_is_tried_here():
    """A rule without an example is not shipped."""
    assert {rule.name for rule in RULES} == REAL.keys() | PARTLY.keys()


@pytest.mark.parametrize("name", REAL)
def test_known_formats_are_replaced(redactor, name):
    """In a value, in a key, in JSON within JSON; and nothing but the credential goes."""
    for secret in REAL[name]:
        for text in surroundings(secret):
            for payload in ({"a": [text, 1]}, {text: None}):
                cleaned, found = redactor.redact(json.dumps(payload, ensure_ascii=False).encode())
                assert found == (name,)
                blotted = text.replace(json.dumps(secret)[1:-1], secret).replace(secret, f"[redacted:{name}]")
                expected = json.dumps(payload).replace(json.dumps(text), json.dumps(blotted))
                assert json.loads(cleaned) == json.loads(expected)


@pytest.mark.parametrize("name", PARTLY)
def test_only_the_secret_part_is_replaced(redactor, name):
    """Where a credential is known by what stands around it, that stays."""
    text, expected = PARTLY[name]
    cleaned, found = redactor.redact(json.dumps({"a": text}).encode())
    assert found == (name,)
    assert json.loads(cleaned) == {"a": expected}


@pytest.mark.parametrize("text", FRIENDS)
def test_false_friends_are_left_alone(redactor, text):
    """What only looks like a credential keeps every byte."""
    payload = json.dumps({"a": text}).encode()
    assert redactor.redact(payload) == (payload, ())


def test_what_is_not_redacted_keeps_its_bytes(redactor):
    """Numbers, order, spaces, duplicate keys and escapes are not written anew."""
    payload = b'{ "n": 1.0, "big": 123456789012345678901234567890, "n": 1e400, "u": "\\u00e9\\/", '
    payload += b'"k": "AKIAIOSFODNN7EXAMPLE" }'
    cleaned, found = redactor.redact(payload)
    assert cleaned == payload.replace(b"AKIAIOSFODNN7EXAMPLE", b"[redacted:aws-key-id]")
    assert found == ("aws-key-id",)


def test_known_secrets_are_found_in_every_escaping():
    """As they are, as JSON escapes them, and in JSON within JSON."""
    value = 'p"a\\s\ns-wörd'
    redactor = Redactor(secrets={"database": value})
    payload = {"a": value, f"k {value}": [f"x{value}y", json.dumps({"b": value}, ensure_ascii=False)]}
    cleaned, found = redactor.redact(json.dumps(payload, ensure_ascii=False).encode())
    mark = "[redacted:database]"
    assert json.loads(cleaned) == {"a": mark, f"k {mark}": [f"x{mark}y", json.dumps({"b": mark})]}
    assert found == ("database",)


def test_the_longest_known_secret_goes_first():
    """A secret that holds another is replaced whole."""
    redactor = Redactor((), {"short": "abcdef", "long": "abcdefghi"})
    assert redactor.redact(b'"abcdefghi abcdef"') == (
        b'"[redacted:long] [redacted:short]"',
        ("long", "short"),
    )


def test_a_short_secret_is_refused():
    """It would blot out ordinary text."""
    with pytest.raises(DeclarationError, match="'pin' has fewer than 6 characters"):
        Redactor(secrets={"pin": "1234"})


def test_knowing_more():
    """A redactor is not changed; a new one knows more."""
    redactor = Redactor()
    more = redactor.knowing({"token": "s3cret-value"})
    assert redactor.redact(b'"s3cret-value"')[1] == ()
    assert more.redact(b'"s3cret-value"') == (b'"[redacted:token]"', ("token",))
    assert repr(more) == f"<Redactor [{len(RULES)} rules, 1 secrets]>"


def test_without_rules_and_secrets():
    """Nothing is redacted."""
    payload = json.dumps({"a": REAL["openai-key"][0]}).encode()
    assert Redactor(()).redact(payload) == (payload, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    value=JSON,
    secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=6),
    spaces=st.sampled_from([None, 2]),
)
def test_no_known_secret_survives(value, secret, spaces):
    """Wherever a secret stands in a JSON document, it is gone afterwards, and the document is JSON still."""
    redactor = Redactor((), {"it": secret})
    payload = json.dumps({"a": value, "b": f"before {secret} after", secret: 1}, ensure_ascii=False, indent=spaces)
    cleaned, found = redactor.redact(payload.encode("utf-8", "replace"))
    assert found == ("it",)
    text = json.loads(cleaned)
    assert "before [redacted:it] after" in text.values() or "it" in secret or "redacted" in secret
    assert secret not in text
