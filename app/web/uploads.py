"""Files in the body of a request, as the body itself or as the one part of a form."""

from io import BytesIO
from typing import IO, Any, Final, NamedTuple

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from app.core.errors import InvalidInput, ShopError
from app.web.parsing import body_limit, read_bytes

FORM: Final = "multipart/form-data"
CSV: Final = "text/csv"
FILE_BODY: Final = {
    CSV: {"type": "string"},
    FORM: {
        "type": "object",
        "properties": {"arquivo": {"type": "string", "format": "binary"}},
        "required": ["arquivo"],
    },
}
"""The schemas of what `read_csv_file` reads, by media type."""


class CsvExpected(ShopError):
    detail = f"O corpo deve ser {CSV}, ou {FORM} com um arquivo, em UTF-8 e sem Content-Encoding."


class Upload(NamedTuple):
    """The bytes of a file, and what its sender called it, if anything."""

    data: bytes
    name: str


def read_csv_file() -> Upload:
    """Return the file in the body. Raises CsvExpected, BodyTooLarge or InvalidInput."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in (CSV, FORM) or "Content-Encoding" in request.headers or charset != "utf-8":
        raise CsvExpected
    body = read_bytes()
    upload = Upload(body, "") if request.mimetype == CSV else _only_file(body)
    if not upload.data:
        raise InvalidInput.of("corpo", "deve ter um arquivo CSV")
    return upload


def _only_file(body: bytes) -> Upload:
    """Return the file of a form that has that part and no other. Raises InvalidInput."""
    # One part more than is wanted, so that a second one is told from a broken form.
    parser = FormDataParser(_in_memory, max_form_memory_size=body_limit(), max_form_parts=2, silent=False)
    try:
        _, texts, files = parser.parse(BytesIO(body), FORM, len(body), request.mimetype_params)
        parts = [(name, file) for name, file in files.items(multi=True)]
    except (ValueError, RequestEntityTooLarge):
        raise InvalidInput.of("corpo", f"não é um {FORM} com um só arquivo") from None
    if len(parts) != 1 or texts:
        raise InvalidInput.of("corpo", "deve ter um arquivo, e nada mais")
    ((_, file),) = parts
    return Upload(file.stream.read(), (file.filename or "").rpartition("/")[2])


def _in_memory(*_: Any, **__: Any) -> IO[bytes]:
    """Return where a part is kept: the body is in memory already, and a full disk is no matter of a request's."""
    return BytesIO()
