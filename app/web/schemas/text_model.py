"""What the model card says about texts."""

from typing import Any

from marshmallow import Schema, fields

from ml.verdict import Verdict


def _share(description: str, *, allow_none: bool = False, **metadata: Any) -> fields.Float:
    return fields.Float(
        required=True, allow_none=allow_none, metadata={"description": description, **metadata}
    )


class LikenessScore(Schema):
    veredito = fields.String(required=True, metadata={"enum": [Verdict.BEATS_BASELINE, Verdict.BASELINE]})
    frase = fields.String(required=True)
    mesma_categoria = _share("Dos primeiros lugares, os da categoria do livro: fração de 1", example=0.348)
    acaso = _share("O mesmo com as categorias sorteadas entre os livros", example=0.056)
    valor_p = _share("A chance de tanta diferença onde não há nenhuma")
    lugares = fields.Integer(required=True, metadata={"example": 5})
    similaridade_minima = _share("Abaixo dela nada é parecido", example=0.08)
    livros = fields.Integer(required=True, metadata={"description": "Os que têm categoria"})
    com_semelhantes = fields.Integer(required=True, metadata={"description": "Os que têm algum parecido"})
    palavras = fields.Integer(required=True, metadata={"description": "O tamanho do vocabulário"})


class CategoryCandidateScore(Schema):
    nome = fields.String(required=True, metadata={"example": "bayes_complementar"})
    acuracia = _share("Fração de 1", example=0.472)
    desvio = _share("Entre as partes da validação")
    acuracia_em_palpites = _share("A categoria está entre os primeiros `palpites`", example=0.694)
    ganho = _share("Sobre a linha de base")
    ganho_minimo = _share("Com 95% de confiança em todos de uma vez")
    valor_p = _share("Antes da correção pelas comparações")
    promovido = fields.Boolean(required=True)


class CategoriesScore(Schema):
    veredito = fields.String(required=True, metadata={"enum": [Verdict.BEATS_BASELINE, Verdict.BASELINE]})
    frase = fields.String(required=True)
    linha_de_base = fields.Nested(
        Schema.from_dict(
            {
                "categoria": fields.String(
                    required=True, allow_none=True, metadata={"example": "Nonfiction"}
                ),
                "acuracia": fields.Float(required=True, metadata={"example": 0.141}),
                "desvio": fields.Float(required=True),
            },
            name="CategoryBaselineScore",
        ),
        required=True,
        metadata={"description": "Responder sempre a categoria mais comum"},
    )
    candidatos = fields.List(fields.Nested(CategoryCandidateScore), required=True)
    escolhido = fields.String(required=True, allow_none=True, metadata={"example": "bayes_complementar"})
    palpites = fields.Integer(required=True, metadata={"example": 3})
    certeza_minima = _share("Com menos nada é proposto", example=0.8)
    precisao_esperada = _share(
        "Das propostas em livros separados para teste, as certas", allow_none=True, example=0.917
    )
    precisao_minima = _share("O seu limite inferior, com 95% de confiança", allow_none=True, example=0.848)
    cobertura_esperada = _share("De quantos livros se propõe a categoria", allow_none=True, example=0.103)
    livros = fields.Integer(
        required=True, metadata={"description": "Os que têm categoria, de que se aprende"}
    )
    sem_categoria = fields.Integer(required=True, metadata={"example": 219})
    nomes_sem_categoria = fields.List(fields.String(), required=True)
    propostas = fields.Integer(required=True, metadata={"description": "Quantos ganharam uma", "example": 10})
