"""Demo: the digits world connected by every method, evaluated and shown on one page.

`contenders` (what is compared) → `stages` (each fitted, evaluated and kept) → `summary` and `showcase` (the page).
"""

from isthmus.demo.run import run_demo

__all__ = ["run_demo"]
