"""Measurements and long runs that are no part of the test suite."""
