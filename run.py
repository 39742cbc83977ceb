"""Start the shop: `python run.py`."""

from app.serve import main

if __name__ == "__main__":
    main()
