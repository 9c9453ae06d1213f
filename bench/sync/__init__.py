"""Benchmark of reading: calls, rows per second and peak memory, ours and the peers', against one and the same sandbox."""
