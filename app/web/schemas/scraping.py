"""Scraping runs."""

from marshmallow import Schema, fields

from app.core.runs import RunStatus

STATUS_WORDS = ("processing", "done", "error", "cancelled", "never")


class ChangeCounts(Schema):
    adicionados = fields.Integer(required=True)
    removidos = fields.Integer(required=True)
    reprecificados = fields.Integer(required=True)
    reestocados = fields.Integer(required=True)
    editados = fields.Integer(required=True)


class Progress(Schema):
    """How far a run is; rates and estimates only while it is in progress."""

    status = fields.String(required=True, metadata={"enum": list(STATUS_WORDS)})
    execucao = fields.Integer(metadata={"description": "O id da execução", "example": 1})
    motivo = fields.String(allow_none=True, metadata={"description": "Por que não terminou em done"})
    iniciada_em = fields.DateTime(metadata={"description": "UTC"})
    terminada_em = fields.DateTime(allow_none=True, metadata={"description": "UTC"})
    paginas_feitas = fields.Integer(metadata={"example": 420})
    paginas_total = fields.Integer(metadata={"example": 1050})
    paginas_com_falha = fields.Integer(metadata={"example": 0})
    percentual = fields.Float(metadata={"example": 40.0})
    paginas_por_segundo = fields.Float(allow_none=True, metadata={"example": 110.5})
    termino_estimado = fields.DateTime(allow_none=True, metadata={"description": "UTC"})
    livros_lidos = fields.Integer(metadata={"example": 399})
    contagem = fields.Nested(
        ChangeCounts, allow_none=True, metadata={"description": "Quantos livros mudaram, ao terminar em done"}
    )


class Status(Progress):
    proxima_execucao = fields.DateTime(
        metadata={"description": "UTC; quando a agenda inicia outra, se há uma agenda e ela não está pausada"}
    )


class Triggered(Progress):
    message = fields.String(
        required=True, metadata={"example": "Scraping iniciado em background. Consulte o status depois."}
    )


class Run(Schema):
    id = fields.Integer(required=True)
    status = fields.String(required=True, metadata={"enum": list(RunStatus)})
    motivo = fields.String(required=True, allow_none=True)
    iniciada_por = fields.String(required=True, metadata={"example": "admin"})
    cancelada_por = fields.String(required=True, allow_none=True)
    iniciada_em = fields.DateTime(required=True, metadata={"description": "UTC"})
    terminada_em = fields.DateTime(required=True, allow_none=True, metadata={"description": "UTC"})
    duracao_s = fields.Float(required=True, allow_none=True)
    url_base = fields.String(required=True, metadata={"example": "https://books.toscrape.com/"})
    retomada_de = fields.Integer(
        required=True, allow_none=True, metadata={"description": "A execução que esta continuou"}
    )
    paginas_feitas = fields.Integer(required=True)
    paginas_total = fields.Integer(required=True)
    paginas_com_falha = fields.Integer(required=True)
    paginas_reaproveitadas = fields.Integer(required=True)
    livros_lidos = fields.Integer(required=True)
    versao_publicada = fields.Integer(required=True, allow_none=True)
    contagem = fields.Nested(
        ChangeCounts, required=True, allow_none=True, metadata={"description": "Quantos livros mudaram"}
    )


class ChangedBook(Schema):
    id = fields.Integer(required=True)
    titulo = fields.String(required=True)


class ShownBook(ChangedBook):
    preco_com_taxa = fields.Float(required=True)
    disponibilidade = fields.Integer(required=True)


class BeforeAfterPrice(Schema):
    antes = fields.Float(required=True)
    depois = fields.Float(required=True)


class BeforeAfterStock(Schema):
    antes = fields.Integer(required=True)
    depois = fields.Integer(required=True)


class RepricedBook(ChangedBook):
    preco_com_taxa = fields.Nested(BeforeAfterPrice, required=True)
    preco_sem_taxa = fields.Nested(BeforeAfterPrice, required=True)


class RestockedBook(ChangedBook):
    disponibilidade = fields.Nested(BeforeAfterStock, required=True)


class Changes(Schema):
    adicionados = fields.List(fields.Nested(ShownBook), required=True)
    removidos = fields.List(fields.Nested(ShownBook), required=True)
    reprecificados = fields.List(fields.Nested(RepricedBook), required=True)
    reestocados = fields.List(fields.Nested(RestockedBook), required=True)
    editados = fields.List(fields.Nested(ChangedBook), required=True)


class FailedPage(Schema):
    url = fields.String(required=True)
    motivo = fields.String(required=True, metadata={"example": "sem preço"})


class RunDetail(Run):
    diferenca = fields.Nested(Changes, required=True, allow_none=True)
    falhas = fields.List(
        fields.Nested(FailedPage), required=True, metadata={"description": "Até 200 páginas que falharam"}
    )
