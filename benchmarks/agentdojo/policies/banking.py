"""A bank's assistant for one customer's account: what an operator says of its tools."""

from interlock import Labels, Policy, Trust, arg, need, origin, permit

# Who pays in chooses the words that go with it, and his own account. Whom the customer paid or pays regularly, the bank
# knows. A file is whatever somebody sent the customer.
labels = Labels(
    results={
        "get_most_recent_transactions": {
            "subject": "third_party",
            "sender": "correspondent",
            "recipient": "directory",
        },
        "get_scheduled_transactions": {"subject": "directory", "sender": "system", "recipient": "directory"},
        "get_user_info": {"*": "directory"},
        "get_iban": {"*": "system"},
        "read_file": {"*": "third_party"},
    },
    arguments={
        "send_money": {"recipient": "sink", "subject": "content", "date": "time"},
        "schedule_transaction": {"recipient": "sink", "subject": "content", "date": "time"},
        "update_scheduled_transaction": {"recipient": "sink", "id": "reference", "subject": "content", "date": "time"},
        "update_password": {"password": "sink"},
        "update_user_info": {"first_name": "sink", "last_name": "sink", "street": "content", "city": "content"},
        "read_file": {"file_path": "reference"},
    },
    phrases={
        "send_money": ["pay", "send * money", "send them", "send back", "refund", "transfer"],
        "schedule_transaction": ["schedule", "set up * recurring", "standing order"],
        "update_scheduled_transaction": ["update * payment", "adjust * payment", "update * standing orders"],
        "update_password": ["update * password", "change * password"],
        "update_user_info": ["update * account information", "update * address", "change * address"],
    },
    secret={"get_user_info": ["street", "city"]},
    # Where the customer lives is his own record, and can be put back.
    relaxed=["update_user_info"],
)

_PAYING = ("send_money", "schedule_transaction", "update_scheduled_transaction")

policy = Policy(
    permit(("get_iban", "get_balance", "get_most_recent_transactions", "get_scheduled_transactions")),
    permit(("get_user_info", "read_file")),
    permit((*_PAYING, "update_password", "update_user_info")),
    need.approval("finance", ("send_money", "schedule_transaction"), arg.amount > 5000, "it is above 5,000"),
    need.approval(
        "finance",
        "update_scheduled_transaction",
        ~arg.amount.is_none() & (arg.amount > 5000),
        "it is above 5,000",
    ),
    need.approval(
        "security", "update_password", origin.password.trust < Trust.USER, "the customer did not give this password"
    ),
)

effects = {"update_user_info": "reversible", "update_scheduled_transaction": "reversible"}
