"""The page, the data of its charts, and the fragments that the server renders."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Query
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.responses import HTMLResponse, JSONResponse

from services.console import console, texts
from services.console.completeness import completeness
from services.console.console import CHARTS, WORST_METRICS, ChartKind, Range, Row
from services.console.groups import groups
from services.console.measures import LOWER_IS_WORSE, measures
from services.console.metrics import QUERY
from services.console.store import Store
from services.shared.readable import readable

METRICS = ["response_toxicity", "hallucination", "embedding_drift.prompt", "embedding_drift.response", "error"]
Panel = Literal["versions", "groups", "measures", "alerts", "decisions"]
MOMENT: Mapping[str, Any] = {"ge": 0, "le": 4e9, "allow_inf_nan": False}  # seconds since the epoch, until 2096
Seconds = Query(900, ge=60, le=30 * 86_400, description="The length of the range, which ends now.")


def router(store: Store, clock: Callable[[], datetime]) -> APIRouter:
    """Every route of the console."""
    routes, page = APIRouter(), _Page(store, clock)
    _page_routes(routes, page)
    _fragment_routes(routes, page)
    return routes


def _page_routes(routes: APIRouter, page: "_Page") -> None:
    @routes.get("/", response_class=HTMLResponse)
    def index() -> str:
        return page.render("page", charts=CHARTS, worst_metrics=WORST_METRICS)

    @routes.get("/api/targets")
    def targets() -> dict[str, Any]:
        return {"targets": page.targets()}

    @routes.get("/api/series")
    def series(target: str, seconds: int = Seconds) -> JSONResponse:
        with QUERY.labels("series").time():
            return JSONResponse(page.series(_target(target), seconds))


def _fragment_routes(routes: APIRouter, page: "_Page") -> None:
    panels: Mapping[Panel, Callable[[Row, int], str]] = {
        "versions": page.versions,
        "groups": page.groups,
        "measures": page.measures,
        "alerts": page.alerts,
        "decisions": page.decisions,
    }

    @routes.get("/fragments/completeness", response_class=HTMLResponse)
    def shown() -> str:
        with QUERY.labels("completeness").time():
            return page.completeness()

    @routes.get("/fragments/worst", response_class=HTMLResponse)
    def worst(
        target: str,
        metric: str,
        seconds: int = Seconds,
        start: float | None = Query(None, alias="from", **MOMENT),
        stop: float | None = Query(None, alias="to", **MOMENT),
    ) -> str:
        with QUERY.labels("worst").time():
            return page.worst(_target(target), metric, seconds, start, stop)

    @routes.get("/fragments/{panel}", response_class=HTMLResponse)
    def fragment(panel: Panel, target: str, seconds: int = Seconds) -> str:
        with QUERY.labels(panel).time():
            return panels[panel](_target(target), seconds)


class _Page:
    """Rows of the store as what the page shows."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock
        folder = Path(__file__).parent / "templates"
        self._templates = Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True)
        self._templates.filters.update(clock=_time, percent=_percent, seconds=_seconds, figure=_figure)

    def render(self, template: str, **values: Any) -> str:
        return self._templates.get_template(f"{template}.html").render(**values)

    def targets(self) -> list[dict[str, str]]:
        return [_named(row) for row in self._store.targets()]

    def series(self, target: Row, seconds: int) -> dict[str, Any]:
        now = self._clock()
        interval = self._store.interval(target, Range.last(seconds, now))
        span = Range.last(seconds, now, max(5, interval))  # finer steps would show gaps between the windows
        deployments = self._store.deployments(target)
        calls = self._store.calls(target, span)
        colours = self._colours(target, deployments, calls)
        windows = self._store.windows(target, span, METRICS)
        durations = self._store.durations(target, span)
        drift = [
            *console.mean_lines(windows, "embedding_drift.prompt", colours, span, suffix=" prompts", spanned=True),
            *console.mean_lines(
                windows, "embedding_drift.response", colours, span, suffix=" responses", dashed=True, spanned=True
            ),
        ]
        lines = {
            "calls": console.call_lines(calls, colours, span),
            "latency": console.percentile_lines(durations, "duration_seconds", span),
            "toxicity": console.mean_lines(windows, "response_toxicity", colours, span),
            "groundedness": console.mean_lines(windows, "hallucination", colours, span, inverted=True),
            "drift": drift,
            "errors": console.mean_lines(windows, "error", colours, span),
        }
        return {
            "now": now.timestamp(),
            "from": span.start,
            "to": span.stop,
            "times": span.times,
            "last_call_at": self._store.last_call(target),
            "marks": console.marks(deployments, self._store.alerts(target, span), span),
            "charts": [_chart(kind, lines[kind.name]) for kind in CHARTS],
        }

    def versions(self, target: Row, seconds: int) -> str:
        rows = self._store.versions(target, Range.last(seconds, self._clock()))
        deployments = self._store.deployments(target)
        colours = self._colours(target, deployments, rows)
        coloured = [{**row, "colour": colours[row["version"]]} for row in rows]
        newest = deployments[-1] if deployments else None
        deployment = newest and {**newest, "colour": colours[newest["version"]]}
        return self.render("versions", versions=coloured, deployment=deployment)

    def completeness(self) -> str:
        return self.render("completeness", **completeness(self._store.completeness(), self._clock()))

    def groups(self, target: Row, seconds: int) -> str:
        rows = self._store.groups(target, Range.last(seconds, self._clock()))
        return self.render("groups", **groups(rows, self._colours(target, self._store.deployments(target), rows)))

    def measures(self, target: Row, seconds: int) -> str:
        rows = self._store.measures(target, Range.last(seconds, self._clock()))
        return self.render("measures", **measures(rows, self._colours(target, self._store.deployments(target), rows)))

    def alerts(self, target: Row, seconds: int) -> str:
        span = Range.last(seconds, self._clock())
        changes, outcomes = self._store.alerts(target, span), self._store.outcomes(target, span)
        cards = console.alert_cards(changes, outcomes, self._colours(target, self._store.deployments(target), changes))
        return self.render("alerts", alerts=cards)

    def decisions(self, target: Row, seconds: int) -> str:
        outcomes = self._store.outcomes(target, Range.last(seconds, self._clock()))
        cards = console.decision_cards(outcomes, self._colours(target, self._store.deployments(target), []))
        return self.render("decisions", decisions=cards)

    def worst(self, target: Row, metric: str, seconds: int, start: float | None, stop: float | None) -> str:
        now = self._clock().timestamp()
        start = now - seconds if start is None else start
        stop = now if stop is None else stop
        rows = self._store.worst(target, metric, start, stop, lowest=metric in LOWER_IS_WORSE)
        colours = self._colours(target, self._store.deployments(target), rows)
        calls = [{**row, "colour": colours[row["version"]], **texts.shown(row)} for row in rows]
        return self.render("worst", calls=calls)

    def _colours(self, target: Row, deployments: Sequence[Row], others: Sequence[Row]) -> dict[str, int]:
        """A colour for each version, the same in every panel: as they were deployed, then as their calls came."""
        known = [*(row["version"] for row in deployments), *self._store.versions_seen(target)]
        found = dict.fromkeys([*known, *sorted({row["version"] for row in others})])
        return {version: index % 6 for index, version in enumerate(found)}


def _chart(kind: ChartKind, lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": kind.name, "unit": kind.unit, "series": lines}


def _named(row: Row) -> dict[str, str]:
    parts = (row["tenant"], row["app"], row["environment"])
    return {"key": "|".join(parts), "name": f"{row['app']} · {row['environment']} · {row['tenant']}"}


def _target(key: str) -> Row:
    tenant, _, rest = key.partition("|")
    app, _, environment = rest.partition("|")
    return {"tenant": tenant, "app": app, "environment": environment}


def _time(moment: datetime) -> Markup:
    """A moment for the browser, which knows the reader's zone and what today is."""
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(utc.isoformat(), utc.strftime("%Y-%m-%d %H:%M:%S UTC"))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def _figure(value: float | None) -> str:
    return "–" if value is None else readable(value)
