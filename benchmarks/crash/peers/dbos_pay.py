"""DBOS on SQLite, as a careful reader of its documentation would write a payment agent.

- A run is a workflow whose id is the run's name, with a step for each thing it does. `DBOS.launch()` recovers
  what this executor left unfinished; to start a workflow again under its id does nothing ("the same ID
  executes only once").
- The documentation says: "Steps are tried at least once but are never re-executed after they complete." So
  `keys` passes the workflow's id as the key, and `probe` looks for the payment before it pays, in the same
  step.
- A hang-up is retried by the step's own retries ("useful for automatically handling transient failures"): ten
  attempts; with a probe each after the time in which the service commits, so that a retry in the same process
  can't pay twice. Where the service has neither, nothing is retried: the workflow waits for a person in
  `DBOS.recv`, and the answer comes through `DBOS.send`.

So what this peer does twice, it does because after a kill the unfinished step is run again. An event is
acknowledged where the documentation promises it: a step's result when the step has returned, and the end when
the status says so.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dbos import DBOS, DBOSClient, DBOSConfig, SetWorkflowID

from benchmarks.crash.client import NoAnswerError, find, pay
from benchmarks.crash.contract import ENDED, WAITING, Options, acknowledge, amount, has, names, think_time

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS = 10
WEEK = 7 * 24 * 3600
LOOK = 0.1
"""Seconds between two looks at which workflows are still under way."""

UNFINISHED = ["PENDING", "ENQUEUED", "DELAYED"]


asking: set[str] = set()
"""The questions, as `RUN STEP`, at which workflows of this process stand; some may be answered already."""


@DBOS.workflow()
def payment(run: str, mode: str, service: str, settle: float, longest: float) -> str:
    """Think, pay, say; where nothing else can tell whether it was paid, ask a person."""
    _step(run, "model-first", _think, run, "first", longest)
    receipt, attempt = None, 0
    while not receipt:
        attempt += 1
        receipt = _step(run, f"pay-{attempt}", _pay, run, mode, service, **_retries(mode, settle))
        if not receipt:
            receipt = _ask(run, f"pay-{attempt}")
    _step(run, "model-last", _think, run, "last", longest)
    return receipt


def main(argv: list[str]) -> int:
    options = Options.parse(argv)
    url = f"sqlite:///{options.directory / 'dbos.sqlite'}"
    if options.check:
        return _check(options, url)
    DBOS(config=_config(url))
    DBOS.launch()
    for question, receipt in options.answers().items():
        run, step = question.split()
        DBOS.send(run, {"receipt": receipt}, topic=step, idempotency_key=question)
    for run in names(options.runs):
        with SetWorkflowID(run):
            DBOS.start_workflow(payment, run, options.mode, options.service, options.settle, options.think)
    return _wait(options)


def _config(url: str) -> DBOSConfig:
    return {
        "name": "crash",
        "system_database_url": url,
        "executor_id": "crash",
        "application_version": "1",
        "log_level": "ERROR",
    }


def _retries(mode: str, settle: float) -> dict[str, object]:
    """Return the default retries with more attempts; with a probe, wait until a look-up tells the truth."""
    match mode:
        case "keys":
            return {"retries_allowed": True, "max_attempts": ATTEMPTS}
        case "probe":
            return {
                "retries_allowed": True,
                "max_attempts": ATTEMPTS,
                "interval_seconds": settle,
                "backoff_rate": 1.0,
            }
        case _:
            return {}


def _step(run: str, name: str, function: Callable[..., Any], *arguments: object, **options: Any) -> Any:
    """Run a step, and say so when DBOS has it."""
    result = DBOS.run_step({"name": name, **options}, function, *arguments)
    acknowledge(run, name, _kind(name, result))
    return result


def _kind(name: str, result: object) -> str:
    if name.startswith("pay-"):
        return "outcome" if result else "ask"
    return "model"


def _think(run: str, turn: str, longest: float) -> str:
    time.sleep(think_time(run, turn, longest))
    return turn


def _pay(run: str, mode: str, service: str) -> str | None:
    if mode == "keys":
        return pay(service, run, amount(run), key=run)
    if mode == "probe":
        return find(service, run) or pay(service, run, amount(run))
    try:
        return pay(service, run, amount(run))
    except NoAnswerError:
        return None


def _ask(run: str, step: str) -> str | None:
    """Wait durably for what the person says about this step."""
    asking.add(f"{run} {step}")
    answer = DBOS.recv(step, timeout_seconds=WEEK)
    asking.discard(f"{run} {step}")
    return answer["receipt"]


def _wait(options: Options) -> int:
    """Wait until only what waits for a person is under way; the process's end is then as good as a crash."""
    answers, ended = options.answers(), set[str]()
    while True:
        waiting = {question.split()[0] for question in asking.copy() if question not in answers}
        unfinished = {each.workflow_id for each in DBOS.list_workflows(status=UNFINISHED, load_input=False)}
        for run in set(names(options.runs)) - unfinished - ended:
            acknowledge(run, "end", "end" if DBOS.get_workflow_status(run).status == "SUCCESS" else "failed")
            ended.add(run)
        if not unfinished - waiting:
            return WAITING if unfinished else ENDED
        time.sleep(LOOK)


def _check(options: Options, url: str) -> int:
    client = DBOSClient(system_database_url=url)
    for each in client.list_workflows(load_input=False):
        for step in client.list_workflow_steps(each.workflow_id):
            if step["function_name"].startswith(("model-", "pay-")):
                has(each.workflow_id, step["function_name"], _kind(step["function_name"], step["output"]))
        if each.status not in UNFINISHED:
            has(each.workflow_id, "end", "end" if each.status == "SUCCESS" else "failed")
    client.destroy()
    return ENDED
