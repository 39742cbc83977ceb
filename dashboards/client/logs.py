"""Log records."""

from datetime import datetime
from typing import Any

import pandas as pd

from dashboards.client.http_client import HttpClient, Query
from dashboards.client.parsing import parse_rows, parse_table

LOGS = "/api/v1/logs"

_COLUMNS = {
    "timestamp": datetime,
    "levelname": str,
    "name": str,
    "message": str,
    "method": str,
    "route": str,
    "path": str,
    "status": float,
    "duration": float,
    "request_id": str,
    "user": str,
    "remote_addr": str,
    "bytes": float,
    "details": str,
}


def fetch_logs(client: HttpClient, query: Query) -> tuple[pd.DataFrame, bool]:
    """Return the matching records, newest first, and whether there are more than the query's limit."""
    response = client.get(LOGS, query)
    with client.parsing(LOGS):
        rows = [_gather_details(record) for record in parse_rows(response.json())]
        records = parse_table(rows, _COLUMNS)
    return records.iloc[::-1].reset_index(drop=True), response.has_next_page


def _gather_details(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record with all fields that have no column of their own joined as `details`.

    The `status` of an order's event is a word, which does not belong into the column of HTTP statuses.
    """
    columns = set(_COLUMNS)
    if not _is_http_status(record.get("status")):
        columns.remove("status")
    details = [f"{name}={value}" for name, value in record.items() if name not in columns]
    known = {name: value for name, value in record.items() if name in columns}
    return known | {"timestamp": record["timestamp"], "details": " ".join(details)}


def _is_http_status(status: Any) -> bool:
    return status is None or (isinstance(status, int) and not isinstance(status, bool))
