"""Tables of any layout, whose columns the user or a format defines."""
