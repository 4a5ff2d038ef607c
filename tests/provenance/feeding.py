"""A run as the tests of tracing tell it: what the user says, what is read, what is written."""

import msgspec

from interlock.kernel import events as ev
from interlock.provenance import Index, Known, Labels, Trust, Written

READS = "read_email search_contacts list_channels get_webpage list_transactions read_file lookup list_emails get_event"
EFFECTS = "send_email send_money delete_file create_event post_message update_password create_invoice"
ACTIONS = {name: Known(name, effect="read") for name in READS.split()} | {
    name: Known(name, effect="irreversible") for name in EFFECTS.split()
}
ACTIONS["get_webpage"] = Known("get_webpage", effect="read", egress=True)
ALL = "Send an email, send money, delete the file, create an event and an invoice, post a message, update the password."


def raw(value):
    return msgspec.Raw(msgspec.json.encode(value))


class Run:
    """An index, fed as a runtime feeds it."""

    def __init__(self, says="", *, labels=None, written=None, operator=(), examples=(), parent=None):
        self.written = Written() if written is None else written
        self.index = Index(labels or Labels(), ACTIONS, self.written, operator=operator, examples=examples)
        self.seq = 0
        self.add(ev.RunStarted(agent="desk", input=raw(says), parent=parent))

    def add(self, event):
        self.seq += 1
        self.index.add(self.seq, event)
        return self

    def says(self, text):
        return self.add(ev.MessageReceived(content=raw(text)))

    def read(self, action, result, /, trust=None, suspected=(), via="performed", **asked):
        call = f"c{self.seq}"
        return self.add(
            ev.Done(
                call=call,
                action=action,
                effect="read",
                args=raw(asked),
                result=raw(result),
                trust=trust,
                suspected=suspected,
                via=via,
            )
        )

    def does(self, action, /, result=None, approved=False, **args):
        """Begin an effect, as whoever permitted it, and end it."""
        traced = self.index.trace(action, args)
        rules = ("r1", "provenance") if approved else ("r1",)
        judgement = ev.Judgement(
            rules=rules, origins=raw(traced.origins), strikes=tuple(s.says for s in traced.strikes)
        )
        call = f"c{self.seq}"
        begun = ev.Intended(
            call=call,
            action=action,
            effect="irreversible",
            key=call,
            perform_before=0,
            args=raw(args),
            judgement=judgement,
        )
        self.written.add(begun)
        self.add(begun)
        return self.add(ev.Done(call=call, action=action, effect="irreversible", result=raw(result), intent=self.seq))

    def denied(self, action, /, **args):
        return self.add(ev.Denied(call=f"c{self.seq}", action=action, stage="judge", reasons=("no",), args=raw(args)))

    def trace(self, action, /, **args):
        return self.index.trace(action, args)

    def against(self, action, /, **args):
        """Return what the strikes are about."""
        return [strike.about for strike in self.trace(action, **args).strikes]

    def trust(self, value):
        """Return how far a value can be trusted, as the payee of a payment."""
        return self.trace("send_money", recipient=value).origins[0].trust

    def takes(self, value):
        """Whether a value may be a recipient."""
        return not any(one.about == "sink" for one in self.trace("send_money", recipient=value).strikes)


__all__ = ["ACTIONS", "ALL", "Labels", "Run", "Trust", "raw"]
