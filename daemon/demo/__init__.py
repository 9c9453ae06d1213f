"""The demo: thirty scenario days of a made-up company pass through the real daemon in a minute or two.

Only this package and the `tierd sandbox` command know that the imitation vendors exist.
"""
