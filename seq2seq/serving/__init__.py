"""Translations over HTTP. Other rooms use `server`: the ASGI application, with its routes.

Inside, `interface` checks LibreTranslate's requests and builds the answers, and `batcher` is a model's request queue;
page.html is the page for people.
"""
