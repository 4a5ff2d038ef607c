"""What the support desk may do: the rules that an airline would write who knows its work and no attack.

What no rule permits is denied; any forbid wins; needs add up. `fact.booking` is looked up before each judgement.
"""

from demo.actions import READS, cancel_booking, find_booking, issue_voucher, rebook, refund, send_email
from interlock import Policy, arg, ask_user, fact, forbid, need, permit, user

_ABOUT_A_BOOKING = (find_booking, rebook, cancel_booking, refund)

POLICY = Policy(
    permit((*READS, ask_user)),
    permit((rebook, cancel_booking, refund, issue_voucher, send_email)),
    forbid(
        _ABOUT_A_BOOKING,
        when=fact.booking.owner != user.id,
        because="it is not the customer's booking",
        instead="ask for the reference of a booking of their own",
    ),
    forbid(
        rebook,
        when=(fact.booking.fare == "light") & ~fact.booking.cancelled_by_us,
        because="a light fare can't be changed",
        instead="say what the fare allows",
    ),
    forbid(
        refund,
        when=arg.amount > fact.booking.refundable,
        because="it is more than is left of the price",
        instead="look at the booking: refundable is what is left",
    ),
    need.confirmation(cancel_booking),
    need.approval("finance", refund, when=arg.amount > 100, because="it is over 100 EUR"),
    need.approval("lead", issue_voucher, when=arg.amount > 50, because="it is over 50 EUR"),
    need.approval(
        "lead", send_email, when=arg.recipient != user.email, because="it goes to an address that is not the customer's"
    ),
)
