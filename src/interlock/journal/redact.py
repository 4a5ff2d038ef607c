"""Keeps credentials out of the journal: replaces them in a payload before it is written.

Nearly every payload holds none. One regular expression for all rules, run by the Rust engine that pydantic
brings along, says so in well under a microsecond; only a payload that it finds suspicious is taken apart.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from interlock.errors import DeclarationError

SHORTEST_SECRET = 6
"""A known secret of fewer characters would blot out ordinary text."""

# Nothing of a longer word stands before a credential, save the tail of an escape like \n in JSON within JSON.
_START = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[bfnrt]))"
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


class Rule(Struct, frozen=True):
    """A format of credentials: its name, and a regular expression for the decoded text.

    `sign` is what an encoded payload shows of it, in the syntax of Rust (no look-around); by default the
    pattern. Where the pattern has a group, only what the group matched is replaced.
    """

    name: str
    pattern: str
    sign: str | None = None


RULES = (
    Rule("openai-key", r"sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})"),
    Rule("anthropic-key", r"sk-ant-[A-Za-z0-9_-]{20,}"),
    Rule("openrouter-key", r"sk-or-v1-[0-9a-f]{32,}"),
    Rule("aws-key-id", r"(?:AKIA|ASIA)[A-Z2-7]{16}"),
    Rule(
        "aws-secret-key",
        r"(?:aws_secret_access_key|secretAccessKey|SecretAccessKey)[\\\"']*\s*[=:]\s*[\\\"']*([A-Za-z0-9/+]{40})",
        r"aws_secret_access_key|[sS]ecretAccessKey",
    ),
    Rule("github-token", r"(?:gh[opsur]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    Rule("gitlab-token", r"glpat-[A-Za-z0-9_-]{20,}"),
    Rule("slack-token", r"(?:xox[abeprs]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,})"),
    Rule("slack-webhook", r"https://hooks\.slack\.com/services/T[A-Za-z0-9_]+/B[A-Za-z0-9_]+/[A-Za-z0-9]{16,}"),
    Rule("stripe-key", r"(?:[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{24,})"),
    Rule("google-key", r"AIza[A-Za-z0-9_-]{35}"),
    Rule("google-oauth", r"(?:ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})"),
    Rule("huggingface-token", r"hf_[A-Za-z0-9]{30,}"),
    Rule("npm-token", r"npm_[A-Za-z0-9]{36}"),
    Rule("pypi-token", r"pypi-AgE[A-Za-z0-9_-]{50,}"),
    Rule("sendgrid-key", r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    Rule("jwt", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    Rule("bearer-token", r"[Bb]earer +([A-Za-z0-9._~+/-]*[0-9][A-Za-z0-9._~+/-]{12,}=*)"),
    Rule(
        "url-password",
        r"[a-z][a-z0-9+.-]*://[^\s/@:\"\\]*:([^\s/@\"\\]+)@",
        r"://[^\s/@:\"\\]*:[^\s/@\"\\]+@",
    ),
    Rule(
        "private-key",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
        r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY",
    ),
)
"""The well-known formats, each unmistakable by prefix or surroundings: no bare random string is guessed."""


class Redactor:
    """Replaces credentials by `[redacted:NAME]`: known formats, and *secrets* (name to value) by their value.

    A value is found as it is and as JSON escapes it, once and twice; not in base64, not split over two
    strings.

    Raises:
        DeclarationError: a secret is too short to be told from ordinary text.
    """

    def __init__(self, rules: Iterable[Rule] = RULES, secrets: Mapping[str, str] | None = None) -> None:
        from pydantic_core import SchemaValidator, core_schema  # noqa: PLC0415  # import interlock stays cheap

        self._rules = tuple(rules)
        self._secrets = dict(secrets or {})
        known = _known(self._secrets)
        self._patterns = [(name, re.compile(re.escape(text))) for name, text in known]
        self._patterns += [(rule.name, re.compile(_START + rule.pattern)) for rule in self._rules]
        signs = [f"(?:{rule.sign or rule.pattern})" for rule in self._rules]
        signs += [re.escape(_escaped(text)) for _, text in known]
        # An empty alternation would match everything; this matches nothing.
        sign = "|".join(signs) or r"[^\s\S]"
        schema = core_schema.str_schema(pattern=sign, regex_engine="rust-regex")
        self._suspicious = SchemaValidator(schema).isinstance_python

    def __repr__(self) -> str:
        return f"<Redactor [{len(self._rules)} rules, {len(self._secrets)} secrets]>"

    def knowing(self, secrets: Mapping[str, str]) -> "Redactor":
        """Return a redactor that knows *secrets* too."""
        return Redactor(self._rules, self._secrets | dict(secrets))

    def redact(self, payload: bytes) -> tuple[bytes, tuple[str, ...]]:
        """Return *payload*, which is JSON, without credentials, and the sorted names of what was found.

        Whatever is not redacted keeps its bytes: only the strings that change are written anew.
        """
        if not self._suspicious(payload):
            return payload, ()
        found: set[str] = set()

        def clean(token: re.Match[bytes]) -> bytes:
            text = msgspec.json.decode(token[0], type=str)
            cleaned = self._clean(text, found)
            return token[0] if cleaned == text else msgspec.json.encode(cleaned)

        cleaned = _STRING.sub(clean, payload)
        return cleaned, tuple(sorted(found))

    def _clean(self, text: str, found: set[str]) -> str:
        for name, pattern in self._patterns:
            text, hits = pattern.subn(lambda match, name=name: _blot(match, name), text)
            if hits:
                found.add(name)
        return text


def _blot(match: re.Match[str], name: str) -> str:
    """Return what was matched with its group, or all of it, replaced."""
    group = min(match.re.groups, 1)
    start, end = match.start(group) - match.start(), match.end(group) - match.start()
    return f"{match[0][:start]}[redacted:{name}]{match[0][end:]}"


def _known(secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return each secret as it is and as it stands in JSON, the longest first, since one may hold another."""
    forms: dict[str, str] = {}
    for name, value in secrets.items():
        if len(value) < SHORTEST_SECRET:
            raise DeclarationError(
                f"the secret {name!r} has fewer than {SHORTEST_SECRET} characters "
                "and would blot out ordinary text; use a longer one"
            )
        forms |= {value: name, _escaped(value): name}
    return sorted(((name, text) for text, name in forms.items()), key=lambda item: -len(item[1]))


def _escaped(text: str) -> str:
    return msgspec.json.encode(text).decode()[1:-1]
