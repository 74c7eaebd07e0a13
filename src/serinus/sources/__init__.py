"""Figures that others measured, counted into the store beside the agents' own: docs/howto/prometheus.md."""
