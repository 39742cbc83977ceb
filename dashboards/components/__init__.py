"""What pages are built from: layout, tiles, charts, tables and forms."""
