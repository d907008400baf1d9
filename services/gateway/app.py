"""HTTP in, calls and feedback out; deployments the other way."""

from fastapi import FastAPI

from services.gateway.documentation import document
from services.gateway.gateway import Limits
from services.gateway.intake import Intake
from services.gateway.routes import Deployments, Throttle, deployment_routes, intake_routes
from services.shared.access import Guard
from services.shared.web import guarded

DESCRIPTION = "Takes calls and feedback; tells what serves a target."


def web(intake: Intake, deployments: Deployments, guard: Guard, throttle: Throttle, *, limits: Limits) -> FastAPI:
    """The gateway's HTTP side; every route is denied unless it names its permission."""
    app = guarded("Tidemark gateway", DESCRIPTION, guard)
    app.include_router(intake_routes(intake, throttle, limits))
    app.include_router(deployment_routes(deployments))
    document(app)
    return app
