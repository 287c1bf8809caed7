"""Who is told, in which order, within which time."""
