"""Recurrent machine translation: an encoder reads a sentence, a context of it conditions the decoder."""

__version__ = "0.1.0"
