"""The scripts under demo/load_model/ and demo/visualization/, run in this process."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from model_folders import CONFIG, WORDS, write_google_folder
from numpy_bert import NumpyBert

from keras_bert import Tokenizer, build_model_from_config

DEMO = Path(__file__).resolve().parents[2] / "demo"
CONTINUED = [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
CHARACTERS = "语言模型中国的首都是京。北它也全文化心企鹅不会飞，但很游泳猫累了所以睡着z."
VOCABULARY = [*WORDS, *CHARACTERS, *CONTINUED]
SIZES = {"vocab_size": len(VOCABULARY), "max_position_embeddings": 64}

with_pictures = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib draws the pictures"
)


def load(path):
    """A script as a module; scripts import what is beside them."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder of Google's layout, and what its model computes, written down in NumPy."""
    folder = tmp_path_factory.mktemp("models") / "bert"
    weights = write_google_folder(folder, {**CONFIG, **SIZES}, vocabulary=VOCABULARY)
    layers = [SimpleNamespace(name=k, get_weights=lambda v=v: v) for k, v in weights.items()]
    reference = NumpyBert(SimpleNamespace(layers=layers), CONFIG["num_attention_heads"])
    tokenizer = Tokenizer({token: index for index, token in enumerate(VOCABULARY)}, official=True)
    return SimpleNamespace(folder=folder, reference=reference, tokenizer=tokenizer)


@pytest.fixture
def script(monkeypatch, capsys):
    """Runs a script of demo/load_model/ with arguments; returns what it printed."""
    folder = DEMO / "load_model"
    monkeypatch.syspath_prepend(folder)

    def run(name, *arguments, **changes):
        module = load(folder / name)
        for attribute, value in changes.items():
            setattr(module, attribute, value)
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        capsys.readouterr()
        module.main()
        return capsys.readouterr().out

    return run


def encode(model, *texts):
    return [np.array([row]) for row in model.tokenizer.encode(*texts)]


def numbers(line):
    return [float(each) for each in re.findall(r"-?\d+\.\d+", line)]


def close(received, expected):
    """To the digits that are printed."""
    np.testing.assert_allclose(received, expected, rtol=0, atol=2e-5)


def is_picture(path):
    return path.read_bytes().startswith(b"\x89PNG")


def test_features_of_tokens_are_those_of_googles_tool(model, script, tmp_path):
    folder = tmp_path / "chinese_L-12_H-768_A-12"
    folder.symlink_to(model.folder)
    features = model.reference.encode(*encode(model, "语言模型"))[0]
    published = [["[CLS]", *features[0, :5]], ["语", *features[1, :5]]]
    *lines, last = script("load_and_extract.py", folder, PUBLISHED=published).splitlines()
    assert [line.split()[0] for line in lines] == ["[CLS]", "语", "言", "模", "型", "[SEP]"]
    close([numbers(line) for line in lines], features[:, :5])
    assert last.startswith("Same numbers as Google's tool, to within 0.0000")


@pytest.mark.parametrize("capitals", [True, False])
def test_the_case_is_what_the_vocabulary_says(script, tmp_path, capitals):
    write_google_folder(tmp_path, vocabulary=[*WORDS[:-1], "A" if capitals else "z"])
    lines = script("load_and_extract.py", tmp_path, "--text", "A b").splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["A" if capitals else "a", "b"]


def test_the_published_numbers():
    assert load(DEMO / "load_model/load_and_extract.py").PUBLISHED == [
        ["[CLS]", "-0.63251", "0.203023", "0.079366", "-0.032843", "0.566809"],
        ["语", "-0.758835", "0.096518", "1.071875", "0.005038", "0.688799"],
    ]


@pytest.mark.parametrize(
    ("token", "difference", "complaint"),
    [("语", 2e-4, r"differ by 0\.00020"), ("言", 0, "not the tokens"), ("语", np.nan, "by nan")],
)
def test_other_numbers_than_the_published_ones_are_noticed(token, difference, complaint):
    module = load(DEMO / "load_model/load_and_extract.py")
    tokens = ["[CLS]", "语", "言", "模", "型", "[SEP]"]
    features = np.zeros((6, 12), "float32")
    features[:2, :5] = [[float(each) for each in values] for _, *values in module.PUBLISHED]
    module.check(tokens, features)
    tokens[1] = token
    features[1, 4] += difference
    with pytest.raises(SystemExit, match=complaint):
        module.check(tokens, features)


def test_masked_words_and_next_sentences(model, script):
    out = script("load_and_predict.py", model.folder, "--text", "a [MASK] 语")
    title, guesses, *pairs = out.splitlines()
    assert title == "a [MASK] 语"
    probabilities = model.reference.mlm(model.reference.encode(*encode(model, title)))[0, 2]
    best = np.argsort(-probabilities)[:5]
    assert re.findall(r"(\S+) \d\.\d+", guesses) == [VOCABULARY[index] for index in best]
    np.testing.assert_allclose(numbers(guesses), probabilities[best], atol=6e-4)
    # Its own sentences, in a language that the vocabulary knows.
    first = "中国的首都是北京。"
    assert len(pairs) == 2
    for line, second in zip(
        pairs, ["它也是全国的文化中心。", "企鹅不会飞，但是很会游泳。"], strict=True
    ):
        assert line.endswith(f"  {first} | {second}")
        following = model.reference.nsp(model.reference.encode(*encode(model, first, second)))
        assert numbers(line) == pytest.approx([following[0, 0]], abs=6e-4)


def test_pooled_features(model, script):
    lines = script("load_and_pool.py", model.folder).splitlines()
    assert lines[2] == "('all work and no play', 'makes jack a dull boy')"
    assert lines[3].strip().startswith("(48,)")  # the model's 2 layers · 2 poolings · 12
    model.reference.encode(*encode(model, "all work and no play", "makes jack a dull boy"))
    # The lower of the layers comes first, and of it the first token.
    close(numbers(lines[3]), model.reference.hidden[0][0, 0, :5])


@pytest.mark.slow
@with_pictures
def test_attention_as_a_picture(model, script, tmp_path, monkeypatch):
    picture = tmp_path / "attention.png"
    drawn = []
    import heat_maps

    draw = heat_maps.save_attention_maps
    monkeypatch.setattr(
        heat_maps, "save_attention_maps", lambda *given: drawn.extend(given) or draw(*given)
    )
    words = (model.folder, picture, "--layer", "2", "--text", "a 语 b")
    out = script("load_and_get_attention_map.py", *words)
    assert is_picture(picture)
    _, heads, tokens, titles = drawn
    assert tokens == ["[CLS]", "a", "语", "b", "[SEP]"]
    assert titles == ["layer 2, head 1", "layer 2, head 2", "layer 2, head 3"]
    model.reference.encode(*encode(model, "a 语 b"))
    close(heads, model.reference.maps[1][0])
    strongest = model.reference.maps[1][0].mean(axis=0).argmax(axis=-1)
    arrows = [line.split(" -> ") for line in out.splitlines()[:5]]
    assert arrows == [[tokens[i], tokens[j]] for i, j in enumerate(strongest)]


@with_pictures
def test_similarity_as_a_picture(model, script, tmp_path, capsys):
    texts = ["a b c", "语 言", "b a c"]
    (tmp_path / "texts.txt").write_text("\n\n".join(texts), "utf-8")
    arguments = [model.folder, tmp_path / "similarity.png", "--texts", tmp_path / "texts.txt"]
    vectors = [model.reference.encode(*encode(model, text))[0].mean(axis=0) for text in texts]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    lines = script("load_and_compare.py", *arguments).splitlines()
    assert is_picture(tmp_path / "similarity.png")
    cosines = vectors @ vectors.T - 3 * np.eye(3)
    for line, text, row in zip(lines[:3], texts, cosines, strict=True):
        assert line == f"{row.max():.2f}  {text}  {texts[row.argmax()]}"
    (tmp_path / "texts.txt").write_text("a\n", "utf-8")
    with pytest.raises(SystemExit):
        script("load_and_compare.py", *arguments)
    assert "two or more sentences" in capsys.readouterr().err
    (tmp_path / "texts.txt").write_bytes("a\n语\n".encode("gbk"))
    with pytest.raises(SystemExit):
        script("load_and_compare.py", *arguments)
    told = r"--texts: .*texts\.txt is not UTF-8 \(line 2: .*iconv -f GBK -t UTF-8"
    assert re.search(told, capsys.readouterr().err)


@with_pictures
def test_every_label_can_be_read(tmp_path, monkeypatch, capsys):
    from fontTools.fontBuilder import FontBuilder
    from fontTools.ttLib.tables._g_l_y_f import Glyph
    from matplotlib import font_manager

    # matplotlib's own fonts, of which "Last Resort" has a box for every character
    own = [font for font in font_manager.fontManager.ttflist if "mpl-data" in font.fname]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    heat_maps = load(DEMO / "load_model/heat_maps.py")
    assert heat_maps.readable(["é", "a"]) == (["DejaVu Sans"], ["é", "a"])
    assert capsys.readouterr().out == ""
    _, labels = heat_maps.readable(["##语", "a"])
    assert labels == ["##U+8BED ", "a"]
    assert "No installed font has 语:" in capsys.readouterr().out

    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "word"])
    builder.setupCharacterMap({ord("语"): "word"})
    builder.setupGlyf({".notdef": Glyph(), "word": Glyph()})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "word": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Made Up", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "made_up.ttf")
    font_manager.fontManager.addfont(tmp_path / "made_up.ttf")
    families, labels = heat_maps.readable(["##语", "言"])
    assert (families, labels) == (["DejaVu Sans", "Made Up"], ["##语", "U+8A00 "])
    maps = [np.eye(2), np.ones((2, 2))]
    # A character without a glyph would be a warning, and "$" the beginning of a formula.
    heat_maps.save_attention_maps(tmp_path / "map.png", maps, ["语", "$_$"], ["1", "2"])
    heat_maps.save_similarities(tmp_path / "table.png", np.eye(2), ["语", "$_$"], "$")
    assert is_picture(tmp_path / "map.png")
    assert is_picture(tmp_path / "table.png")


@with_pictures
def test_long_labels_are_cut_to_a_width():
    shortened = load(DEMO / "load_model/heat_maps.py").shortened
    assert shortened("a  b\nc") == "a b c"
    assert shortened("a" * 48) == "a" * 48
    assert shortened("a" * 49) == "a" * 48 + "…"
    assert shortened("语" * 25) == "语" * 24 + "…"


@with_pictures
def test_the_diagram_has_every_layer_and_connection(model, tmp_path, monkeypatch, capsys):
    vis = load(DEMO / "visualization/vis.py")
    config = json.loads((model.folder / "bert_config.json").read_text("utf-8"))
    path = tmp_path / "bert_config.json"
    path.write_text(json.dumps({**config, "num_hidden_layers": 4}), "utf-8")
    built, _ = build_model_from_config(path, training=True)
    boxes = vis.collect(built, fold=False)
    assert list(boxes) == [layer.name for layer in built.layers]
    # get_model's drawing of the architecture: residual connections, tied table, masked positions
    for name, parents in {
        "Input-Masked": set(),
        "Embedding-Token-Segment": {"Embedding-Token", "Embedding-Segment"},
        "Encoder-1-MultiHeadSelfAttention-Add": {
            "Embedding-Norm",
            "Encoder-1-MultiHeadSelfAttention-Dropout",
        },
        "Encoder-4-FeedForward-Add": {
            "Encoder-4-MultiHeadSelfAttention-Norm",
            "Encoder-4-FeedForward-Dropout",
        },
        "MLM-Sim": {"MLM-Norm", "Embedding-Token"},
        "MLM": {"MLM-Sim", "Input-Masked"},
        "NSP": {"NSP-Dense"},
    }.items():
        assert set(boxes[name].parents) == parents
    assert sum(box.weight_num for box in boxes.values()) == built.count_params()
    assert boxes["NSP"].text == "Dense, (?, 2), 26 weights"

    folded = vis.collect(built)
    assert len(folded) == len(boxes) - 16 + 1
    middle = folded["Encoder-2 … Encoder-3"]
    assert middle.text.startswith("2 encoder layers, (?, 64, 12), ")
    assert middle.parents == ["Encoder-1-FeedForward-Norm"]
    assert sum(box.weight_num for box in folded.values()) == built.count_params()
    cells = vis.arrange(folded)
    assert len(set(cells.values())) == len(folded)
    for name, box in folded.items():
        assert all(cells[parent][1] < cells[name][1] for parent in box.parents)

    picture = tmp_path / "model.png"
    monkeypatch.setattr(sys, "argv", ["vis.py", str(model.folder), str(picture)])
    vis.main()
    assert is_picture(picture)
    assert capsys.readouterr().out == f"{picture} shows 24 boxes.\n"


@pytest.mark.parametrize("name", ["load_model/heat_maps.py", "visualization/vis.py"])
def test_without_matplotlib_the_scripts_say_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SystemExit, match="pip install matplotlib"):
        load(DEMO / name)


@pytest.mark.slow
def test_without_a_folder_the_model_of_the_package_serves(script):
    title, guesses, *pairs = script("load_and_predict.py").splitlines()
    assert title == "The capital of France is [MASK]."
    assert len(numbers(guesses)) == 5
    assert [line.split("  ")[1].split(" | ")[1][:8] for line in pairs] == ["The city", "Penguins"]
