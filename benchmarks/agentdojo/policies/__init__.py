"""What an operator declares for each of the four suites; see the README one folder up."""
