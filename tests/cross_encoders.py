"""Real cross-encoders of two layers, made on the spot."""

from __future__ import annotations

from pathlib import Path


def save_cross_encoder(folder: Path, *, likes: str | None, labels: int = 1) -> Path:
    """A BERT of two layers with random weights; with ``likes``, of one whose attention is even and whose head counts
    how much of a pair is that word."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    letters = [chr(code) for code in range(97, 123)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "refund", "parcel", "the", "is", "paid", "lost", *letters]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*words, *(f"##{letter}" for letter in letters)]))
    torch.manual_seed(3)
    configuration = BertConfig(
        vocab_size=len(words) + len(letters),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        num_labels=labels,
        initializer_range=0.5,
    )
    model = BertForSequenceClassification(configuration)
    if likes is not None:
        with torch.no_grad():
            for weights in model.parameters():
                weights.zero_()
            for name, module in model.named_modules():
                if name.endswith("LayerNorm"):
                    module.weight.fill_(1)
            # The word's vector is the only one that is not flat. Even attention brings its mean to the first token.
            model.bert.embeddings.word_embeddings.weight[words.index(likes), 0] = 4.0
            for layer in model.bert.encoder.layer:
                layer.attention.self.value.weight.copy_(torch.eye(16))
                layer.attention.output.dense.weight.copy_(torch.eye(16))
            model.bert.pooler.dense.weight.copy_(torch.eye(16))
            model.classifier.weight[0, 0] = 1.0
    model.save_pretrained(folder)
    BertTokenizerFast(str(vocabulary), model_max_length=64).save_pretrained(folder)
    return folder
