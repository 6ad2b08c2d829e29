#!/usr/bin/env bash
# The pictures in this folder but inside.svg, which is drawn by hand, made anew: `pip install '.[demo]'`
# and Chromium are needed.
set -euo pipefail
cd "$(dirname "$0")/../.."
pictures=docs/pictures
page=$(mktemp -d)/page.html

results=benchmarks/results
python benchmarks/plot.py $results/2026-11-29-extraction.md 1 $pictures/extraction.svg
python benchmarks/plot.py $results/2026-11-26-finetuning.md 1 $pictures/training.svg --table 2 \
  --label "ms per training step on two cores, MiniLM's shape, float32"
python benchmarks/plot.py $results/2026-11-26-gpu.md 3 $pictures/training-gpu.svg --table 5 \
  --label "ms per training step on an H100, BERT-base, bfloat16"

python demo/load_model/load_and_compare.py $pictures/similarity.png

python -m keras_bert show tiny "The [MASK] swam round the ship and struck it with his tail." -o "$page"
chromium --headless --no-sandbox --hide-scrollbars --window-size=1100,1060 --virtual-time-budget=3000 \
  --screenshot=$pictures/show.png "file://$page"
