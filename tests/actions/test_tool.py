"""Declaring tools whose bodies stay elsewhere, and what their schemas let through."""

import pytest

from interlock import Agent, Policy, arg, forbid, permit, tool
from interlock.actions.foreign import Foreign
from interlock.actions.tool import Tool
from interlock.errors import DeclarationError, PolicyError
from interlock.guardian import ANY

PAY = {
    "type": "object",
    "properties": {
        "order": {"type": "string"},
        "amount": {"type": "integer", "minimum": 1},
        "note": {"type": "string", "default": "none"},
    },
    "required": ["order", "amount"],
}


def taking(schema, **more):
    found = tool.irreversible("pay")
    found.bind("Pay.", schema, **more)
    return found.signature


class TestDeclaring:
    def test_it_has_what_an_action_has(self):
        """A tool is an action by another's name, with the same keywords."""
        pay = tool.compensable("pay", idempotent="24h", timeout="5s", credentials=("KEY",))
        assert isinstance(pay, Tool)
        assert (pay.name, pay.effect, pay.timeout, pay.credentials) == ("pay", "compensable", 5_000_000, ("KEY",))
        assert pay.proposer_performs

    def test_a_way_back_is_asked_for(self):
        """A tool that is said to be reversible needs its undo, though nobody knows yet what it takes."""
        with pytest.raises(DeclarationError, match="no way back"):
            Agent("desk", [tool.reversible("rename")])

    def test_the_way_back_has_to_take_the_arguments(self):
        """What an undo is given is known when the tool is bound, and checked then."""
        pay = tool.compensable("pay")

        @pay.undo
        def _(ctx, done, order): ...

        Agent("desk", [pay])
        with pytest.raises(DeclarationError, match="its undo does not take what it is given"):
            pay.bind("Pay.", PAY)

    @pytest.mark.parametrize("name", ["", "x" * 129, "two\nlines"])
    def test_a_name_can_be_shown(self, name):
        """Names come from other programs: none breaks a line, a table or a log."""
        with pytest.raises(DeclarationError, match="can't name a tool"):
            tool.read(name)

    def test_names_of_other_programs_are_taken(self):
        """Dots and slashes, which model APIs refuse, occur in the names of servers' tools."""
        assert tool.read("git.status/v2").name == "git.status/v2"

    def test_with_a_body_of_its_own_anybody_can_perform_it(self):
        """A tool on a server needs nobody to propose it again after a crash."""
        pay = tool.irreversible("pay")

        async def body(ctx, arguments): ...

        pay.bind("Pay.", PAY, body=body)
        assert not pay.proposer_performs

    async def test_without_one_it_says_who_can(self):
        """Nobody performs a framework's tool but the framework."""
        with pytest.raises(DeclarationError, match="its framework that performs it"):
            await tool.irreversible("pay").function(None)


class TestRules:
    def test_rules_may_name_anything_of_an_unbound_tool(self):
        """The policy is written before the framework has told what its tools take."""
        agent = Agent("desk", [pay := tool.irreversible("pay")], policy=Policy(permit(pay, when=arg.amout < 5)))
        pay.bind("Pay.", PAY)
        with pytest.raises(PolicyError, match="did you mean amount"):
            agent.add(pay)

    def test_a_rule_that_names_no_tool_is_refused_at_once(self):
        """A name that nobody declared is a slip of the pen."""
        with pytest.raises(PolicyError, match="there is no action pya; did you mean pay"):
            Agent("desk", [tool.irreversible("pay")], policy=Policy(permit("pya")))

    def test_rules_for_every_tool_may_name_what_an_open_one_takes(self):
        """While one tool may take anything, no argument is unknown."""
        Agent("desk", [tool.irreversible("pay")], policy=Policy(forbid(ANY, when=arg.path == "/")))

    def test_a_tool_may_come_late(self):
        """A framework finds its tools when it runs; no rule permits one that nobody knew."""
        agent = Agent("desk", [], policy=Policy(forbid(ANY)))
        late = tool.irreversible("late")
        late.bind("", {"type": "object"})
        agent.add(late)
        assert agent.actions == {"late": late}


class TestSchemas:
    def test_defaults_are_filled_in(self):
        """What is judged has every argument, as what is executed has."""
        assert taking(PAY).arguments({"order": "a", "amount": 1}) == {"order": "a", "amount": 1, "note": "none"}

    @pytest.mark.parametrize(
        ("raw", "said"),
        [
            ({"order": "a"}, "'amount' is a required property"),
            ({"order": "a", "amount": "1"}, "amount: '1' is not of type 'integer'"),
            ({"order": "a", "amount": True}, "amount: True is not of type 'integer'"),
            ({"order": "a", "amount": 0}, "amount: 0 is less than the minimum of 1"),
            ({"order": "a", "amount": 1, "to": "b"}, "'to' was unexpected"),
            ("[1]", "no JSON object"),
            (None, "no JSON object"),
        ],
    )
    def test_what_does_not_fit_is_told(self, raw, said):
        """Each argument that does not fit is named; one that no rule could have seen does not fit."""
        with pytest.raises(ValueError, match=said):
            taking(PAY).arguments(raw)

    def test_a_tool_may_take_anything(self):
        """Where the schema says nothing of arguments, or lets others through, so do we."""
        assert taking({"type": "object"}).arguments({"x": 1}) == {"x": 1}
        assert (
            taking({**PAY, "additionalProperties": True}).arguments({"order": "a", "amount": 1, "to": "b"})["to"] == "b"
        )

    def test_long_values_are_cut_in_what_is_said(self):
        """A megabyte in the wrong place is not repeated to the model."""
        with pytest.raises(ValueError, match="is not of type") as told:
            taking({"properties": {"n": {"type": "integer"}}}).arguments({"n": "x" * 1_000_000})
        assert len(str(told.value)) < 1000

    def test_nothing_is_fetched(self):
        """A schema that refers to another machine is not followed there."""
        schema = {"properties": {"x": {"$ref": "http://127.0.0.1:9/schema.json"}}}
        with pytest.raises(ValueError, match="not in it"):
            taking(schema).arguments({"x": 1})

    def test_a_schema_that_refers_to_itself_ends(self):
        """Endless recursion is an error of the arguments, which the path denies."""
        schema = {"properties": {"x": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}}
        with pytest.raises((ValueError, RecursionError)):
            taking(schema).arguments({"x": 1})

    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "array"},
            {"type": "object", "properties": []},
            {"type": "object", "properties": {"x": {"type": "no such type"}}},
            {"type": "object", "properties": {"x": {"pattern": "("}}},
        ],
    )
    def test_what_is_no_schema_is_refused_when_it_is_bound(self, schema):
        """A wrong schema is told when the tool is seen, not in the first call."""
        with pytest.raises(DeclarationError, match="schema"):
            Foreign("pay", "", schema).arguments({"x": "x"})

    def test_the_other_sides_validation_is_used(self):
        """A framework's own types reach rules and body: what is judged is what is executed."""
        takes = taking(PAY, validate=lambda raw: {**raw, "amount": int(raw["amount"])})
        assert takes.arguments({"order": "a", "amount": "7"}) == {"order": "a", "amount": 7}
