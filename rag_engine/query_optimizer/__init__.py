"""What is made of a question before and while it is searched for."""

from rag_engine.query_optimizer.clarification import Clarification
from rag_engine.query_optimizer.constraints import Constraints
from rag_engine.query_optimizer.decomposition import Decomposition
from rag_engine.query_optimizer.examples import Examples
from rag_engine.query_optimizer.gate import Gate
from rag_engine.query_optimizer.learning import Learning
from rag_engine.query_optimizer.optimizer import Optimizer
from rag_engine.query_optimizer.repair import repair
from rag_engine.query_optimizer.rewriting import Rewriter
from rag_engine.query_optimizer.simplification import Simplification
from rag_engine.query_optimizer.synonyms import Synonyms

__all__ = [
    "Clarification",
    "Constraints",
    "Decomposition",
    "Examples",
    "Gate",
    "Learning",
    "Optimizer",
    "Rewriter",
    "Simplification",
    "Synonyms",
    "repair",
]
