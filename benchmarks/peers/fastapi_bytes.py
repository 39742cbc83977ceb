"""FastAPI that returns prebuilt bytes, with the same metrics and log line."""

from fastapi import FastAPI, Response

from benchmarks.peers.common import HEADERS, LIST, ONE, Observed

_BY_ID = {0: ONE}

application = FastAPI()
application.add_middleware(Observed, counts=True)


@application.get("/api/v1/books")
async def list_books() -> Response:
    return Response(LIST, headers=HEADERS)


@application.get("/api/v1/books/{book_id}")
async def show_book(book_id: int) -> Response:
    return Response(_BY_ID[book_id], headers=HEADERS)
