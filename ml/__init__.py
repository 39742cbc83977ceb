"""Predict a book's rating, and say honestly whether that is possible.

`python -m ml` trains; the shop runs it as a process of its own and reads its files. Nothing here imports the
shop, and only the training imports scikit-learn before it is needed.
"""
