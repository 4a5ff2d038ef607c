"""The agents of a runtime and the policies in force: whose rules judge a run is told by its agent and its tenant."""

from collections.abc import Iterable, Iterator, Mapping

from interlock.agents import Agent
from interlock.errors import DeclarationError
from interlock.guardian import Policy
from interlock.guardian.tree import Window


class Roster:
    """Agents by name, each under its own policy, its organisation's and its tenant's; never changed, only replaced.

    Args:
        agents: The agents that runs are started with.
        organisation: Rules for all of them; they may only restrict.
        tenants: Rules for the runs of each tenant; they may only restrict.

    Raises:
        DeclarationError: two agents share a name.
        PolicyError: organisation or tenant permit something, or name what no agent has.
    """

    def __init__(
        self, agents: Iterable[Agent], organisation: Policy | None = None, tenants: Mapping[str, Policy] | None = None
    ) -> None:
        self.own = tuple(agents)
        self.organisation = organisation if organisation is not None else Policy()
        self.tenants = dict(tenants or {})
        names = [agent.name for agent in self.own]
        if len(set(names)) != len(names):
            raise DeclarationError(f"two agents share a name: {', '.join(names)}")
        for rules in (self.organisation, *self.tenants.values()):
            rules.check({name: known for agent in self.own for name, known in agent.known().items()})
        self.everyone = self._everyone(self.organisation)
        """All agents, those that tasks are handed on to among them, as they are for a tenant without rules."""
        self._of_tenants = {name: self._everyone(self.organisation, rules) for name, rules in self.tenants.items()}

    def _everyone(self, *by: Policy) -> dict[str, Agent]:
        return {one.name: one for agent in self.own for one in agent.restricted(*by).everyone()}

    def of(self, name: str, tenant: str) -> Agent:
        """Return the agent of this name as it is for the runs of a tenant.

        Raises:
            DeclarationError: there is no such agent.
        """
        found = self._of_tenants.get(tenant, self.everyone).get(name)
        if found is None:
            known = ", ".join(self.everyone) or "none"
            raise DeclarationError(f"this runtime has no agent {name!r}; it has: {known}")
        return found

    def windows(self) -> Iterator[Window]:
        """Yield every window over what was done that one of the policies counts."""
        for agents in (self.everyone, *self._of_tenants.values()):
            for agent in agents.values():
                for action in agent.actions.values():
                    yield from agent.needed(action).windows

    def replaced(self, policy: Policy, *, agent: str | None, tenant: str | None) -> "Roster":
        """Return the roster with one policy replaced: an agent's own, a tenant's, or else the organisation's.

        Raises:
            DeclarationError: there is no such agent, or agent and tenant are both given.
            PolicyError: the policy names what there is not, or permits what it may only restrict.
        """
        if agent is not None and tenant is not None:
            raise DeclarationError("a policy is an agent's, a tenant's or the organisation's; give agent= or tenant=")
        if tenant is not None:
            return Roster(self.own, self.organisation, {**self.tenants, tenant: policy})
        if agent is None:
            return Roster(self.own, policy, self.tenants)
        if all(one.name != agent for one in self.own):
            raise DeclarationError(
                f"this runtime has no agent {agent!r}; it has: {', '.join(a.name for a in self.own)}"
            )
        own = (one.judged_by(policy) if one.name == agent else one for one in self.own)
        return Roster(own, self.organisation, self.tenants)
