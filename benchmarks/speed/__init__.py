"""Time and memory of whole runs."""
