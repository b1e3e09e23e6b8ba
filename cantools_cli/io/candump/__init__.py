"""candump's forms: the log file, the forms for people, and their reader and writer."""
