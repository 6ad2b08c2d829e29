"""The official checkpoints: where they are and what is known of their content."""

import difflib
import os
import re
import urllib.parse
from pathlib import Path
from typing import NamedTuple

from ..arguments import describe

GOOGLE_STORAGE = "https://storage.googleapis.com"

_GOOGLE = f"{GOOGLE_STORAGE}/bert_models"
_HFL = f"{GOOGLE_STORAGE}/hfl-rc/chinese-bert"


class PretrainedInfo(NamedTuple):
    """An archive whose folder is not named like the archive.

    Attributes:
        url: Address of the .zip or .tar.gz archive.
        extract_name: Name of the folder inside the archive.
        target_name: Name of the folder on this machine.
    """

    url: str
    extract_name: str
    target_name: str


def _small(layer_num: int, embed_dim: int) -> str:
    name = f"uncased_L-{layer_num}_H-{embed_dim}_A-{embed_dim // 64}"
    return f"{_GOOGLE}/2020_02_20/{name}.zip"


class PretrainedList:
    """Addresses of pretrained models, each an argument for `get_pretrained`, as is its name.

    `tiny` is the folder of a small English model, lower-cased, of 2 layers and hidden size 128 with
    both heads, that comes with this package; README.md in it says where it comes from and how good
    it is. The others are official checkpoints. `uncased_l2_h128` … `uncased_l12_h768` are the
    models of 2 to 12 layers that Google published in 2020, English, lower-cased.

    Reference:
        https://github.com/google-research/bert, https://github.com/ymcui/Chinese-BERT-wwm and
        Turc et al., Well-Read Students Learn Better, https://arxiv.org/abs/1908.08962
    """

    # A small archive without a model, which tests of scripts download.
    __test__ = PretrainedInfo(
        "https://github.com/CyberZHG/keras-bert/archive/master.zip",
        "keras-bert-master",
        "keras-bert",
    )

    tiny = str(Path(__file__).with_name("tiny"))

    uncased_base = f"{_GOOGLE}/2018_10_18/uncased_L-12_H-768_A-12.zip"
    multi_cased_base = f"{_GOOGLE}/2018_11_23/multi_cased_L-12_H-768_A-12.zip"
    chinese_base = f"{_GOOGLE}/2018_11_03/chinese_L-12_H-768_A-12.zip"
    wwm_uncased_large = f"{_GOOGLE}/2019_05_30/wwm_uncased_L-24_H-1024_A-16.zip"
    wwm_cased_large = f"{_GOOGLE}/2019_05_30/wwm_cased_L-24_H-1024_A-16.zip"
    chinese_wwm_base = PretrainedInfo(
        f"{_HFL}/chinese_wwm_L-12_H-768_A-12.zip", "publish", "chinese_wwm_L-12_H-768_A-12"
    )

    uncased_l2_h128 = _small(2, 128)
    uncased_l2_h256 = _small(2, 256)
    uncased_l2_h512 = _small(2, 512)
    uncased_l2_h768 = _small(2, 768)
    uncased_l4_h128 = _small(4, 128)
    uncased_l4_h256 = _small(4, 256)
    uncased_l4_h512 = _small(4, 512)
    uncased_l4_h768 = _small(4, 768)
    uncased_l6_h128 = _small(6, 128)
    uncased_l6_h256 = _small(6, 256)
    uncased_l6_h512 = _small(6, 512)
    uncased_l6_h768 = _small(6, 768)
    uncased_l8_h128 = _small(8, 128)
    uncased_l8_h256 = _small(8, 256)
    uncased_l8_h512 = _small(8, 512)
    uncased_l8_h768 = _small(8, 768)
    uncased_l10_h128 = _small(10, 128)
    uncased_l10_h256 = _small(10, 256)
    uncased_l10_h512 = _small(10, 512)
    uncased_l10_h768 = _small(10, 768)
    uncased_l12_h128 = _small(12, 128)
    uncased_l12_h256 = _small(12, 256)
    uncased_l12_h512 = _small(12, 512)
    # Not `uncased_base`, whose archive has the same name.
    uncased_l12_h768 = PretrainedInfo(
        _small(12, 768), extract_name="", target_name="uncased_L-12_H-768_A-12_2020_02_20"
    )


def list_names() -> list[str]:
    """The names in `PretrainedList`."""
    return [each for each in vars(PretrainedList) if not each.startswith("_")]


def by_name(name) -> PretrainedInfo | str | None:
    """The entry of `PretrainedList` of this name; None where there is none, or such a path."""
    if not isinstance(name, str) or name.startswith("_") or os.path.exists(name):
        return None
    return vars(PretrainedList).get(name)


# Organizations on the hub, whose models are often named without them.
_ORGANIZATIONS = {
    r"bert-(base|large)-((un)?cased(-whole-word-masking)?|chinese|multilingual-(un)?cased)": (
        "google-bert"
    ),
    r"albert-x*(base|large)-v[12]": "albert",
    r"distilbert-base-((un)?cased|multilingual-cased)": "distilbert",
    r"(all|multi-qa|paraphrase)-[\w.-]*(MiniLM|mpnet)[\w.-]*": "sentence-transformers",
}


def is_named_as_archive(name: str) -> bool:
    """Whether a path or URL ends like an archive."""
    return name.lower().endswith((".zip", ".tar.gz", ".tgz"))


_HUBS = ("huggingface.co", "www.huggingface.co", "hf.co", "hf-mirror.com")


def on_hub_page(address: str) -> str | None:
    """The name of the model, with its revision, whose page on the hub an address is; else None."""
    # A Path has one slash where an address has two.
    try:
        page = urllib.parse.urlsplit(re.sub("^(https?):/+", r"\1://", address))
    except ValueError:
        return None
    if page.hostname not in _HUBS or is_named_as_archive(page.path):
        return None
    name, *rest = re.split("/(?:tree|blob|raw|resolve)/", page.path.strip("/"), maxsplit=1)
    if not name or name.count("/") > 1:
        return None
    revision = urllib.parse.unquote(rest[0].partition("/")[0]) if rest else "main"
    return name if revision == "main" else f"{name}@{revision}"


def check_name(argument: str, name) -> None:
    """Refuse what can be no name of a model."""
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(
            f"{argument} must be the path of a model's folder, or a str such as 'tiny' or "
            f"'hf://org/name'. Received: {describe(name)}."
        )


def no_such_model(name: str) -> FileNotFoundError:
    """Make the error for what is neither path nor name, with the name that was perhaps meant."""
    return FileNotFoundError(
        f"There is no model {name!r}: neither a folder nor a .zip or .tar.gz archive nor the URL "
        f"of one, nor a name in PretrainedList, nor hf://org/name on the hub.{is_meant(name)}"
    )


def is_meant(name: str) -> str:
    """The question, after a blank, whether the nearest name is meant; empty if none is near."""
    if os.path.exists(f"{name}.index"):
        folder = os.path.dirname(name) or "."
        return f" It is the prefix of a TensorFlow checkpoint: pass its folder, {folder!r}."
    names = list_names()
    nearest = difflib.get_close_matches(name.lower(), names, n=1)
    nearest = nearest or [each for each in names if sorted(each) == sorted(name.lower())]
    page = on_hub_page(name)
    # `Path` makes one slash of two.
    bare = page or re.sub("^hf:/{1,2}", "", name, flags=re.IGNORECASE)
    if page or (not nearest and re.fullmatch(r"[\w-][\w.-]*/\w[\w.-]*", bare)):
        nearest = [f"hf://{bare}"]
    for pattern, organization in _ORGANIZATIONS.items():
        if re.fullmatch(pattern, bare, re.ASCII):
            nearest = [f"hf://{organization}/{bare}"]
    return f" Is {nearest[0]!r} meant?" if nearest else ""


_WEIGHTS = "bert_model.ckpt.data-00000-of-00001"
# SHA-256 of the files in some archives, by the archive's address. For the others none is published.
# Source: NVIDIA/DeepLearningExamples, `GooglePretrainedWeightDownloader.py`.
KNOWN_FILES = {
    PretrainedList.uncased_base: {
        "bert_config.json": "7b4e5f53efbd058c67cda0aacfafb340113ea1b5797d9ce6ee411704ba21fcbc",
        _WEIGHTS: "58580dc5e0bf0ae0d2efd51d0e8272b2f808857f0a43a88aaf7549da6d7a8a84",
        "bert_model.ckpt.index": "04c1323086e2f1c5b7c0759d8d3e484afbb0ab45f51793daab9f647113a0117b",
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    },
    PretrainedList.multi_cased_base: {
        "bert_config.json": "e76c3964bc14a8bb37a5530cdc802699d2f4a6fddfab0611e153aa2528f234f0",
        _WEIGHTS: "55b8a2df41f69c60c5180e50a7c31b7cdf6238909390c4ddf05fbc0d37aa1ac5",
        "bert_model.ckpt.index": "7d8509c2a62b4e300feb55f8e5f1eef41638f4998dd4d887736f42d4f6a34b37",
        "vocab.txt": "fe0fda7c425b48c516fc8f160d594c8022a0808447475c1a7c6d6479763f310c",
    },
    PretrainedList.chinese_base: {
        "bert_config.json": "7aaad0335058e2640bcb2c2e9a932b1cd9da200c46ea7b8957d54431f201c015",
        _WEIGHTS: "756699356b78ad0ef1ca9ba6528297bcb3dd1aef5feadd31f4775d7c7fc989ba",
        "bert_model.ckpt.index": "46315546e05ce62327b3e2cd1bed22836adcb2ff29735ec87721396edb21b82e",
        "vocab.txt": "45bbac6b341c319adc98a532532882e91a9cefc0329aa57bac9ae761c27b291c",
    },
}
