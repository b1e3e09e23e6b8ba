"""The live view of buses: what it shows, apart from any screen and any clock.

Batches and times go into a ``Table``; ``Row``s, ``Rates`` and the order of a ``View`` come out.
"""
