"""Detectors of others that ours are measured beside: a file each, found by its name.

Each has `score(value, cadence)`: the samples of one series, (n,), and the seconds between two of them,
to the score of each, (n,) >= 0, from that sample and those before it only; NaN = not known yet. Where
`CLAIMS_P` the score is -log10 of the p-value that its authors claim, else it only ranks.
"""
