"""How the benchmark of undo compares the whole state of a service with what should be there."""

import subprocess
import sys

from benchmarks.undo.services.dumps import changed, digest, patched
from hypothesis import given
from hypothesis import strategies as st

PLAIN = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
STATES = st.dictionaries(st.sampled_from("abcdef"), PLAIN, max_size=6)


class TestDigest:
    def test_the_order_of_objects_and_fields_does_not_matter(self):
        """A service may list its objects in any order."""
        assert digest({"a": {"x": 1, "y": 2}, "b": 3}) == digest({"b": 3, "a": {"y": 2, "x": 1}})

    def test_the_smallest_difference_shows(self):
        """A character, a type, an order in a list, and an object that is there or is not."""
        states = [{"a": "1"}, {"a": 1}, {"a": ["1", "2"]}, {"a": ["2", "1"]}, {"a": "1", "b": ""}, {}]
        assert len({digest(state) for state in states}) == len(states)

    @given(STATES, STATES)
    def test_equal_digests_mean_that_nothing_changed(self, one, other):
        """What has the same hash has no changes between them, and the other way round."""
        assert (digest(one) == digest(other)) == (not changed(one, other))


class TestChanges:
    def test_what_is_new_what_changed_and_what_is_gone(self):
        """An object that is gone is None; what stayed as it was is no change."""
        assert changed({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 20, "d": 4}) == {"b": 20, "c": None, "d": 4}

    def test_a_true_and_a_one_are_not_the_same(self):
        """Python takes them for equal; a service does not."""
        assert changed({"a": {"x": True}}, {"a": {"x": 1}}) == {"a": {"x": 1}}

    @given(STATES, STATES)
    def test_a_patch_brings_one_state_to_the_other(self, before, after):
        """The changes between two states, put on the first, give the second."""
        assert digest(patched(before, changed(before, after))) == digest(after)

    @given(STATES, STATES, STATES)
    def test_what_nobody_changed_is_as_it_was(self, before, after, other):
        """A patch touches the objects that it names and no others."""
        changes = changed(before, after)
        found = patched(other, changes)
        assert {name: value for name, value in found.items() if name not in changes} == {
            name: value for name, value in other.items() if name not in changes
        }


def test_the_figures_are_shown_without_the_services_packages():
    """What `make bench-undo` imports in the project's own environment needs none of the services' packages."""
    said = subprocess.run(
        [sys.executable, "-c", "import sys, benchmarks.undo.services.report; print('boto3' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "False"
