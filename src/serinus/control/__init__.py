"""The shell that makes things move: a controller that judges, a loop that keeps it going, an agent in every process."""
