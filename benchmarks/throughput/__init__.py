"""Steps per second beside other systems and the bare disk; an action's latency under steady load."""
