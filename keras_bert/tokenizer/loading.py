"""The right tokenizer for a vocabulary file."""

import os

from .sentence_pieces import SentencePieceTokenizer
from .text_rules import read_text_rules, with_added
from .tokenizer import Tokenizer
from .vocabulary import declared, is_cased, is_piece_model, load_vocabulary, vocabulary_path


def load_tokenizer(
    vocab_path: str | os.PathLike[str], cased: bool | None = None, *, official: bool = False
) -> Tokenizer:
    """Make the tokenizer that a vocabulary file is for.

    Args:
        vocab_path: Path of the file: `vocab.txt` or another text file of one token a line, for
            `Tokenizer`; `spiece.model` or another SentencePiece model, for
            `SentencePieceTokenizer`; or `tokenizer.json`, for either, by its type.
        cased: Whether texts keep their case. None for what `tokenizer_config.json` beside the file
            says, or else the file itself, or else whether the vocabulary has words with capital
            letters.
        official: As of the tokenizer. With it, what `tokenizer_config.json` and, in older folders,
            `added_tokens.json` and `special_tokens_map.json` beside the file say holds, too: of
            accents (`strip_accents`), of Chinese characters (`tokenize_chinese_chars`), of the side
            at which long texts are cut (`truncation_side`), and which tokens were added, that are
            kept whole in a text; a `tokenizer.json` beside the file names such tokens, too.

    Returns:
        The tokenizer.

    Raises:
        VocabularyError: (A ValueError.) If the file is damaged or of another kind, or
            `tokenizer_config.json` beside it is damaged.
        ImportError: If a SentencePiece model is given and the package `sentencepiece` is missing.
        OSError: If the file cannot be read.

    Example:
        >>> from keras_bert import PretrainedList, load_tokenizer
        >>> tokenizer = load_tokenizer(f"{PretrainedList.tiny}/vocab.txt")
        >>> tokenizer.tokenize("Naïve plans!")
        ['[CLS]', 'naive', 'plans', '!', '[SEP]']
    """
    path = vocabulary_path(vocab_path)
    folder = os.path.dirname(path)
    if not is_piece_model(path):
        vocabulary = load_vocabulary(path)
        cased = is_cased(folder, vocabulary) if cased is None else cased
        if not official:
            return Tokenizer(vocabulary, cased=cased)
        rules, added = read_text_rules(path)
        tokenizer = Tokenizer(with_added(vocabulary, added, path), cased=cased, official=True)
        tokenizer._text_rules = rules
        return tokenizer
    lower_case = declared(folder, "do_lower_case")
    if cased is None and lower_case is not None:
        cased = not lower_case
    tokenizer = SentencePieceTokenizer(
        path, cased=cased, keep_accents=declared(folder, "keep_accents"), official=official
    )
    if cased is None and path.lower().endswith(".model"):
        tokenizer._cased = is_cased(folder, tokenizer._token_dict)
    if official:
        tokenizer._text_rules, added = read_text_rules(path)
        tokenizer._token_dict = with_added(tokenizer._token_dict, added, path)
        tokenizer._token_dict_inv.update({index: token for token, index in added.items()})
    return tokenizer
