"""How documents are cut: chunkers, sentences and their speed, measured on gold spans."""
