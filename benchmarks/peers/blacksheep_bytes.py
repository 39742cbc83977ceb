"""BlackSheep that returns prebuilt bytes, with the same metrics and log line."""

import time
from collections.abc import Awaitable, Callable

from blacksheep import Application, Content, Request, Response

from benchmarks.peers.common import HEADERS, LIST, ONE, count, write_line

_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name != "content-type"]
_BY_ID = {0: Content(b"application/json", ONE)}
_LIST = Content(b"application/json", LIST)

application = Application()


async def observe(request: Request, handler: Callable[[Request], Awaitable[Response]]) -> Response:
    began = time.perf_counter()
    response = await handler(request)
    seconds = time.perf_counter() - began
    path = request.url.path.decode()
    count(request.method, "/api/v1/books/{id}" if request.route_values else path, response.status, seconds)
    size = response.content.length if response.content else 0
    write_line(request.client_ip, request.method, path, response.status, seconds, size)
    return response


application.middlewares.append(observe)


@application.router.get("/api/v1/books")
async def list_books() -> Response:
    return Response(200, _HEADERS.copy(), _LIST)


@application.router.get("/api/v1/books/{book_id}")
async def show_book(book_id: int) -> Response:
    return Response(200, _HEADERS.copy(), _BY_ID[book_id])
