"""Spaces: the towers of the digits world, their recipe, training and weights."""
