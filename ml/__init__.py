"""Predicting a book's rating, and saying honestly whether that can be done.

`python -m ml` trains; the shop runs it as a process of its own and reads what it leaves. Nothing here imports
the shop, and nothing but the training imports scikit-learn.
"""
