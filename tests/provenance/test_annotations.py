"""What a server says of its tools lowers how far their results are trusted, and never raises it."""

import msgspec
import pytest

from interlock import Labels, Trust, tool
from interlock.adapters.mcp.effects import governed, hinted
from interlock.kernel import events as ev
from interlock.provenance import Index, Known, Written
from interlock.provenance.leaves import Fields
from interlock.runtime.tracing import known

RESULT = {"id": "H-1", "name": "Ritz", "mail": "ritz@hotels.example", "price": 120, "note": "Fine.", "full": False}


def trust(labels: Labels | None = None, *, open_world: bool) -> dict[str, Trust]:
    fields = Fields("search", labels or Labels(), egress=False, open_world=open_world)
    return {one.path: one.trust for one in fields.leaves(RESULT)}


def governed_tool(annotations, *declared):
    definition = {"name": "search", "inputSchema": {"type": "object"}, "annotations": annotations}
    (found,), _ = governed({"search": definition}, declared, lambda _: None)  # pyright: ignore[reportArgumentType]
    return found


class TestFields:
    """The results of a tool of an open world."""

    def test_all_its_texts_are_anybodys(self):
        """Whatever the names of its fields are; a number stays a number."""
        assert trust(open_world=True) == {
            "id": Trust.THIRD_PARTY,
            "name": Trust.THIRD_PARTY,
            "mail": Trust.THIRD_PARTY,
            "price": Trust.SYSTEM,
            "note": Trust.THIRD_PARTY,
            "full": Trust.SYSTEM,
        }

    def test_it_never_raises(self):
        """No field is trusted more for it, with labels or without."""
        for labels in (
            None,
            Labels(results={"search": {"name": "colleague"}}),
            Labels(results={"search": {"*": "user"}}),
        ):
            lower, usual = trust(labels, open_world=True), trust(labels, open_world=False)
            assert all(lower[path] <= usual[path] for path in usual)

    def test_what_the_operator_says_counts(self):
        """A server's word stands only where nothing is declared."""
        assert trust(Labels(results={"search": {"id": "system"}}), open_world=True)["id"] is Trust.SYSTEM

    def test_in_a_run(self):
        """A recipient out of such a result is asked about."""
        found: dict[bool, int] = {}
        for open_world in (False, True):
            actions = {
                "search": Known("search", effect="read", open_world=open_world),
                "book_hotel": Known("book_hotel", effect="irreversible"),
            }
            index = Index(Labels(), actions, Written())
            index.add(1, ev.RunStarted(agent="a", input=msgspec.Raw(b'"book a hotel in Paris"')))
            result = msgspec.Raw(msgspec.json.encode({"hotel_id": "H-7781"}))
            index.add(2, ev.Done(call="1", action="search", effect="read", result=result, args=msgspec.Raw(b"{}")))
            found[open_world] = len(index.trace("book_hotel", {"hotel_id": "H-7781"}).strikes)
        assert found == {False: 0, True: 1}


class TestHints:
    """From a server's annotations to what tracing knows."""

    @pytest.mark.parametrize("said", [None, False, "true", 1, [], {}])
    def test_only_a_plain_yes_counts(self, said):
        """All else is as if nothing was said: a closed world is nothing that a server can promise."""
        action = governed_tool({"readOnlyHint": True, "openWorldHint": said})
        assert (action.open_world, known(action).open_world, known(action).egress) == (False, False, False)

    @pytest.mark.parametrize("annotations", [None, [], "x", {}, {"openWorldHint": False}])
    def test_no_annotations(self, annotations):
        """What is no object says nothing."""
        assert governed_tool(annotations).open_world is False

    def test_a_read_of_an_open_world_leaves(self):
        """Its arguments go there."""
        told = known(governed_tool({"readOnlyHint": True, "openWorldHint": True}))
        assert (told.effect, told.egress, told.open_world) == ("read", True, True)

    def test_an_effect_too_brings_back_anybodys_text(self):
        """What a form on a web page answers is text of that page."""
        told = known(governed_tool({"openWorldHint": True, "destructiveHint": False, "idempotentHint": True}))
        assert (told.effect, told.egress, told.open_world) == ("irreversible", False, True)

    def test_a_declared_tool_keeps_its_effect(self):
        """The operator's declaration stands, and the server's word lowers its results all the same."""
        told = known(governed_tool({"readOnlyHint": True, "openWorldHint": True}, tool.irreversible("search")))
        assert (told.effect, told.open_world) == ("irreversible", True)

    def test_a_tool_that_is_not_destructive_is_still_an_effect(self):
        """A server's word never makes an effect harmless."""
        assert hinted("add", {"destructiveHint": False}).effect == "irreversible"
