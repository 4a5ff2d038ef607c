"""Every type of value comes back exactly; the text of a row is read and written without loss."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from postgres_server import Shop, context

from interlock.undo.rows.postgres_text import fields, row

TYPES = {
    "numeric": ["1.00", "1.0", "-0.000000000000000000001", "NaN", "Infinity", "9" * 200],
    "numeric(8, 3)": ["1.1", "99999.999"],
    "double precision": ["NaN", "-Infinity", "-0", "0.1", "1e-320", "1.7976931348623157e308"],
    "real": ["NaN", "3.4028235e38", "0.1"],
    "bigint": ["-9223372036854775808", "9223372036854775807"],
    "boolean": ["t", "f"],
    "timestamptz": [
        "infinity",
        "4713-01-01 00:00:00+00 BC",
        "2026-03-29 02:30:00.123456+05:45",
        "294276-12-31 23:59:59Z",
    ],
    "timestamp": ["-infinity", "0001-01-01 00:00:00 BC"],
    "date": ["infinity", "0044-03-15 BC", "5874897-12-31"],
    "timetz": ["23:59:60+15:59"],
    "interval": ["-1 mons +1 day -00:00:00.000001", "178000000 years", "1 year -1 month"],
    "bytea": ["\\x", "\\x00ff5c22"],
    "text": [
        "",
        " ",
        "NULL",
        "null",
        '"',
        "\\",
        "a,b",
        "(x)",
        "{y}",
        "é\u202e\U0001f600",
        "tab\tnew\nline\r",
        "%s",
        "'",
    ],
    "char(5)": ["a", "", "  b"],
    "varchar(3)": ["a  "],
    '"char"': ["", "x"],
    "json": ['{"b": 1,  "a": 1, "a": 2}', "null", '"\\u00e9"'],
    "jsonb": ['{"b": 1, "a": [1.10, null]}', "null"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "text[]": ["{}", '{NULL,"NULL","",a}', "{{1,2},{3,4}}", "[5:6]={x,y}"],
    "double precision[]": ["{NaN,-0,1e-320}"],
    "numrange": ["empty", "[1.0,2.00)", "(,)"],
    "tstzmultirange": ["{[2026-01-01 00:00+01,2026-01-02 00:00+01)}"],
    "mood": ["so so", 'qu"oted'],
    "pair": ["(,)", '(1,"")', '("2","a ""b"" \\\\")'],
    "pair[]": ['{"(1,x)",NULL}'],
    "positive": ["7"],
    "inet": ["10.0.0.1", "::1/64"],
    "money": ["$-1,234.56"],
    "point": ["(1e-320,NaN)"],
    "bit varying": ["", "101"],
    "tsvector": ["'a b':1A,2 'c''d'"],
    "regclass": ["later", "pg_class"],
    "regtype": ["mood"],
    "pg_lsn": ["16/B374D848"],
}


@pytest.fixture(scope="module")
def shop():
    shop = Shop(
        """CREATE TYPE mood AS ENUM ('so so', 'qu"oted'); CREATE TYPE pair AS (a numeric, b text);
        CREATE DOMAIN positive AS integer CHECK (VALUE > 0); CREATE TABLE later (id int PRIMARY KEY)""",
        tables=("valued",),
    )
    yield shop
    shop.close()


@pytest.mark.parametrize("kind", TYPES)
def test_values_come_back_exactly(shop, kind):
    """Deleted, changed and truncated rows have the very same texts afterwards, under other settings of the session."""
    shop.sql("DROP TABLE IF EXISTS valued")
    shop.sql(f"CREATE TABLE valued (n serial PRIMARY KEY, v {kind}, w {kind} DEFAULT NULL)")
    for value in TYPES[kind]:
        shop.sql("INSERT INTO valued (v) VALUES (%s)", value)
    shop.sql("INSERT INTO valued DEFAULT VALUES")
    shop.bank.install(shop.dsn)
    settings = ["datestyle = 'SQL, DMY'", "timezone = 'America/St_Johns'", "intervalstyle = sql_standard"]
    settings += ["bytea_output = escape", "extra_float_digits = -15"]
    settings = [f"SET LOCAL {setting}" for setting in settings]
    before = shop.state()
    for n, statement in enumerate(("DELETE FROM valued", "UPDATE valued SET w = v, v = NULL", "TRUNCATE valued")):
        key = f"{kind}{n}"
        shop.act(key, *settings, statement)
        assert shop.state() != before
        assert len(shop.bank.preview(context("x"), key)) >= len(TYPES[kind])
        shop.undo(key)
        assert shop.state() == before


@pytest.mark.parametrize(
    ("kind", "values", "change"),
    [
        ("numeric", ["1.0", "2"], "UPDATE valued SET k = 1.00 WHERE k = 1"),
        ("text", ["a,b", "", '"', "(", "ü%s"], "UPDATE valued SET k = k || 'x'"),
        ("timestamptz", ["2026-01-01 00:00+00", "infinity"], "DELETE FROM valued"),
        ("text[]", ["{a,NULL}", "{}"], "UPDATE valued SET w = 'x'"),
        ("pair", ["(1,x)", '(2,"a,b")'], "UPDATE valued SET w = 'x'"),
        ("mood", ["so so"], "UPDATE valued SET k = 'qu\"oted'"),
        ("char(5)", ["a", " b"], "UPDATE valued SET w = k"),
        ("positive", ["3", "4"], "UPDATE valued SET k = k + 10"),
    ],
)
def test_keys_of_any_type_find_their_rows(shop, kind, values, change):
    """Also where a type holds different texts for equal values, and in a key of two columns."""
    shop.sql("DROP TABLE IF EXISTS valued")
    shop.sql(f"CREATE TABLE valued (w text DEFAULT 'w', k {kind}, l {kind}, PRIMARY KEY (l, k))")
    for value in values:
        shop.sql("INSERT INTO valued (k, l) VALUES (%s, %s)", value, value)
    shop.bank.install(shop.dsn)
    before = shop.state()
    shop.act(f"key {kind}", change)
    assert shop.state() != before
    shop.undo(f"key {kind}")
    assert shop.state() == before


def test_generated_and_identity_columns_come_back(shop):
    """What is computed is computed again; what the database numbers always keeps its number."""
    shop.sql("DROP TABLE IF EXISTS valued")
    virtual = "v int GENERATED ALWAYS AS (a * 3) VIRTUAL," if shop.others.info.server_version >= 180000 else ""
    shop.sql(
        f"CREATE TABLE valued (a int PRIMARY KEY, s int GENERATED ALWAYS AS (a * 2) STORED, {virtual}"
        " dropped int, i int GENERATED ALWAYS AS IDENTITY, t text, d int GENERATED BY DEFAULT AS IDENTITY)"
    )
    shop.sql("ALTER TABLE valued DROP COLUMN dropped")
    shop.sql("INSERT INTO valued (a, t) VALUES (1, 'x'), (2, 'y,z')")
    shop.bank.install(shop.dsn)
    before = shop.state()
    for key, statements in {
        "g1": ["DELETE FROM valued WHERE a = 1"],
        "g2": ["UPDATE valued SET a = a + 10, t = NULL"],
        "g3": ["DELETE FROM valued", "INSERT INTO valued (a) VALUES (1), (2)"],
    }.items():
        shop.act(key, *statements)
        assert shop.state() != before
        shop.undo(key)
        assert shop.state() == before


def test_a_table_of_nothing_but_its_key_is_restored(shop):
    """There is nothing to set in its rows; they are there or not."""
    shop.sql("DROP TABLE IF EXISTS valued")
    shop.sql("CREATE TABLE valued (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")
    shop.sql("INSERT INTO valued DEFAULT VALUES")
    shop.bank.install(shop.dsn)
    before = shop.state()
    shop.act("only", "INSERT INTO valued DEFAULT VALUES", "DELETE FROM valued WHERE id = 1")
    shop.undo("only")
    assert shop.state() == before


@given(st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
@example([None])
@example(["", None, '"', "\\", "a b", "()", ","])
def test_the_text_of_a_row_reads_back(values):
    """Written and read, the fields are the same."""
    if values == [None]:  # `()` is the text of a row of one null
        assert fields("()") == [None]
    assert fields(row(values)) == values


@pytest.mark.parametrize("text", ["", "(", ")", "(a", "a)", "(a))", '("a)', '(a"b)', "(a)b", "(a\\)"])
def test_what_is_no_row_is_refused(text):
    """Damage is told, not guessed around."""
    with pytest.raises(ValueError, match="not the text of a row"):
        fields(text)
