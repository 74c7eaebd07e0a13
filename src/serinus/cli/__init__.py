"""The command line. It speaks HTTP to the admin API; only what begins a service looks into this installation."""
