"""Translations over HTTP: `server` is the application (LibreTranslate's interface, the request queue, the page)."""
