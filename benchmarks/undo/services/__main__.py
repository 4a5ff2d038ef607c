"""`python -m benchmarks.undo.services`: this part of `make bench-undo` alone, as a table."""

from benchmarks import _convention as convention
from benchmarks.undo.services import run
from benchmarks.undo.services.report import text

print(text(run(convention.quick())))
