"""What the benchmark asks of each service besides its actions: a beginning, its whole state, edits by somebody else."""

from typing import Protocol

from benchmarks.undo.services.dumps import State


class Service(Protocol):
    """One service, reached through its own protocol."""

    name: str

    def seed(self) -> None:
        """Bring everything that it holds to the beginning, which is always the same."""
        ...

    def state(self) -> State:
        """Return all that it holds."""
        ...

    def edit_another(self) -> None:
        """Change, as somebody else would, an object that the agent does not touch."""
        ...

    def edit_ours(self) -> None:
        """Change, as somebody else would, an object that the agent has changed."""
        ...
