"""What a response about the catalogue was made of, which decides how long it stays true."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.core.books import AS_PUBLISHED
from app.core.catalogue import Catalogue, Publication
from app.version import API_VERSION
from app.web.formats import Format


class DependsOn(Enum):
    """The part of the catalogue that determines a response, and so what makes it outdated."""

    CATALOGUE = "the books without their stocks: the next publication"
    STOCKS = "the books with their stocks: also the next sale"
    BOOK = "the book of the URL: also its next sale, and the next model where one proposes its category"
    ALIKE = "the books with their stocks, and the model that found which are alike"


@dataclass(frozen=True, slots=True)
class Source:
    """The publication that a response was made of, and the version of the stocks that it shows.

    `stock_version` is 0 where it shows none, and the stock itself where `book_id` is the only book shown;
    `model_version` is 0 where nothing of a model is shown, as of a damaged one. All that is made of a past publication
    has the same, and stays current.
    """

    publication: Publication
    stock_version: int
    depends_on: DependsOn
    book_id: int | None
    model_version: int = 0
    output: Format = Format.JSON

    @classmethod
    def of(
        cls, snapshot: Catalogue, depends_on: DependsOn, book_id: int | None, output: Format = Format.JSON
    ) -> Source:
        """Return the source of a response made of `snapshot`. Raises BookNotFound."""
        version = _stock_version(snapshot, depends_on, book_id)
        model = _model_version(snapshot, depends_on, book_id)
        return cls(snapshot.publication, version, depends_on, book_id, model, output)

    @property
    def etag(self) -> str:
        """The tag of the response.

        It holds the time of publication beside the version, since another database counts its versions from 1 too,
        and the API's own version.
        """
        stamp = int(self.publication.published_at.timestamp() * 1_000_000)
        model = f"-m{self.model_version}" if self.model_version else ""
        tag = f"{self.publication.version}.{self.stock_version}-{stamp:x}-{API_VERSION}{model}"
        return tag if self.output is Format.JSON else f"{tag}-{self.output}"

    def is_current(self, snapshot: Catalogue) -> bool:
        """Return whether the same request, made of `snapshot`, would have the same response."""
        if snapshot.publication is self.publication or self.publication.is_past:
            return True
        return (
            snapshot.publication.version == self.publication.version
            and snapshot.publication.published_at == self.publication.published_at
            and _stock_version(snapshot, self.depends_on, self.book_id) == self.stock_version
            and self._shows_model_of(snapshot)
        )

    def _shows_model_of(self, snapshot: Catalogue) -> bool:
        if snapshot.publication.model_version == self.publication.model_version:  # most often, and at once
            return True
        return _model_version(snapshot, self.depends_on, self.book_id) == self.model_version


def _stock_version(snapshot: Catalogue, depends_on: DependsOn, book_id: int | None) -> int:
    if snapshot.publication.is_past:
        return AS_PUBLISHED
    if depends_on is DependsOn.CATALOGUE:
        return 0
    if depends_on is DependsOn.BOOK and book_id is not None:
        return snapshot.stock(book_id)
    return snapshot.publication.stock_version


def _model_version(snapshot: Catalogue, depends_on: DependsOn, book_id: int | None) -> int:
    shown = depends_on is DependsOn.ALIKE or (
        depends_on is DependsOn.BOOK
        and book_id is not None
        and snapshot.suggested_category(book_id) is not None
    )
    return snapshot.publication.model_version if shown and snapshot.texts.problem is None else 0
