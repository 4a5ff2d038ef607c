"""The same small application on each framework: `bare.py` as its documentation has it, `governed.py` with Interlock."""
