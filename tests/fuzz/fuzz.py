"""Fuzz one reader of bytes, by hand: `python tests/fuzz/fuzz.py safetensors --seconds 300`.

It needs the package atheris and Linux. What it finds ends the run, with a traceback or a line of
libFuzzer's, and the bytes are kept in a file crash-…, timeout-… or oom-…; `--again FILE` reads that
file once more. A find is: an error that the reader does not document, the end of the process, more
than some seconds, or more memory than twice the bytes and a constant.
"""

import argparse
import resource
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["keras_bert", "zipfile", "tarfile", "gzip"]):
    from targets import TARGETS, ignore_checksums

_MEGABYTE = 1 << 20
_MOST_SECONDS = 5
_CONSTANT = 64 * _MEGABYTE
_ADDRESS_SPACE = 4096 * _MEGABYTE  # beyond it an allocation fails, used or not
_LONGEST = 16384


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--corpus", type=Path, help="a folder of files found before, for more")
    parser.add_argument("--again", type=Path, help="a file to read, instead of fuzzing")
    arguments = parser.parse_args()
    target = TARGETS[arguments.target]
    ignore_checksums()

    def read(content: bytes) -> None:
        before = _peak()
        target.run(content)
        if _peak() > before + 2 * len(content) + _CONSTANT:
            raise MemoryError(f"{(_peak() - before) // _MEGABYTE} MB for {len(content)} bytes")

    seeds = Path(tempfile.mkdtemp())
    for number, content in enumerate(target.seeds()):
        (seeds / str(number)).write_bytes(content)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _ADDRESS_SPACE,) * 2)
    if arguments.again:
        read(arguments.again.read_bytes())
        return
    corpus = arguments.corpus or Path(tempfile.mkdtemp())
    corpus.mkdir(exist_ok=True)
    options = {
        "max_total_time": arguments.seconds,
        "timeout": _MOST_SECONDS,
        "rss_limit_mb": 1024,
        "max_len": _LONGEST,
        "len_control": 0,
        "print_final_stats": 1,
    }
    flags = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], *flags, str(corpus), str(seeds)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
