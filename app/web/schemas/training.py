"""Machine learning."""

from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_load, validates_schema

from app.core.catalogue import RATINGS
from app.web.fields import BoundedInteger, DecimalAmount, JsonAmount, JsonInteger, OneOf, RequestSchema, Text
from app.web.formats import FormatQuery
from app.web.schemas.text_model import CategoriesScore, LikenessScore
from ml.features import OUT_OF_DISTRIBUTION_FEATURES, FeatureSet
from ml.verdict import Verdict

HIGHEST_PRICE = 99_999_999
MOST_COPIES = 1_000_000
DEFAULT_SHARE = Decimal("0.25")
"""Of the books, to test with: scikit-learn's default as well."""
TRAINING_WORDS = ("processing", "done", "error", "never")


class TrainingBook(Schema):
    categoria = fields.String(required=True, metadata={"example": "Poetry"})
    disponibilidade = fields.Integer(required=True, metadata={"minimum": 0, "example": 22})
    preco_com_taxa = fields.Float(required=True, metadata={"description": "Libras", "example": 51.77})
    preco_sem_taxa = fields.Float(required=True, metadata={"description": "Libras", "example": 51.77})
    rating = fields.Integer(required=True, metadata={"minimum": 1, "maximum": 5, "example": 3})
    titulo = fields.String(required=True, metadata={"example": "A Light in the Attic"})


class Share(DecimalAmount):
    """A part of a whole, which is neither nothing nor all of it."""

    default_error_messages = {"range": "deve ser um número maior que 0 e menor que 1"}
    documented = {"minimum": 0, "exclusiveMinimum": True, "maximum": 1, "exclusiveMaximum": True}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        share = super()._deserialize(value, attr, data, **kwargs)
        if not 0 < share < 1:
            raise self.make_error("range")
        return share


class TrainingDataQuery(FormatQuery):
    divisao = OneOf("treino", "teste", metadata={"description": "A parte dos livros; sem ela, todos"})
    fracao = Share(
        load_default=lambda: DEFAULT_SHARE,  # called, so that Swagger doesn't send it without `divisao`
        metadata={
            "description": f"Com `divisao`: quanto dos livros vai para o teste ({DEFAULT_SHARE} se omitido)"
        },
    )
    semente = BoundedInteger(
        low=0,
        high=2**32 - 1,
        load_default=lambda: 0,
        metadata={"description": "Com `divisao`: outra semente, como `42`, dá outra divisão (0 se omitida)"},
    )

    @validates_schema(pass_original=True)
    def require_side(self, data: dict[str, Any], original: Any, **_kwargs: Any) -> None:
        stray = [name for name in ("fracao", "semente") if name in original]
        if stray and "divisao" not in original:
            raise ValidationError({name: ["exige divisao"] for name in stray})


class PredictionInput(RequestSchema):
    """A book to predict the rating of."""

    preco_com_taxa = JsonAmount(required=True, high=HIGHEST_PRICE, metadata={"example": 10})
    preco_sem_taxa = JsonAmount(required=True, high=HIGHEST_PRICE, metadata={"example": 8})
    disponibilidade = JsonInteger(required=True, low=0, high=MOST_COPIES, metadata={"example": 1})
    categoria = Text(
        high=300,
        metadata={"description": "Com `titulo`, pode servir a um modelo melhor", "example": "Poetry"},
    )
    titulo = Text(high=1_000, metadata={"example": "A Light in the Attic"})

    @pre_load(pass_collection=True)
    def require_list(self, data: Any, **kwargs: Any) -> Any:
        if not isinstance(data, list):
            raise ValidationError("deve ser uma lista de livros")
        return data

    @post_load(pass_original=True)
    def keep_original(self, data: Any, original: Any, **kwargs: Any) -> Any:
        """Return the book as the client sent it, since the response repeats it."""
        return original


class PredictionsQuery(RequestSchema):
    detalhes = OneOf(
        "0", "1", load_default="0", metadata={"description": "1 acrescenta probabilidades e avisos"}
    )


Probabilities = Schema.from_dict(
    {str(rating): fields.Float(required=True) for rating in RATINGS}, name="Probabilities"
)


class PredictionDetails(Schema):
    probabilidades = fields.Nested(Probabilities, required=True)
    conjunto = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "enum": [*FeatureSet, None],
            "description": "Os atributos que o modelo usou; nulo quando respondeu a avaliação mais comum",
        },
    )
    fora_da_distribuicao = fields.List(
        fields.String(metadata={"enum": list(OUT_OF_DISTRIBUTION_FEATURES)}),
        required=True,
        metadata={
            "description": "Os valores muito fora dos dados de treino, sobre os quais o modelo nada sabe"
        },
    )


class ShownPrediction(Schema):
    input = fields.Dict(required=True, metadata={"description": "Como foi enviado"})
    prediction = fields.Integer(required=True, metadata={"minimum": 1, "maximum": 5, "example": 1})
    detalhes = fields.Nested(PredictionDetails, metadata={"description": "Só com `detalhes=1`"})


class TrainingProgress(Schema):
    status = fields.String(required=True, metadata={"enum": list(TRAINING_WORDS)})
    versao = fields.Integer(metadata={"description": "Do modelo que este treino faz", "example": 1})
    motivo = fields.String(allow_none=True, metadata={"description": "Por que não terminou em done"})
    iniciado_em = fields.DateTime(metadata={"description": "UTC"})
    terminado_em = fields.DateTime(allow_none=True, metadata={"description": "UTC"})
    versao_catalogo = fields.Integer(metadata={"example": 1})


class TrainingStarted(TrainingProgress):
    message = fields.String(
        required=True, metadata={"example": "Treino iniciado em background. Consulte o status depois."}
    )


class ModelFacts(Schema):
    versao = fields.Integer(required=True, metadata={"example": 1})
    em_uso = fields.Boolean(required=True)
    treinado_em = fields.DateTime(required=True, metadata={"description": "UTC"})
    duracao_s = fields.Float(required=True, metadata={"example": 14.2})
    versao_catalogo = fields.Integer(required=True, metadata={"example": 1})
    veredito = fields.String(required=True, metadata={"enum": list(Verdict)})
    frase = fields.String(required=True)
    acuracia = fields.Float(
        required=True,
        metadata={"description": "Fração de 1; a do melhor de vários é um pouco otimista", "example": 0.226},
    )
    acuracia_minima = fields.Float(
        required=True, metadata={"description": "A que se tem com 95% de confiança", "example": 0.226}
    )
    linha_de_base = fields.Nested(
        Schema.from_dict(
            {
                "rating": fields.Integer(required=True, metadata={"example": 1}),
                "acuracia": fields.Float(required=True, metadata={"example": 0.226}),
                "desvio": fields.Float(required=True, metadata={"example": 0.002}),
            },
            name="BaselineScore",
        ),
        required=True,
        metadata={"description": "Responder sempre a avaliação mais comum"},
    )
    sha256 = fields.String(required=True, metadata={"description": "Do artefato joblib"})


class ModelSummary(ModelFacts):
    treinado_por = fields.String(
        required=True, metadata={"description": "O usuário, ou `publicacao`", "example": "publicacao"}
    )


class CandidateScore(Schema):
    nome = fields.String(required=True, metadata={"example": "floresta_aleatoria"})
    conjunto = fields.String(required=True, metadata={"enum": list(FeatureSet)})
    acuracia = fields.Float(required=True, metadata={"example": 0.195})
    desvio = fields.Float(required=True, metadata={"description": "Entre as partes da validação"})
    ganho = fields.Float(required=True, metadata={"description": "Sobre a linha de base"})
    ganho_minimo = fields.Float(
        required=True, metadata={"description": "Com 95% de confiança em todos de uma vez"}
    )
    valor_p = fields.Float(required=True, metadata={"description": "Antes da correção pelas comparações"})
    promovido = fields.Boolean(required=True)


class ModelCard(ModelFacts):
    """The card as its training wrote it, but for the keys of the version; public, so it has no user names."""

    formato = fields.Integer(required=True)
    candidatos = fields.List(fields.Nested(CandidateScore), required=True)
    escolhidos = fields.Dict(
        required=True, metadata={"description": "O candidato servido em cada conjunto; nulo: nenhum"}
    )
    avaliacao = fields.Dict(required=True, metadata={"description": "Como os candidatos foram comparados"})
    dados = fields.Dict(required=True, metadata={"description": "Linhas, SHA-256 e livros de cada avaliação"})
    atributos = fields.Dict(required=True, metadata={"description": "As colunas de cada conjunto"})
    categorias = fields.List(fields.String(), required=True)
    perfil = fields.Dict(required=True, metadata={"description": "A distribuição de cada atributo básico"})
    bibliotecas = fields.Dict(required=True, metadata={"description": "As versões do treino"})
    semelhanca = fields.Nested(
        LikenessScore,
        required=True,
        allow_none=True,
        metadata={"description": "Os livros parecidos; nulo no modelo de uma versão antiga da loja"},
    )
    categorias_sugeridas = fields.Nested(
        CategoriesScore,
        required=True,
        allow_none=True,
        metadata={"description": "As categorias propostas; nulo no modelo de uma versão antiga da loja"},
    )
    sha256_textos = fields.String(
        required=True, allow_none=True, metadata={"description": "Do arquivo das semelhanças e propostas"}
    )
    servindo_textos = fields.String(
        required=True,
        metadata={"enum": list(Verdict), "description": "De onde vêm os livros parecidos neste processo"},
    )
    problema_textos = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Por que não se mostram parecidos nem propostas"},
    )
    servindo = fields.String(
        required=True,
        metadata={"enum": list(Verdict), "description": "O que responde às predições neste processo"},
    )
    problema = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Por que o modelo em uso não é o que responde"},
    )
