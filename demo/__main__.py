"""Start the whole shop, with visitors: `make demo`, or `python -m demo`.

Starts a shop to scrape (demo.site), in which some prices and stocks change from scrape to scrape, the API, Prometheus
and the dashboard, then visitors (demo.traffic), who trigger a scrape at once and ask for predictions. The shop scrapes
every 5 minutes, unless SCRAPER_SCHEDULE says otherwise, and trains a model when it starts and after each scrape, unless
ML_AUTO_TRAIN=false. Programs that are not installed are left out, with a message. Everything ends on Ctrl-C or SIGTERM,
and when one of the programs ends by itself.

Database, samples and logs lie in data/demo, are used again next time, and may be deleted; no other data are touched.
DATA_DIR and DATABASE_URL are ignored; the other settings apply, from the environment or `.env`, such as
SIMULATION_PAYMENT_DENIED_RATE=0.3. Everything listens on this machine only.
"""

import argparse
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.supervisor import Program, ProgramFailed, StopRequested, Supervisor, is_taken
from environment import read_environment

ROOT = Path(__file__).parents[1]
DASHBOARD = ROOT / "dashboards" / "dashboard_unificado.py"
PROMETHEUS = ROOT / "prometheus.yml"
SCHEDULE = "*/5 * * * *"
MOVING_RATE = 0.03
"""The share of the books with another price from scrape to scrape; as many have another stock."""
WATCHED_API = "localhost:5000"
"""The address in prometheus.yml and in the files that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Ports, folder and environment of the programs, and the visitors' requests a second."""

    api_port: int
    site_port: int
    dashboard_port: int
    prometheus_port: int
    rate: float
    folder: Path
    environment: dict[str, str]


def read_plan(arguments: list[str] | None = None) -> Plan:
    """Read the options; the settings in the environment and `.env` are their defaults."""
    settings = read_environment(ROOT / ".env")

    def setting(name: str, default: str) -> str:
        return (settings.get(name) or default).strip()

    parser = argparse.ArgumentParser(
        prog="python -m demo", description="Starts the whole shop, with visitors."
    )
    add = parser.add_argument
    for option, name, default in (
        ("--api-port", "FLASK_APP_PORT", "5000"),
        ("--site-port", "DEMO_SITE_PORT", "8898"),
        ("--dashboard-port", "STREAMLIT_SERVER_PORT", "8501"),
        ("--prometheus-port", "PROMETHEUS_PORT", "9090"),
    ):
        add(option, type=port, default=setting(name, default), metavar="N", help=f"{name}, or else {default}")
    add("--rate", type=float, default=20.0, metavar="N", help="requests a second, default: %(default)s")
    add("--folder", type=Path, default=ROOT / "data" / "demo", metavar="PATH", help="default: data/demo")
    options = parser.parse_args(arguments)
    environment = dict(os.environ) | {
        "FLASK_APP_PORT": str(options.api_port),
        "PORT": "",
        "API_URL": f"http://localhost:{options.api_port}",
        "PROMETHEUS_URL": f"http://localhost:{options.prometheus_port}",
        "API_KEY_REQUIRED": setting("API_KEY_REQUIRED", "minha_chave_secreta_empresa"),
        "ADMIN_PASSWORD": (password := setting("ADMIN_PASSWORD", "1234")),
        "API_USER": setting("API_USER", "admin"),  # the dashboard shows what operators see
        "API_PASSWORD": setting("API_PASSWORD", password),
        "SCRAPER_SCHEDULE": setting("SCRAPER_SCHEDULE", SCHEDULE),
        "PYTHONUNBUFFERED": "1",
    }
    options.folder = options.folder.absolute()
    return Plan(**vars(options), environment=environment)


def port(text: str) -> int:
    """Parse a port number; argparse reports a ValueError by this function's name."""
    number = int(text)
    if not 0 < number < 65_536:
        raise ValueError
    return number


def main(arguments: list[str] | None = None) -> int:
    plan = read_plan(arguments)
    programs = [_site(plan), _api(plan), *_monitoring(plan)]
    taken = [program for program in programs if is_taken(program.port)]
    for program in taken:
        sys.stderr.write(
            f"Port {program.port} is taken: free it, "
            f"or choose another for the {program.name} with --{program.name}-port.\n"
        )
    if taken:
        return 2
    try:
        with Supervisor(plan.folder / "logs", ROOT) as supervisor:
            _run(plan, programs, supervisor)
    except StopRequested:
        _say("Everything has ended.")
    except ProgramFailed as error:
        sys.stderr.write(f"{error}\nEverything else has ended.\n")
        return 1
    return 0


def _run(plan: Plan, programs: Sequence[Program], supervisor: Supervisor) -> None:
    """Start everything and watch it. Raises StopRequested or ProgramFailed."""
    _say(f"Starting {', '.join(program.name for program in programs)} ...")
    for program in programs:
        supervisor.start(program)
    site, api, *monitoring = programs
    supervisor.wait_for(site)
    supervisor.wait_for(api)
    supervisor.start(_traffic(plan, api))  # which begins with a scrape
    for program in monitoring:
        supervisor.wait_for(program)
    addresses = {program.name: f"{program.url}/" for program in (api, *monitoring, site)}
    addresses |= {"docs": f"{api.url}/apidocs/", "data, logs": str(plan.folder)}
    lines = [f"  {name:<12}{address}" for name, address in addresses.items()]
    _say("\n".join([*lines, "Ctrl-C ends all of it."]))
    for _ in supervisor.watch():
        pass


def _site(plan: Plan) -> Program:
    options = ("--port", str(plan.site_port), "--moving-rate", str(MOVING_RATE))
    command = (sys.executable, "-m", "demo.site", *options)
    return Program("site", command, plan.environment, plan.site_port, "/")


def _api(plan: Plan) -> Program:
    settings = {
        "APP_ENV": "development",
        "HOST": "127.0.0.1",
        "DATA_DIR": str(plan.folder / "shop"),
        "DATABASE_URL": "",
        "SCRAPER_BASE_URL": f"http://localhost:{plan.site_port}/",
    }
    return Program("api", (sys.executable, "run.py"), plan.environment | settings, plan.api_port, "/health")


def _traffic(plan: Plan, api: Program) -> Program:
    options = ("--url", api.url, "--rate", str(plan.rate), "--seconds", "inf", "--scrape")
    return Program("traffic", (sys.executable, "-m", "demo.traffic", *options), plan.environment)


def _monitoring(plan: Plan) -> Iterator[Program]:
    """Yield the dashboard and Prometheus, if they are installed."""
    if not DASHBOARD.exists():
        _say(f"Without the dashboard: there is no {DASHBOARD.relative_to(ROOT)}.")
    elif importlib.util.find_spec("streamlit") is None:
        _say("Without the dashboard: streamlit is not installed.")
    else:
        yield _dashboard(plan)
    if not PROMETHEUS.exists():
        _say(f"Without Prometheus: there is no {PROMETHEUS.relative_to(ROOT)}.")
    elif shutil.which("prometheus") is None:
        _say("Without Prometheus: it is not installed (on Debian and Ubuntu: sudo apt install prometheus).")
    else:
        yield _prometheus(plan)


def _dashboard(plan: Plan) -> Program:
    options = ("run", str(DASHBOARD), "--server.port", str(plan.dashboard_port))  # the rest is in .streamlit/
    command = (sys.executable, "-m", "streamlit", *options)
    return Program("dashboard", command, plan.environment, plan.dashboard_port, "/_stcore/health")


def _prometheus(plan: Plan) -> Program:
    command = (
        "prometheus",
        f"--config.file={_prometheus_config(plan)}",
        f"--storage.tsdb.path={plan.folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{plan.prometheus_port}",
    )
    return Program("prometheus", command, plan.environment, plan.prometheus_port, "/-/ready")


def _prometheus_config(plan: Plan) -> Path:
    """Return the repository's, or a copy, with the files that it names, for an API on another port."""
    api = f"localhost:{plan.api_port}"
    if api == WATCHED_API:
        return PROMETHEUS
    for file in (PROMETHEUS, *ROOT.glob("alerts/*.yml"), *ROOT.glob("targets/*.yml")):
        copy = plan.folder / "watched" / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text(encoding="utf-8").replace(WATCHED_API, api), encoding="utf-8")
    return plan.folder / "watched" / PROMETHEUS.name


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
