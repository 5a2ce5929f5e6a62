"""Real files of every format against what their collectors say must come of them: ``python -m benchmarks.formats``."""
