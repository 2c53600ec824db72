"""The nodes, one a file. Each reads its inputs, makes one call, and shapes its outputs."""
