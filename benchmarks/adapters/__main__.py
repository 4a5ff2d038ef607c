"""`make bench-adapters`: one application on each framework, bare and governed, killed, and misled by a document."""

import sys

from benchmarks.adapters import ready

if __name__ == "__main__":
    ready.enter("benchmarks.adapters")
    from benchmarks.adapters.report import main

    sys.exit(main())
