"""Write spiece.model, tokenizer.json and oracle.json: a vocabulary as ALBERT's, and its ids.

    python make.py sst2/train.tsv

runs in an environment with sentencepiece 0.2.3, transformers 4.49.0 (the last major version with
the tokenizer in Python) and tokenizers 0.21.0. The model is trained on the first of the two columns
of a file, the Stanford Sentiment Treebank as clairett/pytorch-sentiment-classification has it, with
the options that https://github.com/google-research/albert names, but few pieces and a short map of
characters in place of nmt_nfkc, which has 240 KB. The sentences of the oracle were written for it.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import sentencepiece
from transformers import AlbertTokenizer, AlbertTokenizerFast

HERE = Path(__file__).parent
# A few of the rules of nmt_nfkc: code points, and what they become.
RULES = {
    **dict.fromkeys("\t\n\u200b\ufffd", " "),
    "\x7f": "",
    "½": "1⁄2",
    "ﬁ": "fi",
    "１": "1",
}

TEXTS = [
    "A fine film, isn't it?",
    "  Two   blanks\tand a tab\u3000and a wide one ",
    "``Quotes'' of \"all\" kinds, ``` and '''",
    "In 1999, it cost 1,000 or 12,345 dollars; 9, 10,.",
    "²,x ½, ①, of 2, and 2,3",
    "Naïve cafés, Ångström, İstanbul, ΟΔΟΣ and ﬁne Ａ",
    "(a well-made film) - the best.",
    "£5 or €6–7",
    "中文电影 很好！ 😀😀 👩‍👩‍👧 a\u0301 각",
    "[CLS] some [MASK]ed words<unk> and[SEP]<pad> [mask]",
    "x\x1cy\x85z\u2028w\u200bv\x7fu\x00t",
    "\ufffd▁the▁",
    "",
    " ",
    "´",
]


def main():
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").lower().splitlines()
    # For pieces of a digit and a comma, which that file lacks.
    texts = [line.split("\t")[0] for line in lines] + ["in 1999, 1,000 of 9, and 2,"] * 300
    with TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.tsv"
        codes = {c: " ".join(f"{ord(each):X}" for each in c) for c in (*RULES, *RULES.values())}
        rules.write_text("".join(f"{codes[c]}\t{codes[to]}\n" for c, to in RULES.items()))
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_prefix=f"{folder}/spiece",
            vocab_size=600,
            pad_id=0,
            unk_id=1,
            bos_id=-1,
            eos_id=-1,
            control_symbols=["[CLS]", "[SEP]", "[MASK]"],
            user_defined_symbols=["(", ")", '"', "-", ".", "–", "£", "€"],
            character_coverage=0.99995,
            model_type="unigram",
            normalization_rule_tsv=str(rules),
        )
        model = HERE / "spiece.model"
        model.write_bytes(Path(folder, "spiece.model").read_bytes())
        fast = AlbertTokenizerFast(vocab_file=str(model))
        fast.save_pretrained(folder)
        document = json.loads(Path(folder, "tokenizer.json").read_text(encoding="utf-8"))
        (HERE / "tokenizer.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
    found = {"texts": TEXTS}
    for name, options in {
        "uncased": {},
        "cased": {"do_lower_case": False},
        "keep_accents": {"keep_accents": True},
    }.items():
        slow = AlbertTokenizer(str(model), **options)
        found[name] = [slow(text)["input_ids"] for text in TEXTS]
    (HERE / "oracle.json").write_text(json.dumps(found, indent=0) + "\n")


if __name__ == "__main__":
    main()
