"""Feeds come in: fetched, parsed into entries, and each entry recognized if it was here before.

`fetch` asks the network or reads a file; `parse` turns bytes into values and is run in a worker; `identity`
says what is new; `discover` (with `sites`, `programs`, `hints`) and `opml` find and list feeds; `pages` asks
for the pages of entries. It knows nothing of articles or letters.
"""
