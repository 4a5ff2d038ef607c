"""The figures of `make bench-adapters` as a story in a terminal: bare and governed beside each other."""
