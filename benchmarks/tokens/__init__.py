"""How many tokens a text has: our estimates fitted to real tokenizers, and compared with them."""
