"""The nodes, one in each file. Each node reads its inputs, makes one call and returns its outputs."""
