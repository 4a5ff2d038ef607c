"""What is noted beside a result when it comes: how it is cleaned for a model, and what detectors suspect in it."""

import asyncio
from typing import NamedTuple

import msgspec

from interlock.agents import Agent
from interlock.provenance import cleaning
from interlock.provenance.detectors import LOOKED_AT, Detector
from interlock.runtime.records import said, writable
from interlock.runtime.sending import Send, Sender

PATIENCE = 5_000_000
"""How long a detector may look at one result, in microseconds."""

MOST_FINDINGS = 10
LONGEST_FINDING = 200
"""How many findings of one detector are kept, and how many characters of each."""


def cleaned(agent: Agent) -> int:
    """Return the version of the cleaning with which a model is shown what comes now; 0 where values are not traced."""
    return 0 if agent.labels is None else cleaning.VERSION


class Noted(NamedTuple):
    """What an outcome says of its result; see `kernel.events.Done`."""

    cleaned: int = 0
    suspected: tuple[str, ...] = ()


async def noted(sender: Sender, agent: Agent, action: str, result: msgspec.Raw) -> Noted:
    """Return what is to be noted beside a result of *action*; nothing where the agent's values are not traced.

    A detector that fails, or does not answer in time, suspects: it never raises here.
    """
    if agent.labels is None:
        return Noted()
    detectors = agent.labels.detectors
    if not detectors:
        return Noted(cleaning.VERSION)
    text = "\n".join(cleaning.texts(msgspec.json.decode(bytes(result))))[:LOOKED_AT]
    if not text:
        return Noted(cleaning.VERSION)
    found = await asyncio.gather(*(_look(sender, one, text, action) for one in detectors))
    return Noted(cleaning.VERSION, tuple(f"{name}: {what}" for name, findings in found for what in findings))


async def _look(sender: Sender, detector: Detector, text: str, action: str) -> tuple[str, tuple[str, ...]]:
    name = type(detector).__name__
    try:
        name = writable(str(detector.name))[:LONGEST_FINDING]
        found = await sender.look(Send(detector.look, (text, action), {}, PATIENCE))
        words = (found,) if isinstance(found, str) else tuple(found)
        return name, tuple(writable(str(one))[:LONGEST_FINDING] for one in words[:MOST_FINDINGS])
    except Exception as error:  # noqa: BLE001 - a detector that can't tell must not make a text look harmless
        return name, (f"it could not tell ({said(error)[:LONGEST_FINDING]})",)
