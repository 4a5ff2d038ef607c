"""How the benchmark of undo knows what must come of one: from dumps alone."""

from random import Random

import pytest
from benchmarks.undo.histories.history import drawn
from benchmarks.undo.histories.judging import judged, named, same_but_made_keys, same_change
from benchmarks.undo.histories.oracle import Predicted, broken, changed, predicted, restored, verdict
from benchmarks.undo.histories.play import Played
from benchmarks.undo.histories.undoing import Told
from hypothesis import given
from hypothesis import strategies as st

HOTEL, OTHER = ("hotels", ("1",)), ("hotels", ("2",))
STAY, BOOKING = ("stays", ("7",)), ("bookings", ("'B1'",))
CUSTOMER = ("customers", ("1",))
START = {
    CUSTOMER: ("1", "'a@x'", "'A'", "'basic'", "0", None, None),
    BOOKING: ("'B1'", "1", "'open'", "5", None),
    HOTEL: ("1", "'One'", "9"),
    OTHER: ("2", "'Two'", "9"),
}
DUMPS = st.dictionaries(st.sampled_from([HOTEL, OTHER, STAY]), st.tuples(st.sampled_from("123"), st.none()))


def hotel(number, name, rooms):
    return {("hotels", (number,)): (number, name, rooms)}


def after(now, *changes):
    """Return the dump after changes, and the diffs of each."""
    diffs = []
    for change in changes:
        then = {key: row for key, row in {**now, **change}.items() if row is not None}
        diffs.append(changed(now, then))
        now = then
    return now, diffs


class TestDiffs:
    @given(DUMPS, DUMPS)
    def test_restoring_a_change_gives_what_was_before_it(self, before, after_it):
        """Whatever rows came, went and changed."""
        assert restored(after_it, changed(before, after_it)) == before

    @given(DUMPS)
    def test_nothing_changed_is_no_change(self, dump):
        """A dump does not differ from itself."""
        assert changed(dump, dict(dump)) == {}


class TestBroken:
    def test_what_stands_is_not_broken(self):
        """References hold, and unique names differ; a null refers to nothing."""
        assert list(broken(START)) == []

    def test_a_reference_to_a_row_that_is_gone(self):
        """It is named by its table."""
        rows = {key: row for key, row in START.items() if key != CUSTOMER}
        assert list(broken(rows)) == ["bookings: 1 is not in customers"]

    def test_a_unique_name_that_two_rows_have(self):
        """Also where neither row is the one that is put back."""
        assert list(broken({**START, **hotel("2", "'One'", "9")})) == ["hotels: two rows with the same name"]


class TestPredicted:
    def test_effects_are_taken_back_last_first(self):
        """Each stands on what the one before it has left."""
        now, diffs = after(START, hotel("1", "'Uno'", "9"), hotel("1", "'Eins'", "8"))
        found = predicted(now, [[((0, 1), diffs[1]), ((0, 0), diffs[0])]], "stop")
        assert (found.rows, found.taken, found.conflicts) == (START, ((0, 1), (0, 0)), {})

    def test_what_somebody_changed_since_is_a_conflict_and_stays(self):
        """The row in the way is named; the rest goes on, or does not."""
        now, diffs = after(START, hotel("1", "'Uno'", "9"), hotel("2", "'Due'", "9"), hotel("2", "'Theirs'", "9"))
        plan = [((0, 1), diffs[1]), ((0, 0), diffs[0])]
        left = predicted(now, [plan], "leave")
        assert left.conflicts == {(0, 1): frozenset({OTHER})}
        assert left.taken == ((0, 0),)
        assert left.rows == {**START, **hotel("2", "'Theirs'", "9")}
        stopped = predicted(now, [plan], "stop")
        assert (stopped.taken, stopped.rows) == ((), now)

    def test_what_was_changed_and_changed_back_is_no_conflict(self):
        """It stands as the effect left it."""
        now, diffs = after(START, hotel("1", "'Uno'", "9"), hotel("1", "'Theirs'", "9"), hotel("1", "'Uno'", "9"))
        assert predicted(now, [[((0, 0), diffs[0])]], "stop").rows == START

    def test_a_row_of_others_that_would_lose_its_parent_is_a_conflict(self):
        """No changed row is in the way, and still it can't be taken back."""
        made = {("hotels", ("3",)): ("3", "'New'", "9")}
        now, diffs = after(START, made, {STAY: ("7", "3", "'B1'", "1")})
        found = predicted(now, [[((0, 0), diffs[0])]], "leave")
        assert (found.conflicts, found.rows) == ({(0, 0): frozenset()}, now)

    def test_a_unique_name_that_others_took_meanwhile_is_a_conflict(self):
        """What was before can't stand beside what is now."""
        now, diffs = after(START, hotel("1", "'Uno'", "9"), hotel("2", "'One'", "9"))
        assert predicted(now, [[((0, 0), diffs[0])]], "leave").conflicts == {(0, 0): frozenset()}

    def test_an_effect_of_no_rows_is_taken_back(self):
        """There is nothing that could stand against it."""
        assert predicted(START, [[((0, 0), {})]], "stop").taken == ((0, 0),)


class TestVerdict:
    def test_a_change_of_others_that_is_lost_is_trampled(self):
        """Whatever the undo reports."""
        now, diffs = after(START, hotel("1", "'Uno'", "9"), hotel("1", "'Theirs'", "9"))
        steps = [((0, 0), diffs[0]), (None, diffs[1])]
        found = verdict(predicted(now, [], "stop"), START, steps, frozenset({(0, 0)}), frozenset())
        assert found.trampled == found.wrong == {HOTEL}

    def test_what_an_effect_changed_after_others_is_not_theirs(self):
        """Unless that effect was taken back."""
        now, diffs = after(START, hotel("1", "'Theirs'", "9"), hotel("1", "'Uno'", "9"))
        steps = [(None, diffs[0]), ((0, 0), diffs[1])]
        assert not verdict(predicted(now, [], "stop"), now, steps, frozenset(), frozenset()).trampled
        lost = verdict(predicted(now, [], "stop"), START, steps, frozenset({(0, 0)}), frozenset())
        assert lost.trampled == {HOTEL}

    def test_what_others_left_as_a_taken_back_effect_had_is_not_trampled(self):
        """They took away what it had taken away, after somebody had put it there: it stands as the effect left it."""
        now, diffs = after(START, {HOTEL: None}, hotel("1", "'Theirs'", "9"), {HOTEL: None})
        steps = [((0, 0), diffs[0]), (None, diffs[1]), (None, diffs[2])]
        expected = predicted(now, [[((0, 0), diffs[0])]], "stop")
        assert expected.rows == START
        assert verdict(expected, START, steps, frozenset({(0, 0)}), frozenset()) == (set(), set(), set())

    def test_an_effect_that_is_half_there_is_seen(self):
        """Unless people were told that it was not taken back."""
        now, diffs = after(START, {**hotel("1", "'Uno'", "9"), **hotel("2", "'Due'", "9")})
        half = {**now, **hotel("1", "'One'", "9")}
        steps = [((0, 0), diffs[0])]
        expected = Predicted(START, ((0, 0),), {})
        assert verdict(expected, half, steps, frozenset({(0, 0)}), frozenset()).halves == {(0, 0)}
        assert verdict(expected, START, steps, frozenset({(0, 0)}), frozenset()).halves == frozenset()
        assert verdict(expected, half, steps, frozenset(), frozenset({(0, 0)})).halves == frozenset()


class TestJudged:
    NOW, DIFFS = after(START, hotel("1", "'Uno'", "9"), hotel("1", "'Theirs'", "9"))
    PLAYED = Played((((0, 0), DIFFS[0]), (None, DIFFS[1])), NOW)
    EXPECTED = predicted(NOW, [[((0, 0), DIFFS[0])]], "stop")

    def said(self, *objects, taken=()):
        conflicts = {(0, 0): tuple({"object": one} for one in objects)} if objects else {}
        return Told(frozenset(taken), conflicts, {}, dict.fromkeys(conflicts, "why"))

    def test_a_conflict_that_is_told_with_its_rows_is_right(self):
        """By the names that people read."""
        found = judged(self.PLAYED, self.EXPECTED, self.NOW, self.said("hotels id=1"))
        assert (found.wrong, found.found) == ((), 1)

    @pytest.mark.parametrize(
        ("said", "what"),
        [
            ((), "nobody was told"),
            (("hotels id=2",), "names"),
        ],
    )
    def test_a_conflict_that_is_told_otherwise_is_wrong(self, said, what):
        """Not told, or told of another row."""
        found = judged(self.PLAYED, self.EXPECTED, self.NOW, self.said(*said))
        assert what in " ".join(found.wrong)

    def test_an_invented_conflict_is_wrong(self):
        """Nothing stood in the way."""
        expected = Predicted(START, ((0, 0),), {})
        found = judged(self.PLAYED, expected, START, self.said("hotels id=1"))
        assert any("where there is none" in one for one in found.wrong)

    def test_what_is_reported_must_be_what_happened(self):
        """An undo that says it is done, and has changed nothing."""
        expected = Predicted(START, ((0, 0),), {})
        found = judged(Played(self.PLAYED.steps[:1], self.NOW), expected, self.NOW, self.said(taken=[(0, 0)]))
        assert found.wrong == ("not as it must be: hotels id=1",)


def test_rows_have_the_names_that_people_read():
    """Texts in quotes, numbers without."""
    assert (
        named(("passengers", ("'B01'", "2"))) == named(("passengers", ("B01", "2"))) == "passengers booking='B01' n=2"
    )


def test_only_the_keys_of_the_audit_log_may_differ():
    """Nobody can choose them when a history is played again."""
    one, other = {("audit", ("5",)): ("5", "'x'", "'y'", None)}, {("audit", ("6",)): ("6", "'x'", "'y'", None)}
    assert same_but_made_keys(one, other)
    assert same_change(changed({}, one), changed({}, other))
    assert not same_change(changed({}, one), changed(one, {}))
    assert not same_but_made_keys(one, {})
    assert not same_but_made_keys(hotel("1", "'x'", "1"), hotel("2", "'x'", "1"))


@given(st.integers(0, 2**32))
def test_a_seed_draws_the_same_history_again(seed):
    """So that a failure can be looked at."""
    assert drawn(Random(seed)) == drawn(Random(seed))
