"""The arguments of all commands. Nothing is imported here that takes a while."""

import argparse
from collections.abc import Callable, Mapping

PAIR_SEPARATOR = " ||| "  # as in Google's extract_features.py
_PAIR_HELP = f"a line 'first{PAIR_SEPARATOR}second' is a pair of sentences"


def _extract(commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "extract",
        help="compute features of texts",
        description="Write the features of every line of a text file, in the form of Google's "
        f"extract_features.py: one line of JSON each. A text: {_PAIR_HELP}. An --output that "
        "broke off is continued by the same command.",
    )
    add_model_argument(parser)
    add_texts_argument(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="file to write: .jsonl; .npy, an array (texts, layers·D), with --pooling; "
        ".parquet, a table, which needs pyarrow. JSON on stdout by default",
    )
    parser.add_argument(
        "--layers",
        type=_layers,
        default=[-1],
        metavar="I,…",
        help="encoder layers; by default -1, the last. Google's tool has -1,-2,-3,-4 by default",
    )
    add_pooling_arguments(parser)
    add_batch_arguments(parser)
    add_tokenizer_arguments(parser)
    return parser


def _classify(commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "classify",
        help="label texts or their words, or answer questions, with a fine-tuned model",
        description="Apply a model that was fine-tuned for a task to every line of a text file. "
        f"One that classifies texts: probability, tab, label, tab, text; {_PAIR_HELP}. One "
        "that labels words, such as names: the text, and a line of probability, label and words "
        "for each span. One that answers questions: probability, tab, answer, which is empty where "
        "the text has none. Classifiers of texts cut those that are too long; "
        "the others read them in windows that overlap.",
    )
    add_model_argument(parser)
    add_texts_argument(parser)
    parser.add_argument("--question", metavar="TEXT", help="question to be answered from each line")
    top_help = "how many labels, or answers, of each text (default 1; where a text may have "
    top_help += "several labels, those of at least 0.5; with --json all labels)"
    add_number_argument(parser, "--top", top_help)
    parser.add_argument(
        "--json",
        action="store_true",
        help="print a JSON object for each line: its text, and labels; spans and words with "
        "character offsets; or answers",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="file to write, .jsonl, of what --json prints; one that broke off is continued by the "
        "same command",
    )
    parser.add_argument(
        "--task",
        choices=("sequence", "tokens", "answers"),
        help="the model's task, where its folder does not say; it cannot be another than the "
        "folder's",
    )
    add_batch_arguments(parser)
    add_case_arguments(parser)
    parser.set_defaults(official=True)  # such models were tuned with official tokens
    return parser


def _fill(commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "fill",
        help="guess masked words, with probabilities",
        description="For every [MASK] in a text print the tokens that fit best, one a line: "
        "probability, tab, token; a line before them repeats the text. Several masks in one text "
        "are guessed each on its own, and the line says which it is: '(mask 1 of 2)'.",
    )
    add_model_argument(parser)
    text_help = "text with [MASK]; lines of stdin by default"
    # Without a default, argparse calls it required.
    parser.add_argument("text", nargs="*", default=[], metavar="TEXT", help=text_help)
    add_number_argument(parser, "--top", "how many (default 5)", default=5)
    parser.add_argument(
        "--json",
        action="store_true",
        help='print {"text": …, "masks": [[{"token": …, "probability": …}, …], …]} for each text',
    )
    add_tokenizer_arguments(parser)
    return parser


def _similar(commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "similar",
        help="find the most similar sentences",
        description="Print the lines that are most similar to each other, or to a query: cosine, "
        "tab, text. Without --query each line of the file is printed, followed by those nearest to "
        "it. A text's vector is what a folder of sentence-transformers says, of other models the "
        "mean over its tokens, or what --pooling says. The vectors of plain BERT are a weak "
        "measure; models trained for it, such as all-MiniLM-L6-v2, are good.",
    )
    add_model_argument(parser)
    add_texts_argument(parser)
    parser.add_argument("--query", metavar="TEXT", help="rank the lines by similarity to this text")
    add_number_argument(parser, "--top", "how many to print (default 1; with --query all)")
    add_pooling_arguments(parser, " (default: sentence for such a folder, else ave)")
    add_tokenizer_arguments(parser)
    return parser


def _show(commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "show",
        help="make a page to look at: tokens, guesses, attention, similarity",
        description="Write one page of HTML, which needs no network, on what a model makes of "
        "texts: their tokens, what it guesses for each token if that one is masked (or for each "
        "[MASK] in the text, if there are any), the attention of every layer and head, and how "
        f"similar several texts are. A text: {_PAIR_HELP}.",
    )
    add_model_argument(parser)
    parser.add_argument("text", nargs="+", metavar="TEXT", help="what to show")
    output_help = "file to write, .html"
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help=output_help)
    tokens_help = "cut texts to N tokens (default 128, or the model's positions if these are fewer)"
    add_number_argument(parser, "--max-length", tokens_help)
    top_help = "how many guesses for a masked token (default 5)"
    add_number_argument(parser, "--top", top_help, default=5)
    add_tokenizer_arguments(parser)
    return parser


def _tokenize(commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "tokenize",
        help="cut texts into the tokens of a model",
        description="Print the tokens of each line, special tokens included, separated by spaces. "
        f"A text: {_PAIR_HELP}.",
    )
    files_help = "a vocabulary file (vocab.txt, spiece.model, tokenizer.json), or "
    add_model_argument(parser, files_help)
    add_texts_argument(parser)
    parser.add_argument("--ids", action="store_true", help="print ids instead of tokens")
    json_help = 'print {"tokens": …, "ids": …, "segments": …} for each line'
    parser.add_argument("--json", action="store_true", help=json_help)
    add_tokenizer_arguments(parser)
    return parser


def _convert(commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "convert",
        help="convert between Google's, Hugging Face's and Keras' formats",
        description="Convert weights, configuration and vocabulary. The numbers stay bit by bit, "
        "and an activation keeps its meaning: 'gelu' is the tanh form in Google's files and the "
        "exact one in Hugging Face's. What is not BERT's (an optimizer's state, other heads) is "
        "left out, and named on stderr. A folder for Hugging Face's hub gets a model card.",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a model folder of Google's or Hugging Face's kind; or a model's .keras or .h5 file; "
        "or tiny or another name in PretrainedList, or hf://org/name[@revision], or the path or "
        "URL of a .zip or .tar.gz archive",
    )
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="a folder to make, or a .keras file; the vocabulary goes beside it",
    )
    parser.add_argument(
        "--to",
        type=other_name_of({"hf": "huggingface", "hugging_face": "huggingface"}),
        choices=("google", "huggingface"),
        help="what kind of folder to make",
    )
    parser.add_argument(
        "--vocab", metavar="FILE", help="vocabulary of a .keras file (default: vocab.txt beside it)"
    )
    parser.add_argument(
        "--keep",
        metavar="FILE",
        help="drop all tokens but those of this file, one a line, and the special ones; blank "
        "lines are skipped, as with --add",
    )
    parser.add_argument(
        "--add",
        metavar="FILE",
        help="add the tokens of this file, one a line; their weights are the mean of their pieces'",
    )
    add_case_arguments(parser)
    return parser


def _info(commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "info",
        help="show what a checkpoint holds",
        description="Describe a model folder, or list the tensors of a single checkpoint file, or "
        "without either the names in PretrainedList.",
    )
    parser.add_argument(
        "path",
        nargs="?",
        metavar="PATH",
        help="a model folder, the prefix of a TensorFlow checkpoint, a .safetensors or .bin file; "
        "or tiny or another name in PretrainedList, or hf://org/name[@revision], or the path or "
        "URL of a .zip or .tar.gz archive",
    )
    parser.add_argument("--tensors", action="store_true", help="list every tensor")
    parser.add_argument("--json", action="store_true", help="print all as one JSON object")
    return parser


def _run(commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "run",
        help="run a script of 2018-2021 as it stands, on Keras 2",
        description="Run a Python script that was written for Keras 2.1 to 2.6 and TensorFlow 1 or "
        "2 on tf_keras: old module paths, names and arguments are put in place (see "
        "keras_bert.keras_2019.install). When it ends, a line on stderr says what it has used.",
    )
    modes = parser.add_mutually_exclusive_group()
    graph_help = "graph mode (default for scripts that import keras or use tf.Session)"
    modes.add_argument("--graph", action="store_const", const=True, help=graph_help)
    eager_help = "eager execution (default for other scripts)"
    modes.add_argument("--eager", dest="graph", action="store_const", const=False, help=eager_help)
    parser.add_argument("script", metavar="SCRIPT", help="the script")
    arguments_help = "its own arguments"
    arguments = parser.add_argument(
        "arguments", metavar="ARGUMENTS", nargs=argparse.REMAINDER, help=arguments_help
    )
    arguments.required = False  # Python 3.11 and 3.12 call it required where SCRIPT is missing
    return parser


COMMANDS = {
    "extract": _extract,
    "classify": _classify,
    "fill": _fill,
    "similar": _similar,
    "show": _show,
    "tokenize": _tokenize,
    "convert": _convert,
    "info": _info,
    "run": _run,
}


def _layers(word: str) -> list[int]:
    try:
        layers = [int(part) for part in word.split(",")]
    except ValueError:
        message = f"must be numbers with commas between them, such as -1,-2, not {word!r}"
        raise argparse.ArgumentTypeError(message) from None
    if len(set(layers)) < len(layers):
        raise argparse.ArgumentTypeError(f"names a layer twice: {word}")
    return layers


def add_model_argument(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """Add MODEL; its help may begin with what else it can be."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help=f"{prefix}a model folder of Google's or Hugging Face's kind; or tiny, the small "
        "English model that comes with this package; or another name in PretrainedList, such as "
        "uncased_l2_h128, or hf://org/name[@revision] on Hugging Face's hub, or the path or URL "
        "of a .zip or .tar.gz archive, which is downloaded or unpacked once",
    )


def add_texts_argument(parser: argparse.ArgumentParser) -> None:
    """Add the text file."""
    text_help = "text file, UTF-8, one text a line; stdin by default or for -"
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help=text_help)


def add_number_argument(parser, name: str, help: str, default: int | None = None) -> None:
    """Add an option that takes a positive number."""
    parser.add_argument(name, type=positive, default=default, metavar="N", help=help)


def add_batch_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --max-length and --batch-size."""
    max_length_help = "cut texts to N tokens (default: the model's)"
    add_number_argument(parser, "--max-length", max_length_help)
    batch_size_help = "the most texts at a time (default: automatic)"
    add_number_argument(parser, "--batch-size", batch_size_help)


def add_pooling_arguments(parser: argparse.ArgumentParser, default: str = "") -> None:
    """Add --pooling and --prompt; `default` says what is done without the first."""
    parser.add_argument(
        "--pooling",
        type=other_name_of({"mean": "ave", "avg": "ave", "average": "ave", "cls": "nsp"}),
        choices=("nsp", "max", "ave", "sentence"),
        help="one vector per text: of its first token, the maximum or the mean over all, or what a "
        f"folder of sentence-transformers says{default}",
    )
    parser.add_argument(
        "--prompt",
        metavar="NAME",
        help="with --pooling sentence: put the folder's prompt of this name, such as query, before "
        "every text (default: what the folder says; '' for none)",
    )


def add_tokenizer_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --cased, --uncased and --official."""
    add_case_arguments(parser)
    parser.add_argument(
        "--official",
        action="store_true",
        help="exactly the tokens of BERT's own tokenizer; by default those of keras-bert 0.89, "
        "which differ in words that the vocabulary cannot spell, and in special tokens in the text",
    )


def add_case_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --cased and --uncased."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--cased",
        action="store_true",
        default=None,
        help="keep case and accents; by default what tokenizer_config.json says, or else whether "
        "the vocabulary has capital letters",
    )
    group.add_argument("--uncased", dest="cased", action="store_false", help="drop both")


def other_name_of(names: Mapping[str, str]) -> Callable[[str], str]:
    """A word on the command line, of which other programs have other names for some."""

    def known_here(word: str) -> str:
        if word in names:
            raise argparse.ArgumentTypeError(f"is {names[word]} meant? Received: {word}")
        return word

    return known_here


def positive(word: str) -> int:
    """A positive number on the command line."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive whole number, not {word!r}")
    return int(word)
