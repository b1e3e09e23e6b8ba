"""Cyclic sending: the documented tasks, and the schedule and threads that run them.

Imports ``frame`` and below; a bus is any object that sends.
"""
