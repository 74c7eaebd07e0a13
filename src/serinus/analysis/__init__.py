"""Is it worse? Sequential tests that may be read at any time, and verdicts that say why."""
