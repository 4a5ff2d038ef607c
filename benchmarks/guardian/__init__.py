"""What a judgement costs, beside other policy engines: `make bench-guardian`."""
