"""What a system under test is given and what it says: its half of the contract in README.md."""

from __future__ import annotations

import argparse
import json
import os
import random
from dataclasses import dataclass
from pathlib import Path

ENDED = 0
"""The exit code of a life at whose end all runs have ended."""

WAITING = 3
"""The exit code of a life at whose end nothing is left but runs that wait for a person."""

ANSWERS = "answers.json"
"""The file in the system's directory that holds what the person answered: `{"RUN SEQ": receipt or null}`."""


@dataclass(frozen=True)
class Options:
    """What one life of a system under test is given on its command line."""

    directory: Path
    runs: int
    service: str
    mode: str
    settle: float
    """Seconds after which a payment that can't be found was never made and never will be."""

    think: float
    check: bool

    @classmethod
    def parse(cls, argv: list[str]) -> Options:
        parser = argparse.ArgumentParser()
        parser.add_argument("--dir", dest="directory", type=Path, required=True)
        parser.add_argument("--runs", type=int, required=True)
        parser.add_argument("--service", required=True)
        parser.add_argument("--mode", choices=("keys", "probe", "neither"), required=True)
        parser.add_argument("--settle", type=float, required=True)
        parser.add_argument("--think", type=float, required=True)
        parser.add_argument("--check", action="store_true")
        return cls(**vars(parser.parse_args(argv)))

    def answers(self) -> dict[str, str | None]:
        """Return what the person has answered so far: for each question the receipt, or `None` if unpaid."""
        path = self.directory / ANSWERS
        return json.loads(path.read_text()) if path.exists() else {}


def names(runs: int) -> list[str]:
    """Return the runs' names; a run's name is also the reference of its payment."""
    return [f"run-{number:03}" for number in range(runs)]


def amount(run: str) -> str:
    """Return what this run pays."""
    return f"{10 + int(run.rpartition('-')[2])}.00"


def think_time(run: str, turn: str, longest: float) -> float:
    """Return how long the model thinks on this turn: spread out, so that a kill meets runs at different
    steps.
    """
    return random.Random(f"{run}/{turn}").random() * longest


def acknowledge(run: str, seq: object, kind: str) -> None:
    """Say that the system holds this event durably from now on."""
    _say("ACK", run, seq, kind)


def has(run: str, seq: object, kind: str) -> None:
    """Say in a check that the system has this event."""
    _say("HAS", run, seq, kind)


def boundaries(count: int) -> None:
    """Say at the end of a life how many journal boundaries it crossed."""
    _say("BOUNDARIES", count)


def _say(*words: object) -> None:
    """Write one line in one write: a kill cuts between lines or leaves a piece without a newline, never
    mixes two.
    """
    os.write(1, (" ".join(map(str, words)) + "\n").encode())
