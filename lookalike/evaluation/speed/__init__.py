"""How fast it is, and how that grows: one photo, the search, the start, the crowd.

Every comparison is taken in turns within one run, so that whatever else the machine does falls on all alike;
a ratio is the median of the rounds' ratios.
"""
