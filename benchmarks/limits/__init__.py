"""How well the surge detector and quotas find bursts of actions among recorded ones: `make bench-limits`."""
