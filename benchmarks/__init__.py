"""Figures, each beside an anchor that was measured in the same run on the same machine: read the ratios."""
