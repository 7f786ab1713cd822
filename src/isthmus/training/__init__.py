"""Training: an objective and a schedule come in; trained weights go out.

Runs can be resumed, use several processes, and report progress and curves. k-means is here too.
"""
