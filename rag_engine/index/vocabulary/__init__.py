"""The vocabulary of a corpus: its words, how often each is met, and the abbreviations that it defines."""

from rag_engine.index.vocabulary.corpus_vocabulary import CorpusVocabulary
from rag_engine.index.vocabulary.upkeep import VocabularyUpkeep
from rag_engine.index.vocabulary.word_index import FOLDER_NAME, WordIndex

__all__ = ["FOLDER_NAME", "CorpusVocabulary", "VocabularyUpkeep", "WordIndex"]
