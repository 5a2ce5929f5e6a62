"""What routes cost and what they are worth: decisions in microseconds, and the quality of what they choose."""
