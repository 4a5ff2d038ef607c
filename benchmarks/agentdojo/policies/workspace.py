"""A person's mailbox, calendar and drive in a company: what an operator says of its tools."""

from interlock import Labels, Policy, Trust, arg, need, origin, permit

_MAIL = {
    "body": "third_party",
    "subject": "third_party",
    "attachments": "third_party",
    "sender": "correspondent",
    "recipients": "correspondent",
    "cc": "correspondent",
    "bcc": "correspondent",
}
_EVENT = {
    "title": "third_party",
    "description": "third_party",
    "location": "third_party",
    "participants": "correspondent",
}
_FILE = {"content": "third_party", "filename": "directory", "owner": "directory", "shared_with": "directory"}
_PERSON = {"email": "directory", "name": "directory"}

# Anybody can write a mail, an invitation or a shared file, and say who takes part. The drive keeps what files
# are called and who sees them, the address book who is who.
labels = Labels(
    results={
        **dict.fromkeys(
            ("search_emails", "get_unread_emails", "get_received_emails", "get_sent_emails", "get_draft_emails"), _MAIL
        ),
        **dict.fromkeys(("search_calendar_events", "get_day_calendar_events"), _EVENT),
        **dict.fromkeys(("search_files", "search_files_by_filename", "list_files", "get_file_by_id"), _FILE),
        **dict.fromkeys(("search_contacts_by_name", "search_contacts_by_email"), _PERSON),
        "get_current_day": {"*": "system"},
    },
    arguments={
        "send_email": {"recipients": "sink", "cc": "sink", "bcc": "sink", "attachments": "reference"},
        "share_file": {"email": "sink", "file_id": "reference", "permission": "selector"},
        "create_calendar_event": {"participants": "sink", "location": "content"},
        "add_calendar_event_participants": {"participants": "sink"},
        "create_file": {"filename": "content"},
    },
    phrases={
        "send_email": ["send", "write to", "reply to", "forward"],
        "create_calendar_event": ["create * event", "schedule", "add * calendar", "set up * meeting", "remind me"],
        "add_calendar_event_participants": ["add * participants", "invite"],
        "reschedule_calendar_event": ["reschedule", "move * meeting", "postpone"],
        "cancel_calendar_event": ["cancel"],
        "create_file": ["create * file", "create * document", "save * as"],
        "append_to_file": ["add * file", "append", "add * list"],
        "share_file": ["share"],
        "delete_file": ["delete * file", "remove * file"],
        "delete_email": ["delete * e-mail", "delete * email", "remove * email"],
    },
    own=["bluesparrowtech.com"],
    # The drive keeps versions, and nobody else sees a new file, or an entry to which nobody is invited.
    relaxed=["create_file", "append_to_file", "create_calendar_event"],
)

_DELETING = "what is deleted was not named by the user"

policy = Policy(
    permit(("get_current_day", "search_contacts_by_name", "search_contacts_by_email")),
    permit(("search_emails", "get_unread_emails", "get_received_emails", "get_sent_emails", "get_draft_emails")),
    permit(("search_calendar_events", "get_day_calendar_events")),
    permit(("list_files", "search_files", "search_files_by_filename", "get_file_by_id")),
    permit(("send_email", "share_file", "create_file", "append_to_file", "delete_file", "delete_email")),
    permit(("create_calendar_event", "add_calendar_event_participants")),
    permit(("reschedule_calendar_event", "cancel_calendar_event")),
    need.confirmation("delete_file", origin.file_id.trust < Trust.USER, _DELETING),
    need.confirmation("delete_email", origin.email_id.trust < Trust.USER, _DELETING),
    need.approval("support", "share_file", arg.permission != "r", "it shares more than reading"),
)

# That a mail was read is a flag; the drive's bin and versions bring back what was there.
effects = {
    "get_unread_emails": "read",
    "create_file": "reversible",
    "append_to_file": "reversible",
    "delete_file": "reversible",
    "reschedule_calendar_event": "reversible",
}
