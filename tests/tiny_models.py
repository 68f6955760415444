"""Tiny real models, built on the spot: XLM-R encoders of random weights over a tokenizer made of a few sentences.

They know nothing. What they share with their big namesakes is the layout of the folder, the library that loads it and the
arithmetic, and texts with the same words come out near each other. Nothing that they answer says anything about quality.
"""

from pathlib import Path

SENTENCES = (
    "Annual leave is requested three days in advance. How do I apply for vacation? How to apply for annual leave.",
    "The VPN client must be updated before travelling. Replacing the toner of a printer. Expense reports are due.",
    "휴가 신청은 사흘 전에 한다. 연차 휴가는 팀장이 승인한다. 법인 카드 한도는 재무팀이 정한다. 회의실 예약은 총무팀에 한다.",
)
HIDDEN = 64
SPECIAL = {
    "bos_token": "<s>",
    "pad_token": "<pad>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "cls_token": "<s>",
    "sep_token": "</s>",
}


def build_m3(folder: Path) -> Path:
    """Write a folder laid out as BGE-M3: encoder, tokenizer, sparse_linear.pt, colbert_linear.pt; return it."""
    import torch
    from transformers import XLMRobertaModel

    torch.manual_seed(7)
    vocabulary = _save_tokenizer(folder)
    model = XLMRobertaModel(_config(vocabulary)).eval()
    with torch.no_grad():  # the first token then carries next to nothing of its own: its output is the mean over the words
        words = model.embeddings
        for table in (words.position_embeddings, words.token_type_embeddings):
            table.weight.zero_()
        words.word_embeddings.weight[:3] *= 0.01
    model.save_pretrained(folder)
    sparse, colbert = torch.nn.Linear(HIDDEN, 1), torch.nn.Linear(HIDDEN, HIDDEN)
    torch.nn.init.constant_(sparse.bias, 0.5)
    torch.save(sparse.state_dict(), folder / "sparse_linear.pt")
    torch.save(colbert.state_dict(), folder / "colbert_linear.pt")
    return folder


def build_reranker(folder: Path) -> Path:
    """Write a folder laid out as bge-reranker-v2-m3: a cross-encoder with one output; return it."""
    import torch
    from transformers import XLMRobertaForSequenceClassification

    torch.manual_seed(11)
    vocabulary = _save_tokenizer(folder)
    XLMRobertaForSequenceClassification(_config(vocabulary, num_labels=1)).eval().save_pretrained(folder)
    return folder


def _config(vocabulary: int, **more: object):
    from transformers import XLMRobertaConfig

    return XLMRobertaConfig(
        vocab_size=vocabulary,
        hidden_size=HIDDEN,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=2 * HIDDEN,
        max_position_embeddings=258,
        initializer_range=0.25,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        position_embedding_type="absolute",
        **more,
    )


def _save_tokenizer(folder: Path) -> int:
    """Save a unigram tokenizer with XLM-R's special tokens and frame; return the size of its vocabulary.

    Its pieces are the words and characters of the sentences: a trained one would not be the same each time.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = dict.fromkeys(f"▁{word}" for sentence in SENTENCES for word in sentence.split())
    characters = dict.fromkeys(sorted({character for word in words for character in word}))
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [(piece, 0.0) for piece in special] + [(word, -3.0) for word in words if len(word) > 1]
    pieces += [(character, -9.0) for character in characters if character not in words]
    tokenizer = Tokenizer(models.Unigram(pieces, special.index("<unk>")))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()  # FlagReranker decodes the pieces and cuts the text again
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=256, **SPECIAL).save_pretrained(folder)
    return tokenizer.get_vocab_size()


def flag_embedder(folder: Path):
    from llmflow.adapters.flag_embedder import FlagEmbedder, FlagEmbedderSettings

    return FlagEmbedder(FlagEmbedderSettings(model=str(folder), dimension=HIDDEN, max_tokens=256))


def flag_reranker(folder: Path):
    from llmflow.adapters.flag_reranker import FlagReranker, FlagRerankerSettings

    return FlagReranker(FlagRerankerSettings(model=str(folder), max_tokens=256))
