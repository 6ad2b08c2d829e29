"""Long lists of names in error messages."""

from runtimes import once

from keras_bert.checkpoints.listing import describe_missing, listed, summary, with_ranges

pytestmark = once


def test_layers_are_counted_as_ranges():
    names = [f"encoder/layer_{number}/bias" for number in (0, 1, 2, 5)]
    names += ["pooler/bias", "encoder.layer.7.bias"]
    assert with_ranges(names) == [
        "encoder/layer_{0-2,5}/bias",
        "pooler/bias",
        "encoder.layer.7.bias",
    ]


def test_the_first_of_many():
    names = [f"n{number}" for number in range(10)]
    assert listed(names[:8], ", ") == "n0, n1, n2, n3, n4, n5, n6, n7"
    assert listed(names, "; ", most=2) == "n0; n1; and 8 more"


def test_names_are_counted_by_how_they_begin():
    names = ["bert/encoder/a", "bert/encoder/b", "bert.embeddings.x", "global_step"]
    assert summary(names) == "4 tensors: 2 bert/encoder, 1 bert/embeddings, 1 global_step"
    assert summary([]) == "0 tensors"
    assert summary([f"a{number}" for number in range(20)]).endswith("1 a11, and others")


def test_what_is_missing_and_what_may_be_meant():
    text = describe_missing(["LayerNorm/gamma"], ["LayerNorm/gama", "other"], ["LayerNorm/gama"])
    assert text.split("\n") == [
        "  LayerNorm/gamma",
        "It holds 2 tensors: 1 LayerNorm/gama, 1 other.",
        "Is 'LayerNorm/gama' meant to be 'LayerNorm/gamma'?",
    ]
