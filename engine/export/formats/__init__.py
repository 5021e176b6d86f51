"""The forms a network can take home: each file offers one or several."""
