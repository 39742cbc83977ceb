"""What the shop keeps: tables, transactions, migrations and the published catalogue."""
