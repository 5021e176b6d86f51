"""Networks as data: the spec, the layers it may hold, what is true of it, and how it is built."""
