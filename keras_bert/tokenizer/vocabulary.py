"""Vocabulary files, a token in each line or Hugging Face's tokenizer.json, and their case."""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from ..arguments import check_on_disk, check_path, describe, shorten

BYTE_ORDER_MARK = "\ufeff"
SPACE = "\u2581"  # how SentencePiece writes a blank
_NO_OWN_CLASS = ("PreTrainedTokenizerFast", "TokenizersBackend")
_NORMALIZER = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}


class VocabularyError(ValueError):
    """A vocabulary file that cannot be what it should be."""


def load_vocabulary(vocab_path: str | os.PathLike[str]) -> dict[str, int]:
    r"""Read a vocabulary file.

    In a text file each line is a token and the number of the line its id, counted from 0. Lines
    end at `\n` or `\r\n` and nowhere else (official vocabularies hold U+2028 as a token); blanks
    and tabs around a token and a byte-order mark are dropped. An empty line is the empty token,
    padding in this library's own vocabularies. A file whose name ends in `.json` is read as the
    `tokenizer.json` of a WordPiece tokenizer of Hugging Face's, added tokens included. A
    SentencePiece vocabulary, as English ALBERT models have, is read by `load_tokenizer` instead.

    Args:
        vocab_path: Path of the file.

    Returns:
        Token to id, in the order of the ids.

    Raises:
        TypeError: If `vocab_path` is not a path.
        VocabularyError: (A ValueError.) If the file is empty, a line is not UTF-8 or a token
            occurs twice, or a `.json` file is damaged or of another model.
        OSError: If the file cannot be read.

    Example:
        >>> from keras_bert import PretrainedList, load_vocabulary
        >>> vocabulary = load_vocabulary(f"{PretrainedList.tiny}/vocab.txt")
        >>> len(vocabulary), vocabulary["[CLS]"], vocabulary["##able"]
        (30522, 101, 3085)
    """
    path = vocabulary_path(vocab_path)
    if is_tokenizer_json(path):
        vocabulary = _word_pieces(read_json(path), path)
    else:
        vocabulary = _read_lines(_read_text(path), path)
    if not vocabulary:
        raise VocabularyError(f"{path} holds no tokens.")
    return vocabulary


def load_tokens(path: str | os.PathLike[str]) -> list[str]:
    """Read a file of tokens for a vocabulary, one a line, in which blank lines are none.

    A file whose name ends in `.json`, and errors, are as of `load_vocabulary`.
    """
    path = vocabulary_path(path)
    if is_tokenizer_json(path):
        return list(load_vocabulary(path))
    tokens = list(_read_lines(_read_text(path), path, skips_blanks=True))
    if not tokens:
        raise VocabularyError(f"{path} holds no tokens.")
    return tokens


def vocabulary_path(vocab_path: str | os.PathLike[str]) -> str:
    """Return the path of a vocabulary file as a str; refuse what names a model or its folder."""
    if not isinstance(vocab_path, (str, os.PathLike)):
        raise TypeError(
            f"`vocab_path` must be the path of a vocabulary file. Received: {describe(vocab_path)}"
        )
    path = os.fspath(vocab_path)
    is_name = "://" in path or not os.path.splitext(path)[1]
    if os.path.isdir(path) or (is_name and not os.path.exists(path)):
        raise FileNotFoundError(
            "`vocab_path` must be the path of a vocabulary file; that of a model is "
            f"get_checkpoint_paths({path!r}).vocab. Received: {path!r}, which is no file."
        )
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        from ..datasets.official import is_meant  # which only this error needs

        question = is_meant(folder)
        raise FileNotFoundError(f"No such file: {path!r}. There is no folder {folder!r}.{question}")
    return path


def save_vocabulary(vocab_path: str | os.PathLike[str], vocabulary: Mapping[str, int]) -> None:
    """Write a vocabulary file that `load_vocabulary` reads, one token in each line.

    Args:
        vocab_path: Path of the file. What is there is replaced.
        vocabulary: Token to id. The ids must be 0, 1, 2, … without gaps.

    Raises:
        TypeError: If `vocab_path` is no path or `vocabulary` no mapping.
        ValueError: If the ids leave gaps, or a token cannot stand in a line.
        OSError: If the file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     save_vocabulary(f"{folder}/vocab.txt", {"[PAD]": 0, "[UNK]": 1, "film": 2})
        ...     load_vocabulary(f"{folder}/vocab.txt")
        {'[PAD]': 0, '[UNK]': 1, 'film': 2}
    """
    check_path("vocab_path", vocab_path)
    if not isinstance(vocabulary, Mapping):
        raise TypeError(f"`vocabulary` must map tokens to ids. Received: {describe(vocabulary)}.")
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    if [vocabulary[token] for token in tokens] != list(range(len(tokens))):
        raise ValueError(
            f"The ids of a vocabulary in a text file must be 0 to {len(tokens) - 1} without gaps. "
            f"Received: ids up to {max(vocabulary.values(), default=None)}."
        )
    unfit = [token for token in tokens if not fits_a_line(token)]
    # A reader would take it for a mark at the beginning of the file.
    unfit += [token for token in tokens[:1] if token.startswith(BYTE_ORDER_MARK)]
    if unfit:
        raise ValueError(
            "The vocabulary holds tokens that cannot stand in lines of a text file: "
            f"{shorten(unfit)}."
        )
    with open(vocab_path, "wb") as file:
        file.write("".join(f"{token}\n" for token in tokens).encode())


def is_piece_model(path: str) -> bool:
    """Whether a vocabulary file is one of SentencePiece, by its name or as a tokenizer.json."""
    return path.lower().endswith(".model") or (
        is_tokenizer_json(path) and _model_type(read_json(path), path) == "Unigram"
    )


def is_tokenizer_json(path: str) -> bool:
    """Whether a vocabulary file is a tokenizer.json, by its name."""
    return path.lower().endswith(".json")


def declared(folder: str | os.PathLike[str], setting: str) -> bool | None:
    """Return a setting in a folder's `tokenizer_config.json`, None where it has none."""
    value = read_settings(folder).get(setting)
    return value if isinstance(value, bool) else None


def read_settings(
    folder: str | os.PathLike[str], name: str = "tokenizer_config.json"
) -> dict[str, Any]:
    """Return what a folder's settings of the tokenizer hold; nothing where there is no such file.

    Of a tokenizer without a class of its own, the normalizer in `tokenizer.json` holds instead.

    Raises:
        VocabularyError: If a file is damaged.
    """
    path = os.path.join(folder, name)
    try:
        check_on_disk(path)
        with open(path, encoding="utf-8-sig") as reader:
            settings = json.load(reader)
    except OSError:
        return {}
    except (ValueError, RecursionError) as error:
        raise VocabularyError(f"{path} must be JSON. It is not: {error}") from None
    if not isinstance(settings, dict):
        raise VocabularyError(f"{path} must hold a JSON object. Received: {shorten(settings)}")
    described = os.path.join(folder, "tokenizer.json")
    if settings.get("tokenizer_class") not in _NO_OWN_CLASS or not os.path.exists(described):
        return settings
    document = read_json(described)
    normalizer = document.get("normalizer") if isinstance(document, dict) else None
    if not isinstance(normalizer, dict) or normalizer.get("type") != "BertNormalizer":
        return settings
    return settings | {ours: normalizer.get(theirs) for ours, theirs in _NORMALIZER.items()}


def is_cased(folder: str | os.PathLike[str], vocabulary: Iterable[str]) -> bool:
    """Whether texts for the model in a folder keep their case: `cased` of its `Tokenizer`."""
    return find_case(folder, vocabulary)[0]


def find_case(folder: str | os.PathLike[str] | None, vocabulary: Iterable[str]) -> tuple[bool, str]:
    """Whether texts for a model keep their case, and what says so, for a message.

    What the model's folder declares holds. Google's folders declare nothing: there a vocabulary
    that has words with capital letters can only serve texts that keep theirs.
    """
    lower_case = None if folder is None else declared(folder, "do_lower_case")
    if lower_case is not None:
        declaration = f"{os.fspath(folder)}/tokenizer_config.json says do_lower_case={lower_case}"
        return not lower_case, declaration
    # Words alone count: `[CLS]`, `<S>` and the like are in official vocabularies of either kind.
    words = [token.removeprefix("##").removeprefix(SPACE) for token in vocabulary]
    capital = [word for word in words if word.isalpha() and word != word.lower()]
    # A few may have been added to a vocabulary in lower case, which cannot spell any other.
    is_cased = any(len(word) == 1 for word in capital) or 100 * len(capital) > len(words)
    return is_cased, f"the vocabulary has {len(capital)} words with capital letters"


def in_other_case(token: str, vocabulary: Iterable[str]) -> list[str]:
    """Find tokens that differ from one in nothing but capitals, such as `[cls]`."""
    lowered = token.lower()
    return [each for each in vocabulary if each != token and each.lower() == lowered]


def how_to_convert(start: bytes) -> str:
    """Tell how a file with this start becomes UTF-8."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "convert it by iconv -f UTF-16 -t UTF-8"
    # No bytes tell these apart: each is also text, though another, in the other encoding.
    return (
        "save it as UTF-8 in an editor, or convert it from its encoding, for example by iconv -f "
        "GBK -t UTF-8 (Chinese) or by iconv -f WINDOWS-1252 -t UTF-8 (Western)"
    )


def fits_a_line(token: str) -> bool:
    """Whether a token, in a line of a vocabulary file, is read again as it is."""
    stripped = token.removesuffix("\r").strip(" \t")
    return "\n" not in token and token == stripped and not has_surrogates(token)


def has_surrogates(token: str) -> bool:
    """Whether a token has half characters, which no file in UTF-8 can hold."""
    return not token.isprintable() and any("\ud800" <= c <= "\udfff" for c in token)


def _read_text(path: str) -> str:
    check_on_disk(path)
    with open(path, "rb") as file:
        data = file.read()
    try:
        return data.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        if SPACE.encode() in data[:4096]:
            raise VocabularyError(
                f"{path} is a SentencePiece model, not a token in each line. `load_tokenizer` "
                "reads it, from a file whose name ends in .model."
            ) from None
        line = data.count(b"\n", 0, error.start) + 1
        raise VocabularyError(
            f"{path} must be UTF-8. Line {line} is not: byte 0x{data[error.start]:02x}, "
            f"{error.reason}; {how_to_convert(data)}."
        ) from None


def _read_lines(text: str, path: str, skips_blanks: bool = False) -> dict[str, int]:
    # What follows the last line end is no line.
    lines = text.removesuffix("\n").split("\n") if text else []
    vocabulary: dict[str, int] = {}
    for index, line in enumerate(lines):
        token = line.removesuffix("\r").strip(" \t")
        if skips_blanks and not token:
            continue
        if token in vocabulary:
            raise VocabularyError(
                f"{path} must hold each token once. Line {index + 1} repeats {token!r}, which is "
                f"in line {vocabulary[token] + 1}."
            )
        vocabulary[token] = index
    return vocabulary


def read_json(path: str) -> Any:
    """Read a file such as tokenizer.json, in which no name may occur twice in one object."""
    text = _read_text(path)
    try:
        return json.loads(text, object_pairs_hook=_unique_names)
    except (ValueError, RecursionError) as error:
        raise VocabularyError(f"{path} must be JSON. It is not: {error}") from None


def _model_type(document: Any, path: str) -> Any:
    model = member(document, "model", dict, path)
    return model.get("type", "WordPiece" if "continuing_subword_prefix" in model else None)


def _word_pieces(document: Any, path: str) -> dict[str, int]:
    model = member(document, "model", dict, path)
    kind = _model_type(document, path)
    if kind != "WordPiece":
        hint = ", as ALBERT's are: `load_tokenizer` reads it" if kind == "Unigram" else ""
        raise VocabularyError(
            f"{path} must describe a tokenizer of the model WordPiece, as BERT's are. "
            f"Received: {kind!r}{hint}"
        )
    prefix = model.get("continuing_subword_prefix", "##")
    if prefix != "##":
        raise VocabularyError(
            f"{path} must mark pieces that continue a word by '##'. Received: {prefix!r}"
        )
    entries = list(member(model, "vocab", dict, path).items())
    if document.get("added_tokens") is not None:
        for added in member(document, "added_tokens", list, path):
            entries.append((member(added, "content", str, path), member(added, "id", int, path)))
    return _checked(entries, path)


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"the name {name!r} occurs twice in one object")
        members[name] = value
    return members


def member(container: Any, name: str, kind: type, path: str) -> Any:
    """Return a member of an object in a tokenizer.json, if it is of the kind that it should be."""
    value = container.get(name) if isinstance(container, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise VocabularyError(
            f"{path} must be a tokenizer.json, in which {name!r} is of the type {kind.__name__}. "
            f"Received: {shorten(value)}"
        )
    return value


def _checked(entries: Iterable[tuple[str, Any]], path: str) -> dict[str, int]:
    tokens: dict[int, str] = {}
    vocabulary: dict[str, int] = {}
    for token, index in entries:
        if type(index) is not int or index < 0:
            raise VocabularyError(
                f"{path} must give each token an id, an integer from 0. "
                f"Received: {token!r}: {index!r}"
            )
        if tokens.setdefault(index, token) != token or vocabulary.setdefault(token, index) != index:
            raise VocabularyError(
                f"{path} must give each token one id of its own. {token!r} has the ids "
                f"{vocabulary.get(token, index)} and {index}; the id {index} is that of "
                f"{tokens[index]!r}."
            )
        if has_surrogates(token):
            raise VocabularyError(f"{path} must hold whole characters. Received: {token!r}")
    return dict(sorted(vocabulary.items(), key=lambda entry: entry[1]))
