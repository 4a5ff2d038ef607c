"""Patterns as automata: they read what the runtime reads."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("z3")

from interlock.guardian.proofs.regular import Below, Irregular, Pattern, Product

PATTERNS = [
    r".*@corp\.com", r"[A-Z]{6}", r"a+b?|c{2,3}", r"(?i:ab[c-e])x", r"[^a-c]*", r"\d+(\.\d+)?", r"^a$", r"a$\n?",
    r"\w*\s\D", r"(a|b)*abb", "", ".", r"a\Z", r"[^\W\d]+", r"(?i)[^a]b", r"(?x) a b ", r"(ab?)*?c",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_automaton_accepts_what_the_pattern_matches(pattern):
    """On random texts, and on its own examples of both answers."""
    product, compiled = Product([Pattern(pattern)]), re.compile(pattern, re.DOTALL | re.ASCII)

    @settings(max_examples=100, deadline=None)
    @given(st.text(alphabet="abcABCxX01 .@\n-_éZcom", max_size=8))
    def same(text):
        assert product.signature(text) == (compiled.fullmatch(text) is not None,)

    same()
    for signature in product.classes():
        for text, _ in zip(product.texts(signature), range(5), strict=False):
            assert (compiled.fullmatch(text) is not None,) == signature


@given(st.text(max_size=4), st.text(max_size=4))
def test_the_order_of_texts_is_read_too(one, bound):
    """By code point, as Python orders texts."""
    assert Product([Below(bound)]).signature(one) == (one < bound,)


@pytest.mark.parametrize("pattern", [r"a\b", r"(?m)^a", r"(?>a*)a", r"a*+", r"((a{50}){50}){50}"])
def test_what_is_not_regular_or_too_large_is_refused(pattern):
    """With the reason."""
    with pytest.raises(Irregular):
        Pattern(pattern)


def test_lengths():
    """The shortest and the longest text; none is the longest of a loop."""
    product = Product([Pattern("a{2,4}")])
    assert product.lengths((True,)) == (2, 4)
    assert product.lengths((False,)) == (0, None)
    assert next(product.texts((True,), 3)) == "aaa"
