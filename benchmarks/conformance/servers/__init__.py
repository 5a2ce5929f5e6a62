"""The servers, each in an environment of its own with pinned versions, on loopback."""
