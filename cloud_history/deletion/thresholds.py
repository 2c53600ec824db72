"""From where on a deletion needs an extra confirmation."""

LARGE_SHARE = 0.8
"""A larger share of the finished jobs, or of the jobs that a retention policy applies to."""
MANY_JOBS = 1000
"""More jobs than this, even if they are a small share."""
MANY_FINAL_JOBS = 100
"""This many jobs or more, if the deletion is final at once: it can neither be undone nor is it backed up."""
