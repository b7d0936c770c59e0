"""Plain text: `lines`, `paragraphs`, and `tables` (CSV, TSV)."""
