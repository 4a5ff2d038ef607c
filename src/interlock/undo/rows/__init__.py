"""Rows of an SQL database: what an effect changed is captured inside the database, and restored from there.

`log.py` says what is captured, `restoring.py` how it is taken back; a dialect is in `sqlite*.py` or `postgres*.py`.
"""
