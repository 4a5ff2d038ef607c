"""Provenance: where each value of a proposal came from, and what that says against it.

`labels.py` is what an operator declares, `index.py` what a run has seen, `origin.py` what comes out.
"""

from interlock.provenance.index import Index, Known
from interlock.provenance.labels import Labels
from interlock.provenance.origin import Against, Origin, Role, Strike, Traced
from interlock.provenance.trust import Trust
from interlock.provenance.written import Written

__all__ = ["Against", "Index", "Known", "Labels", "Origin", "Role", "Strike", "Traced", "Trust", "Written"]
