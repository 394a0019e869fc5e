//! What a sweep tells: rows, summaries, stories.
