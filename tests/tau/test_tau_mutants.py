"""Mutants: one thing changed in each, drawn alike from the same seed, and never the call itself."""

import random

from benchmarks.tau import mutants, referee
from benchmarks.tau.actions import WRITES
from benchmarks.tau.recorded import Call
from tau_desk import ANN, bags, booking, change, talk, world

CALLS = [
    Call("book_reservation", booking()),
    Call("cancel_reservation", {"reservation_id": "BUSI01"}),
    Call("update_reservation_flights", change()),
    Call("update_reservation_baggages", bags()),
    Call(
        "update_reservation_passengers",
        {"reservation_id": "BASIC1", "passengers": [{"first_name": "Tom", "last_name": "Lee", "dob": "2010-07-09"}]},
    ),
    Call("send_certificate", {"user_id": ANN, "amount": 100}),
]


def _made(call, gold=(), seed=1):
    return mutants.mutants(world(), call, gold, random.Random(seed))


def test_every_argument_of_every_write_is_changed():
    """Each write has mutants of each of its arguments, and there is an operator for each."""
    assert {call.name for call in CALLS} == {one.name for one in WRITES}
    for call in CALLS:
        changed = {one.operator.partition(":")[0] for one in _made(call)}
        assert changed == call.args.keys()


def test_a_mutant_differs_in_its_argument_alone():
    """The named argument is another one; all others are the call's."""
    for call in CALLS:
        for one in _made(call):
            argument = one.operator.partition(":")[0]
            assert one.call.args[argument] != call.args[argument]
            assert {**one.call.args, argument: None} == {**call.args, argument: None}


def test_the_call_its_gold_and_twins_are_left_out():
    """No mutant is a call that somebody wanted, and none comes twice."""
    call = CALLS[2]
    made = _made(call)
    assert len({one.call.content for one in made}) == len(made)
    gold = made[3].call
    assert gold.content not in {one.call.content for one in _made(call, [gold])}


def test_the_same_seed_draws_the_same():
    """What is drawn depends on the seed alone."""
    for call in CALLS:
        assert _made(call, seed=7) == _made(call, seed=7)


def test_the_referee_reads_every_mutant():
    """Whatever was changed, the referee has an answer; some break a sentence and some don't."""
    conversation = talk(f"I am {ANN}, and I am sick.")
    for call in CALLS[:4]:
        read = [referee.broken(conversation.world, conversation.said, call.name, one.call.args) for one in _made(call)]
        assert any(read)
        assert not all(read)
