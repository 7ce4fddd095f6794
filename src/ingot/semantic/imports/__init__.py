"""Models of other semantic layers -> cubes and views in Cube's YAML: dbt's (MetricFlow) and Cube's JavaScript.

A converter reads text and gives `Converted`: plain data for YAML, and a note for each thing that it could
not carry over. It runs once, by `ingot model import`; what it wrote is the author's from then on.
"""

from ingot.semantic.imports.converted import Converted, to_yaml

__all__ = ["Converted", "to_yaml"]
