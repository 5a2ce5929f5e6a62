"""What late calls were like: averages and quantiles in which a call counts the less the longer it is ago."""

from rag_engine.llm.late_calls.average import PeakAverage
from rag_engine.llm.late_calls.lengths import SecondsByLength
from rag_engine.llm.late_calls.quantiles import DecayingQuantiles

__all__ = ["DecayingQuantiles", "PeakAverage", "SecondsByLength"]
