"""Servers that stand in for the ones we may not call: real protocols, own state, a switch for every fault."""
