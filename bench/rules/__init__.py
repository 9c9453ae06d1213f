"""Benchmark of facts and rules on a large portfolio, beside hand-written SQL and rule libraries."""
