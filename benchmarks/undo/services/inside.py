"""The benchmark itself, in the environment of the services' packages; its last line is a JSON object."""

import asyncio
import json
import sys
from typing import Any

from benchmarks import _convention as convention
from benchmarks.undo.services.course import MAIL, PROPOSALS
from benchmarks.undo.services.scenes import Scenes
from benchmarks.undo.services.servers import serving

POINTS, QUICK_POINTS = 10, 2

Found = dict[str, dict[str, Any]]
"""What was found in each scene, by the scene's name."""


async def measured(*, quick: bool) -> dict[str, Any]:
    """Play all scenes and return what was found, by service."""
    with serving() as addresses:
        scenes = Scenes(addresses)
        convention.progress("undoing a run over all services")
        found: Found = {"alone": await scenes.alone()}
        convention.progress("the same, while others work on the same services")
        found["others"] = await scenes.among_others()
        convention.progress("the same, after others have changed what the run had changed")
        found["trampled"] = await scenes.trampled()
        convention.progress("the same, while others are quicker than the undo")
        found["raced"] = await scenes.raced()
        convention.progress("the same, killing the process that undoes")
        points = QUICK_POINTS if quick else POINTS
        found["killed"] = await scenes.killed(points, found["alone"]["told"])
        return {**_figures(found), "wrong": scenes.wrong}


def _figures(found: Found) -> dict[str, Any]:
    told, trampled, killed = found["alone"]["told"], found["trampled"], found["killed"]
    conflicts = len(trampled["found"].intersection(trampled["expected"]))
    return {
        "actions": len(PROPOSALS),
        "taken_back": len(PROPOSALS) - len(told["cannot"]) - len(told["left"]),
        "mail_named": told["cannot"] == [["send_email", MAIL]],
        "conflicts_expected": len(trampled["expected"]),
        "conflicts_found": conflicts,
        "conflicts_false": len(found["others"]["told"]["left"]) + len(trampled["told"]["left"]) - conflicts,
        "kill_points": killed["points"],
        "kills": killed["kills"],
        "plan": told["plan"],
        "services": {name: _service(name, found) for name in found["alone"]["same"]},
    }


def _service(name: str, found: Found) -> dict[str, Any]:
    alone, raced, killed = found["alone"], found["raced"], found["killed"]
    kept = all(found[scene]["same"][name] for scene in ("alone", "others", "trampled", "raced"))
    return {
        "exact": kept and killed["same"][name] == killed["points"],
        "effects": len(alone["changed"][name]),
        "objects": sum(alone["changed"][name]),
        "sha256": alone["hashes"][name],
        "as_before": alone["same"][name],
        "others_kept": found["others"]["same"][name],
        "theirs_kept": found["trampled"]["same"][name],
        "race_kept": raced["same"][name] if name in raced["theirs"] else None,
        "exact_after_kills": killed["same"][name],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measured(quick="--quick" in sys.argv))))
