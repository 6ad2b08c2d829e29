#!/usr/bin/env bash
# The pictures in this folder, made anew: `pip install '.[demo]'` and Chromium are needed.
set -euo pipefail
cd "$(dirname "$0")/../.."
pictures=docs/pictures
page=$(mktemp -d)/page.html

python benchmarks/plot.py benchmarks/results/2026-11-29-extraction.md 1 $pictures/extraction.svg

python demo/load_model/load_and_compare.py $pictures/similarity.png

python -m keras_bert show tiny "The [MASK] swam round the ship and struck it with his tail." \
  --top 9 -o "$page"
chromium --headless --no-sandbox --hide-scrollbars --window-size=1100,1000 --virtual-time-budget=3000 \
  --screenshot=$pictures/show.png "file://$page"
