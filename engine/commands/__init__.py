"""The engine on the command line: each module here is one verb.

A verb's module has a docstring (its help), `add(parser)`, which declares its arguments, and
`run(options) -> int`, which does it and gives the exit status.
"""
