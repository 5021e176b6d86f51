"""Networks that come from elsewhere: read, never run.

Every reader plays what it reads on a `tape` of single layers, each measured as it is added; `fold`
turns the tape into a spec with blocks. Nothing here executes or unpickles what was handed in.
"""
