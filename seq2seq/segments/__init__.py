"""What stands in text around its language: sentences, what is kept untranslated, inline markup. Knows no model.

Other rooms use `segment` (text with marks where something stands that is not language).
"""
