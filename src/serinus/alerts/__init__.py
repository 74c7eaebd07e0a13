"""People are told: alerts made from stored events, each channel on its own."""
