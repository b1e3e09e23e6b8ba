"""Curves over time from the frames of a log, and their pictures."""
