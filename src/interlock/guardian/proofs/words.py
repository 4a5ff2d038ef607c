"""Texts as finitely many atoms: every literal, and enough examples of each combination of patterns."""

from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from interlock.guardian import patterns
from interlock.guardian.proofs.logic import Term, both, either, implies, negated, some, z3
from interlock.guardian.proofs.regular import Below, Irregular, Language, Pattern, Product, Signature

MOST_EXAMPLES: Final = 40


class Words:
    """The atoms of one family of texts; a text is the number of its atom.

    Attributes:
        texts: One text for each atom; the literals come first.
        fixed: How many of the first atoms are exactly that text and no other.
        is_enough: Whether there are enough examples for a proof.
        open: The patterns that can't be decided, with the reason.
    """

    def __init__(self, literals: list[str], bounds: list[str], used: list[str], wanted: int, name: str) -> None:
        self.literals = {text: number for number, text in enumerate(literals)}
        self._name = name
        self.is_enough = wanted <= MOST_EXAMPLES
        self.open: dict[str, str] = {}
        languages: list[Language] = [Below(bound) for bound in bounds]
        for pattern in used:
            try:
                languages.append(Pattern(pattern))
            except (Irregular, RecursionError) as error:
                self.open[pattern] = str(error)
        try:
            self._product = Product(languages)
        except Irregular as error:
            self.open.update(dict.fromkeys(used, str(error)))
            self._product = Product([Below(bound) for bound in bounds])
        self.texts = list(literals)
        self.signatures: list[Signature | None] = [None] * len(literals)
        examples: list[tuple[str, Signature]] = []
        for signature in self._product.classes():
            found = self._examples(signature, min(wanted, MOST_EXAMPLES))
            if len(found) < min(wanted, MOST_EXAMPLES) and not self.open:
                self.texts += found
                self.signatures += [None] * len(found)
            else:
                examples += [(text, signature) for text in found]
        self.fixed = len(self.texts)
        self.texts += [text for text, _ in examples]
        self.signatures += [signature for _, signature in examples]
        self._guesses: dict[tuple[int, str], Term] = {}

    def _examples(self, signature: Signature, wanted: int, length: int | None = None) -> list[str]:
        texts = (text for text in self._product.texts(signature, length) if text not in self.literals)
        found = list(islice(texts, wanted + 1))
        return ([text for text in found if text] + [text for text in found if not text])[:wanted]

    def holds(self, word: Term, test: Callable[[str], bool]) -> Term:
        """Return that *test* holds for the text of the number *word*."""
        return self.among(word, [number for number, text in enumerate(self.texts) if test(text)])

    def among(self, word: Term, numbers: list[int]) -> Term:
        """Return that *word* is one of *numbers* (ascending)."""
        if len(numbers) == len(self.texts):
            return True
        runs: list[tuple[int, int]] = []
        for number in numbers:
            if runs and runs[-1][1] == number - 1:
                runs[-1] = (runs[-1][0], number)
            else:
                runs.append((number, number))
        return some(word == low if low == high else both(word >= low, word <= high) for low, high in runs)

    def fits(self, word: Term, pattern: str) -> Term:
        """Return that the text matches; for one that can't be decided, each example is left free."""
        compiled = patterns.compiled(pattern)
        if pattern not in self.open:
            return self.holds(word, lambda text: compiled.fullmatch(text) is not None)
        known = self.among(word, [at for at in range(self.fixed) if compiled.fullmatch(self.texts[at])])
        guesses = [both(word == at, self.guess(at, pattern)) for at in range(self.fixed, len(self.texts))]
        return either(known, some(guesses))

    def guess(self, atom: int, pattern: str) -> Term:
        """Return the unknown whether the texts that *atom* stands for match."""
        key = (atom, pattern)
        if key not in self._guesses:
            self._guesses[key] = z3.Bool(f"{self._name} {atom} fits {pattern}")
        return self._guesses[key]

    @property
    def guesses(self) -> dict[tuple[int, str], Term]:
        """What is left free: whether an atom's texts match a pattern."""
        return self._guesses

    def lengths(self, word: Term, length: Term) -> list[Term]:
        """Return what the number of characters of the text *word* is bound to."""
        by_length: dict[int, list[int]] = {}
        for at in range(self.fixed):
            by_length.setdefault(len(self.texts[at]), []).append(at)
        found = [implies(self.among(word, atoms), length == size) for size, atoms in by_length.items()]
        by_class: dict[Signature, list[int]] = {}
        for at in range(self.fixed, len(self.texts)):
            signature = self.signatures[at]
            assert signature is not None
            by_class.setdefault(signature, []).append(at)
        for signature, atoms in by_class.items():
            least, most = self._product.lengths(signature)
            bound = both(length >= least, True if most is None else length <= most)
            found.append(implies(self.among(word, atoms), bound))
        return found

    def spelled(self, atom: int, length: int | None) -> str:
        """Return a text for *atom*, of the wanted *length* where one matters.

        Raises:
            LookupError: there is none so long.
        """
        signature = self.signatures[atom]
        if length is None or signature is None or len(self.texts[atom]) == length:
            return self.texts[atom]
        alike = [at for at in range(self.fixed, len(self.texts)) if self.signatures[at] == signature]
        found = self._examples(signature, len(alike), length) if length <= _LONGEST else []
        rank = alike.index(atom)
        if rank >= len(found):
            raise LookupError(f"no text of {length} characters was found")
        return found[rank]

    def atom(self, text: str, taken: dict[str, int]) -> int:
        """Return the atom that stands for *text*; *taken* holds those given to other texts."""
        for at in range(self.fixed):
            if self.texts[at] == text:
                return at
        if text in taken:
            return taken[text]
        signature = self._product.signature(text)
        free = (at for at, found in enumerate(self.signatures) if found == signature and at not in taken.values())
        taken[text] = next(free)
        return taken[text]


_LONGEST: Final = 400


def differ(one: Term, other: Term) -> Any:
    """Return that two texts are different."""
    return negated(one == other)
