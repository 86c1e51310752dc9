"""Digest: one good letter a day, by email and as a feed."""

__version__ = "0.1.0"
