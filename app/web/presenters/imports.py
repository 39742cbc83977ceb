"""Imports of the catalogue."""

from app.core.catalogue_import import ImportReport
from app.web.presenters.common import Shape
from app.web.presenters.scraping import present_changes
from scraper.csv_table import BookTable


def present_import(table: BookTable, report: ImportReport, *, rehearsal: bool) -> Shape:
    shape = present_faults(table) | {"diferenca": present_changes(report.changes), "versao": report.version}
    return shape | {"impedimento": report.blocker} if rehearsal else shape


def present_faults(table: BookTable) -> Shape:
    """Return what could be read of a file, and what not."""
    return {
        "aceitas": len(table.books),
        "recusadas": [
            {"linha": fault.line, "coluna": fault.column, "motivo": fault.reason} for fault in table.faults
        ],
        "recusadas_omitidas": table.fault_count - len(table.faults),
    }
