"""The policy: rules in order, compiled per action, and the judgement of a case."""

from collections.abc import Container, Iterable, Mapping
from functools import cached_property
from hashlib import sha256

import msgspec

from interlock.canonical import canonical
from interlock.errors import PolicyError
from interlock.guardian.check import Known, check, named, windows
from interlock.guardian.compile import Compiled, Concerned, compiled, concerned, described, trouble, would
from interlock.guardian.evaluate import quantifiers
from interlock.guardian.rules import Clause, Opaque, Rule
from interlock.guardian.scope import COUNTED, READ, Scope, scope_of
from interlock.guardian.tree import Window
from interlock.guardian.verdict import Case, Verdict


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy as it is stored."""

    rules: tuple[Clause, ...]
    version: int = 1


class _Nested(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The same inside another policy; a stored one of either kind is read as this."""

    rules: tuple[Clause, ...]
    outer: msgspec.Raw = msgspec.Raw(b"null")
    version: int = 1


class Policy:
    """A set of rules that judges cases.

    What no rule permits is denied; any forbid wins; a rule that can't be judged denies; the needs of all
    rules that apply add up and never grant. Two policies are equal when they say the same, wherever they were
    written.
    """

    def __init__(self, *rules: Rule) -> None:
        for rule in rules:
            if not isinstance(rule, Rule):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise PolicyError(f"{rule!r} is not a rule; write permit(...), forbid(...) or need.confirmation(...)")
        self.rules: tuple[Rule, ...] = rules
        self._compiled: tuple[Compiled, ...] = tuple(compiled(rule, number) for number, rule in enumerate(rules, 1))
        self._quantifiers: int = max((_quantifiers(rule.clause) for rule in rules), default=0)
        self._by_action: dict[str, Concerned]
        self._by_action, self._everywhere = _indexed(rules, self._compiled)

    @property
    def outer(self) -> "Policy | None":
        """The policy that this one stands inside, if it does."""
        return None

    @cached_property
    def actions(self) -> frozenset[str]:
        """The actions that rules name."""
        return frozenset(name for rule in self.rules if not rule.clause.everywhere for name in rule.clause.actions)

    def judge(self, case: Case) -> Verdict:
        """Return the verdict on *case*; whatever goes wrong on the way is a denial."""
        try:
            return self._judge(case)
        except Exception as error:  # noqa: BLE001 - any error denies
            return Verdict(permitted=False, reasons=(f"the case could not be judged: {described(error)}",))

    def _judge(self, case: Case) -> Verdict:
        scope = scope_of(case, self._quantifiers)
        found = self._by_action.get(case.action)
        if found is None:
            found = concerned(case.action, self._everywhere)
        applied: list[Compiled] = []
        troubles: list[tuple[Compiled, str]] = []
        for test, rule in found.rules:
            try:
                if test is None or test(scope):
                    applied.append(rule)
            except Exception as error:  # noqa: BLE001 - any error in any rule denies
                troubles.append((rule, trouble(rule, error)))
        verdict = _verdict(found, applied, troubles, scope)
        return _annotated(verdict, found, scope) if found.shadows or found.musts else verdict

    def facts_needed(self, action: str, declared: Iterable[str] = ()) -> frozenset[str]:
        """Return the names of the facts that rules about *action* read.

        Nobody can see what an opaque predicate reads: where one concerns the action, all *declared* facts are
        needed.
        """
        clauses = [rule.clause for rule in self.rules if rule.concerns(action)]
        facts = frozenset[str]().union(*(named(clause, "fact") for clause in clauses))
        opaque = any(isinstance(clause.when, Opaque) for clause in clauses)
        return facts.union(declared) if opaque else facts

    def windows_needed(self, action: str) -> tuple[Window, ...]:
        """Return the windows that rules about *action* look at, each once."""
        found = (window for rule in self.rules if rule.concerns(action) for window in windows(rule.clause))
        return tuple(dict.fromkeys(found))

    def reads_origins(self, action: str) -> bool:
        """Tell whether rules about *action* read where values came from."""
        return any(named(rule.clause, "origin") for rule in self.rules if rule.concerns(action))

    def said(self, rule: str) -> str:
        """Return the rule of this id (`r3`, as in a verdict) with its id, in English."""
        for one in self._compiled:
            if one.id == rule:
                return f"{one.id}: {one.english}"
        return rule

    def check(self, known: Mapping[str, Known]) -> None:
        """Refuse the policy if a rule names an action, argument or fact that is not *known*.

        Raises:
            PolicyError: Names each such rule, its file and line, and the nearest known name.
        """
        check(self.rules, known)

    def check_arguments(self, known: Mapping[str, Known]) -> None:
        """Do the same for a policy of several agents: its windows may count what others do.

        Raises:
            PolicyError: as for `check`.
        """
        check(self.rules, known, windows_too=False)

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of the policy's JSON, in hex: the version that a decision names."""
        return sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        """Return what the policy says as canonical JSON, without the places where it was written."""
        return self._json

    @cached_property
    def _json(self) -> bytes:
        return canonical(_Document(tuple(rule.clause for rule in self.rules)))

    @classmethod
    def from_json(cls, data: bytes) -> "Policy":
        """Return the policy that `to_json` wrote; the same hash, and the same verdicts.

        Opaque predicates are not in the data: a rule that had one denies.

        Raises:
            PolicyError: The data is not a policy, or holds a rule that can't be judged.
        """
        try:
            document = msgspec.json.decode(data, type=_Nested)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise PolicyError(f"this is not a stored policy: {error}") from error
        if document.version != 1:
            raise PolicyError(f"this policy was stored by a newer Interlock (version {document.version})")
        policy = Policy(*(Rule(clause) for clause in document.rules))
        if bytes(document.outer) != b"null":
            policy = policy.within(cls.from_json(bytes(document.outer)))
        # A hash is over stored bytes: it stays when a later version would write the rules differently.
        policy.__dict__["_json"] = bytes(data)
        return policy

    def could_permit(self, action: str) -> bool:
        """Tell whether some case of *action* might be permitted, as far as a look at the rules' heads can tell."""
        rules = [rule.clause for rule in self.rules if rule.concerns(action) and not rule.clause.shadow]
        if any(clause.kind == "forbid" and clause.when is None for clause in rules):
            return False
        return any(clause.kind == "permit" for clause in rules)

    def concerning(self, actions: Container[str]) -> "Policy":
        """Return the rules that concern some of *actions*, each for those only."""
        found = (rule if rule.clause.everywhere else rule.only(actions) for rule in self.rules)
        return Policy(*(rule for rule in found if rule is not None))

    def within(self, outer: "Policy") -> "Policy":
        """Return this policy inside another: what either denies is denied, and the needs of both add up."""
        return _Within(self, outer)

    def restricted(self, *by: "Policy") -> "Policy":
        """Return this policy with the rules of others added that permit nothing: an organisation's, a tenant's.

        They can only narrow: any forbid wins and needs add up, whoever wrote them.

        Raises:
            PolicyError: one of them holds a permit.
        """
        added = tuple(rule for policy in by for rule in policy.rules)
        for rule in added:
            if rule.clause.kind == "permit":
                raise PolicyError(
                    f"{rule.place or 'policy'}: {rule}: a policy that restricts another can't permit; "
                    "drop the permit, or use .within() where both have to permit"
                )
        return Policy(*self.rules, *added)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __len__(self) -> int:
        return len(self.rules)

    def __str__(self) -> str:
        return "\n".join(f"{rule.id}: {rule.english}" for rule in self._compiled)

    def __repr__(self) -> str:
        return f"<Policy {self.hash[:12]} [Rules: {len(self.rules)}, actions: {len(self.actions)}]>"


class _Within(Policy):
    """A policy that can only narrow what the one around it lets through."""

    def __init__(self, inner: Policy, outer: Policy) -> None:
        super().__init__(*inner.rules)
        self._outer = outer

    @property
    def outer(self) -> Policy:
        return self._outer

    def _judge(self, case: Case) -> Verdict:
        inner, outer = super()._judge(case), self._outer.judge(case)
        return Verdict(
            permitted=inner.permitted and outer.permitted,
            needs=tuple(dict.fromkeys((*inner.needs, *outer.needs))),
            rules=(*inner.rules, *(f"outer {rule}" for rule in outer.rules)),
            reasons=tuple(dict.fromkeys((*inner.reasons, *outer.reasons))),
            instead=tuple(dict.fromkeys((*inner.instead, *outer.instead))),
            read={**outer.read, **inner.read},
            counted={**outer.counted, **inner.counted},
            shadowed=(*inner.shadowed, *(f"outer {said}" for said in outer.shadowed)),
            paradox=(*inner.paradox, *(f"outer {rule}" for rule in outer.paradox)),
        )

    def restricted(self, *by: Policy) -> Policy:
        return _Within(super().restricted(*by), self._outer)

    def said(self, rule: str) -> str:
        return f"outer {self._outer.said(rule[6:])}" if rule.startswith("outer ") else super().said(rule)

    def could_permit(self, action: str) -> bool:
        return super().could_permit(action) and self._outer.could_permit(action)

    def windows_needed(self, action: str) -> tuple[Window, ...]:
        return tuple(dict.fromkeys((*super().windows_needed(action), *self._outer.windows_needed(action))))

    def reads_origins(self, action: str) -> bool:
        return super().reads_origins(action) or self._outer.reads_origins(action)

    def facts_needed(self, action: str, declared: Iterable[str] = ()) -> frozenset[str]:
        return super().facts_needed(action, declared) | self._outer.facts_needed(action, declared)

    @cached_property
    def _json(self) -> bytes:
        rules = tuple(rule.clause for rule in self.rules)
        return msgspec.json.encode(_Nested(rules, msgspec.Raw(self._outer.to_json())), order="deterministic")

    def __str__(self) -> str:
        return f"{super().__str__()}\nand all of:\n{self._outer}"


def _indexed(
    rules: tuple[Rule, ...], compiled_rules: tuple[Compiled, ...]
) -> tuple[dict[str, Concerned], tuple[Compiled, ...]]:
    """Return the rules that can concern each action that is named, and those that concern every other one."""
    everywhere: list[Compiled] = []
    by_action: dict[str, list[Compiled]] = {}
    for rule, one in zip(rules, compiled_rules, strict=True):
        if rule.clause.everywhere:
            for each in (everywhere, *by_action.values()):
                each.append(one)
            continue
        for action in rule.clause.actions:
            by_action.setdefault(action, everywhere.copy()).append(one)
    return {action: concerned(action, tuple(each)) for action, each in by_action.items()}, tuple(everywhere)


def _quantifiers(clause: Clause) -> int:
    return 0 if clause.when is None or isinstance(clause.when, Opaque) else quantifiers(clause.when)


def _verdict(found: Concerned, applied: list[Compiled], troubles: list[tuple[Compiled, str]], scope: Scope) -> Verdict:
    forbidding = [rule for rule in applied if rule.forbids]
    if troubles or forbidding:
        return _denied(forbidding, troubles, scope)
    needing = [rule for rule in applied if rule.need]
    if len(needing) == len(applied):
        return Verdict(permitted=False, reasons=(found.unpermitted,), read=scope[READ], counted=scope[COUNTED])
    return Verdict(
        permitted=True,
        needs=tuple(dict.fromkeys([rule.need for rule in needing if rule.need])) if needing else (),
        rules=tuple([rule.id for rule in applied]),
        reasons=tuple([rule.reason for rule in applied if rule.reason]),
        read=scope[READ],
        counted=scope[COUNTED],
    )


def _denied(forbidding: list[Compiled], troubles: list[tuple[Compiled, str]], scope: Scope) -> Verdict:
    return Verdict(
        permitted=False,
        rules=(*[rule.id for rule in forbidding], *[rule.id for rule, _ in troubles]),
        reasons=(*[rule.reason for rule in forbidding], *[said for _, said in troubles]),
        instead=tuple([rule.instead for rule in forbidding if rule.instead]),
        read=scope[READ],
        counted=scope[COUNTED],
    )


def _annotated(verdict: Verdict, found: Concerned, scope: Scope) -> Verdict:
    """Return *verdict* with what has no effect on it: what rules in shadow say, and obligations that it breaks."""
    shadowed = tuple(said for rule in found.shadows if (said := _said(rule, scope)))
    musts = () if verdict.permitted else tuple(rule.id for rule in found.musts if _obliges(rule, scope))
    return msgspec.structs.replace(verdict, shadowed=shadowed, paradox=musts)


def _said(rule: Compiled, scope: Scope) -> str:
    try:
        return would(rule) if rule.test is None or rule.test(scope) else ""
    except Exception as error:  # noqa: BLE001 - a rule in shadow has no effect, whatever it does
        return trouble(rule, error)


def _obliges(rule: Compiled, scope: Scope) -> bool:
    try:
        return rule.test is None or rule.test(scope)
    except Exception:  # noqa: BLE001 - what can't be told to be owed is not
        return False
