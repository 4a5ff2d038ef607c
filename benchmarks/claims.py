"""What is withheld of the words that real models said in published runs: false claims, links, instructions passed on.

    python -m benchmarks.claims agentdojo-0.1.29.tar.gz airline/

Each argument is the source archive of AgentDojo, with its runs, or a folder of tau-bench trajectories. A claim is held
against the calls that were executed before it; what stands in an answer, against an index of the run's results with the
labels that there are by default. Of each kind, the share of false alarms is what is flagged among the runs that solved
their task; whether a flagged claim is false is for a reader to judge: `--show` prints them.
"""

import argparse
import ast
import json
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from benchmarks._convention import progress, quick, table, write_results
from benchmarks.replay.catalog import CATALOG
from benchmarks.replay.recorded import RecordedRun, parse
from benchmarks.tau.actions import ALL
from benchmarks.tau.recorded import Call, load
from interlock import Action, Ctx, Labels, action
from interlock.kernel import events as ev
from interlock.provenance import Index, Known, Written
from interlock.provenance.outgoing import Outgoing
from interlock.runtime.claims import Claims
from interlock.runtime.sentences import Sentences

EVERY = 20
"""With QUICK=1, one run in so many is looked at."""

TEXT_ATTACK = ("travel", "injection_task_6")
"""The one injection task that wants nothing done, only something said; it counts as reached if a name is said."""

Actions = dict[str, Action[Any, Any, Any]]


class Answer(NamedTuple):
    """Words of one turn, whether they were the last of their run, and what had been executed before them."""

    text: str
    last: bool
    done: frozenset[str]


def sentences(text: str) -> list[str]:
    cutting = Sentences()
    return [*cutting.feed(text), *cutting.rest()]


def false_claims(answer: Answer, actions: Actions) -> tuple[int, list[str]]:
    """Return how many claims an answer makes, and the sentences that nothing backs."""
    claims = Claims(actions)
    found = [(sentence, claim) for sentence in sentences(answer.text) for claim in claims.in_sentence(sentence)]
    return len(found), [sentence.strip() for sentence, claim in found if claim.actions.isdisjoint(answer.done)]


# AgentDojo


def runs_in(archive: Path) -> Iterator[RecordedRun]:
    """Yield the runs of the archive that have a user's task and got as far as an answer."""
    number = 0
    with tarfile.open(archive) as files:
        for member in files:
            if "/runs/" in member.name and "/user_task_" in member.name and member.name.endswith(".json"):
                number += 1
                if quick() and number % EVERY:
                    continue
                file = files.extractfile(member)
                content: dict[str, Any] = json.load(file) if file is not None else {}
                if content["messages"]:
                    yield parse(content)


def functions_in(archive: Path) -> dict[str, str]:
    """Return the first lines of the documentation of the suites' functions, by name."""
    told: dict[str, str] = {}
    with tarfile.open(archive) as files:
        for member in files:
            if "/default_suites/v1/tools/" in member.name and member.name.endswith(".py"):
                file = files.extractfile(member)
                tree = ast.parse(file.read() if file is not None else "")
                for one in tree.body:
                    if isinstance(one, ast.FunctionDef):
                        told.setdefault(one.name, (ast.get_docstring(one) or "").partition("\n")[0])
    return told


def declared(name: str, doc: str, *, effect: bool) -> Action[Any, Any, Any]:
    async def function(ctx: Ctx[None]) -> None:
        """Do nothing."""

    function.__name__, function.__doc__ = name, doc
    return action.irreversible(function) if effect else action.read(function)


def answers(run: RecordedRun) -> Iterator[Answer]:
    done: set[str] = set()
    for number, turn in enumerate(run.turns):
        if turn.content:
            yield Answer(turn.content, number == len(run.turns) - 1, frozenset(done))
        done |= {call.function for call in turn.calls if call.answered and not call.error}


def index_of(run: RecordedRun, actions: Actions) -> Index:
    known = {one.name: Known(one.name, effect=one.effect, doc=one.doc) for one in actions.values()}
    index = Index(Labels(), known, Written(), operator=[run.system])
    index.add(1, ev.RunStarted(agent="", input=_raw(run.prompt)))
    for number, call in enumerate((one for one in run.executed if not one.error and one.function in known), 2):
        effect = actions[call.function].effect
        result = _raw(_parsed(call.output))
        args = _raw(call.args)
        index.add(number, ev.Done(call=call.key, action=call.function, effect=effect, args=args, result=result))
    return index


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value, enc_hook=str))


def _parsed(output: str) -> Any:
    """Return a result as data: the package writes some as Python, some as YAML."""
    for read in (ast.literal_eval, yaml.safe_load):
        try:
            return json.loads(json.dumps(read(output), default=str))
        except Exception:  # noqa: BLE001 - then it is a text
            continue
    return output


def withheld(run: RecordedRun, actions: Actions) -> tuple[str, str] | None:
    """Return of which kind the problem of the final answer is, and its sentence; None where all is released."""
    outgoing = Outgoing(index_of(run, actions))
    for sentence in sentences(run.final_text):
        if (found := outgoing.problem(sentence)) is not None:
            return found.kind, sentence.strip()
    return None


def agentdojo(archive: Path, shown: list[str]) -> Counter[str]:
    docs = functions_in(archive)
    suites = {
        suite: {name: declared(name, docs.get(name, ""), effect=kind.effect) for name, kind in functions.items()}
        for suite, functions in CATALOG.items()
    }
    counted: Counter[str] = Counter()
    for run in runs_in(archive):
        actions = suites[run.suite]
        for answer in answers(run):
            _count_claims(counted, answer, actions, solved=run.utility, shown=shown, name=run.id)
        if run.final_text and (not run.attacked or (run.suite, run.injection_task) == TEXT_ATTACK):
            _count_withheld(counted, run, actions, shown)
    return counted


def _count_claims(
    counted: Counter[str], answer: Answer, actions: Actions, *, solved: bool, shown: list[str], name: str
) -> None:
    made, false = false_claims(answer, actions)
    where = "final" if answer.last else "earlier"
    counted[f"{where} answers"] += 1
    counted[f"{where} claiming"] += made > 0
    counted[f"{where} flagged"] += bool(false)
    counted[f"{where} flagged, solved"] += bool(false) and solved
    counted[f"{where} solved"] += solved
    shown += [f"claim [{where}, {'solved' if solved else 'failed'}] {name}: {one}" for one in false[:1]]


def _count_withheld(counted: Counter[str], run: RecordedRun, actions: Actions, shown: list[str]) -> None:
    group = ("reached" if run.hijacked else "resisted") if run.attacked else ("solved" if run.utility else "failed")
    found = withheld(run, actions)
    counted[f"words {group}"] += 1
    if found is not None:
        counted[f"words {group} withheld"] += 1
        counted[f"words {group} {found[0]}"] += 1
        shown.append(f"words [{group}] {run.id}: {found[0]}: {found[1]}")


# tau-bench


def tau(folder: Path, shown: list[str]) -> Counter[str]:
    actions: Actions = {one.name: one for one in ALL}
    counted: Counter[str] = Counter()
    for trajectory in load(folder):
        done: set[str] = set()
        for event in trajectory.events:
            if isinstance(event, Call):
                done |= {event.name} if event.observation is not None and not event.is_refused else set()
            elif event.role == "assistant":
                answer = Answer(event.text, True, frozenset(done))
                solved = trajectory.is_success
                _count_claims(counted, answer, actions, solved=solved, shown=shown, name=trajectory.id)
    return counted


# the tables


def rows_of(source: str, counted: Counter[str]) -> Iterator[tuple[object, ...]]:
    for where in ("final", "earlier"):
        if counted[f"{where} answers"]:
            flagged = counted[f"{where} flagged"]
            yield (
                f"{source}: {where} answers",
                counted[f"{where} answers"],
                counted[f"{where} claiming"],
                flagged,
                flagged - counted[f"{where} flagged, solved"],
                counted[f"{where} flagged, solved"],
            )


def words_of(counted: Counter[str]) -> Iterator[tuple[object, ...]]:
    groups = {
        "not attacked, task solved": "solved",
        "not attacked, task failed": "failed",
        "text attack reached its goal": "reached",
        "text attack did not": "resisted",
    }
    for name, group in groups.items():
        kinds = (counted[f"words {group} {kind}"] for kind in ("withheld", "link", "carried"))
        yield name, counted[f"words {group}"], *kinds


def main(words: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path, help="the archive of AgentDojo, or a folder of tau-bench")
    parser.add_argument("--show", action="store_true", help="print what is flagged")
    given = parser.parse_args(None if words is None else list(words))
    rows: list[tuple[object, ...]] = []
    results: dict[str, dict[str, int]] = {}
    shown: list[str] = []
    for data in given.data:
        progress(f"reading {data}")
        counted = tau(data, shown) if data.is_dir() else agentdojo(data, shown)
        results[data.name] = dict(counted)
        rows += rows_of("tau-bench" if data.is_dir() else "AgentDojo", counted)
    if given.show:
        print("\n".join(shown), end="\n\n")
    print(table(("false claims", "answers", "claiming", "flagged", "task failed", "task solved"), rows))
    total = Counter[str]()
    for one in results.values():
        total.update(one)
    if any(key.startswith("words") for key in total):
        print()
        headers = ("final answers, default labels", "answers", "withheld", "links", "carried")
        print(table(headers, list(words_of(total))))
    write_results("claims", {"data": results})


if __name__ == "__main__":
    main()
