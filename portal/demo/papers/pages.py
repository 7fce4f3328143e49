"""Papers as pages: templates below templates/pdf/demo, rendered to PDF, or to a picture as a phone takes it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from integrations.money import Money
from portal.demo.papers.words import WORDS
from portal.money import display
from portal.render import pdf

if TYPE_CHECKING:
    from PIL.Image import Image

TEMPLATES = Path(__file__).parents[3] / "templates" / "pdf" / "demo"


def page(template: str, *, language: str = "de", pdfa: bool = False, **values: object) -> bytes:
    """The PDF of a template; ``language`` decides words, dates and amounts."""
    return pdf(text(f"{template}.html", language=language, **values), pdfa=pdfa)


def text(template: str, *, language: str = "de", **values: object) -> str:
    """A template filled in; a value it lacks is an error."""
    return _templates().get_template(template).render(language=language, words=WORDS[language], **values)


@cache
def _templates() -> Environment:
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters |= {"money": _money, "bare": _bare, "day": _day, "number": _number, "iban": _iban}
    return made


def _money(amount: Money, language: str) -> str:
    return display(amount, _locale(language))


def _bare(amount: Money, language: str) -> str:
    return display(amount, _locale(language), symbol=False)


def _day(day: date, language: str) -> str:
    return day.strftime("%d.%m.%Y") if language == "de" else str(format_date(day, "d MMMM yyyy", locale="en_GB"))


def _number(value: Decimal, language: str, places: int = 0) -> str:
    pattern = "#,##0." + "0" * places + "#" * (3 - places)
    return str(format_decimal(value, format=pattern, locale=_locale(language)))


def _iban(value: str) -> str:
    return " ".join(value[at : at + 4] for at in range(0, len(value), 4))


def _locale(language: str) -> str:
    return "de_DE" if language == "de" else "en_GB"


def photograph(content: bytes, seed: str, *, png: bool = False) -> bytes:
    """The first page of a PDF as a phone takes it: a little turned, unevenly lit, noisy. The same seed, the same bytes.

    JPEG, or a clean scan as PNG.
    """
    dice = Random(seed)  # noqa: S311 - a look, not a secret
    paper = _rendered(content)
    picture = _scanned(paper, dice) if png else _lit(_turned(paper, dice), dice)
    out = BytesIO()
    if png:
        picture.convert("L").save(out, "PNG")
    else:
        picture.save(out, "JPEG", quality=74)
    return out.getvalue()


def _rendered(content: bytes, dpi: int = 150) -> Image:
    import pypdfium2

    with pypdfium2.PdfDocument(content) as document:
        image: Image = document[0].render(scale=dpi / 72).to_pil().convert("RGB")
        return image


def _scanned(paper: Image, dice: Random) -> Image:
    from PIL import Image

    return paper.rotate(dice.uniform(-0.4, 0.4), Image.Resampling.BICUBIC, fillcolor="white")


def _turned(paper: Image, dice: Random) -> Image:
    """The paper on a table, turned by up to two degrees."""
    from PIL import Image

    table = dice.choice(((92, 72, 54), (58, 62, 70), (128, 120, 108)))
    margin = paper.width // 8
    scene = Image.new("RGB", (paper.width + 2 * margin, paper.height + 2 * margin), table)
    scene.paste(paper, (margin, margin))
    return scene.rotate(dice.uniform(-2, 2), Image.Resampling.BICUBIC, fillcolor=table)


def _lit(scene: Image, dice: Random) -> Image:
    """Light that falls off to one side, grain, and a lens that is not quite sharp."""
    from PIL import Image, ImageChops, ImageFilter

    light = Image.linear_gradient("L").rotate(dice.choice((0, 90, 180, 270))).resize(scene.size)
    shade = light.point([205 + level * 50 // 255 for level in range(256)]).convert("RGB")
    tile = Image.frombytes("L", (256, 256), dice.randbytes(256 * 256)).point([level // 11 for level in range(256)])
    grain = Image.new("L", scene.size)
    for left in range(0, scene.width, 256):
        for top in range(0, scene.height, 256):
            grain.paste(tile, (left, top))
    lit = ImageChops.multiply(scene, shade).filter(ImageFilter.GaussianBlur(0.6))
    return ImageChops.subtract(lit, grain.convert("RGB"))
