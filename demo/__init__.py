"""The demo: an airline's support desk on a database of its own, run by an agent whose scripted model misbehaves.

Read `policy.py` for what the desk may do, `actions.py` for what it can do, `airline.py` and `schema.sql` for the
world that it acts on. `conversations.py` is the script, `worker.py` the process that is killed on the way,
`books.py` the comparison of database and journal, and `__main__.py` the order in which all of it is shown.
"""
