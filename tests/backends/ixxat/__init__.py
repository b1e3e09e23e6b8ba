"""Tests of the interface ixxat."""
