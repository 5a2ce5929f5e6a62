"""Our clients against servers that nobody here wrote: what each of them offers, and whether we understand it."""
