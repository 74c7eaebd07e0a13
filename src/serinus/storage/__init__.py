"""What is remembered: one store behind one door, on SQLite or PostgreSQL."""
