"""The demo: what real models proposed, in the worlds where they proposed it, through an Interlock session.

Read `recorded.py` for what a run is, `catalog.py` for what each function does to a world, `world.py` for the
process that the actions act on, `__main__.py` for what `make demo` shows. `check.py` proves that this scenery is faithful, without Interlock's code.
"""
