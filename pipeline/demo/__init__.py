"""A small shop of real processes, customers who complain, and faults that are really there."""
