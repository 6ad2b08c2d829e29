"""The page to look at: its numbers against NumPy and the library, and how it behaves."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from browser import ask, needs_browser
from model_folders import WORDS, random_weights, with_untrained_head, write_google_folder
from numpy_bert import NumpyBert
from relatives import write_relative
from safetensors.numpy import load_file, save_file
from sentence_folders import write_sentence_folder

from keras_bert import (
    extract_embeddings,
    get_attention_maps,
    get_checkpoint_paths,
    load_trained_model_from_checkpoint,
)
from keras_bert.checkpoints import write_tensor_bundle
from keras_bert.commands import show
from keras_bert.families import ALBERT, DISTILBERT, ELECTRA, ERNIE
from keras_bert.families.weights import to_checkpoint

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
ROUNDED = 0.5 / 4095 + 1e-5  # to twelve bits, and the model's own float32


def data_of(page):
    return json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page)[1])


def unpacked(text):
    """The attention of one text in a page, (layers, heads, T, T)."""
    size = len(text["tokens"])
    pairs = [[DIGITS.index(digit) for digit in "".join(layer)] for layer in text["attention"]]
    numbers = np.array(pairs).reshape(len(pairs), -1, size, size, 2) @ [64, 1]
    return numbers / 4095


@pytest.fixture
def page(command, tmp_path):
    """Runs the command, and returns the page and its messages."""

    def make(model, *words, name="page.html"):
        code, out, err = command("show", model, *words, "-o", tmp_path / name)
        assert (code, out) == (0, ""), err
        return (tmp_path / name).read_text("utf-8"), err

    return make


@pytest.fixture(scope="session")
def reference():
    layers = [
        SimpleNamespace(name=name, get_weights=lambda weights=weights: weights)
        for name, weights in random_weights().items()
    ]
    return NumpyBert(SimpleNamespace(layers=layers), head_num=3)


@pytest.mark.slow
def test_its_numbers_are_those_of_the_model(page, google, reference):
    texts = ["A  b c", "d [MASK] e f", "a b ||| x"]
    content, err = page(google, *texts, "--top", "3")
    assert err.endswith(f"is written, {len(content.encode()) // 1000} kB: open it in a browser\n")
    data = data_of(content)
    assert (data["model"], data["layers"], data["heads"]) == ("google", 2, 3)
    assert (data["vocabulary"], data["no_guesses"]) == (30, None)
    first, second, pair = data["texts"]
    # Token, id, segment, start, end.
    special = ["[CLS]", 2, 0, 0, 0], ["[SEP]", 3, 0, 0, 0]
    letters = [["a", 5, 0, 0, 1], ["b", 6, 0, 3, 4], ["c", 7, 0, 5, 6]]
    assert first["tokens"] == [special[0], *letters, special[1]]
    assert [token[0] for token in second["tokens"]] == ["[CLS]", "d", "[MASK]", "e", "f", "[SEP]"]
    assert second["tokens"][2][3:] == [2, 8]
    assert pair["parts"] == ["a b", "x"]
    assert pair["tokens"][-2:] == [["x", 28, 1, 0, 1], ["[SEP]", 3, 1, 0, 0]]

    means = []
    for text in data["texts"]:
        ids, segments = (np.array([[token[i] for token in text["tokens"]]]) for i in (1, 2))
        means.append(reference.encode(ids, segments)[0].mean(axis=0))
        maps = np.stack([layer[0] for layer in reference.maps])
        np.testing.assert_allclose(unpacked(text), maps, atol=ROUNDED)
        asked = [2] if text is second else [i for i, token in enumerate(ids[0]) if token > 3]
        assert [i for i, guess in enumerate(text["guesses"]) if guess] == asked
        for position in asked:
            masked = ids.copy()
            masked[0, position] = 4
            values = reference.mlm(reference.encode(masked, segments))[0, position]
            best = np.argsort(-values)[:3]
            guess = text["guesses"][position]
            assert [token for token, _ in guess["top"]] == [WORDS[index] for index in best]
            np.testing.assert_allclose([p for _, p in guess["top"]], values[best], rtol=1e-3)
            if text is second:
                assert guess.keys() == {"top"}  # what stands behind [MASK], nobody knows
                continue
            own = values[ids[0, position]]
            assert guess["own"] == pytest.approx(own, rel=1e-3)
            assert guess["rank"] == 1 + np.sum(values > own)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(data["cosines"], means @ means.T, atol=6e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "family", [ALBERT, ELECTRA, ERNIE, DISTILBERT], ids=lambda family: family.name
)
def test_other_families(page, tmp_path, family):
    folder = tmp_path / "model"
    write_relative(folder, family)
    text, other = data_of(page(folder, "a b c", "d")[0])["texts"]
    paths = get_checkpoint_paths(folder)
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
    ids = np.array([[token[1] for token in text["tokens"]]])
    maps = get_attention_maps(model, [ids, np.zeros_like(ids)])
    np.testing.assert_allclose(unpacked(text), np.concatenate(maps), atol=ROUNDED)
    # ELECTRA's discriminator tells replaced words, and guesses none.
    assert (text["guesses"] is None) == (family is ELECTRA)
    assert (other["guesses"] is None) == (family is ELECTRA)


@pytest.mark.slow
@pytest.mark.parametrize("poolings", [["mean"], ["cls"]])
def test_similarity_of_a_sentence_model_is_that_of_its_own_vectors(page, tmp_path, poolings):
    write_sentence_folder(tmp_path / "model", poolings, [(7, "Tanh")])
    texts = ["a b", "c d e", "x"]
    data = data_of(page(tmp_path / "model", *texts)[0])
    vectors = extract_embeddings(tmp_path / "model", texts, "POOL_SENTENCE", stacked=True)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert data["vectors"] == "sentence"
    np.testing.assert_allclose(data["cosines"], vectors @ vectors.T, atol=6e-5)
    # Of all tokens, also where the vector is that of the first.
    assert unpacked(data["texts"][0]).shape == (2, 3, 4, 4)


@pytest.mark.slow
def test_a_model_that_cannot_guess_says_why(page, command, google, tmp_path):
    assert command("convert", google, tmp_path / "hf", "--to", "huggingface")[0] == 0
    file = tmp_path / "hf/model.safetensors"
    tensors = {name: each for name, each in load_file(file).items() if name[:4] != "cls."}
    save_file(tensors, file)
    data = data_of(page(tmp_path / "hf", "a b")[0])
    assert data["no_guesses"] == "The model’s file has no head for masked words."
    assert (data["texts"][0]["guesses"], data["cosines"]) == (None, None)

    weights = write_google_folder(tmp_path / "untrained")
    tensors = to_checkpoint(with_untrained_head(weights), "google")
    write_tensor_bundle(tmp_path / "untrained/bert_model.ckpt", tensors)
    content, err = page(tmp_path / "untrained", "a b", name="other.html")
    assert data_of(content)["no_guesses"].endswith("has never been trained.")
    assert "its guesses are random\n" in err


def test_no_text_can_leave_its_place(page, google):
    text = "</script><script>alert(1)</script> \"'& <!-- \u2028 {{data}} é 👩‍👧 שלום"
    content, _ = page(google, text, "--max-length", "4")
    assert data_of(content)["texts"][0]["parts"] == [text]
    plain = show._PAGE.read_text("utf-8")
    assert content.count("<script") == plain.count("<script")
    assert content.count("</script") == plain.count("</script")
    assert "<!--" not in content
    # Nothing is fetched: no address but the namespace of SVG.
    assert set(re.findall(r"\w+://[^\s\"')]+", plain)) == {"http://www.w3.org/2000/svg"}


def test_the_name_of_a_file_is_taken_as_a_text_and_it_is_said(page, google, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").touch()
    content, err = page(google, "a")
    assert data_of(content)["texts"][0]["parts"] == ["a"]
    assert "keras-bert show: 'a' is taken as a text, though there is a file of that name\n" in err


def test_texts_in_another_language_are_remarked_upon(page, google):
    assert (
        "most tokens of the texts are not in the vocabulary" in page(google, "今天天气真[MASK]")[1]
    )


def test_a_long_text_is_cut_and_it_is_said(page, google):
    content, err = page(google, "a b c d e", "--max-length", "4")
    assert "keras-bert show: the page shows the first 4 of 7 tokens of 'a b c d e'\n" in err
    (text,) = data_of(content)["texts"]
    assert [token[0] for token in text["tokens"]] == ["[CLS]", "a", "b", "[SEP]"]
    assert text["count"] == 7


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "-o", "page.txt"], "OUT must end in .html. Received: page.txt"),
        (["a", "-o", "nowhere/page.html"], "there is no folder nowhere to write page.html into"),
        (["a", "-o", "{old}"], "is there already: delete it, or choose another name"),
        (["a", " ", "-o", "page.html"], "a text must not be empty. Received: ' '"),
        (["\udcff", "-o", "page.html"], "a text is not UTF-8. Received: '\\udcff'"),
        (
            ["a", "--max-length", "17", "-o", "page.html"],
            "--max-length must be at most 16, the model's number of positions. Received: 17",
        ),
    ],
)
def test_what_cannot_be_shown(command, google, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.html").write_text("old")
    code, out, err = command("show", google, *[word.format(old="old.html") for word in words])
    assert (code, out) == (1, "")
    assert err.startswith("keras-bert show: ")
    assert err.endswith(f"{message}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["old.html"]


def test_a_page_that_would_be_too_large(command, google, tmp_path, monkeypatch):
    monkeypatch.setattr(show, "_MOST_PROBABILITIES", 100)
    code, _, err = command("show", google, "a b c", "-o", tmp_path / "page.html")
    assert code == 1
    assert "the page would hold 150 probabilities of attention, more than 100: give fewer" in err
    assert not (tmp_path / "page.html").exists()


SHOWN = """
const point = (element, type) => element.dispatchEvent(new PointerEvent(type, { bubbles: true }));
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const tokens = [...document.querySelectorAll(".token")];
const shown = () => ({
  now: tokens.findIndex((each) => each.classList.contains("now")),
  marked: [...document.querySelectorAll("#text .now")].map((each) => each.textContent).join(""),
  said: document.getElementById("said").textContent.replaceAll("\\u00a0", " "),
  lines: document.querySelectorAll("#strip path").length,
  guess: document.querySelector("#guesses bdi")?.textContent,
  head: document.querySelector("#heads [aria-checked=true]")?.getAttribute("aria-label"),
  focus: document.activeElement.id || document.activeElement.getAttribute("aria-label"),
});
"""


@pytest.fixture(scope="module")
def shown_page(google, tmp_path_factory):
    """A page of two texts, in a folder for the browser."""
    from keras_bert.commands import main

    folder = tmp_path_factory.mktemp("page")
    words = ["show", google, "a b c d e", "x ||| y z", "-o", folder / "page.html"]
    assert main(list(map(str, words))) == 0
    return (folder / "page.html").read_text("utf-8"), folder


@pytest.mark.slow
@needs_browser
def test_pointing_at_a_token_shows_its_attention_and_guesses(shown_page):
    content, folder = shown_page
    before, hovered, after = ask(
        content,
        f"""{SHOWN}
        const before = shown();
        const other = before.now === 2 ? 3 : 2;
        point(tokens[other], "pointerover");
        const hovered = shown();
        document.getElementById("strip").dispatchEvent(new PointerEvent("pointerleave"));
        return [before, hovered, shown()];""",
        folder,
    )
    assert before == after
    assert hovered["now"] in (2, 3)
    letter = "abcde"[hovered["now"] - 1]
    assert (hovered["marked"], hovered["guess"]) == (letter, letter)
    assert hovered["lines"] > 0

    data = data_of(content)
    layer, head = map(int, re.findall(r"\d+", hovered["head"]))
    shares = unpacked(data["texts"][0])[layer - 1, head - 1, hovered["now"]]
    names = [token[0] for token in data["texts"][0]["tokens"]]
    best = names[shares.argmax()]
    index = data["texts"][0]["tokens"][hovered["now"]][1]
    assert hovered["said"].startswith(f"{letter} (id {index}) attends most to {best} ")


@pytest.mark.slow
@needs_browser
def test_all_of_it_by_keyboard(shown_page):
    content, folder = shown_page
    steps = ask(
        content,
        f"""{SHOWN}
        const result = {{}};
        tokens[0].focus(); press("ArrowRight"); result.next = shown();
        press("End"); result.last = shown();
        press("Home"); press("ArrowLeft"); result.first = shown();
        document.querySelector("#heads button").focus();
        press("Home"); result.head = shown();
        press("ArrowDown"); result.below = shown();
        press("ArrowRight"); result.beside = shown();
        document.getElementById("way").value = "from";
        document.getElementById("way").dispatchEvent(new Event("change"));
        result.from = shown();
        document.querySelector("#texts [aria-checked=true]").focus();
        press("ArrowDown");
        result.text = document.getElementById("text").innerText;
        result.stops = document.querySelectorAll("[tabindex='0'], select").length;
        return result;""",
        folder,
    )
    assert (steps["next"]["focus"], steps["next"]["marked"]) == ("token-1", "a")
    assert (steps["last"]["focus"], steps["last"]["marked"]) == ("token-6", "")
    assert steps["first"]["focus"] == "token-0"
    for step, name in {"head": "Layer 1, head 1", "below": "Layer 2, head 1"}.items():
        assert (steps[step]["head"], steps[step]["focus"]) == (name, name)
    assert steps["beside"]["head"] == "Layer 2, head 2"
    assert steps["head"]["said"] != steps["below"]["said"]
    assert " is attended to most by " in steps["from"]["said"]
    assert steps["text"].split() == ["x", "y", "z"]
    assert steps["stops"] == 7  # texts, colours, tokens, heads, and three lists


@pytest.mark.slow
@needs_browser
def test_light_and_dark(shown_page):
    content, folder = shown_page
    script = """
    const paper = () => getComputedStyle(document.body).backgroundColor;
    const result = [paper()];
    for (const name of ["light", "dark"]) {
      document.querySelector(`button[data-theme=${name}]`).click();
      result.push(paper());
    }
    return result;"""
    for dark in (False, True):
        preferred, *both = ask(content, script, folder, dark=dark)
        lightness = [sum(map(int, re.findall(r"\d+", colour))) for colour in both]
        assert lightness[0] > 600
        assert lightness[1] < 150
        assert preferred == both[dark]


@pytest.mark.slow
@needs_browser
@pytest.mark.filterwarnings("ignore:Most tokens")
def test_texts_of_all_kinds_on_a_narrow_page(google, page, tmp_path):
    family = "👩‍👩‍👧 é"  # one letter to the eye each, of several characters
    texts = [family, "שלום a", "</script><b>b</b>", "a" * 200, "中文"]
    content, _ = page(google, *texts)
    result = ask(
        content,
        """return data.texts.map((_, index) => {
          showText(index);
          return {
            text: document.getElementById("text").textContent,
            spans: [...document.querySelectorAll("#text span")].map((each) => each.textContent),
            direction: getComputedStyle(document.getElementById("strip")).direction,
            width: document.documentElement.scrollWidth - innerWidth,
            bold: document.querySelectorAll("#text b").length,
          };
        });""",
        tmp_path,
        width=500,  # Chromium's least
    )
    assert [each["text"] for each in result] == texts
    assert "👩‍👩‍👧" in result[0]["spans"]
    assert "é" in result[0]["spans"]
    assert [each["direction"] for each in result] == ["ltr", "rtl", "ltr", "ltr", "ltr"]
    assert all(each["width"] <= 0 for each in result)
    assert all(each["bold"] == 0 for each in result)
