"""The stand-in for Keepa: what it knows (world, recordings) and how it answers (api)."""
