"""SQLAlchemy works on the connection of an effect: a session, its unit of work, and its savepoints."""

import pytest
from sqlite_shop import dump, make, take_back

from interlock import Ctx
from interlock.actions.way import RolledBackError
from interlock.undo.rows.sqlite import SqliteRows

sa = pytest.importorskip("sqlalchemy", reason="SQLAlchemy 2 is not installed; it is a client to be tested with")
orm = pytest.importorskip("sqlalchemy.orm")


class Base(orm.DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id = sa.Column(sa.Integer, primary_key=True)
    email = sa.Column(sa.String)
    points = sa.Column(sa.Float)
    bookings = orm.relationship("Booking", cascade="all, delete-orphan", passive_deletes=True)


class Booking(Base):
    __tablename__ = "bookings"
    ref = sa.Column(sa.String, primary_key=True)
    customer = sa.Column(sa.ForeignKey("customers.id"))
    seats = sa.Column(sa.Integer)


@pytest.fixture
def path(tmp_path):
    return make(tmp_path / "shop.db")


def engine(way, ctx):
    return sa.create_engine("sqlite://", creator=lambda: way.connection(ctx), poolclass=sa.pool.StaticPool)


def change(session):
    ana = session.get(Customer, 1)
    ana.email = "ana@new.org"
    ana.bookings.append(Booking(ref="NEW1", seats=4))
    session.delete(session.get(Customer, 2))
    session.add_all(Customer(email=f"c{n}@x.org") for n in range(3))
    session.flush()
    session.execute(sa.update(Booking).values(seats=Booking.seats + 1))


def test_a_session_on_an_engine_is_captured_and_taken_back(path):
    """It commits, closes and disposes as always; cascades and triggers of the database are captured as well."""
    way = SqliteRows(path)
    before = dump(path)
    for key in ("k1", "k2"):
        ctx = Ctx(None, key=key)
        with way.performing(ctx, "a") as effect:
            made = engine(way, ctx)
            with orm.Session(made) as session:
                change(session)
                session.commit()
                session.get(Customer, 1).points = 1000
                session.rollback()
            made.dispose()
            effect.finish(b"1")
        assert any("ana@new.org" in row for row in dump(path)["customers"])
        assert not any("1000" in row for row in dump(path)["customers"])
        take_back(way, key)
        assert dump(path) == before


def test_nested_transactions_of_a_session_are_savepoints(path):
    """What was rolled back inside is not part of the effect."""
    way = SqliteRows(path)
    ctx = Ctx(None, key="k1")
    with way.performing(ctx, "a") as effect:
        with orm.Session(engine(way, ctx)) as session, session.begin():
            session.get(Customer, 1).points = 5
            with pytest.raises(ZeroDivisionError), session.begin_nested():  # noqa: PT012 - it is the effect that fails
                change(session)
                session.flush()
                raise ZeroDivisionError
        effect.finish(b"1")
    assert set(effect.touched.wrote) == {"rows:customers/1"}


def test_a_session_that_was_not_committed_leaves_nothing(path):
    """As on any connection."""
    way = SqliteRows(path)
    before = dump(path)
    ctx = Ctx(None, key="k1")
    with way.performing(ctx, "a") as effect:
        with orm.Session(engine(way, ctx)) as session:
            change(session)
            session.flush()
        effect.finish(b"1")
    assert dump(path) == before
    assert effect.touched.wrote == ()


def test_a_refused_statement_says_why_through_sqlalchemy(path):
    """Its own error has ours in it."""
    way = SqliteRows(path)
    ctx = Ctx(None, key="k1")
    with (
        pytest.raises(RolledBackError, match="refused in an effect"),
        way.performing(ctx, "a"),
        engine(way, ctx).begin() as connection,
    ):
        connection.execute(sa.text("DROP TABLE log"))
