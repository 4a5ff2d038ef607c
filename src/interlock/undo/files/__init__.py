"""Files below a declared root: what actions do to them is taken back exactly.

`Files` is the way that an action is declared with; `Handle` what its function works with. Open `way.py`.
"""

from interlock.undo.files.handle import Handle
from interlock.undo.files.paths import PathRefusedError
from interlock.undo.files.way import Files

__all__ = ["Files", "Handle", "PathRefusedError"]
