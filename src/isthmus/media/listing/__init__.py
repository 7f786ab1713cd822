"""Listing: a folder, list, table, tar or dataset comes in; its items go out, unread, in a fixed order."""
