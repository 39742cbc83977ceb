"""The split of books into those to train a model on and those to test it with."""

import hashlib
from decimal import Decimal

_HASH_BYTES = 8


def is_test_book(book_id: int, seed: int, share: Decimal) -> bool:
    """Return whether a book is one of the about `share` of all that test a model.

    Each book is dealt by itself, so it stays on its side when others come and go, on every platform.
    """
    digest = hashlib.sha256(f"{seed}:{book_id}".encode()).digest()
    place = int.from_bytes(digest[:_HASH_BYTES], "big")
    return place < int(share * 2 ** (8 * _HASH_BYTES))
