"""Undo: what of a run can be taken back, and how; the doing of it goes the one path, in `runtime`.

In comes the journal of a run, out comes an `UndoPlan`. Open `plan.py`.
"""

from interlock.undo.plan import READ, Item, UndoPlan, Way, plan

__all__ = ["READ", "Item", "UndoPlan", "Way", "plan"]
