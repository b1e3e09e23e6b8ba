"""One module a log format: a reader, a writer, and the pure functions they stand on."""
