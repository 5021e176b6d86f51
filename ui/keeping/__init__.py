"""The Runs page: the table of what is kept, and what can be done with one run or several."""
