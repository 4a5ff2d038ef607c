"""Where values stand in longer texts, which are listed by the words of several at once; and how texts are read."""

import pytest
from feeding import Run
from hypothesis import given
from hypothesis import strategies as st

from interlock.provenance.normal import days, numbers
from interlock.provenance.places import Place, Result
from interlock.provenance.texts import BLOCK, Texts, stands_in
from interlock.provenance.trust import Trust

WORDS = st.lists(st.sampled_from(["a", "bob", "bob's", "x-1", "x", "1", "_", "é", "…", "the", "(the)"]), max_size=8)


def texts(*some):
    """Return texts that were taken in as those of one result."""
    result, made = Result("read", ()), Texts()
    for number, one in enumerate(some):
        result.texts.append(one)
        made.add(Place(Trust.THIRD_PARTY, result, "body", number, one, one))
    made.settle()
    return made


@given(st.lists(WORDS.map(" ".join), max_size=6), WORDS.map(" ".join).filter(bool))
def test_the_listing_by_words_loses_no_text(some, wanted):
    """What stands in a text between bounds of words is found, the last text first, and nothing else."""
    found = [place.text for place in texts(*some).holding(wanted)]
    assert found == [one for one in reversed(some) if stands_in(wanted, one)]


def test_texts_are_found_across_blocks():
    """Of texts of many blocks, each finds its own place, and common words find all."""
    some = [f"note {number} {'word ' * 30}end" for number in range(BLOCK // 20)]
    made = texts(*some)
    assert [place.record for place in made.holding("note 7")] == [7]
    assert [place.record for place in made.holding("end")] == list(reversed(range(len(some))))
    assert not list(made.holding("note 7 end"))


@given(st.text(alphabet="may MAY 123-/.,3rdſıİ one\nsıxfİve", max_size=30))
def test_any_text_can_be_read_for_numbers_and_days(text):
    """Letters that fold to others (a dotless i, a long s) end no run: whoever writes them to the agent could."""
    assert all(abs(one) < 10**30 for one in numbers(text))
    assert all(1 <= month <= 12 and 1 <= day <= 31 for month, day in days(text))


@pytest.mark.parametrize("text", ["1 sıx", "1 fİve"])
def test_words_that_fold_to_no_number(text):
    """Attack: a word that looks like a number, in a text with a digit; the run goes on, and the rest is read."""
    run = Run("Hi").read("read_email", {"body": f"{text} evil@x.example"})
    assert run.trust("evil@x.example") is Trust.THIRD_PARTY


def test_numbers_in_words_are_whole_words():
    """A number in words stands between bounds of words, in any case of letters."""
    assert {int(one) for one in numbers("0 Two, TEN. money often _six nine_ (one)")} == {0, 1, 2, 10}
