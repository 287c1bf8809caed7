"""Arrays in, arrays out. Nothing here knows about incidents, rules or I/O."""
