"""Routes as they are written down: the file with deployments and routes, and what is made of it."""

from rag_engine.llm.routes.active_probes import ActiveProbes, ProbeOutcome, probe
from rag_engine.llm.routes.configured import configured_table
from rag_engine.llm.routes.entries import SETTINGS_ROUTE, DeploymentEntry, RouteEntry, RouteTable
from rag_engine.llm.routes.keyless_model import KeylessModel
from rag_engine.llm.routes.leaves import leaves
from rag_engine.llm.routes.opened_routes import Routes, open_route_table, open_routes
from rag_engine.llm.routes.route_file import read_routes, read_routes_file

__all__ = [
    "SETTINGS_ROUTE",
    "ActiveProbes",
    "DeploymentEntry",
    "KeylessModel",
    "ProbeOutcome",
    "RouteEntry",
    "RouteTable",
    "Routes",
    "configured_table",
    "leaves",
    "open_route_table",
    "open_routes",
    "probe",
    "read_routes",
    "read_routes_file",
]
