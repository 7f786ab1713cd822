"""Demo: the digits world goes in; every method's figures, a connector, a code model and one page come out.

`methods` and `code_stages` say what is compared; `connector_stages` and `code_stages` fit, evaluate and keep it, each
as one of `stages`; `summary` has the figures, `page` (with `search_examples` and `code_sections`) shows them.
"""

from isthmus.demo.run import run_demo

__all__ = ["run_demo"]
