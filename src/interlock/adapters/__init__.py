"""Loops that are not ours: what they propose takes the one path of an action, on our journal.

In comes a tool call of another framework, with the body that performs it; out goes an outcome. `governor.py` is where
they meet, and the file to open first; `calling.py` has bodies performed where their caller is; `telling.py` puts
outcomes into words for a model. Each framework has a module of its own, which is imported only by who uses it.
"""

from interlock.adapters.calling import current
from interlock.adapters.functions import NotDoneError, governed
from interlock.adapters.governor import Governor, Where
from interlock.adapters.telling import told

__all__ = ["Governor", "NotDoneError", "Where", "current", "governed", "told"]
