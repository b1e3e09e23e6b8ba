"""The full-screen view of ``canx sniff``: a session that feeds the table, and what is drawn of it."""
