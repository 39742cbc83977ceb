"""What can go wrong, as facts. `app.web.errors` alone knows which HTTP status each one is.

ShopError
├── InvalidInput            the request says something that can't be used
├── Unauthenticated         nobody, or not who they say
│   ├── InvalidCredentials
│   └── InvalidToken
├── Forbidden               somebody, but not allowed
├── NotFound
│   ├── BookNotFound
│   └── RunNotFound
├── Conflict                right in itself, but not now
│   ├── UsernameTaken
│   ├── ScrapeAlreadyRunning
│   └── NoScrapeRunning
├── BodyTooLarge
└── UnsupportedMediaType
"""

from __future__ import annotations

from dataclasses import dataclass


class ShopError(Exception):
    """A fact that the client is told about; `detail` is the Brazilian Portuguese sentence it reads."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field; `field` is its path, such as `username` or `[2].preco_com_taxa`."""

    field: str
    message: str


class InvalidInput(ShopError):
    """Carries every problem of the request, not only the first one."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        self.problems = problems
        super().__init__("Dados inválidos: " + "; ".join(f"{p.field}: {p.message}" for p in problems[:5]))

    @classmethod
    def of(cls, field: str, message: str) -> InvalidInput:
        return cls([FieldProblem(field, message)])


class Unauthenticated(ShopError):
    pass


class InvalidCredentials(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("Usuário ou senha inválidos.")


class InvalidToken(Unauthenticated):
    pass


class Forbidden(ShopError):
    def __init__(self, role: str) -> None:
        super().__init__(f"Esta operação exige o papel '{role}'.")


class NotFound(ShopError):
    pass


class BookNotFound(NotFound):
    def __init__(self, book_id: int) -> None:
        super().__init__(f"Livro {book_id} não encontrado.")


class RunNotFound(NotFound):
    def __init__(self, run_id: int) -> None:
        super().__init__(f"Execução de scraping {run_id} não encontrada.")


class Conflict(ShopError):
    pass


class UsernameTaken(Conflict):
    def __init__(self, username: str) -> None:
        super().__init__(f"O usuário '{username}' já existe.")


class ScrapeAlreadyRunning(Conflict):
    def __init__(self, run_id: int) -> None:
        super().__init__(f"Já há um scraping em andamento (execução {run_id}). Consulte o status.")


class NoScrapeRunning(Conflict):
    def __init__(self) -> None:
        super().__init__("Nenhum scraping em andamento.")


class BodyTooLarge(ShopError):
    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"O corpo da requisição passa do limite de {limit_bytes} bytes.")


class UnsupportedMediaType(ShopError):
    def __init__(self) -> None:
        super().__init__("O corpo deve ser JSON, com Content-Type: application/json.")
