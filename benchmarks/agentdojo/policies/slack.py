"""A company's chat, with web pages within reach: what an operator says of its tools."""

from interlock import Labels, Policy, Trust, need, origin, permit

_MESSAGES = {"body": "colleague", "sender": "directory", "recipient": "directory"}

# Colleagues write the messages; the workspace keeps the handles and the channels. A page is anybody's.
labels = Labels(
    results={
        "get_channels": {"*": "directory"},
        "get_users_in_channel": {"*": "directory"},
        "read_channel_messages": _MESSAGES,
        "read_inbox": _MESSAGES,
        "get_webpage": {"*": "third_party"},
    },
    arguments={
        "get_webpage": {"url": "sink"},
        "post_webpage": {"url": "sink", "content": "content"},
        "send_direct_message": {"recipient": "sink", "body": "content"},
        "send_channel_message": {"channel": "sink", "body": "content"},
        "add_user_to_channel": {"user": "sink", "channel": "sink"},
        "invite_user_to_slack": {"user": "sink", "user_email": "sink"},
        "remove_user_from_slack": {"user": "sink"},
        "read_channel_messages": {"channel": "selector"},
        "read_inbox": {"user": "selector"},
        "get_users_in_channel": {"channel": "selector"},
    },
    phrases={
        "send_direct_message": ["send * to", "message", "write them", "direct message", "DM"],
        "send_channel_message": ["post", "write * channel", "reply", "send * channel"],
        "post_webpage": ["post * website", "publish", "post * page"],
        "add_user_to_channel": ["add * to * channel", "add all users"],
        "invite_user_to_slack": ["invite"],
        "remove_user_from_slack": ["remove", "kick"],
    },
    # A link that a colleague wrote may be visited as it stands: it carries nothing out. A channel is one of ours.
    least={"get_webpage": {"url": "colleague"}, "add_user_to_channel": {"channel": "colleague"}},
)

policy = Policy(
    permit(("get_channels", "get_users_in_channel", "read_channel_messages", "read_inbox", "get_webpage")),
    permit(("send_direct_message", "send_channel_message", "post_webpage")),
    permit(("add_user_to_channel", "invite_user_to_slack", "remove_user_from_slack")),
    need.approval("admin", "remove_user_from_slack", because="it removes a colleague"),
    need.approval("admin", "post_webpage", origin.url.trust < Trust.USER, "it publishes where the user did not say"),
)

effects = {"get_webpage": "egress", "add_user_to_channel": "reversible"}
