"""Functions of torch as layers: each file adds some to the table of `engine.importing.calls`."""
