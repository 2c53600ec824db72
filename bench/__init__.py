"""Speed measurements, one module each: `python3 dev.py bench`."""
