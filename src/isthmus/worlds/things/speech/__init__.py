"""Speech: recordings of words and phrases, shipped or from a folder, go in; sentences are composed of them.

`units` (what is recorded) → `preparation` (how a recording is kept) → `recordings` (all of them) → `shipped`, `folder`
(where they come from).
"""
