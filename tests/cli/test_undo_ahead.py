"""`undo --ahead`: what an agent could do that could not be taken back, before it does anything."""

import json

import pytest

TABLE = """\
3 of 7 permitted actions can't be taken back
ACTION      WAY BACK                           WHAT STAYS              PERMITTED
mail        none: it is irreversible;                                  could be
            recallable for 10m
shout       none: it is irreversible                                   could be
look_up     none: its arguments leave                                  could be
order       compensated; recallable for 1h                             could be
            when the ref is "rare"
gift        compensated                                                could be
set_price   restored by snapshot               customers have seen it  could be
write_note  restored by notes                                          could be
burn        none: it is irreversible                                   never
"""


def test_what_can_not_be_taken_back_comes_first(shop, interlock):
    """Irreversible and permitted, then what a counter-action makes good, then what is restored; last what never is."""
    result = interlock("undo", "--ahead")
    assert (result.exit_code, result.stdout) == (0, TABLE)
    assert interlock("undo", "--ahead", "keeper").stdout == TABLE
    assert interlock("undo", "--ahead", "--agent", "keeper").stdout == TABLE
    assert not shop.journal.exists()


def test_as_json(shop, interlock):
    """Every way back under names; delays in microseconds."""
    document = json.loads(interlock("undo", "--ahead", "--json").stdout)
    by_action = {one["action"]: one for one in document}
    assert by_action["mail"] == {
        "agent": "keeper",
        "action": "mail",
        "effect": "irreversible",
        "way": "cannot",
        "by": "",
        "why": "it is irreversible",
        "stays": "",
        "delays": [{"time": 600_000_000, "when": ""}],
        "permitted": True,
    }
    assert (by_action["write_note"]["way"], by_action["write_note"]["by"]) == ("restore", "notes")
    assert (by_action["set_price"]["by"], by_action["set_price"]["stays"]) == ("snapshot", "customers have seen it")
    assert by_action["order"]["delays"] == [{"time": 3_600_000_000, "when": 'the ref is "rare"'}]
    assert (by_action["burn"]["permitted"], by_action["burn"]["delays"]) == (False, [])


def test_several_agents(shop, interlock):
    """Each action has its agent beside it; those that tasks are handed on to are among them."""
    (shop.folder / "staff.py").write_text(
        "from interlock import Agent, Policy, ScriptedModel, forbid, permit\n"
        "from keeping import mail, order, Shop\n"
        "clerk = Agent('clerk', [mail], model=ScriptedModel([]), policy=Policy(permit(mail)), deps=Shop)\n"
        "boss = Agent('boss', [clerk, order], policy=Policy(permit(['clerk', order])), deps=Shop)\n"
        "idle = Agent('idle', [])\n"
    )
    found = json.loads(interlock("undo", "--ahead", "--agent", "staff:boss", "--json").stdout)
    assert [(one["agent"], one["action"], one["permitted"]) for one in found] == [
        ("boss", "order", True),
        ("boss/clerk", "mail", False),  # the outer policy does not permit it
    ]
    shown = interlock("undo", "--ahead", "--agent", "staff:boss").stdout
    assert shown.startswith("0 of 1 permitted action can't be taken back\n")
    assert "AGENT" in shown
    assert interlock("undo", "--ahead", "--agent", "staff:idle").stdout == "nothing that has an effect\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody"], "no agent 'nobody' in this project; there are: keeper"),
        (["--since", "2h"], "--ahead looks at agents and not at what was done; give it nothing but their names"),
        (["--conversation", "c1"], "--ahead looks at agents"),
        (["--tenant", "t"], "--ahead looks at agents"),
    ],
)
def test_wrong_calls(shop, interlock, arguments, said):
    """One line."""
    result = interlock("undo", "--ahead", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"interlock: {said}")
