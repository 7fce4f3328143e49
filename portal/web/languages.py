"""Which language a page is in, and where its sentences come from."""

from __future__ import annotations

from typing import cast

from babel.support import NullTranslations
from flask import Flask, g, request
from flask_babel import Domain
from flask_login import current_user

from portal.i18n import LANGUAGES, Babel, language, translations

COOKIE = "language"


class Catalogue(Domain):  # type: ignore[misc]
    """Translations read straight from the .po file, so that there is nothing to compile and nothing to forget."""

    def get_translations(self) -> NullTranslations:
        """The sentences of the present reader's language."""
        if "translations" not in g:
            g.translations = translations(language())
        return cast("NullTranslations", g.translations)


def choose() -> str:
    """The person's choice, else this browser's, else what it asks for; English when it asks for neither."""
    if current_user.is_authenticated and current_user.viewer.language in LANGUAGES:
        return str(current_user.viewer.language)
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or "en"


def register(app: Flask) -> None:
    """Attach the languages to the application."""
    babel = Babel(app, locale_selector=choose)
    catalogue = babel.domain_instance = Catalogue()
    app.jinja_env.globals["language"] = language
    # Templates say a hundred sentences a page: straight from the catalogue, not by way of what Flask-Babel looks up.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: catalogue.get_translations().ugettext(text),
        lambda one, many, count: catalogue.get_translations().ungettext(one, many, count),
        newstyle=True,
    )
