"""Where issues leave the house: one file a channel, found by its name in `newsletters.X.channels`."""
