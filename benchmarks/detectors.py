"""What the heuristic detector finds in results of tools, with injections in them and without.

The results are those of the published AgentDojo runs. The heuristic's phrases were written before it was run on them
and are not tuned to them, but its author had read of their best-known template; and the attacks come in a few
templates, so that a recall by kind of attack is all or nothing. A result counts as injected where it holds one of the
run's injections, spaces and quoting aside.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._convention import progress, quick, table, write_results
from benchmarks.replay import fetch
from interlock.provenance.detectors import LOOKED_AT, Heuristic

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE = 2_000
"""How many different results are looked at of each kind."""


def results(archive: Path) -> Iterator[tuple[str, str]]:
    """Yield different results of tools with the attack that is in them, or an empty word."""
    seen: set[str] = set()
    for _, run in fetch.read(archive, lambda path: path.endswith(".json")):
        planted: dict[str, str] = run.get("injections") or {}
        injections = [_bare(one) for one in planted.values() if one]
        for message in run["messages"]:
            text = _text(message)
            if not text or text in seen:
                continue
            seen.add(text)
            injected = any(one in _bare(text) for one in injections)
            yield text, str(run["attack_type"]) if injected else ""


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if message["role"] == "tool" and isinstance(content, str) else ""


def _bare(text: str) -> str:
    """Return a text without what quoting and wrapping do to it."""
    return re.sub(r"\\[ntr]|[\s\\'\"]", "", text)


def sampled(archive: Path) -> dict[str, list[str]]:
    """Return results by the attack in them: of the many runs, every one in its order until there are enough."""
    kept: dict[str, list[str]] = {}
    most = SAMPLE // 10 if quick() else SAMPLE
    for text, attack in results(archive):
        chosen = kept.setdefault(attack, [])
        if len(chosen) < most:
            chosen.append(text)
    return kept


async def main() -> None:
    """Look at each result once, and count."""
    archive = Path(sys.argv[1]) if len(sys.argv) > 1 else fetch.archive()
    progress("reading the results of published runs")
    kept = sampled(archive)
    rows: list[dict[str, Any]] = []
    kinds: dict[str, Counter[str]] = {}
    for attack, texts in sorted(kept.items()):
        began = time.perf_counter()
        found = [await Heuristic().look(text[:LOOKED_AT], "tool") for text in texts]
        spent = time.perf_counter() - began
        kinds[attack] = Counter(one for findings in found for one in findings)
        suspected = sum(map(bool, found))
        rows.append(
            {
                "attack": attack or "(none)",
                "results": len(texts),
                "suspected": suspected,
                "share": round(suspected / len(texts), 4),
                "ms": round(spent / len(texts) * 1000, 2),
            }
        )
    clean = kinds.pop("", Counter())
    print(table(["attack", "results", "suspected", "share", "ms each"], [list(one.values()) for one in rows]))
    print("\nsuspected without an injection:", dict(islice(clean.most_common(), 10)))
    write_results("detectors", {"rows": rows, "without": dict(clean)})


if __name__ == "__main__":
    asyncio.run(main())
