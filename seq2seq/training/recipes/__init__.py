"""Recipes that ship: one TOML file a run."""
