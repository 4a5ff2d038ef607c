"""Following a policy's file: when it changes, what it says comes into force, all of it or nothing."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from interlock.errors import PolicyError
from interlock.guardian import Policy, files
from interlock.runtime.clock import Clock

LOOK: Final = 1.0
"""How often the file is looked at, in seconds."""

log = logging.getLogger("interlock")


class Following:
    """A policy that comes from a file; made by `Runtime.follow_policy`.

    Attributes:
        file: The file, as it was named.
        problem: Why the file as it is now is not in force; empty where it is.

    The mutable state: besides `problem`, the file's content and date when it was last looked at, and the task that
    looks.
    """

    def __init__(self, file: str, put_in_force: Callable[[Policy], None], clock: Clock) -> None:
        self.file = file
        self.problem = ""
        self._put_in_force = put_in_force
        self._clock = clock
        self._seen = self._stamp()
        put_in_force(files.read(file))
        self._task = asyncio.get_running_loop().create_task(self._follow())

    def look(self) -> None:
        """Look at the file now; where it has changed and holds a policy that can be, that is in force after this."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            policy = files.read(self.file)
            self._put_in_force(policy)
        except (PolicyError, OSError) as error:
            self.problem = str(error)
            log.error("policy file %s is not in force; the one before it stays: %s", self.file, error)  # noqa: TRY400 - the place is in the message
        else:
            self.problem = ""
            log.warning("policy file %s is in force: %s", self.file, policy.hash[:12])

    def _stamp(self) -> object:
        try:
            found = files.file_of(self.file).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    async def _follow(self) -> None:
        while True:
            await self._clock.sleep(LOOK)
            self.look()

    def stop(self) -> None:
        """Follow it no longer; what is in force stays."""
        self._task.cancel()

    def __repr__(self) -> str:
        return f"<Following {self.file} [{self.problem or 'in force'}]>"
