"""Machines: the explicit states that a run moves through.

In comes what an author writes (`Machine`, `State`, `Final`), out comes checked data. Open `machine.py`.
"""

from interlock.machines.machine import Final, Machine, State

__all__ = ["Final", "Machine", "State"]
