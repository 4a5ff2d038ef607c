"""Talking to agents over HTTP: an ASGI application that a host mounts, with a user of the host's own.

In come requests of a browser or an app, out go JSON and streams of server-sent events. Start with `app.py`, which lists
the endpoints; `callers.py` finds out who is asking, `bodies.py` reads what they sent. `talking.py` brings a message to
its run, `following.py` tells what goes on in a run, and `streaming.py` puts that on the wire. `Runtime.asgi` is how a
host gets here. Approvals by other people have no endpoint: who may give them is the host's to know, and it calls
`question.approve(by=…)` itself.
"""

from interlock.server.app import asgi

__all__ = ["asgi"]
