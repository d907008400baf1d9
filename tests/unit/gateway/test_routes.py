"""The gateway over HTTP, as a client sees it."""

import asyncio
import gzip
import json
import zlib

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.routing import Mount

from schemas.ids import derived_id
from schemas.messages import Call, Deployment, Feedback, Target
from services.gateway.admission import Admission, Most
from services.gateway.gateway import Limits
from services.gateway.spool import Spool
from services.shared.access import PUBLIC, permissions
from services.shared.object_store import Folder
from services.shared.payload_reader import PayloadReader
from tests.unit.gateway.builders import CALL_ID, NOW, a_call, some_feedback
from tests.unit.gateway.served import SECRET, Deployments, Kafka, a_client, an_app


@pytest.fixture
def kafka():
    return Kafka()


@pytest.fixture
def deployments():
    return Deployments()


def with_payloads(kafka, deployments, folder):
    payloads = Folder(folder / "payloads")
    return an_app(kafka, deployments, payloads=payloads, in_flight_bytes=64 << 20, limits=Limits())


@pytest.fixture
async def emitter(kafka, deployments):
    async with a_client(an_app(kafka, deployments)) as client:
        yield client


async def test_one_call_is_stored_under_the_tenant_of_the_key(emitter, kafka):
    answer = await emitter.post("/v1/calls", json=a_call())
    assert (answer.status_code, answer.json()) == (200, {"results": [{"call_id": CALL_ID, "status": "stored"}]})
    (entry,) = kafka.log
    assert (entry.topic, Call.decode(entry.value).tenant) == ("calls.v1", "acme")


async def test_a_bad_call_harms_no_other(emitter, kafka):
    calls = [a_call(), a_call(call_id="17"), a_call(tenant="rival"), 5, a_call(prompt="unwanted"), a_call(trace_id="t")]
    answer = await emitter.post("/v1/calls", json={"calls": calls, "client": {"dropped": 3}})
    verdicts = answer.json()["results"]
    assert [v["status"] for v in verdicts] == ["stored", "rejected", "rejected", "rejected", "retry", "stored"]
    assert [v.get("field") for v in verdicts[1:4]] == ["call_id", "tenant", ""]
    assert verdicts[1]["call_id"] == "17"
    assert verdicts[1]["remedy"]
    assert len(kafka.log) == 2


async def test_the_texts_of_a_large_call_are_in_the_store_before_it_is_sent(kafka, deployments, tmp_path):
    app = with_payloads(kafka, deployments, tmp_path)
    async with a_client(app) as client:
        large = a_call(prompt="p" * 600_000, response="r" * 600_000, context=[{"text": "c"}])
        answer = await client.post("/v1/calls", json={"calls": [large, a_call(trace_id="t")]})
    assert [verdict["status"] for verdict in answer.json()["results"]] == ["stored", "stored"]
    sent, small = (Call.decode(entry.value) for entry in kafka.log)
    assert len(sent.encode()) < 20_000
    assert small.payload_reference is None
    assert (sent.prompt[:5], len(sent.prompt), sent.context) == ("ppppp", 2000, ())
    whole = PayloadReader(Folder(tmp_path / "payloads")).whole(sent)
    assert (whole.prompt, whole.response, whole.context[0].text) == ("p" * 600_000, "r" * 600_000, "c")


async def test_a_large_call_whose_payload_cannot_be_kept_is_to_be_tried_again(kafka, deployments, tmp_path):
    (tmp_path / "payloads").write_text("no directory")
    app = with_payloads(kafka, deployments, tmp_path)
    async with a_client(app) as client:
        answer = await client.post("/v1/calls", json={"calls": [a_call(prompt="p" * 600_000), a_call(trace_id="t")]})
        assert [verdict["status"] for verdict in answer.json()["results"]] == ["retry", "stored"]
        alone = await client.post("/v1/calls", json=a_call(prompt="p" * 600_000))
    assert (alone.status_code, alone.headers["Retry-After"]) == (503, "1")
    assert alone.json()["error"]["message"] == "the store of payloads does not take it"
    assert len(kafka.log) == 1


async def test_feedback_goes_its_own_way(emitter, kafka):
    answer = await emitter.post("/v1/feedback", json={"feedback": [some_feedback(kind="reference", text="42")]})
    assert answer.json() == {"results": [{"feedback_id": CALL_ID, "status": "stored"}]}
    assert (kafka.log[0].topic, Feedback.decode(kafka.log[0].value).tenant) == ("feedback.v1", "acme")


async def test_an_empty_batch_is_answered(emitter):
    assert (await emitter.post("/v1/calls", json={"calls": []})).json() == {"results": []}


async def test_gzip_is_understood(emitter, kafka):
    body = gzip.compress(json.dumps({"calls": [a_call()] * 3}).encode())
    answer = await emitter.post("/v1/calls", content=body, headers={"Content-Encoding": "gzip"})
    assert [v["status"] for v in answer.json()["results"]] == ["stored"] * 3


@pytest.mark.parametrize(
    ("body", "encoding", "status", "field"),
    [
        (b"{", "identity", 400, "calls"),
        (b'{"calls": 5}', "identity", 400, "calls"),
        (b'{"calls": [1,2,3,4,5,6,7,8,9,10,11]}', "identity", 413, "calls"),
        (b'{"calls": []}' + b" " * 100_000, "identity", 413, None),
        (gzip.compress(b" " * 10_000_000, mtime=0), "gzip", 413, None),
        (b"no gzip", "gzip", 400, "Content-Encoding"),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip", 400, "Content-Encoding"),
        (gzip.compress(b'{"calls": []}', mtime=0) * 2, "gzip", 400, "Content-Encoding"),
        (zlib.compress(b"{}"), "br", 415, "Content-Encoding"),
    ],
)
async def test_a_body_that_cannot_be_taken_names_field_and_remedy(emitter, body, encoding, status, field):
    answer = await emitter.post("/v1/calls", content=body, headers={"Content-Encoding": encoding})
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (status, field)
    assert error["message"]
    assert error["remedy"]


async def test_a_call_that_is_no_utf_8_harms_no_other(emitter):
    body = b'{"calls": [{"app": "\xff"},' + json.dumps(a_call()).encode() + b"]}"
    verdicts = (await emitter.post("/v1/calls", content=body)).json()["results"]
    assert [verdict["status"] for verdict in verdicts] == ["rejected", "stored"]
    assert verdicts[0]["remedy"]


async def test_a_body_without_a_length_is_cut_off_too(emitter):
    async def endless():
        for _ in range(1000):
            yield b" " * 1000

    assert (await emitter.post("/v1/calls", content=endless())).status_code == 413


async def test_kafka_away_is_said_with_a_time_to_come_back(emitter, kafka):
    kafka.away = True
    answer = await emitter.post("/v1/calls", json={"calls": [a_call(), 5]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


async def test_what_a_client_lost_is_counted_once_however_often_its_body_is_refused(emitter, kafka):
    def lost():
        return REGISTRY.get_sample_value("tidemark_gateway_client_dropped_total", {"tenant": "acme"}) or 0

    body, before = {"calls": [a_call()], "client": {"dropped": 3}}, lost()
    kafka.away = True
    refused = [(await emitter.post("/v1/calls", json=body)).status_code for _ in range(2)]
    kafka.away = False
    taken = await emitter.post("/v1/calls", json=body)
    assert (refused, taken.status_code, lost() - before) == ([503, 503], 200, 3)


async def test_what_a_client_lost_is_no_number_and_nothing_is_stored(emitter, kafka):
    body = json.dumps({"calls": [a_call()], "client": {"dropped": 0}}).replace(": 0}", ": " + "9" * 400 + "}")
    answer = await emitter.post("/v1/calls", content=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "client.dropped")
    assert "9007199254740992" in answer.json()["error"]["message"]
    assert kafka.log == []


async def test_a_key_above_its_rate_waits_and_others_do_not(kafka, deployments):
    app = an_app(kafka, deployments, rate=10)
    async with a_client(app) as emitter, a_client(app, "rival") as rival:
        assert (await emitter.post("/v1/calls", json={"calls": [a_call()] * 10})).status_code == 200
        late = await emitter.post("/v1/calls", json={"calls": [a_call()] * 10})
        assert (late.status_code, late.headers["Retry-After"]) == (429, "1")
        assert (await rival.post("/v1/calls", json=a_call())).status_code == 200


async def test_a_full_gateway_refuses_before_it_reads(kafka, deployments):
    async with a_client(an_app(kafka, deployments, in_flight_bytes=10)) as emitter:
        answer = await emitter.post("/v1/calls", json=a_call())
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "saturated")


async def test_too_many_requests_at_once_are_asked_to_come_back(kafka, deployments):
    app, slow = an_app(kafka, deployments, admission=Admission(Most(requests=4))), asyncio.Event()
    kafka.until = slow
    async with a_client(app) as emitter:
        first = [asyncio.create_task(emitter.post("/v1/calls", json=a_call())) for _ in range(2)]
        while kafka.waiting < 2:
            await asyncio.sleep(0)
        refused = await emitter.post("/v1/calls", json=a_call())
        slow.set()
        answered = [answer.status_code for answer in await asyncio.gather(*first)]
        after = await emitter.post("/v1/calls", json=a_call())
    assert (refused.status_code, refused.headers["Retry-After"], answered) == (429, "1", [200, 200])
    assert after.status_code == 200
    assert len(kafka.log) == 3


async def test_what_is_behind_closes_the_door_before_anything_is_read(kafka, deployments):
    closed = Admission(Most(), {"kafka": lambda _size: "Kafka is slow"})
    async with a_client(an_app(kafka, deployments, admission=closed)) as emitter:
        answer = await emitter.post("/v1/calls", content=b"not even JSON")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert (answer.json()["error"]["code"], answer.json()["error"]["message"]) == ("kafka", "Kafka is slow")


async def test_a_body_that_does_not_come_is_given_up(kafka, deployments):
    async def never():
        yield b"{"
        await asyncio.Event().wait()

    limits = Limits(largest_body_bytes=1000, body_seconds=0.05)
    async with a_client(an_app(kafka, deployments, limits=limits)) as emitter:
        answer = await emitter.post("/v1/calls", content=never())
        assert (answer.status_code, answer.json()["error"]["code"]) == (408, "too_slow")
        assert (await emitter.post("/v1/calls", json=a_call())).status_code == 200


async def test_a_spool_that_is_nearly_full_takes_only_what_fits(kafka, deployments, tmp_path):
    spool = Spool(tmp_path, "run", limit_bytes=2300)
    app = an_app(kafka, deployments, spool, admission=Admission(Most(), {"spool": spool.gate}))
    async with a_client(app) as emitter:
        answers = [await emitter.post("/v1/calls", json=a_call(prompt="x" * 400)) for _ in range(6)]
        small = await emitter.post("/v1/calls", json=a_call(prompt="x"))
    assert [answer.status_code for answer in answers][:2] == [200, 200]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert len(list(spool.current.entries())) == len(kafka.log)
    assert small.status_code == 200
    assert spool.bytes <= 2300
    await spool.close()


async def test_what_is_in_flight_is_given_back(kafka, deployments):
    async with a_client(an_app(kafka, deployments, in_flight_bytes=1000)) as emitter:
        for body in (a_call(), {"calls": 5}, a_call(prompt="unwanted")) * 5:
            assert (await emitter.post("/v1/calls", json=body)).status_code != 429


async def test_with_a_spool_what_is_stored_is_on_the_disk(kafka, deployments, tmp_path):
    spool = Spool(tmp_path, "run")
    async with a_client(an_app(kafka, deployments, spool)) as emitter:
        await emitter.post("/v1/calls", json={"calls": [a_call(), a_call(prompt="unwanted"), 5]})
    assert len(list(spool.current.entries())) == 2
    assert (spool.current.pending, spool.current.failed) == (0, True)
    await spool.close()


async def test_a_disk_that_takes_nothing_is_said_so(kafka, deployments, tmp_path):
    spool = Spool(tmp_path, "run")
    await spool.close()
    async with a_client(an_app(kafka, deployments, spool)) as emitter:
        answer = await emitter.post("/v1/calls", json=a_call())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")


def a_deployment() -> Deployment:
    target = Target(tenant="acme", app="shop", environment="production")
    return Deployment(
        deployment_id=derived_id("deployment", target.key, 3),
        target=target,
        revision=3,
        version="v2",
        version_hash="abc",
        bundle={"model": "m"},
        deployed_at=NOW,
        deployed_by="ann",
    )


@pytest.mark.parametrize("key", ["emitter", "reader"])
async def test_a_deployment_is_told_until_it_is_known(kafka, deployments, key):
    deployments[a_deployment().target.key] = a_deployment()
    async with a_client(an_app(kafka, deployments), key) as client:
        first = await client.get("/v1/deployments/shop/production")
        assert Deployment.decode(first.content) == a_deployment()
        again = await client.get("/v1/deployments/shop/production", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", '"3"')
        changed = await client.get("/v1/deployments/shop/production", headers={"If-None-Match": '"2"'})
        assert changed.status_code == 200


async def test_what_is_not_deployed_or_another_tenants_is_not_found(kafka, deployments):
    deployments[a_deployment().target.key] = a_deployment()
    app = an_app(kafka, deployments)
    async with a_client(app) as emitter, a_client(app, "rival") as rival:
        assert (await emitter.get("/v1/deployments/shop/staging")).status_code == 404
        assert (await rival.get("/v1/deployments/shop/production")).status_code == 404
        deployments.ready.clear()
        assert (await emitter.get("/v1/deployments/shop/production")).status_code == 503


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Basic abc"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer unknown"}, 401),
        ({"Authorization": "Bearer ünknown".encode("latin-1")}, 401),
        ({"Authorization": "Bearer reader"}, 403),
        ({"Authorization": f"Bearer {SECRET}"}, 400),
        ({"Authorization": f"Bearer {SECRET}", "Tidemark-Tenant": "acme"}, 200),
    ],
)
async def test_who_may_not_emit_is_told_why(kafka, deployments, headers, status):
    transport = httpx.ASGITransport(app=an_app(kafka, deployments))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
        answer = await client.post("/v1/calls", json=a_call())
        assert answer.status_code == status
        assert status == 200 or answer.json()["error"]["remedy"]


async def test_every_route_is_denied_to_strangers_and_names_its_permission(kafka, deployments):
    app = an_app(kafka, deployments)
    routes = list(walked(app.routes))
    assert len(routes) >= 4
    async with a_client(app, "a stranger's key") as stranger:
        for path, methods, endpoint in routes:
            assert permissions(endpoint), path
            if permissions(endpoint) == (PUBLIC,):
                assert path == "/openapi.json"
                continue
            for method in methods - {"HEAD", "OPTIONS"}:
                answer = await stranger.request(method, path.replace("{", "").replace("}", ""))
                assert answer.status_code == 401, (method, path)


def walked(routes):
    for route in routes:
        if isinstance(route, Mount):
            yield from walked(route.routes)
        elif hasattr(route, "original_router"):
            yield from walked(route.original_router.routes)
        else:
            yield route.path, route.methods, route.endpoint


async def test_the_document_shows_calls_that_are_accepted(kafka, deployments):
    async with a_client(an_app(kafka, deployments)) as client:
        document = (await client.get("/openapi.json", headers={"Authorization": ""})).json()
        for path, kind in (("/v1/calls", "calls"), ("/v1/feedback", "feedback")):
            operation = document["paths"][path]["post"]
            examples = operation["requestBody"]["content"]["application/json"]["examples"]
            for example in examples.values():
                answer = await client.post(path, json=example["value"])
                assert [v["status"] for v in answer.json()["results"]] == ["stored"], kind
            assert {"200", "400", "401", "403", "413", "429", "503"} <= set(operation["responses"])
    names = set(document["components"]["schemas"])
    assert all(ref in names for ref in references(document))


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix("#/components/schemas/")
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
