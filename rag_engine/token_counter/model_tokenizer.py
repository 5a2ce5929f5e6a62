"""A model's own tokenizer, from the file that comes with the model."""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag_engine.errors import ModelDamagedError, ModelNotFoundError
from rag_engine.protocols import Encoding

if TYPE_CHECKING:
    from tokenizers import Tokenizer as RustTokenizer


# Not all that BERT takes for such: what else is white space, it may leave out without parting words.
_SEPARATORS = " \n\t\r" + string.punctuation + "、。，；：！？（）「」『』《》【】“”‘’…—–।॥؟،؛"
_GOES_ON = "##"  # before a piece inside a word, in BERT's vocabularies


class ModelTokenizer:
    """A model's own tokenizer, read from the ``tokenizer.json`` in its folder; loaded when first asked."""

    exact = True

    def __init__(self, file: Path, *, name: str) -> None:
        """Raises ModelNotFoundError where ``file`` does not exist."""
        if not file.is_file():
            raise ModelNotFoundError(f"no tokenizer at {file}", hint="copy the model's folder whole")
        self._file = file
        self.name = name

    def __getstate__(self) -> dict[str, object]:
        """Without the loaded tokenizer: another process loads its own."""
        return {name: value for name, value in vars(self).items() if name != "_tokenizer"}

    @cached_property
    def _tokenizer(self) -> RustTokenizer:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self._file))
        except Exception as error:  # the library raises bare Exception
            raise ModelDamagedError(f"the tokenizer {self._file} cannot be read: {error}") from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def special_tokens(self) -> int:
        """Tokens that the model adds around every text."""
        return int(self._tokenizer.num_special_tokens_to_add(False))

    @cached_property
    def separators(self) -> str:
        """White space and punctuation where words are told apart before they are cut, as in BERT, which joins nothing
        over them; others hang a space on the word behind it."""
        from tokenizers.normalizers import BertNormalizer
        from tokenizers.pre_tokenizers import BertPreTokenizer

        parts = isinstance(self._tokenizer.pre_tokenizer, BertPreTokenizer)
        return _SEPARATORS if parts and isinstance(self._tokenizer.normalizer, BertNormalizer) else ""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        return [len(encoding) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def encode(self, text: str) -> Encoding:
        """The tokens of a text, special tokens left out."""
        import numpy as np

        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        return Encoding(np.asarray(encoding.ids, dtype=np.int32), offsets)

    def vocabulary(self) -> list[str]:
        """The text of every token by its id; a word piece without the mark that it goes on a word."""
        tokens = [[number] for number in range(self._tokenizer.get_vocab_size())]
        texts = self._tokenizer.decode_batch(tokens, skip_special_tokens=False)
        return [text.removeprefix(_GOES_ON).strip() for text in texts]
