"""Undo: what can be taken back, and how. The doing of it goes the one path, in `runtime`.

In comes what the journal knows of effects (`effects.py`), out comes an `UndoPlan` (`plan.py`: open it first). The ways
in which Interlock takes an effect back by itself are classes of their own: rows of a database (`rows`), `files`. To
write another, begin with `Way`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from interlock.actions.way import (
    Change,
    ConflictError,
    Found,
    LostError,
    Performance,
    RolledBackError,
    Touched,
    Way,
    WrongError,
)
from interlock.errors import DeclarationError
from interlock.undo.effects import READ, Effect, effects, resting
from interlock.undo.plan import Dependant, How, Item, Otherwise, UndoPlan, plan

if TYPE_CHECKING:
    from interlock.undo.files import Files
    from interlock.undo.rows.postgres import PostgresRows
    from interlock.undo.rows.sqlite import SqliteRows

_WAYS = {
    "Files": "interlock.undo.files",
    "PostgresRows": "interlock.undo.rows.postgres",
    "SqliteRows": "interlock.undo.rows.sqlite",
}
"""Where each way is; it is imported when it is first asked for, since not everybody has its packages."""

__all__ = [
    "READ",
    "Change",
    "ConflictError",
    "Dependant",
    "Effect",
    "Files",
    "Found",
    "How",
    "Item",
    "LostError",
    "Otherwise",
    "Performance",
    "PostgresRows",
    "RolledBackError",
    "SqliteRows",
    "Touched",
    "UndoPlan",
    "Way",
    "WrongError",
    "effects",
    "plan",
    "resting",
]


def __getattr__(name: str) -> Any:
    module = _WAYS.get(name)
    if module is None:
        raise AttributeError(f"module 'interlock.undo' has no attribute {name!r}")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise DeclarationError(f"{name} needs the package {error.name}: pip install 'interlock[postgres]'") from error
