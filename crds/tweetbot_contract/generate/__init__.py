"""Renders the CRD and the docs from the types."""
