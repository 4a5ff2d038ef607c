"""What is undone is as it was before: random histories, real services, environments of other benchmarks."""
