from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from app.factory import create_app
from app.start import prepare
from tests.support.shop import make_settings
import app.serve

app = create_app(make_settings(Path(sys.argv[1])))
prepare(app)
client = app.test_client()
assert client.get("/health").status_code == 200
book = {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1}
assert client.post("/api/v1/ml/predictions", json=[book]).status_code == 200
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"sklearn", "scipy", "joblib", "streamlit"}))
"""


def test_a_shop_that_answers_has_not_imported_scikit_learn(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout == "\n"
