"""What happened: exact counts and latency histograms, merged by adding."""
