"""Saved models: the classes they name, files of old versions, and conversion between formats."""
