"""One module for each provider of language models."""
