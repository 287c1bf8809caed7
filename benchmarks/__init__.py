"""One file a claim: `forewarn bench NAME` runs benchmarks/NAME.py."""
