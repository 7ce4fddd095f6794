"""What the Python beside a semantic model uses: `TemplateContext` registers what its Jinja templates can call."""

from ingot.project.rendering.python import SafeString, TemplateContext

__all__ = ["SafeString", "TemplateContext"]
