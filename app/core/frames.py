"""Books of a catalogue as a pandas frame, for analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from app.core.catalogue import Catalogue, Positions


def frame_of(catalogue: Catalogue, positions: Positions) -> pd.DataFrame:
    """Return a new frame of the books at `positions`, in that order; prices are whole pence."""
    import pandas as pd  # half a second and 100 MB, which the shop's own responses have no need of

    columns, places = catalogue.base.columns, positions.tolist()
    return pd.DataFrame(
        {
            "id": pd.Series([columns.ids[place] for place in places], dtype="int64"),
            "title": pd.Series([columns.titles[place] for place in places], dtype="str"),
            "category": pd.Series([catalogue.base.category(place) for place in places], dtype="str"),
            "pence_incl_tax": pd.Series([columns.pence_incl_tax[place] for place in places], dtype="int64"),
            "pence_excl_tax": pd.Series([columns.pence_excl_tax[place] for place in places], dtype="int64"),
            "stock": pd.Series(catalogue.stocks_at(places), dtype="int64"),
            "rating": pd.Series([columns.ratings[place] for place in places], dtype="int64"),
            "image_url": pd.Series([columns.image_urls[place] for place in places], dtype="str"),
        }
    )
