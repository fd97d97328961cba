"""Callbacks that log probes by themselves: one module per training framework."""
