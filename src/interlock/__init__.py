"""Interlock: a production runtime for AI agents.

The agent proposes; the guardian approves; every action is journaled and can be taken back; a person decides
what the agent should not. Everything public is here by name; each name's module is imported when the name is
first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interlock.actions import probe
    from interlock.actions.action import Action, Refused, action
    from interlock.actions.asking import ask_user
    from interlock.actions.context import Ctx
    from interlock.actions.snapshot import Versioned
    from interlock.actions.tool import tool
    from interlock.adapters import Governor, NotDoneError, Where, current, governed
    from interlock.agents import Agent
    from interlock.guardian import (
        ANY,
        Policy,
        after,
        agent,
        arg,
        before,
        count,
        fact,
        forbid,
        limit,
        must,
        need,
        now,
        origin,
        permit,
        shadow,
        since,
        state,
        surge,
        tenant,
        total,
        undoing,
        user,
    )
    from interlock.journal import MemoryStore, Redactor, SqliteStore, export_head, verify
    from interlock.machines import Final, Machine, State
    from interlock.models import Example, ModelError, Proposal, RecordedModel, ScriptedModel
    from interlock.provenance import Labels, Trust
    from interlock.provenance.detectors import Detector, Heuristic
    from interlock.provenance.planner import Offered, Plan, Planner
    from interlock.runtime.flow import Flow, gather
    from interlock.runtime.model_planner import ModelPlanner
    from interlock.runtime.outcomes import (
        Denied,
        Done,
        Failed,
        Finished,
        Outcome,
        Stopped,
        Turn,
        Unknown,
        Waiting,
    )
    from interlock.runtime.quarantine import quarantined, reader
    from interlock.runtime.questions import Question
    from interlock.runtime.runtime import Run, Runtime
    from interlock.runtime.session import Session
    from interlock.runtime.speaking import Spoken
    from interlock.runtime.sync import SyncRuntime, run_sync

_HOMES = {
    "interlock.actions.action": ("Action", "Refused", "action"),
    "interlock.actions.asking": ("ask_user",),
    "interlock.actions.context": ("Ctx",),
    "interlock.actions.snapshot": ("Versioned",),
    "interlock.actions.tool": ("tool",),
    "interlock.adapters": ("Governor", "NotDoneError", "Where", "current", "governed"),
    "interlock.agents": ("Agent",),
    "interlock.guardian": (
        "ANY",
        "Policy",
        "after",
        "agent",
        "arg",
        "before",
        "count",
        "fact",
        "forbid",
        "limit",
        "must",
        "need",
        "now",
        "origin",
        "permit",
        "shadow",
        "since",
        "state",
        "surge",
        "tenant",
        "total",
        "undoing",
        "user",
    ),
    "interlock.journal": ("MemoryStore", "Redactor", "SqliteStore", "export_head", "verify"),
    "interlock.machines": ("Final", "Machine", "State"),
    "interlock.models": ("Example", "ModelError", "Proposal", "RecordedModel", "ScriptedModel"),
    "interlock.provenance": ("Labels", "Trust"),
    "interlock.provenance.detectors": ("Detector", "Heuristic"),
    "interlock.provenance.planner": ("Offered", "Plan", "Planner"),
    "interlock.runtime.flow": ("Flow", "gather"),
    "interlock.runtime.model_planner": ("ModelPlanner",),
    "interlock.runtime.outcomes": (
        "Denied",
        "Done",
        "Failed",
        "Finished",
        "Outcome",
        "Stopped",
        "Turn",
        "Unknown",
        "Waiting",
    ),
    "interlock.runtime.quarantine": ("quarantined", "reader"),
    "interlock.runtime.questions": ("Question",),
    "interlock.runtime.runtime": ("Run", "Runtime"),
    "interlock.runtime.session": ("Session",),
    "interlock.runtime.speaking": ("Spoken",),
    "interlock.runtime.sync": ("SyncRuntime", "run_sync"),
}

_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ANY",
    "Action",
    "Agent",
    "Ctx",
    "Denied",
    "Detector",
    "Done",
    "Example",
    "Failed",
    "Final",
    "Finished",
    "Flow",
    "Governor",
    "Heuristic",
    "Labels",
    "Machine",
    "MemoryStore",
    "ModelError",
    "ModelPlanner",
    "NotDoneError",
    "Offered",
    "Outcome",
    "Plan",
    "Planner",
    "Policy",
    "Proposal",
    "Question",
    "RecordedModel",
    "Redactor",
    "Refused",
    "Run",
    "Runtime",
    "ScriptedModel",
    "Session",
    "Spoken",
    "SqliteStore",
    "State",
    "Stopped",
    "SyncRuntime",
    "Trust",
    "Turn",
    "Unknown",
    "Versioned",
    "Waiting",
    "Where",
    "action",
    "after",
    "agent",
    "arg",
    "ask_user",
    "before",
    "count",
    "current",
    "export_head",
    "fact",
    "forbid",
    "gather",
    "governed",
    "limit",
    "must",
    "need",
    "now",
    "origin",
    "permit",
    "probe",
    "quarantined",
    "reader",
    "run_sync",
    "shadow",
    "since",
    "state",
    "surge",
    "tenant",
    "tool",
    "total",
    "undoing",
    "user",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name == "probe":
        return import_module("interlock.actions.probe")
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module 'interlock' has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
