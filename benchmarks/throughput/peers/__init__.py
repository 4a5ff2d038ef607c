"""The other systems doing the same work, each in a script that runs in the peers' environment."""
