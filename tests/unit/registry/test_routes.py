"""The registry over HTTP."""

import httpx
import pytest
from starlette.routing import Mount

from services.shared.access import PUBLIC, permissions
from tests.unit.registry.builders import SECRET, a_client, a_version

TARGET = "/v1/deployments/shop/production"


async def register(client: httpx.AsyncClient, label: str, **bundle) -> httpx.Response:
    body = {"app": "shop", "version": label, "bundle": bundle or {"model": label}}
    return await client.post("/v1/versions", json=body)


async def test_a_version_is_registered_once_and_never_changed(caller):
    first, again, other = [await register(caller, "v1", model=m) for m in ("m", "m", "n")]
    assert [answer.status_code for answer in (first, again, other)] == [201, 200, 409]
    assert again.json() == first.json()
    assert other.json()["error"]["code"] == "label_taken"
    assert (await caller.get("/v1/versions", params={"app": "shop"})).json() == {"versions": [first.json()]}
    assert (await caller.get("/v1/versions/shop/v1")).json() == first.json()
    assert (await caller.get("/v1/versions/shop/v9")).status_code == 404


async def test_a_deployment_is_a_revision_with_an_etag(caller):
    await register(caller, "v1")
    assert (await caller.get(TARGET)).status_code == 404
    made = await caller.put(TARGET, json={"version": "v1", "expected_revision": 0, "reason": "first"})
    assert (made.status_code, made.headers["ETag"], made.json()["deployed_by"]) == (200, '"1"', "ann")
    assert (await caller.get(TARGET)).json() == made.json()
    assert (await caller.get(TARGET, headers={"If-None-Match": '"1"'})).status_code == 304
    assert (await caller.get("/v1/deployments")).json() == {"deployments": [made.json()]}
    assert (await caller.get(f"{TARGET}/history")).json() == {"deployments": [made.json()]}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"version": "v9"}, 404, "version"),
        ({"version": "v2", "expected_revision": 5}, 409, "expected_revision"),
        ({"version": "v2", "weights": {"v1": 0.9}}, 400, "weights"),
        ({"version": "v2", "expected_revison": 1}, 400, "expected_revison"),
        ({"reason": "no version"}, 400, "version"),
        ({"version": "a|b"}, 400, "version"),
    ],
)
async def test_a_refusal_names_field_message_and_remedy(caller, body, status, field):
    await register(caller, "v1")
    await register(caller, "v2")
    answer = await caller.put(TARGET, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (status, field)
    assert error["message"]
    assert error["remedy"]


@pytest.mark.parametrize("name", ["a/b", ".", "..", "a|b"])
@pytest.mark.parametrize("field", ["app", "version"])
async def test_a_version_is_never_registered_under_a_name_that_no_path_can_hold(caller, field, name):
    body = {"app": "shop", "version": "v1", "bundle": {"model": "org/model"}}
    assert (await caller.post("/v1/versions", json=body)).status_code == 201
    answer = await caller.post("/v1/versions", json={**body, field: name})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
    assert answer.json()["error"]["remedy"]


async def test_a_version_that_was_registered_under_such_a_name_is_deployed_compared_and_told(caller, store):
    store.register(a_version("release/2026-01"))
    order = {"version": "release/2026-01", "weights": {"release/2026-01": 1}}
    assert (await caller.put(TARGET, json=order)).status_code == 200
    baseline = {"version": "release/2026-01"}
    assert (await caller.put("/v1/baselines/shop/production", json=baseline)).status_code == 204
    assert (await caller.get(TARGET)).json()["version"] == "release/2026-01"


@pytest.mark.parametrize("value", [r'"\ud800"', r'{"\ud800": 1}', "[" * 300 + "]" * 300, "[" * 900 + "]" * 900])
async def test_a_bundle_that_could_not_be_shown_again_is_refused(caller, value):
    body = f'{{"app": "shop", "version": "v1", "bundle": {{"prompt": {value}}}}}'
    answer = await caller.post("/v1/versions", content=body, headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (400, "invalid_bundle", "bundle")
    assert (await caller.get("/v1/versions")).json() == {"versions": []}


async def test_a_body_that_is_no_json_is_said_so(caller):
    answer = await caller.put(TARGET, content="{", headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error["field"], error["remedy"]) == (400, "body", "send one JSON object")


async def test_the_document_says_what_is_answered(caller):
    document = (await caller.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"] == {"key": {"type": "http", "scheme": "bearer"}}
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])
    answers = {
        (method, path): operation["responses"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    for responses in answers.values():
        assert {"400", "401", "403"} <= set(responses)
        assert "422" not in responses
        errors = [said["content"] for code, said in responses.items() if code >= "400"]
        assert all(content["application/json"]["schema"]["$ref"].endswith("/Problem") for content in errors)
    assert {"200", "201", "409", "413"} <= set(answers["post", "/v1/versions"])
    assert {"200", "304", "404"} <= set(answers["get", "/v1/deployments/{app}/{environment}"])
    assert {"200", "404", "409", "413"} <= set(answers["put", "/v1/deployments/{app}/{environment}"])


async def test_a_lease_keeps_others_away_until_it_is_ended(caller):
    await register(caller, "v1")
    lease = (await caller.post(f"{TARGET}/lease", json={"holder": "rollback", "seconds": 30})).json()
    assert (lease["fencing_token"], lease["revision"], lease["version"]) == (1, 0, None)
    assert (await caller.post(f"{TARGET}/lease", json={"holder": "ann"})).status_code == 409
    assert (await caller.put(TARGET, json={"version": "v1"})).json()["error"]["code"] == "leased"
    assert (await caller.delete(f"{TARGET}/lease/1")).status_code == 204
    assert (await caller.put(TARGET, json={"version": "v1"})).status_code == 200
    assert (await caller.delete(f"{TARGET}/lease/9")).status_code == 404


async def test_a_baseline_is_pinned_and_unpinned(caller):
    url = "/v1/baselines/shop/production"
    await register(caller, "v1")
    assert (await caller.get(url)).status_code == 404
    assert (await caller.put(url, json={"version": "v9"})).status_code == 404
    assert (await caller.put(url, json={"version": "v1"})).status_code == 204
    assert (await caller.get(url)).json()["version"] == "v1"
    assert (await caller.delete(url)).status_code == 204
    assert (await caller.get(url)).status_code == 404


async def test_the_kill_switch_is_thrown_and_lifted(caller):
    thrown = await caller.put("/v1/freeze", json={"frozen": True, "app": "shop", "reason": "the host moves"})
    assert [(f["app"], f["environment"], f["reason"]) for f in thrown.json()["freezes"]] == [
        ("shop", "", "the host moves")
    ]
    assert (await caller.put("/v1/freeze", json={"frozen": False, "app": "shop"})).json() == {"freezes": []}


async def test_a_key_is_shown_once_works_and_can_be_ended(registry, caller):
    made = (await caller.post("/v1/keys", json={"name": "reader", "scopes": ["read"]})).json()
    assert made["key"] not in (await caller.get("/v1/keys")).text
    async with a_client(registry[0], made["key"]) as reader:
        assert (await reader.get("/v1/deployments")).status_code == 200
        assert (await reader.put(TARGET, json={"version": "v1"})).status_code == 403
        assert (await caller.delete(f"/v1/keys/{made['key_id']}")).status_code == 204
        assert (await reader.get("/v1/deployments")).status_code == 401


async def test_hashes_are_for_services_alone(registry, caller):
    assert (await caller.get("/v1/keys/hashes")).status_code == 403
    async with a_client(registry[0], SECRET) as service:
        (kept,) = (await service.get("/v1/keys/hashes")).json()["keys"]
    assert (kept["tenant"], kept["scopes"]) == ("acme", ["read", "deploy", "admin"])


async def test_a_service_acts_for_the_tenant_it_names(registry):
    async with a_client(registry[0], SECRET) as service:
        assert (await service.get("/v1/deployments")).json()["error"]["field"] == "Tidemark-Tenant"
        made = await service.post(f"{TARGET}/lease", json={"holder": "r"}, headers={"Tidemark-Tenant": "acme"})
        assert made.status_code == 200


async def test_a_tenant_is_named_in_utf_8(registry):
    async with a_client(registry[0], SECRET) as service:
        named = {b"Tidemark-Tenant": "Größe".encode("latin-1")}
        refused = await service.get("/v1/deployments", headers=named)
        assert (refused.status_code, refused.json()["error"]["field"]) == (400, "Tidemark-Tenant")


async def test_a_tenant_named_beside_a_key_is_ignored(registry, caller):
    await register(caller, "v1")
    async with a_client(registry[0], SECRET, **{"Tidemark-Tenant": "rival"}) as rival:
        assert (await rival.get("/v1/versions")).json() == {"versions": []}
    answer = await caller.get("/v1/versions", headers={"Tidemark-Tenant": "rival"})
    assert len(answer.json()["versions"]) == 1


async def test_every_route_is_denied_to_strangers_and_names_its_permission(registry):
    app, _ = registry
    routes = list(walked(app.routes))
    assert len(routes) >= 18
    async with a_client(app, "a stranger's key") as stranger:
        for path, methods, endpoint in routes:
            assert permissions(endpoint), path
            if permissions(endpoint) == (PUBLIC,):
                assert path in {"/openapi.json"}
                continue
            for method in methods - {"HEAD", "OPTIONS"}:
                answer = await stranger.request(method, path.replace("{", "").replace("}", ""), json={})
                assert answer.status_code == 401, (method, path)


def walked(routes):
    for route in routes:
        if isinstance(route, Mount):
            yield from walked(route.routes)
        elif hasattr(route, "original_router"):
            yield from walked(route.original_router.routes)
        else:
            yield route.path, route.methods, route.endpoint
