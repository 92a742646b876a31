"""Rows of the matrix that cases of the test suite play: each test is a point, each of its cases a fault."""
