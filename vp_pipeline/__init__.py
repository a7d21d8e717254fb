"""VeracityPro pipeline: an asset graph for Amazon-marketplace analytics."""
