"""Interface ``vector``: Vector's adapters by the XL Driver Library, on Windows."""
