"""The detectors of attacked inputs, one file each; see `engine.defend.table`."""
