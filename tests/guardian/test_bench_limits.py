"""What the benchmark of limits counts: real calls that were denied, and how far a burst came."""

from benchmarks.limits.bursts import Burst, bursts
from benchmarks.limits.limit import Both, Quota, Unusual
from benchmarks.limits.play import play
from benchmarks.limits.stream import DAY, SCOPES, SECOND, Call, stream

from interlock.guardian.rates import Surge

USER = SCOPES["an effect, user"]
HOUR = 3600 * SECOND


def money(at, user=1):
    return Call(at, "banking", "send_money", user)


def burst_of(size, begin):
    return Burst("user", "minute", size, tuple(money(begin + number) for number in range(size)))


def test_a_quota_lets_so_many_of_a_burst_through():
    """Of a burst above the quota exactly the quota passes, less what was really done in that hour."""
    calls = [money(0), money(10 * SECOND), money(DAY)]
    (fate,) = play(calls, [burst_of(30, 20 * SECOND)], USER, lambda: Quota(5, HOUR), 0).fates
    assert (fate.caught, fate.before, fate.through) == (True, 3, 3)


def test_a_burst_leaves_no_trace_in_what_follows():
    """Each burst is played on copies: the real calls after it are judged as if it had never been."""
    calls = [money(0), money(61 * SECOND), money(DAY)]
    played = play(calls, [burst_of(30, SECOND)], USER, lambda: Quota(2, HOUR), 0)
    assert (played.calls, played.denied) == (3, 0)


def test_denied_calls_are_not_counted():
    """What was denied was never made: it takes nothing from a quota."""
    calls = [money(number * 30 * 60 * SECOND) for number in range(6)]
    assert play(calls, [], USER, lambda: Quota(1, HOUR), 0).denied == 3


def test_other_users_have_limits_of_their_own():
    """A user's quota isn't used up by another's calls; an agent's is."""
    calls = [money(number, user=number) for number in range(5)]
    assert play(calls, [], USER, lambda: Quota(1, HOUR), 0).denied == 0
    assert play(calls, [], SCOPES["an effect, agent"], lambda: Quota(1, HOUR), 0).denied == 4


def test_either_of_two_limits_denies():
    """In a scope that nobody knows the surge says nothing and the quota holds; later the surge is first."""
    calls = [money(minute * 60 * SECOND) for minute in range(600)]

    def both():
        return Both(Unusual(Surge(60 * SECOND), 6), Quota(80, HOUR))

    begin = 599 * 60 * SECOND - 1
    fresh = Burst("user", "minute", 99, tuple(money(begin + number, user=2) for number in range(99)))
    cold, warm = play(calls, [fresh, burst_of(99, begin)], USER, both, 0).fates
    assert (cold.caught, cold.through) == (True, 80)
    assert warm.through < 10


def test_the_stream_and_its_bursts_are_the_same_for_the_same_seed():
    """The recorded calls in the order of time, each in its turn; bursts lie where they were asked for."""
    runs = [("banking", 60.0, [["get_iban"], ["send_money", "send_money"]])] * 50
    calls = stream(runs, 2, seed=1)
    assert calls == stream(runs, 2, seed=1) == sorted(calls)
    assert len(calls) == 150
    assert sum(call.effect for call in calls) == 100
    found = bursts(calls, (DAY, 2 * DAY), 3, seed=2)
    assert found == bursts(calls, (DAY, 2 * DAY), 3, seed=2)
    assert all(burst.begin >= DAY and burst.calls[-1].at < 2 * DAY for burst in found)
    assert all(len(burst.calls) == burst.size for burst in found)
