"""`make demo-versus`: one kill and one document, bare and governed beside each other."""

import sys

from benchmarks.adapters import ready

if __name__ == "__main__":
    ready.enter("benchmarks.adapters.versus")
    from benchmarks.adapters.versus.story import main

    sys.exit(main())
