"""The figures of the undo benchmark: the agreed keys, and what makes it fail."""

from benchmarks.undo.report import results, text, wrong

COUNTED = {"histories": 2, "exact": 2, "crashes": 9, "conflicts_expected": 1, "conflicts_found": 1, "wrong": []}
TIMES = dict.fromkeys(("captured_ms", "plain_ms", "captured_bare_ms", "plain_bare_ms", "ratio", "ratio_bare"), 1.0)


def found(**changes):
    """Return figures of all parts."""
    figures = {
        "histories": {
            **COUNTED,
            "kills": COUNTED,
            "by_database": {part: {"sqlite": COUNTED} for part in ("histories", "kills")},
            "seed": 5,
            "left_out": "",
        },
        "speed": {"capture": {"sqlite": TIMES}, "undo": {"sqlite": {"rows_per_second": 1200}}},
        "services": {"services": {"S3": {"exact": True}}, "wrong": []},
        "agentdojo": {"runs": 3, "exact": 3, "wrong": []},
    }
    return figures | changes


def test_the_results_have_the_agreed_keys():
    """What was not counted is 0; what was not played is null; everything in full is below."""
    told = results(found())
    assert {key: told[key] for key in list(told)[:9]} == {
        "histories": 2,
        "exact": 2,
        "conflicts_expected": 1,
        "conflicts_found": 1,
        "trampled": 0,
        "partial_unreported": 0,
        "services": {"S3": True},
        "agentdojo": {"runs": 3, "exact": 3},
        "tau": None,
    }
    assert told["kills"]["crashes"] == 9
    assert told["capture_ratio"] == {"sqlite": 1.0}
    assert told["rows_per_second"] == 1200
    assert told["full"] == found()


def test_what_is_exact_everywhere_is_not_wrong():
    """Then the command ends well, and the tables are there."""
    assert wrong(found()) == []
    assert "sqlite, kill -9" in text(found())


def test_each_part_can_make_it_fail():
    """A row in a history, one after a kill, a service, a sequence, and what a part says in words."""
    bad = {**COUNTED, "wrong": ["h1: overwritten"]}
    assert wrong(found(histories={**found()["histories"], "wrong": ["h1: overwritten"]})) == ["h1: overwritten"]
    assert wrong(found(histories={**found()["histories"], "kills": bad})) == ["h1: overwritten"]
    assert wrong(found(services={"services": {"S3": {"exact": False}}, "wrong": ["S3 lost"]})) == [
        "S3 lost",
        "S3 is not as before",
    ]
    assert wrong(found(tau={"runs": 3, "exact": 1, "wrong": []})) == ["tau: 2 sequences are not as before"]


def test_what_is_left_out_is_said():
    """Nobody takes half the benchmark for the whole."""
    told = found(histories={**found()["histories"], "left_out": "PostgreSQL was left out"})
    assert "PostgreSQL was left out" in text(told)
