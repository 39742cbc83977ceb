"""Books, categories and statistics."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from app.core.catalogue import RATINGS
from app.web.fields import BoundedInteger, DecimalAmount, OneOf, RequestSchema, Text
from app.web.pagination import PageQuery, SortedPageQuery
from ml.text_model import MAX_NEIGHBOURS


def _book_id() -> fields.Integer:
    return fields.Integer(
        required=True, metadata={"description": "Dado uma vez, nunca reutilizado", "example": 0}
    )


def _title() -> fields.String:
    return fields.String(required=True, metadata={"example": "A Light in the Attic"})


def _category() -> fields.String:
    return fields.String(required=True, metadata={"example": "Poetry"})


def _price() -> fields.Float:
    return fields.Float(required=True, metadata={"description": "Libras, 2 casas decimais", "example": 51.77})


def _rating() -> fields.Integer:
    return fields.Integer(required=True, metadata={"minimum": 1, "maximum": 5, "example": 3})


class PricedBook(Schema):
    id = _book_id()
    titulo = _title()
    categoria = _category()
    preco_com_taxa = _price()


class RatedBook(PricedBook):
    preco_sem_taxa = _price()
    rating = _rating()


class ListedBook(RatedBook):
    disponibilidade = fields.Integer(
        required=True,
        metadata={"description": "Quantos podem ser pedidos agora", "minimum": 0, "example": 22},
    )


class SuggestedCategory(Schema):
    categoria = fields.String(required=True, metadata={"example": "Poetry"})
    certeza = fields.Float(
        required=True,
        metadata={"description": "Quantas de tais propostas acertam, de 0,8 a 0,99", "example": 0.92},
    )


class BookDetail(ListedBook):
    url_imagem = fields.Url(required=True, metadata={"example": "https://livraria-demo.invalid/media/0.svg"})
    categoria_sugerida = fields.Nested(
        SuggestedCategory,
        metadata={
            "description": "Só no detalhe de um livro de Default ou Add a comment, e só onde o modelo tem certeza"
        },
    )


class SimilarBook(ListedBook):
    similaridade = fields.Float(
        required=True,
        metadata={
            "description": "De 0 a 1, pelas palavras de título e descrição",
            "minimum": 0,
            "maximum": 1,
        },
    )
    motivos = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "As palavras em comum que mais pesam", "example": ["poesia", "riso"]},
    )


class SimilarQuery(RequestSchema):
    limit = BoundedInteger(
        low=1,
        high=MAX_NEIGHBOURS,
        load_default=MAX_NEIGHBOURS,
        metadata={"description": "Quantos livros, no máximo"},
    )
    disponiveis = OneOf(
        "0",
        "1",
        load_default="0",
        metadata={"description": "1 para mostrar primeiro os que podem ser pedidos"},
    )


class SearchQuery(SortedPageQuery):
    titulo = Text(
        high=300, load_default="", metadata={"description": "Parte do título, sem acento nem caixa"}
    )
    categoria = Text(high=300, load_default="", metadata={"description": "Nome da categoria, ou parte dele"})


class PriceRangeQuery(PageQuery):
    min = DecimalAmount(
        required=True, metadata={"description": "Menor preço com taxa, incluído", "example": 10}
    )
    max = DecimalAmount(
        required=True, metadata={"description": "Maior preço com taxa, incluído", "example": 50}
    )

    @validates_schema(skip_on_field_errors=True)
    def require_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["min"] > data["max"]:
            raise ValidationError("não pode ser maior que max", "min")


class CategoryStats(Schema):
    categoria = _category()
    quantidade_livros = fields.Integer(required=True, metadata={"example": 19})
    preco_medio_com_taxa = _price()
    preco_medio_sem_taxa = _price()


RatingCounts = Schema.from_dict(
    {str(rating): fields.Integer(required=True) for rating in RATINGS}, name="RatingCounts"
)


class Overview(Schema):
    total_livros = fields.Integer(required=True, metadata={"example": 1000})
    preco_medio_com_taxa = fields.Float(required=True, allow_none=True, metadata={"example": 35.07})
    preco_medio_sem_taxa = fields.Float(required=True, allow_none=True, metadata={"example": 35.07})
    distribuicao_ratings = fields.Nested(RatingCounts, required=True)
