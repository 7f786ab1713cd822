"""Demo: a world goes in; every method's figures, a connector, a code model and one page come out.

`world` is what is asked of a world, `digits` and `things` are the two. `methods` and `code_stages` say what is
compared, `plan` puts it together; `connector_stages` and `code_stages` fit, evaluate and keep it, each as one of
`stages`; `summary` has the figures, `page` (with `search_examples` and `code_sections`) shows them.
"""

from isthmus.demo.run import OwnMaterial, run_demo

__all__ = ["OwnMaterial", "run_demo"]
