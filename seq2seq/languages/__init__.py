"""Languages: their codes and names, and in which one a text is. It does not know files, sentence pairs or models.

Other rooms use `codes` (compares tags of BCP 47, codes of ISO 639 and names of languages), `identification` (the
language of a text, by its script and by py3langid) and `misreading` (text in a wrong encoding).
"""
