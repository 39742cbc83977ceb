"""A session of `requests` whose requests a Flask client makes, without a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
from flask.testing import FlaskClient
from requests.adapters import BaseAdapter
from werkzeug.test import TestResponse

Change = Callable[[requests.PreparedRequest, requests.Response], None]


class InProcess(BaseAdapter):
    """Sends each request to `client`; `change` may spoil a response on its way back."""

    def __init__(self, client: FlaskClient, change: Change = lambda _request, _response: None) -> None:
        super().__init__()
        self._client = client
        self._change = change

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        headers = {name: value for name, value in request.headers.items() if name != "Accept-Encoding"}
        assert request.method is not None
        made: TestResponse = self._client.open(
            request.path_url, method=request.method, headers=headers, data=request.body
        )
        response = requests.Response()
        response.status_code = made.status_code
        response.headers.update(made.headers)
        response._content = made.data
        response.url = str(request.url)
        response.encoding = "utf-8"
        response.request = request
        self._change(request, response)
        return response

    def close(self) -> None:
        pass


def in_process(client: FlaskClient, change: Change = lambda _request, _response: None) -> requests.Session:
    session = requests.Session()
    session.mount("http://", InProcess(client, change))
    return session
