"""`/api/v1/books/import`: the catalogue from a file."""

from typing import Any, Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.services.import_run import read_file
from app.web.access import Access, caller
from app.web.context import shop
from app.web.endpoint import operation
from app.web.presenters.imports import present_import
from app.web.schemas.imports import Imported, ImportQuery, is_yes
from app.web.uploads import FILE_BODY, read_csv_file

IMPORT_PATH: Final = "/api/v1/books/import"

imports = Blueprint("imports", __name__)


@imports.post(IMPORT_PATH)
@operation(
    "Importa o catálogo de um arquivo",
    description=(
        "Aceita o que `python -m scraper --out` grava, `livros.csv`, e as colunas da tabela `livros` "
        "(`classificacao_em_estrelas` é `rating`; `id` não importa), em qualquer ordem. O arquivo toma o lugar do "
        "catálogo, como um scraping: passa pela mesma verificação, é publicado de uma vez, e o que não está nele sai. "
        "Um livro é reconhecido por `upc` e `url_produto`; sem essas colunas, pelo título e pela imagem, e a "
        "`disponibilidade` é então o que podia ser pedido quando o arquivo foi gravado. "
        "Uma linha com falha recusa o arquivo (422) e nada muda, a menos que se peça `parcial=1`: então as linhas com "
        "falha contam como páginas que não puderam ser lidas, e os livros que faltam ficam como estavam. "
        "Roda como uma execução de scraping, e responde quando terminou."
    ),
    access=Access.OPERATOR,
    query=ImportQuery(),
    body_types=FILE_BODY,
    ok="O que mudou, ou mudaria",
    response=Imported(),
    errors=(409, 422),
    starts_run=True,
)
def import_books(query: dict[str, Any]) -> ResponseReturnValue:
    upload = read_csv_file()
    table = read_file(upload.data, shop().settings.scraper_max_price)
    scrapes, partial, rehearsal = shop().scrapes, is_yes(query["parcial"]), is_yes(query["ensaio"])
    if rehearsal:
        report = scrapes.rehearse_import(table, partial=partial)
    else:
        report = scrapes.import_books(table, caller().username, upload.name, partial=partial)
    return present_import(table, report, rehearsal=rehearsal)
