"""Sources of frames and what happens to them on the way: generate, replay, merge, split, bridge.

Imports ``bus``, ``filtering``, ``periodic`` and below.
"""
