"""The ways to a device: waiting, TCP, TLS, UDP, WebSocket. No protocol of CAN.

Imports ``errors`` and ``plugins``.
"""
