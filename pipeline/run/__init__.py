"""Engines: who calls step, and what happens around it."""
