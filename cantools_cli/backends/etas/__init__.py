"""Interface ``etas``: controllers of ETAS through BOA, the Basic Open API."""
