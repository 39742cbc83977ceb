"""Books, categories and statistics."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from app.core.catalogue import RATINGS, SORT_COLUMNS
from app.web.fields import BoundedInteger, DecimalAmount, OneOf, RequestSchema, Text
from app.web.formats import FormatQuery
from app.web.pagination import PageQuery, SortedPageQuery
from app.web.past import PastQuery
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


def _image_url() -> fields.Url:
    return fields.Url(required=True, metadata={"example": "https://livraria-demo.invalid/media/0.svg"})


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


class FoundBook(ListedBook):
    url_imagem = _image_url()
    aproximado = fields.Boolean(
        metadata={
            "description": "Só nos livros próximos do que se buscou, onde nada casa exatamente: sempre `true`"
        }
    )


class SuggestedCategory(Schema):
    categoria = fields.String(required=True, metadata={"example": "Poetry"})
    certeza = fields.Float(
        required=True,
        metadata={"description": "A fração das propostas assim que acerta, de 0,8 a 0,99", "example": 0.92},
    )


class BookDetail(ListedBook):
    url_imagem = _image_url()
    descricao = fields.String(
        required=True, metadata={"description": "Vazia quando a loja não traz nenhuma", "example": "Poems."}
    )
    upc = fields.String(required=True, metadata={"example": "a897fe39b1053632"})
    url_produto = fields.String(
        required=True,
        metadata={
            "description": "A página do livro na loja lida",
            "example": "https://livraria-demo.invalid/0",
        },
    )
    categoria_sugerida = fields.Nested(
        SuggestedCategory,
        metadata={
            "description": "Só em um livro de Default ou Add a comment, e só onde o modelo tem certeza; nunca com `em`"
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


class BooksQuery(SortedPageQuery, PastQuery):
    pass


class TopRatedQuery(PageQuery, PastQuery):
    pass


ENGLISH_NAMES = {"title": "titulo", "category": "categoria"}
"""The assignment's spelling of what a search asks for."""


class SearchTerms(PastQuery):
    titulo = Text(
        high=300, load_default="", metadata={"description": "Parte do título, sem acento nem caixa"}
    )
    categoria = Text(high=300, load_default="", metadata={"description": "Nome da categoria, ou parte dele"})
    exato = OneOf(
        "0", "1", load_default="0", metadata={"description": "`1` deixa de fora os livros aproximados"}
    )
    title = Text(high=300, metadata={"description": "Outro nome de `titulo`, o do enunciado"})
    category = Text(high=300, metadata={"description": "Outro nome de `categoria`, o do enunciado"})

    @post_load(pass_original=True)
    def merge_spellings(self, data: dict[str, Any], sent: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        differing: dict[str, list[str]] = {}
        for english, name in ENGLISH_NAMES.items():
            if english in data:
                value = data.pop(english)
                if sent.get(name, value) != value:
                    differing |= {english: [f"difere de {name}"], name: [f"difere de {english}"]}
                data[name] = value
        if differing:
            raise ValidationError(differing)
        return data


class SearchQuery(SearchTerms, PageQuery, FormatQuery):
    sort = OneOf(
        *SORT_COLUMNS,
        metadata={"description": "Campo da ordenação; por padrão `id`, e entre aproximados a proximidade"},
    )
    order = OneOf("asc", "desc", metadata={"description": "Sentido da ordenação; por padrão `asc`"})


class PriceRangeQuery(PageQuery, PastQuery):
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


class CategoryCount(Schema):
    nome = _category()
    livros = fields.Integer(required=True, metadata={"minimum": 1, "example": 19})


class PriceBandCount(Schema):
    min = fields.Float(
        required=True, metadata={"description": "Menor preço com taxa, incluído", "example": 50}
    )
    max = fields.Float(
        required=True, metadata={"description": "Maior preço com taxa, incluído", "example": 54.99}
    )
    livros = fields.Integer(required=True, metadata={"minimum": 0, "example": 101})


class Facets(Schema):
    categorias = fields.List(
        fields.Nested(CategoryCount),
        required=True,
        metadata={
            "description": "As que têm livros achados, da que mais tem à que menos tem, depois por nome"
        },
    )
    ratings = fields.Nested(RatingCounts, required=True)
    faixas_de_preco = fields.List(
        fields.Nested(PriceBandCount),
        required=True,
        metadata={"description": "As do catálogo inteiro, da mais barata à mais cara"},
    )
