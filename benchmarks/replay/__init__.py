"""Recorded runs of real models, played again: what they proposed goes through Interlock in real environments.

`__main__.py` is `make bench-replay`; `show` is `make demo-replay`, a story told with a part of the runs. They share
`recorded.py` (what a run is), `fetch.py` (where the runs come from), `catalog.py` (what each function does) and
`dojo.py` (the environments).
"""
