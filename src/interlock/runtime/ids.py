"""Ids of runs."""

import os
import time


def run_id() -> str:
    """Return a new id that sorts by the time it was made: 12 hex digits of milliseconds, 12 random ones."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(6).hex()}"
