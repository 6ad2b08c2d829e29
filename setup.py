"""Package metadata; requirements.txt is the one list of dependencies."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def requirements() -> list[str]:
    lines = (line.split("#")[0].strip() for line in read("requirements.txt").splitlines())
    return [line for line in lines if line]


# Read, not imported: importing the package would need Keras while the wheel is being built.
package = read("keras_bert/__init__.py")
version = re.search(r'^__version__ = "(.+)"$', package, re.MULTILINE).group(1)

setup(
    name="keras-bert",
    version=version,
    description="BERT for Keras 3 (TensorFlow, JAX, PyTorch) and tf_keras, from official weights",
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    author="the keras-bert contributors",
    license_expression="MIT AND Apache-2.0",  # the latter is that of the model in datasets/tiny
    keywords=["BERT", "Keras", "TensorFlow", "JAX", "PyTorch", "NLP", "transformer"],
    license_files=["LICENSE", "keras_bert/datasets/tiny/LICENSE"],
    packages=find_packages(include=["keras_bert", "keras_bert.*"]),
    package_data={"keras_bert": ["py.typed", "commands/*.html", "datasets/tiny/*"]},
    zip_safe=False,
    python_requires=">=3.11",
    install_requires=requirements(),
    entry_points={"console_scripts": ["keras-bert = keras_bert.commands:main"]},
    extras_require={
        "hub": ["huggingface_hub>=0.25.0"],
        "jax": ["jax>=0.4.34"],
        "onnx": ["onnxruntime>=1.20.0", "tf2onnx>=1.17.0"],
        "litert": ["ai-edge-litert>=2.1.0"],  # runs .tflite files
        "openvino": ["openvino>=2025.0.0", "scipy>=1.14.0"],  # Keras' exporter imports SciPy
        "parquet": ["pyarrow>=15.0.0"],
        "torch": ["torch>=2.6.0"],
        "demo": ["matplotlib>=3.8.0"],
        "docs": ["furo>=2025.12.19", "myst-parser>=5.2.0", "sphinx>=9.0.4"],
        "pretrain": ["tokenizers>=0.20.0"],  # learns the vocabulary in demo/pretrain.py
        "ray": ["pyarrow>=15.0.0", "ray[data]>=2.40.0"],
        "sentencepiece": ["sentencepiece>=0.2.2"],  # vocabularies of English ALBERT models
        # What slow tests compare with, beside the numbers that all tests have with them.
        "reference": [
            "mypy>=1.11.0",
            "sentence-transformers>=3.3.0",
            "tokenizers>=0.20.0",
            "transformers>=4.45.0",
        ],
        "test": [
            "build>=1.2.0",
            "grain>=0.2.12",
            "huggingface_hub>=0.25.0",
            "hypothesis>=6.100.0",
            "pyarrow>=15.0.0",
            "pytest>=8.0.0",
            "pytest-xdist>=3.6.1",
            "ruff>=0.9.0",
            "sentencepiece>=0.2.2",
        ],
    },
    classifiers=[
        "Development Status :: 5 - Production/Stable",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
