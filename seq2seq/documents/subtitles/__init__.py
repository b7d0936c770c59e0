"""Subtitles: `subrip`, `webvtt` and `ass`, with `cues` and `cue_text`, which they share."""
