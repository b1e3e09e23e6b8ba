"""One module an interface: a bus that opens, waits and moves frames; its protocol's codec beside it."""
