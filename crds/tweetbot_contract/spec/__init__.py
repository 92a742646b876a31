"""The spec's fields and rules, one file per part."""
