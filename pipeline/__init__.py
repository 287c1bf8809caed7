"""Frames in, actions out. Read flow.py first: it is the whole trip on one screen."""
