"""Interface ``ixxat``: IXXAT adapters of HMS Networks, through the libraries of their VCI driver."""
