"""What can go wrong, as facts. `app.web.error_handlers` alone knows which HTTP status each one is.

ShopError
├── InvalidInput            the request can't be used as it is
├── Unauthenticated         no valid credentials
│   ├── InvalidCredentials
│   │   └── WrongPassword
│   └── InvalidToken
├── Forbidden
│   ├── RoleRequired        the role is not enough
│   └── PasswordChangeRequired
├── NotFound
│   ├── UserNotFound
│   ├── BookNotFound
│   ├── PastCatalogueNotFound
│   ├── ScrapeRunNotFound
│   ├── OrderNotFound
│   ├── ModelNotFound
│   └── ProductsNotFound
├── Conflict                valid, but not in the present state
│   ├── UsernameTaken
│   ├── ScrapeAlreadyRunning
│   ├── NoScrapeRunning
│   ├── ImportCancelled
│   ├── TrainingAlreadyRunning
│   ├── ModelUnusable
│   ├── OutOfStock
│   ├── TransitionNotAllowed
│   └── RequestInFlight
├── PaymentDenied
├── PaymentFailed           the gateway could not decide
│   └── PaymentTimedOut
├── FaultyImport
│   ├── UnreadableImport    a file without a row that can be read
│   └── ImportRefused       a file that can be read, and is not to be published
├── ImportTooLarge
├── KeyReused               one Idempotency-Key for two different bodies
├── VersionMismatch         changed since it was read
└── Unavailable             not now; later the same request may work
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.books import Publication
    from scraper.csv_table import BookTable

MAX_PROBLEMS = 100
"""Problems that are reported of one request."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """A problem of one field; `field` is its path, such as `username` or `[2].preco_com_taxa`."""

    field: str
    message: str


class ShopError(Exception):
    """An error that the client reads about: `detail` is a Brazilian Portuguese sentence, `problems` the faulty fields.

    `detail` never repeats what the client sent, which may be a secret in the wrong place.
    """

    detail = ""
    problems: list[FieldProblem] = []
    replayed = False
    """Set where an earlier request with the same Idempotency-Key failed like this."""

    def __init__(self, detail: str = "") -> None:
        """Take the sentence of this case, where the class has none for all."""
        self.detail = detail or self.detail
        super().__init__(self.detail)


class InvalidInput(ShopError):
    """A request with every problem it has."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__(f"Dados inválidos: {_first_few(problems)}")
        self.problems = problems

    @classmethod
    def of(cls, field: str, message: str) -> InvalidInput:
        return cls([FieldProblem(field, message)])


class Unauthenticated(ShopError):
    pass


class InvalidCredentials(Unauthenticated):
    detail = "Usuário ou senha inválidos."


class WrongPassword(InvalidCredentials):
    detail = "A senha atual não confere."


class InvalidToken(Unauthenticated):
    pass


class Forbidden(ShopError):
    pass


class RoleRequired(Forbidden):
    def __init__(self, role: str) -> None:
        super().__init__(f"Esta operação exige o papel '{role}'.")


class PasswordChangeRequired(Forbidden):
    detail = (
        "Troque a senha inicial antes: POST /api/v1/auth/password. Até lá, só ela e o logout são aceitos."
    )


class NotFound(ShopError):
    pass


class UserNotFound(NotFound):
    detail = "Usuário não encontrado."


class BookNotFound(NotFound):
    detail = "Livro não encontrado."


class PastCatalogueNotFound(NotFound):
    """A version that never was or is no longer retained, or a moment before all that are."""

    def __init__(self, oldest: Publication, newest: Publication) -> None:
        since = oldest.published_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        kept = f"o da versão {oldest.version} (publicada em {since})"
        if newest.version != oldest.version:
            kept = f"os das versões {oldest.version} (publicada em {since}) a {newest.version}"
        super().__init__(f"Não há catálogo guardado para este valor de em: há {kept}.")


class ScrapeRunNotFound(NotFound):
    detail = "Execução de scraping não encontrada."


class OrderNotFound(NotFound):
    detail = "Pedido não encontrado."


class ModelNotFound(NotFound):
    detail = "Versão de modelo não encontrada."


class ProductsNotFound(NotFound):
    """Books that are not on sale; `problems` has one for each of their lines."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__(f"Produto não encontrado: {_first_few(problems)}")
        self.problems = problems


class Conflict(ShopError):
    pass


class UsernameTaken(Conflict):
    detail = "Este nome de usuário já existe."


class ScrapeAlreadyRunning(Conflict):
    def __init__(self, run_id: int) -> None:
        super().__init__(
            f"Já há um scraping ou uma importação em andamento (execução {run_id}). Consulte o status."
        )


class ImportCancelled(Conflict):
    detail = "A importação foi cancelada antes de publicar; o catálogo ficou como estava."


class NoScrapeRunning(Conflict):
    detail = "Nenhum scraping em andamento."


class TrainingAlreadyRunning(Conflict):
    def __init__(self, version: int) -> None:
        super().__init__(f"Já há um treino em andamento (versão {version}). Consulte o status.")


class ModelUnusable(Conflict):
    """A known version whose artefact can no longer be used."""


class OutOfStock(Conflict):
    """More copies than the stock; `problems` has one for each line of such a book."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__(f"Estoque insuficiente: {_first_few(problems)}")
        self.problems = problems


class TransitionNotAllowed(Conflict):
    def __init__(self, before: str, after: str, instead: str) -> None:
        super().__init__(f"Um pedido em '{before}' não pode passar a '{after}': {instead}.")


class RequestInFlight(Conflict):
    detail = "A primeira requisição com esta Idempotency-Key ainda está em andamento."


class PaymentDenied(ShopError):
    detail = "Pagamento negado. O pedido não foi aceito e o estoque voltou a ser o que era."


class PaymentFailed(ShopError):
    detail = "O serviço de pagamento falhou. Nada foi vendido; tente novamente."


class PaymentTimedOut(PaymentFailed):
    detail = "O serviço de pagamento não respondeu a tempo. Nada foi vendido; tente novamente."


class FaultyImport(ShopError):
    """A file that is not imported, with what is wrong with its rows."""

    def __init__(self, detail: str, table: BookTable | None = None) -> None:
        super().__init__(detail)
        self.table = table
        faults = table.faults[:MAX_PROBLEMS] if table is not None else ()
        self.problems = [FieldProblem(fault.place, fault.reason) for fault in faults]


class UnreadableImport(FaultyImport):
    """A file that is no catalogue, or has faults in every row."""


class ImportRefused(FaultyImport):
    """A file with faults, or whose books the safety gate does not let pass."""


class ImportTooLarge(ShopError):
    pass


class KeyReused(ShopError):
    detail = "Esta Idempotency-Key já foi usada com outro corpo."


class VersionMismatch(ShopError):
    def __init__(self, version: int) -> None:
        super().__init__(f"O pedido mudou desde que foi lido: a versão atual é {version}. Leia-o de novo.")


class Unavailable(ShopError):
    """The shop can't do what it needs the database or the disk for."""


def _first_few(problems: Sequence[FieldProblem]) -> str:
    return "; ".join(f"{problem.field}: {problem.message}" for problem in problems[:5])
