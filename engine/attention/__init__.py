"""Looking inside attention: of any module, without knowing how it was written.

`watch.look` runs a module and hands over every attention it computed; `edits` change what it
computes on the way; `methods` is the table of what can be made of it.
"""
