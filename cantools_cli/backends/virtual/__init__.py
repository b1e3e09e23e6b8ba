"""Interface ``virtual``: a bus within a process, or between all processes of a user on this computer."""
