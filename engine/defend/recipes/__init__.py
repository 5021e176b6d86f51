"""The training defences, one file each; see `engine.defend.table`."""
