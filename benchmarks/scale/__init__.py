"""What does age cost, and what does a crowd: long runs, and many that wait."""
