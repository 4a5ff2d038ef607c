"""Pages may be fetched, but none behind the site's back door."""

from interlock import Policy, arg, forbid, permit, tool

fetch = tool.read("fetch")

policy = Policy(
    permit(fetch),
    forbid(fetch, when=arg.url.matches(".*/admin/.*"), because="the back door is for the site's people"),
)
