"""The demo: what real models proposed, in the worlds where they proposed it, through an Interlock session.

Read `__main__.py` for what is shown, `recorded.py` for what a run is, `catalog.py` for what each function is,
`world.py` for the process that the actions act on. `check.py` proves that this scenery is faithful, without
Interlock's code.
"""
