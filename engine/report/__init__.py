"""A kept run on one page: a file that needs nothing else, with its plots as SVG."""
