"""What is learnt of models' answers: how good each will be at a question, by what they made of questions like it."""

from rag_engine.llm.model_selector.learned_selector import LearnedSelector
from rag_engine.llm.model_selector.standing import Standing

__all__ = ["LearnedSelector", "Standing"]
