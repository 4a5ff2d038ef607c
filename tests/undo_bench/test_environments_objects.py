"""Objects of a world of pydantic models: each comes back by itself, and what others did stays."""

import copy
from typing import Any

import pytest
from benchmarks.undo.environments import foreign, room, touched
from benchmarks.undo.environments.objects import Objects, named
from benchmarks.undo.environments.room import Effect, Room
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel


class Mail(BaseModel):
    id_: str
    subject: str
    read: bool = False


class Payment(BaseModel):
    id: int
    subject: str


class Message(BaseModel):
    body: str


class Inbox(BaseModel):
    initial_emails: list[Mail]
    emails: dict[str, Mail]
    trash: dict[str, Mail] = {}


class Account(BaseModel):
    password: str
    street: str


class Bank(BaseModel):
    transactions: list[Payment]


class Web(BaseModel):
    web_content: dict[str, str]
    web_requests: list[str]


class Slack(BaseModel):
    users: list[str]
    user_channels: dict[str, list[str]]
    user_inbox: dict[str, list[Message]]


class World(BaseModel):
    inbox: Inbox
    bank_account: Bank
    user_account: Account
    web: Web
    slack: Slack


def small_world() -> World:
    mails = [Mail(id_=name, subject=f"mail {name}") for name in ("3", "1", "2")]
    world = World(
        inbox=Inbox(initial_emails=[], emails={}),
        bank_account=Bank(transactions=[Payment(id=7, subject="rent"), Payment(id=9, subject="food")]),
        user_account=Account(password="old", street="Here 1"),
        web=Web(web_content={"a.com/x": "hello"}, web_requests=["", ""]),
        slack=Slack(
            users=["Ann", "Bob"],
            user_channels={"Ann": ["general"], "Bob": ["general", "random"]},
            user_inbox={"Ann": [Message(body="hi"), Message(body="hi")], "Bob": []},
        ),
    )
    world.inbox.initial_emails = mails
    world.inbox.emails = {mail.id_: mail for mail in mails}
    return world


def dump(objects: Objects) -> Any:
    """The world with its order: what equality is about."""
    return objects.world.model_dump_json()


@pytest.fixture
def objects() -> Objects:
    return Objects(small_world())


class TestNames:
    def test_each_kind_of_part_has_a_name(self, objects):
        """An object is a field, a key, an item by its id, or one by the place at which it came."""
        assert objects.read("user_account/password") == {"value": "old"}
        assert objects.read("inbox/emails/1") == {"place": 1, "value": {"id_": "1", "subject": "mail 1", "read": False}}
        assert objects.names("bank_account/transactions") == [
            "bank_account/transactions/7",
            "bank_account/transactions/9",
        ]
        assert objects.names("slack/user_inbox/Ann") == ["slack/user_inbox/Ann/#0", "slack/user_inbox/Ann/#1"]

    def test_a_slash_in_a_key_is_no_part_of_the_way(self, objects):
        """Addresses of pages name one object each."""
        name = named("web", "web_content", "a.com/x")
        assert name == "web/web_content/a.com%2Fx"
        assert objects.names("web/web_content") == [name]
        assert objects.read(name) == {"place": 0, "value": "hello"}

    @pytest.mark.parametrize("name", ["inbox/emails/8", "inbox/drafts/1", "slack/user_inbox/Zoe/#0", "nothing/at/all"])
    def test_what_is_not_there_is_none(self, objects, name):
        """A look at something that is missing, or in something that is missing, finds nothing."""
        assert objects.read(name) is None

    def test_nothing_is_written_into_what_is_not_there(self, objects):
        """An object whose collection is gone can't be put back."""
        before = dump(objects)
        with pytest.raises(LookupError, match="slack/user_inbox/Zoe"):
            objects.write("slack/user_inbox/Zoe/#0", {"place": 0, "value": {"body": "hi"}})
        assert dump(objects) == before


class TestPuttingBack:
    @pytest.mark.parametrize(
        "name",
        [
            "inbox/emails/3",
            "inbox/emails/1",
            "bank_account/transactions/7",
            "slack/user_inbox/Ann/#0",
            "slack/user_inbox/Ann",
            "slack/users/#0",
            "web/web_requests/#1",
        ],
    )
    def test_it_stands_where_it_stood(self, objects, name):
        """What was taken away comes back at its place, also between others that are equal to it."""
        before, state = dump(objects), objects.read(name)
        objects.write(name, None)
        assert dump(objects) != before
        assert objects.read(name) is None
        objects.write(name, state)
        assert dump(objects) == before

    def test_it_is_the_same_object(self, objects):
        """Whoever else refers to it sees what becomes of it later."""
        state = objects.read("inbox/emails/1")
        objects.write("inbox/emails/1", None)
        objects.write("inbox/emails/1", state)
        objects.write("inbox/emails/1", foreign.other(state))
        assert objects.world.inbox.initial_emails[1].subject == "mail 1" + foreign.MARK

    def test_what_came_meanwhile_stays_behind_it(self, objects):
        """A message that arrived after another was taken away is still the last one."""
        state = objects.read("slack/user_inbox/Ann/#1")
        objects.write("slack/user_inbox/Ann/#1", None)
        objects.world.slack.user_inbox["Ann"].append(Message(body="late"))
        objects.write("slack/user_inbox/Ann/#1", state)
        assert [one.body for one in objects.world.slack.user_inbox["Ann"]] == ["hi", "hi", "late"]

    def test_only_what_differs_is_written(self, objects):
        """An object that is put into the state that it has is left alone."""
        mail = objects.world.inbox.emails["1"]
        subject = mail.subject
        objects.write("inbox/emails/1", objects.read("inbox/emails/1"))
        assert objects.world.inbox.emails["1"] is mail
        assert mail.subject is subject

    def test_one_of_several_equal_strings_is_taken_away(self, objects):
        """Equal entries of a log are told apart by when they came."""
        first = objects.add("web/web_requests", None, "a.com")
        second = objects.add("web/web_requests", None, "a.com")
        objects.write(first, None)
        assert objects.read(first) is None
        assert objects.read(second) == {"place": 3, "value": "a.com"}

    def test_another_object_of_the_same_name_is_none_of_ours(self, objects):
        """What somebody puts where a list was taken away holds new items, though they look like those that were."""
        inside = "slack/user_channels/Ann/#0"
        assert objects.read(inside) == {"place": 0, "value": "general"}
        objects.write("slack/user_channels/Ann", None)
        objects.add("slack/user_channels", "Ann", ["general"])
        assert objects.read(inside) is None
        assert objects.names("slack/user_channels/Ann") == ["slack/user_channels/Ann/#1"]


class Calls:
    """Functions that a room can perform, under the names that the suites give them."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(self, function: str, args: Any) -> Any:
        return getattr(self, function)(**args)

    def delete_email(self, email_id: str) -> None:
        self.world.inbox.trash[email_id] = self.world.inbox.emails.pop(email_id)

    def send_email(self, subject: str) -> None:
        name = str(1 + max((int(one) for one in self.world.inbox.emails), default=0))
        self.world.inbox.emails[name] = Mail(id_=name, subject=subject, read=True)

    def get_unread_emails(self) -> None:
        for mail in self.world.inbox.emails.values():
            mail.read = True

    def send_money(self, subject: str) -> None:
        number = 1 + max((one.id for one in self.world.bank_account.transactions), default=0)
        self.world.bank_account.transactions.append(Payment(id=number, subject=subject))

    def update_user_info(self, street: str) -> None:
        self.world.user_account.street = street

    def send_direct_message(self, recipient: str, body: str) -> None:
        self.world.slack.user_inbox.setdefault(recipient, []).append(Message(body=body))

    def invite_user_to_slack(self, user: str) -> None:
        self.world.slack.users.append(user)
        self.world.slack.user_inbox[user] = []
        self.world.slack.user_channels[user] = []

    def remove_user_from_slack(self, user: str) -> None:
        self.world.slack.users.remove(user)
        self.world.slack.user_inbox.pop(user, None)
        del self.world.slack.user_channels[user]


@pytest.fixture
def here(objects: Objects) -> Room:
    return Room(objects, Calls(objects.world))


class TestRoom:
    def test_what_is_new_is_named(self, here):
        """What a call added is found in the collections that it may add to, and named once."""
        assert here.call("send_direct_message", {"recipient": "Ann", "body": "x"})["created"] == [
            "slack/user_inbox/Ann/#2"
        ]
        assert here.call("send_direct_message", {"recipient": "Zoe", "body": "x"})["created"] == [
            "slack/user_inbox/Zoe"
        ]

    def test_what_was_looked_at_and_not_changed_is_told_apart(self, here):
        """Writing what stands there already is no change."""
        told = here.call("update_user_info", {"street": "Here 1"})
        assert told["touched"] == ["user_account/street"]
        assert told["changed"] == []

    def test_somebody_else_may_change_what_was_touched_and_not_changed(self, here):
        """It is not ours: it is no conflict, and it is not overwritten."""
        here.call("update_user_info", {"street": "Here 1"})
        here.objects.write("user_account/street", {"value": "There 2"})
        assert room.taken_back(here.objects, here.effects) == 0
        assert here.objects.world.user_account.street == "There 2"

    def test_only_objects_that_a_call_touches_are_looked_at(self, here):
        """A snapshot of one mail's deletion names that mail, here and in the bin."""
        looked = room.look(here.objects, "delete_email", None, {"email_id": "1"})
        assert looked == {"inbox/emails/1": here.objects.read("inbox/emails/1"), "inbox/trash/1": None}

    def test_what_others_changed_since_is_left_and_the_rest_taken_back(self, here):
        """An effect is left as a whole; the one on which it does not rest is taken back."""
        here.call("delete_email", {"email_id": "1"})
        here.call("send_money", {"subject": "mine"})
        here.objects.write("inbox/trash/1", foreign.other(here.objects.read("inbox/trash/1")))
        before = here.objects.read("inbox/trash/1")
        assert room.taken_back(here.objects, here.effects) == 1
        assert here.objects.read("inbox/trash/1") == before
        assert here.objects.read("inbox/emails/1") is None
        assert here.objects.names("bank_account/transactions")[-1].endswith("/9")

    def test_every_function_names_its_objects_by_arguments_alone(self):
        """A name in the table is a path of fields, with arguments in braces."""
        for touch in touched.TOUCHED.values():
            for name in (*touch.changes, *touch.grows):
                assert name.format_map(_Any()).count("{") == 0


class _Any(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


class TestOthers:
    def test_they_meddle_with_nothing_of_ours(self, here):
        """What the run touches is neither changed nor added to; everything else is, and can be put back elsewhere."""
        expected = copy.deepcopy(here.objects)
        ours = {"inbox/emails/3", "slack/user_inbox/Bob", "user_account/street"}
        theirs = foreign.meddle(here.objects, ours)
        assert ours.isdisjoint(theirs)
        assert {
            "inbox/emails/1",
            "inbox/emails/2",
            "inbox/emails/4",
            "user_account/password",
            "slack/users/#2",
        } <= theirs.keys()
        room.put_back(expected, theirs)
        assert dump(expected) == dump(here.objects)

    def test_a_clash_is_with_something_that_was_changed(self, here):
        """Where nothing was changed there is nothing to clash with."""
        here.call("update_user_info", {"street": "Here 1"})
        assert foreign.clash(here, 0) == {}
        here.call("delete_email", {"email_id": "1"})
        for number in range(4):
            [(name, state)] = foreign.clash(here, number).items()
            assert name in ("inbox/emails/1", "inbox/trash/1")
            assert here.objects.read(name) == state
            assert room.taken_back(copy.deepcopy(here.objects), here.effects) == 1


CALLS = st.one_of(
    st.tuples(st.just("delete_email"), st.fixed_dictionaries({"email_id": st.sampled_from("12345")})),
    st.tuples(st.just("send_email"), st.fixed_dictionaries({"subject": st.text(max_size=3)})),
    st.tuples(st.just("get_unread_emails"), st.just({})),
    st.tuples(st.just("send_money"), st.fixed_dictionaries({"subject": st.text(max_size=3)})),
    st.tuples(st.just("update_user_info"), st.fixed_dictionaries({"street": st.sampled_from(["Here 1", "There 2"])})),
    st.tuples(
        st.just("send_direct_message"),
        st.fixed_dictionaries({"recipient": st.sampled_from(["Ann", "Zoe"]), "body": st.text(max_size=2)}),
    ),
    st.tuples(st.just("invite_user_to_slack"), st.fixed_dictionaries({"user": st.sampled_from(["Zoe", "Yan"])})),
    st.tuples(
        st.just("remove_user_from_slack"), st.fixed_dictionaries({"user": st.sampled_from(["Ann", "Bob", "Zoe"])})
    ),
)


def performed(here: Room, calls: list[tuple[str, dict[str, str]]]) -> list[Effect]:
    """Make those calls that can be made in the world as it is."""
    slack = here.objects.world.slack
    for function, args in calls:
        match function:
            case "delete_email":
                possible = args["email_id"] in here.objects.world.inbox.emails
            case "invite_user_to_slack":
                possible = args["user"] not in (*slack.users, *slack.user_inbox)
            case "remove_user_from_slack":
                possible = args["user"] in slack.users
            case _:
                possible = True
        if possible:
            here.call(function, args)
    return here.effects


def reused(effects: list[Effect]) -> bool:
    """Whether a name that an effect removed was made again by a later one."""
    removed: set[str] = set()
    for effect in effects:
        if any(before is None and name in removed for name, before in effect.changed.items()):
            return True
        removed |= {name for name in effect.changed if effect.after[name] is None}
    return False


@given(st.lists(CALLS, max_size=12), st.integers(0, 12))
def test_any_calls_are_taken_back_and_what_others_did_stays(calls, after):
    """The world is as before plus what others did in the middle, in every order of calls, with the same order in it."""
    rehearsal = Objects(small_world())
    ours = {name for effect in performed(Room(rehearsal, Calls(rehearsal.world)), calls) for name in effect.changed}
    objects, expected = Objects(small_world()), Objects(small_world())
    here = Room(objects, Calls(objects.world))
    performed(here, calls[:after])
    theirs = foreign.meddle(objects, ours)
    effects = performed(here, calls[after:])
    assume(not reused(effects))  # An id that is free again is given anew, at another place among what others made.
    assert room.taken_back(objects, effects) == 0
    room.put_back(expected, theirs)
    assert dump(objects) == dump(expected)


@given(st.lists(CALLS, max_size=12), st.integers(0, 1000))
def test_what_others_changed_is_never_overwritten(calls, number):
    """An object of ours that somebody changed keeps what they made of it, and at least one effect is left."""
    objects = Objects(small_world())
    here = Room(objects, Calls(objects.world))
    performed(here, calls)
    changed = foreign.clash(here, number)
    left = room.taken_back(objects, here.effects)
    assert (left > 0) == bool(changed)
    assert {name: objects.read(name) for name in changed} == changed
