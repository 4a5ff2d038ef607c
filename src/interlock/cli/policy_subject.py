"""What a policy command is about: an agent of the project, and its policy or another one."""

from collections.abc import Iterable

from interlock.agents import Agent
from interlock.cli.errors import UsageError
from interlock.cli.policies import policy_from
from interlock.cli.project import agent_named, agents
from interlock.errors import PolicyError
from interlock.guardian import Policy
from interlock.lab.given import nearest


def agent_of(given: str | None, action: str | None = None) -> Agent:
    """Return the agent that is meant: the one given (a name, or `module:name`), else the only one that fits.

    Raises:
        UsageError: there is none, or several have the *action*.
    """
    if given is not None and ":" in given:
        (only,) = agents((given,)).values()
        return only
    known = agents()
    if given is not None:
        return agent_named(known, given)
    everyone = {one.name: one for agent in known.values() for one in agent.everyone()}
    having = {name: one for name, one in everyone.items() if action in one.actions}
    fitting = having if action is not None else known
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    if fitting:
        raise UsageError(f"several agents {'have that action' if having else 'are there'}; {_choose(fitting)}")
    named = dict.fromkeys(name for one in everyone.values() for name in one.actions)
    raise UsageError(f"no agent of this project has an action {action!r}{nearest(str(action), named)}")


def _choose(names: Iterable[str]) -> str:
    return f"give --agent with one of {', '.join(sorted(names))}"


def policy_of(agent: Agent, written: str | None) -> Policy:
    """Return the agent's own policy, or the one that is *written* in a file, after a look at the names in it.

    Raises:
        UsageError: the file can't be read, or names what the agent does not have; the message says where.
    """
    if written is None:
        return agent.policy
    policy = policy_from(written)
    try:
        policy.check(agent.known())
    except PolicyError as error:
        raise UsageError(f"{error} (agent {agent.name})") from error
    return policy
