"""What speed costs and gives, measured in one run: `python3 dev.py bench`. One module for each measurement."""
