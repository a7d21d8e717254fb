"""A shim for tools that still ask for one; all metadata is in pyproject.toml."""

from setuptools import setup

setup()
