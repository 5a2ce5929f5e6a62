"""Writes a tiny language model with random weights, for llama.cpp to run: ``python tiny_model.py FILE``.

Runs in the environment that holds gguf and numpy. What the model says means nothing; that it says the same again for
the same seed, and that a grammar can hold it, is all that is wanted of it.
"""

from __future__ import annotations

import sys

import gguf  # type: ignore[import-not-found]  # of the environment that this runs in
import numpy as np

WIDTH, HEADS, INNER, WINDOW = 64, 4, 128, 512
SEED = 7
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


def main(file: str) -> None:
    """Writes the model."""
    special = [("<unk>", gguf.TokenType.UNKNOWN), ("<s>", gguf.TokenType.CONTROL), ("</s>", gguf.TokenType.CONTROL)]
    raw = [(f"<0x{byte:02X}>", gguf.TokenType.BYTE) for byte in range(256)]
    plain = [(chr(code), gguf.TokenType.NORMAL) for code in range(33, 127)] + [("\u2581", gguf.TokenType.NORMAL)]
    tokens = special + raw + plain
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_context_length(WINDOW)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token for token, _ in tokens])
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)
    random = np.random.default_rng(SEED)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return random.normal(0.0, 0.2, (rows, columns)).astype(np.float32)

    output = matrix(len(tokens), WIDTH)
    output[: len(special) + len(raw)] = 0.0  # bytes that are no characters, and an end, are never the likeliest
    writer.add_tensor("token_embd.weight", matrix(len(tokens), WIDTH))
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, dtype=np.float32))
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", np.ones(WIDTH, dtype=np.float32))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        writer.add_tensor(f"blk.0.{name}.weight", matrix(WIDTH, WIDTH))
    writer.add_tensor("blk.0.ffn_gate.weight", matrix(INNER, WIDTH))
    writer.add_tensor("blk.0.ffn_up.weight", matrix(INNER, WIDTH))
    writer.add_tensor("blk.0.ffn_down.weight", matrix(WIDTH, INNER))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1])
