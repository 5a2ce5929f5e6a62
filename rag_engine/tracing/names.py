"""Names of spans and attributes, in one place because the conventions still move.

GenAI names follow OpenTelemetry's semantic conventions v1.41 (gen_ai.*); names of our own begin with ``rag.``.
"""

OPERATION = "gen_ai.operation.name"
REQUEST_MODEL = "gen_ai.request.model"
EMBEDDING_DIMENSION = "gen_ai.embeddings.dimension.count"

TEXTS = "rag.texts"
COMMIT = "rag.commit"
MODE = "rag.mode"
RESULTS = "rag.results"
FEEDBACK = "rag.feedback"
ABSTAINED = "rag.abstained"
ERROR_CODE = "error.type"
TASK = "rag.optimizer.task"
STEPS = "rag.optimizer.steps"
FOLLOW_UPS = "rag.optimizer.follow_ups"
QUALITY = "rag.optimizer.quality"
