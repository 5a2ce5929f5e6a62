"""Names of spans and attributes, in one place because the conventions still move.

GenAI names follow OpenTelemetry's semantic conventions v1.41 (gen_ai.*); names of our own begin with ``rag.``.
"""

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
FINISH_REASONS = "gen_ai.response.finish_reasons"
DATA_SOURCE = "gen_ai.data_source.id"
EMBEDDING_DIMENSION = "gen_ai.embeddings.dimension.count"
RETRIEVAL_QUERY = "gen_ai.retrieval.query.text"

DOCUMENTS = "rag.documents"
CHUNKS = "rag.chunks"
TEXTS = "rag.texts"
COMMIT = "rag.commit"
MODE = "rag.mode"
RESULTS = "rag.results"
FORMAT = "rag.format"
ABSTAINED = "rag.abstained"
ERROR_CODE = "error.type"
