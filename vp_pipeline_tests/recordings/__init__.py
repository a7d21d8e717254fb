"""Made-up recorded answers with every oddity that real ones taught (README.md), and the script that writes them."""
