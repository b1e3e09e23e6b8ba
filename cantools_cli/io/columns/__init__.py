"""Tables of any layout: the user or a format says which column is which."""
