"""Cutting streamed words into sentences: nothing is lost, and it does not matter how the words came."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.runtime.sentences import LONGEST, Sentences, problem_with

letters = st.sampled_from(list("aB1 .!?…\n\t\r\"')»。！？\x00\u2028\u00a0😀\ud800"))
texts = st.text(letters, max_size=60) | st.text(max_size=60)
long_texts = st.tuples(st.sampled_from(["x", ".", " ", ". ", "\n", "。"]), st.integers(LONGEST - 3, LONGEST + 3), texts)


def cut(pieces):
    """Return the sentences of a text that comes in these pieces."""
    sentences = Sentences()
    whole = [one for piece in pieces for one in sentences.feed(piece)]
    return whole + sentences.rest()


@st.composite
def cuttings(draw, of):
    """Draw a text and a way to cut it into pieces, empty ones among them."""
    text = draw(of)
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=20)))
    return text, [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


class TestAnyText:
    @given(cuttings(texts))
    def test_nothing_is_lost_and_nothing_is_added(self, given_text):
        """The sentences, joined, are the words exactly; none is empty."""
        text, pieces = given_text
        sentences = cut(pieces)
        assert "".join(sentences) == text
        assert all(sentences)

    @given(cuttings(texts))
    def test_the_stream_does_not_decide_what_a_sentence_is(self, given_text):
        """However the text is cut into pieces, letter by letter too, the sentences are the same."""
        text, pieces = given_text
        assert cut(pieces) == cut([text]) == cut(text)

    @settings(deadline=None, max_examples=40)
    @given(long_texts.map(lambda parts: parts[0] * parts[1] + parts[2]))
    def test_no_sentence_is_longer_than_the_longest(self, text):
        """Where no end comes, the text is cut all the same, and at the same places."""
        sentences = cut([text])
        assert sentences == cut(text[place : place + 7] for place in range(0, len(text), 7))
        assert "".join(sentences) == text
        assert max(map(len, sentences)) <= LONGEST

    def test_after_the_rest_a_new_text_begins(self):
        """What was given back as the rest is not given back again."""
        sentences = Sentences()
        sentences.feed("half")
        assert sentences.rest() == ["half"]
        assert sentences.rest() == []


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        ("One. Two! Three", ["One. ", "Two! ", "Three"]),
        ('He said "no." Then left.', ['He said "no." ', "Then left."]),
        ("Wait...  what?! Yes.", ["Wait...  ", "what?! ", "Yes."]),
        ("a.b 1.5 x", ["a.b 1.5 x"]),
        ("- one\n- two\n\nend", ["- one\n", "- two\n\n", "end"]),
        ("好。吗？ no", ["好。", "吗？", " no"]),
    ],
)
def test_where_sentences_end(text, sentences):
    """A sentence ends behind its sign and the space after it, or with its line."""
    assert cut([text]) == sentences


class TestChecks:
    def test_the_first_that_finds_something_speaks(self):
        """Checks are asked in order, until one finds something."""
        asked = []

        def finds_nothing(sentence):
            asked.append(sentence)

        assert problem_with("x", [finds_nothing, lambda _: "one", lambda _: "two"]) == "one"
        assert asked == ["x"]
        assert problem_with("x", [finds_nothing, lambda _: ""]) is None

    def test_one_that_raises_has_found_something(self):
        """A broken check lets nothing through, and says what broke."""

        def broken(sentence):
            raise KeyError(sentence)

        assert problem_with("x", [broken]) == "a check of the output failed: KeyError: 'x'"
