"""Recurrent machine translation: an encoder reads a sentence, a context of it conditions the decoder."""
