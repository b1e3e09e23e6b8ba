"""One module a command: parse, wire a source to a sink, report. No protocol, no format, no arithmetic."""
