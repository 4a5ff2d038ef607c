"""`python -m interlock` is the command `interlock`."""

from interlock.cli import main

main()
