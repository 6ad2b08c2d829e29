"""README and guides, and their examples, for tests to run as they stand there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GUIDES = ROOT / "docs" / "guides"
# The English page, and the Chinese one that says the same.
PAGES = {
    ROOT / "README.md": ROOT / "README.zh-CN.md",
    **{page: GUIDES / "zh" / page.name for page in sorted(GUIDES.glob("en/*.md"))},
}


def example(mark):
    """The one Python example of the guides that holds a mark."""
    texts = [page.read_text("utf-8") for page in GUIDES.glob("en/*.md")]
    blocks = [block for text in texts for block in BLOCK.findall(text)]
    (code,) = [code for language, code in blocks if language == "python" and mark in code]
    return code


def run(code, names):
    """Run an example with some names at hand; they are joined by those that it makes."""
    # A name of no file: Grain looks up the source of functions.
    exec(compile(code, "<README.md>", "exec"), names)
