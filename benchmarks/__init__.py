"""Figures for the promises: each benchmark is a package, run by `make bench-NAME`."""
