"""`make demo-replay`: what real models proposed, in the worlds where they proposed it, through an Interlock session.

Read `__main__.py` for what is shown, `policies.py` for what is permitted, `world.py` for the process that the actions
act on. `check.py` proves that this scenery is faithful, without Interlock's code.
"""
