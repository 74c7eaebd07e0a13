"""mentor under simulated conditions, for `serinus demo`: users, recorded latencies, and faults that can be switched on."""
