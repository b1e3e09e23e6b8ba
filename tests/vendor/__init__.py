"""Emulated libraries of vendors, in C: one ``<interface>.c`` each, on the kit ``stub.h``."""
