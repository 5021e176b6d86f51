"""What a network can say at most and at least while its input moves in a box.

`interval` passes boxes forward, `crown` passes lines backward; both enclose every answer.
"""
