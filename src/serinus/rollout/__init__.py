"""What to do next: the plan, the state, and the one function that decides."""
