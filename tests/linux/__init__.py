"""Tests that need a real kernel with SocketCAN."""
