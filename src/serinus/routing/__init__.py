"""Who goes where: pure, without I/O, one hash a request."""
