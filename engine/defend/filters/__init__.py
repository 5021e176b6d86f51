"""The input transforms, one file each; see `engine.defend.table`."""
