"""keras_bert makes mean vectors of any number of texts, and keeps none; see scaling.py."""

import random
import sys

from shared import read_texts, serve

from keras_bert import (
    POOL_AVE,
    PretrainedList,
    extract_embeddings_generator,
    get_checkpoint_paths,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)

folder, texts_file = sys.argv[1:]
lines = [text.split() for text in read_texts(texts_file)]
words, lengths = [word for line in lines for word in line], [len(line) for line in lines]
paths = get_checkpoint_paths(folder or PretrainedList.tiny)
model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
vocabulary = load_vocabulary(paths.vocab)


def draw_texts(count):
    generator = random.Random(0)
    for _ in range(count):
        yield " ".join(generator.choices(words, k=generator.choice(lengths)))


def extract(count):
    for _ in extract_embeddings_generator(model, draw_texts(int(count)), POOL_AVE, vocabulary):
        pass


extract(100)
serve(extract)
