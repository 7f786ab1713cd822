"""Listing: a folder, list, table, tar or data set comes in, its items go out, unread."""
