"""Takes the pictures of the documentation: `python -m tests.ui.screenshot URL docs/images/dashboard.png`.

Writes the light theme to the file that is named and the dark theme beside it, as `<name>-dark.png`.
"""

import sys
from pathlib import Path
from typing import Literal

from tests.ui.browser import drawn, launched


def main(url: str, out: Path, width: int = 1440, height: int = 1024) -> None:
    """Opens `url` in both themes and writes two pictures."""
    themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    with launched() as browser:
        for theme in themes:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
            )
            page = context.new_page()
            page.goto(url)
            drawn(page)
            target = out if theme == "light" else out.with_stem(f"{out.stem}-dark")
            page.screenshot(path=target)
            print(f"{target} {target.stat().st_size // 1000} kB")  # noqa: T201 - a command, not a test
            context.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
