"""The layers a network may hold: one class an entry; a new file here is found by itself."""
