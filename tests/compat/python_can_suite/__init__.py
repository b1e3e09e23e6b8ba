"""python-can's own tests, run on canx; see ``run``."""
