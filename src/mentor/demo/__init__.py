"""mentor under simulated conditions, for `serinus demo`: users, recorded latencies, faults to switch on."""
