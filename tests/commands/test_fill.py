"""Masked words, compared with those of Hugging Face transformers."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import as_json
from model_folders import with_untrained_head, write_google_folder
from safetensors.numpy import load_file, save_file

from keras_bert import get_checkpoint_paths, load_trained_model_from_checkpoint
from keras_bert.checkpoints import write_tensor_bundle
from keras_bert.families.weights import to_checkpoint

# transformers wrote this folder and `fill.json` in it.
HUGGING_FACE = Path(__file__).parents[1] / "data" / "transformers"
TEXTS = ["a b [MASK] d", "[MASK] z ||| A [MASK]"]


def test_probabilities_of_transformers(command):
    expected = json.loads((HUGGING_FACE / "fill.json").read_text("utf-8"))
    code, out, err = command("fill", HUGGING_FACE, *expected, "--json", "--top", "3")
    assert (code, err) == (0, "")
    for line, (text, masks) in zip(as_json(out), expected.items(), strict=True):
        assert line["text"] == text
        for found, wanted in zip(line["masks"], masks, strict=True):
            assert [each["token"] for each in found] == [each["token"] for each in wanted]
            values = pytest.approx([each["probability"] for each in wanted], rel=1e-4)
            assert [each["probability"] for each in found] == values


@pytest.mark.parametrize("name", ["albert", "distilbert", "ernie", "ernie-tasks"])
def test_probabilities_of_relatives(command, name):
    folder = HUGGING_FACE.parent / "relatives" / name
    code, out, err = command("fill", folder, "a [MASK] c", "--json", "--top", "30")
    assert (code, err) == (0, "")
    paths = get_checkpoint_paths(folder)
    model = load_trained_model_from_checkpoint(
        *paths[:2], training=True, seq_len=None, allow_missing_heads=True
    )
    ids = np.array([[2, 5, 4, 7, 3]])
    outputs = model.predict_on_batch([ids, 0 * ids, (ids == 4).astype("int32")])
    words = outputs[0] if len(model.outputs) > 1 else outputs
    expected = np.sort(np.asarray(words)[0, 2])[::-1]
    found = [each["probability"] for each in as_json(out)[0]["masks"][0]]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_probabilities_of_transformers_on_the_converted_folder(command, google, tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    code, out, err = command("fill", google, *TEXTS, "--json", "--top", "3")
    assert (code, err) == (0, "")
    assert command("convert", google, tmp_path / "hf", "--to", "huggingface")[0] == 0
    model = transformers.BertForPreTraining.from_pretrained(tmp_path / "hf").eval()
    # Ids in the vocabulary of model_folders: [CLS] 2, [SEP] 3, [MASK] 4, a 5, b 6, d 8; z is [UNK].
    ids = [[2, 5, 6, 4, 8, 3], [2, 4, 1, 3, 5, 4, 3]]
    segments = [[0] * 6, [0] * 4 + [1] * 3]
    vocabulary = (google / "vocab.txt").read_text().split("\n")
    for line, text, row, segment in zip(as_json(out), TEXTS, ids, segments, strict=True):
        with torch.no_grad():
            logits = model(
                torch.tensor([row]), token_type_ids=torch.tensor([segment])
            ).prediction_logits
        positions = [position for position, index in enumerate(row) if index == 4]
        best = logits[0, positions].softmax(-1).topk(3)
        assert line["text"] == text
        for mask, values, indices in zip(line["masks"], *best, strict=True):
            assert [each["token"] for each in mask] == [vocabulary[i] for i in indices]
            expected = pytest.approx(values.tolist(), rel=1e-4)
            assert [each["probability"] for each in mask] == expected


def test_text_from_stdin_as_lines_for_people(command, google):
    code, out, _ = command("fill", google, "--top", "2", stdin="a [MASK]\n[MASK] [MASK]\n")
    lines = out.splitlines()
    assert code == 0
    both = "[MASK] [MASK] (mask {} of 2)"
    assert lines[::3] == ["a [MASK]", both.format(1), both.format(2)]
    probabilities = [float(line.split("\t")[0]) for line in lines if "\t" in line]
    assert len(probabilities) == 6
    assert all(0 <= each <= 1 for each in probabilities)


@pytest.mark.slow
def test_official_tokens(command, google):
    def probabilities(*options):
        lines = as_json(command("fill", google, "ab [MASK]", "yz [MASK]", "--json", *options)[1])
        return [line["masks"] for line in lines]

    first, second = probabilities("--official")  # of which the vocabulary has neither word
    assert first == second
    first, second = probabilities()
    assert first != second


def test_a_sentencepiece_vocabulary(command, pieces):
    words = ("fill", pieces, "a [MASK] film", "--json", "--top", "600")
    code, out, err = command(*words)
    assert (code, err) == (0, "")
    ((mask,),) = [line["masks"] for line in as_json(out)]
    assert sum(each["probability"] for each in mask) == pytest.approx(1, abs=1e-4)
    assert {"▁film", "[MASK]"} < {each["token"] for each in mask}
    # By way of special tokens that are kept whole.
    assert command(*words, "--official")[1] == out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "there is no [MASK] in the text 'a b'"),
        ("a [mask]", "in the text 'a [mask]'; it is written [MASK]"),
        ("a <mask>", "in the text 'a <mask>'; it is written [MASK]"),
        ("a [ MASK ]", "in the text 'a [ MASK ]'; it is written [MASK]"),
        ("天［MASK］", "in the text '天［MASK］'; it is written [MASK]"),
        ("天［ＭＡＳＫ］", "in the text '天［ＭＡＳＫ］'; it is written [MASK]"),
        ("天【MASK】", "in the text '天【MASK】'; it is written [MASK]"),
        ("a \udcb7 [MASK]", "a text is not UTF-8. Received: 'a \\udcb7 [MASK]'"),
        ("[MASK]" * 15, "17 tokens, the model takes 16"),
    ],
)
def test_texts_that_cannot_be_filled(command, google, text, message):
    code, out, err = command("fill", google, text)
    assert (code, out) == (1, "")
    assert message in err


def test_a_text_without_quotes(command, google):
    code, out, err = command("fill", google, "a", "b", "[MASK]", "c")
    told = "there is no [MASK] in the text 'a'; a text of several words stands in quotes"
    assert (code, out, err) == (1, "", f"keras-bert fill: {told}\n")


def test_a_line_that_cannot_be_filled_is_remarked_and_left_out(command, google):
    lines = ["a b", "", "a [MASK]", "[MASK]" * 15, "b [MASK]"]
    code, out, err = command("fill", google, "--top", "1", stdin="\n".join(lines))
    assert code == 1
    assert out.splitlines()[::2] == ["a [MASK]", "b [MASK]"]
    first, blank, fourth, last = err.splitlines()
    assert first == "keras-bert fill: line 1: there is no [MASK] in the text 'a b'"
    assert "line 2 is blank" in blank
    assert fourth.startswith("keras-bert fill: line 4: the text has 17 tokens, the model takes 16")
    assert last == "keras-bert fill: lines without guesses: 2"


def test_no_texts(command, google):
    assert command("fill", google) == (0, "", "keras-bert fill: there are no texts\n")


def test_a_model_without_the_head(command, google, tmp_path):
    assert command("convert", google, tmp_path / "hf", "--to", "huggingface")[0] == 0
    _drop(tmp_path / "hf", "cls.")
    code, _, err = command("fill", tmp_path / "hf", "a [MASK]")
    assert code == 1
    assert "has no head for masked words; extract and similar need none" in err


def test_a_head_that_was_never_trained_is_remarked_upon(command, tmp_path):
    weights = write_google_folder(tmp_path)
    tensors = to_checkpoint(with_untrained_head(weights), "google")
    write_tensor_bundle(tmp_path / "bert_model.ckpt", tensors)
    code, out, err = command("fill", tmp_path, "a [MASK]")
    assert (code, len(out.splitlines())) == (0, 6)
    assert err == (
        f"keras-bert fill: {tmp_path / 'bert_model.ckpt'}: the head for masked words has never "
        "been trained, its guesses are random\n"
    )


def test_a_model_with_no_other_head(command, google, tmp_path):
    """What `BertForMaskedLM` saves: neither pooler nor next sentence."""
    assert command("convert", google, tmp_path / "hf", "--to", "huggingface")[0] == 0
    expected = command("fill", tmp_path / "hf", "a b [MASK] d")
    _drop(tmp_path / "hf", "cls.seq_relationship.", "bert.pooler.")
    assert command("fill", tmp_path / "hf", "a b [MASK] d") == expected
    assert expected[0] == 0


def _drop(folder, *prefixes):
    file = folder / "model.safetensors"
    kept = {name: array for name, array in load_file(file).items() if not name.startswith(prefixes)}
    save_file(kept, file)


def test_another_models_vocabulary_is_remarked_upon(command, google, tmp_path):
    folder = tmp_path / "folder"
    shutil.copytree(google, folder)
    words = (google / "vocab.txt").read_text().splitlines()
    (folder / "vocab.txt").write_text("\n".join(words[:20]))
    code, _, err = command("fill", folder, "a [MASK]")
    assert code == 0
    assert err == (
        f"keras-bert fill: {folder / 'vocab.txt'} has 20 tokens, the model 30: does it belong to "
        "it?\n"
    )


def test_unknown_tokens_are_remarked_upon(command, google):
    code, _, err = command("fill", google, "今天天气真[MASK]")
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("keras-bert fill: most tokens of the texts are not in the vocabulary")
    assert command("fill", google, "a [MASK] [MASK] 中")[2] == ""


def test_a_vocabulary_without_mask(command, tmp_path):
    write_google_folder(tmp_path, vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    code, _, err = command("fill", tmp_path, "a [MASK]")
    assert (code, err.endswith("has no [MASK]\n")) == (1, True)
