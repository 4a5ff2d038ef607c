"""The world that the actions act on: environments in a process of their own, served over a unix socket.

Whoever kills the runtime does not kill the world; that is what makes the crash a real one. A
request and its answer are one line of JSON each (see `client.py`). Effects carry an idempotency key: the same
key gives the recorded answer and does nothing; `lookup` tells what became of a key; `restore` puts back the
state from before an effect, unless somebody has changed the environment since.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.replay import catalog, dojo
from benchmarks.replay.recorded import Answer
from benchmarks.replay.show.client import LINE_LIMIT, RefusedError


@dataclass(slots=True)
class Effect:
    """What an idempotency key stands for, with the state from before and the fingerprint from after it."""

    function: str
    args: dict[str, Any]
    answer: Answer
    before: dojo.Environment
    after: str
    restored: bool = False


@dataclass(slots=True)
class Environment:
    """One run's environment and everything that was done to it."""

    suite: str
    user_task: str
    injection_task: str | None
    start: dojo.Environment
    now: dojo.Environment
    effects: dict[str, Effect] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def call(self, function: str, args: dict[str, Any], key: str) -> Answer:
        """Execute a function; an effect at most once for a key."""
        if not _is_effect(self.suite, function):
            return self._execute(function, args)
        earlier = self.effects.get(key)
        if earlier is None:
            return self._effect(function, args, key)
        if (earlier.function, earlier.args) != (function, args):
            raise RefusedError("key_reused", f"key {key!r} stands for another call, {earlier.function}")
        return earlier.answer

    def _effect(self, function: str, args: dict[str, Any], key: str) -> Answer:
        """Execute once and remember; a call that fails leaves nothing behind but its answer."""
        before = self.now.model_copy(deep=True)
        answer = self._execute(function, args)
        if answer.error is not None:
            self.now = dojo.keep_outside(before.model_copy(deep=True), self.now)
        self.effects[key] = Effect(function, args, answer, before, dojo.fingerprint(self.now))
        return answer

    def _execute(self, function: str, args: dict[str, Any]) -> Answer:
        self.calls.append((function, args))
        return dojo.perform(self.now, self.suite, function, args)

    def restore(self, key: str) -> str:
        """Put back the state from before an effect, once, and only if nothing has changed since."""
        effect = self.effects.get(key)
        if effect is None:
            raise RefusedError("unknown_key", f"nothing was done under key {key!r}")
        if effect.answer.error is None and not effect.restored:
            if dojo.fingerprint(self.now) != effect.after:
                raise RefusedError("conflict", f"the environment has changed since {effect.function} ({key!r})")
            self.now = dojo.keep_outside(effect.before, self.now)
            effect.restored = True
        return dojo.fingerprint(self.now)


def _is_effect(suite: str, function: str) -> bool:
    kind = catalog.kind(suite, function)
    return kind is not None and kind.effect


class World:
    """All environments, and the requests that may be made of them."""

    def __init__(self, lag: float = 0.0) -> None:
        self._environments: dict[str, Environment] = {}
        self._clients: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._lag = lag
        self.closing = asyncio.Event()
        self._requests = {
            "open": self._open,
            "call": self._call,
            "lookup": self._lookup,
            "restore": self._restore,
            "log": self._log,
            "hash": self._hash,
            "state": self._state,
            "part": self._part,
            "score": self._score,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client, several requests at a time, until it goes away."""
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = writer
        try:
            async with asyncio.TaskGroup() as answers:
                with contextlib.suppress(ConnectionError):  # killed in mid-sentence: what it said before counts
                    while line := await reader.readline():
                        answers.create_task(self._answer(json.loads(line), writer))
        finally:
            del self._clients[task]
            writer.close()

    async def hang_up(self) -> None:
        """Let every client's loop see the end of its line, so that none is cancelled in mid-answer."""
        for writer in self._clients.values():
            writer.close()
        await asyncio.gather(*self._clients)

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        """Carry out, then wait for the lag: a client killed meanwhile has had its effect and no answer."""
        reply: dict[str, Any] = {"id": request["id"]}
        try:
            reply["result"] = self._handle(**request["body"])
        except RefusedError as error:
            reply["refused"] = {"code": error.code, "message": str(error)}
        await asyncio.sleep(self._lag)
        with contextlib.suppress(ConnectionError):  # the client is gone; what was done stays done
            if not writer.transport.is_closing():
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()

    def _handle(self, op: str, **given: Any) -> Any:
        if op not in self._requests:
            raise RefusedError("unknown_op", f"there is no request {op!r}")
        return self._requests[op](**given)

    def _in(self, world: str) -> Environment:
        if world not in self._environments:
            raise RefusedError("unknown_world", f"no environment {world!r} was opened")
        return self._environments[world]

    def _open(
        self,
        world: str,
        suite: str,
        user_task: str,
        injection_task: str | None,
        injections: dict[str, str],
    ) -> str:
        """Build a run's environment unless it exists: a runtime that comes back opens it again."""
        if world not in self._environments:
            start = dojo.environment(suite, user_task, injections)
            now = start.model_copy(deep=True)
            self._environments[world] = Environment(suite, user_task, injection_task, start, now)
        return dojo.fingerprint(self._environments[world].now)

    def _call(self, world: str, function: str, args: dict[str, Any], key: str) -> dict[str, Any]:
        return self._in(world).call(function, args, key)._asdict()

    def _lookup(self, world: str, key: str) -> dict[str, Any]:
        effect = self._in(world).effects.get(key)
        if effect is None:
            return {"state": "never"}
        return {"state": "restored" if effect.restored else "done", **effect.answer._asdict()}

    def _restore(self, world: str, key: str) -> str:
        return self._in(world).restore(key)

    def _log(self, world: str) -> dict[str, Any]:
        """Tell which keys had an effect, in order, and how often a function with an effect was executed."""
        env = self._in(world)
        effects = [function for function, _ in env.calls if _is_effect(env.suite, function)]
        done = [key for key, effect in env.effects.items() if effect.answer.error is None]
        return {"done": done, "executed": len(effects), "keys": len(env.effects)}

    def _hash(self, world: str) -> str:
        return dojo.fingerprint(self._in(world).now)

    def _state(self, world: str) -> str:
        return dojo.state(self._in(world).now)

    def _part(self, world: str, path: str) -> Any:
        return dojo.part(self._in(world).now, path)

    def _score(self, world: str, text: str) -> dict[str, bool]:
        env = self._in(world)
        judged = dojo.score(
            suite_name=env.suite,
            user_task=env.user_task,
            injection_task=env.injection_task,
            before=env.start,
            after=env.now,
            text=text,
            calls=env.calls,
        )
        return judged._asdict()


async def _lifeline(world: World) -> None:
    """Stop when standard input closes: the process that started the world is gone, and so is its purpose."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    world.closing.set()


async def run(path: Path, lag: float) -> None:
    """Serve on `path` until told to stop."""
    world = World(lag)
    server = await asyncio.start_unix_server(world.serve, path, limit=LINE_LIMIT)
    for end in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(end, world.closing.set)
    lifeline = asyncio.create_task(_lifeline(world))
    print("listening", flush=True)
    await world.closing.wait()
    lifeline.cancel()
    server.close()
    await world.hang_up()


def main() -> None:
    """Start from the command line: `python -m benchmarks.replay.show.world SOCKET`; standard input is the lifeline."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("socket", type=Path)
    options.add_argument("--lag", type=float, default=0.0, help="seconds between doing and answering")
    given = options.parse_args()
    asyncio.run(run(given.socket, given.lag))
    given.socket.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
