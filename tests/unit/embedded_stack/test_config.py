"""What each process is told."""

import pytest

from services.embedded.config import Config, Environment, unknown_variables
from services.embedded.data_directory import DataDirectory
from services.embedded.services import NAMES, SERVICES, Ports
from services.gateway import config as gateway

GATEWAY, WRITER = (next(service for service in SERVICES if service.name == name) for name in ("gateway", "writer"))


@pytest.fixture
def data(tmp_path):
    made = DataDirectory(tmp_path)
    made.create()
    return made


def environment(data, outside, cores=2, durable=False):
    return lambda service: Environment(Config(port_base=9000), data, outside, durable=durable).of(service, cores)


def test_a_service_is_given_the_shared_variables_and_its_own(data):
    outside = {
        "HOME": "/home",
        "TIDEMARK_WRITER_BATCH_RECORDS": "9",
        "TIDEMARK_LATENCY_PRICES": "x",
        "TIDEMARK_URL": "u",
    }
    told = environment(data, outside)(WRITER)
    assert told["TIDEMARK_WRITER_BATCH_RECORDS"] == "9"
    assert told["HOME"] == "/home"
    assert told["TIDEMARK_KAFKA_BOOTSTRAP"] == "127.0.0.1:9005"
    assert told["TIDEMARK_WRITER_HTTP_PORT"] == "9010"
    assert not {"TIDEMARK_LATENCY_PRICES", "TIDEMARK_URL"} & set(told)


def test_a_port_of_one_service_is_refused_since_nobody_would_ask_there(data):
    with pytest.raises(ValueError, match=r"TIDEMARK_WRITER_HTTP_PORT.*--port-base"):
        environment(data, {"TIDEMARK_WRITER_HTTP_PORT": "9999"})(WRITER)


def test_only_the_registry_is_given_the_key_itself(data):
    told = {service.name: environment(data, {})(service) for service in SERVICES}
    assert [name for name, variables in told.items() if data.api_key() in variables.values()] == ["registry"]


def test_the_gateway_keeps_a_spool_where_the_log_is_held_in_memory(data):
    assert environment(data, {})(GATEWAY)["TIDEMARK_GATEWAY_SPOOL"] == f"{data.root}/spool/gateway"
    assert not [name for name in environment(data, {}, durable=True)(GATEWAY) if "SPOOL" in name]


@pytest.mark.parametrize(("memory_mebibytes", "spool_mebibytes"), [(1024, 512), (64, 32), (24, 16)])
def test_a_new_broker_has_room_for_the_whole_spool(data, memory_mebibytes, spool_mebibytes):
    config = Config(port_base=9000, broker_memory_bytes=memory_mebibytes << 20)
    told = Environment(config, data, {}, durable=False).of(GATEWAY, 2)
    limit = told["TIDEMARK_GATEWAY_SPOOL_LIMIT_BYTES"]
    assert limit == str(spool_mebibytes << 20)
    assert gateway.Config(spool_limit_bytes=limit).spool_limit_bytes == int(limit)


def test_a_spool_of_another_size_may_be_asked_for(data):
    name = "TIDEMARK_GATEWAY_SPOOL_LIMIT_BYTES"
    assert environment(data, {name: "99999999"})(GATEWAY)[name] == "99999999"


def test_the_spool_waits_for_the_groups_of_the_services_that_run(data):
    config = Config(port_base=9000, without="drift")
    told = Environment(config, data, {}, durable=False).of(GATEWAY, 2)
    groups = told["TIDEMARK_GATEWAY_SPOOL_GROUPS"].split(",")
    assert {"writer", "registry", "rollback", "embedder"} <= set(groups)
    assert not {"drift", "gateway", "console"} & set(groups)


@pytest.mark.parametrize(("cores", "threads"), [(2, "1"), (64, None)])
def test_few_cores_mean_one_thread_a_process(data, cores, threads):
    assert environment(data, {}, cores)(WRITER).get("OMP_NUM_THREADS") == threads


def test_a_misspelt_variable_is_found():
    assert unknown_variables({"TIDEMARK_WRITTER_X": "1", "TIDEMARK_GATEWAY_X": "1", "PATH": ""}) == [
        "TIDEMARK_WRITTER_X"
    ]


def test_a_service_that_does_not_exist_cannot_be_left_out():
    assert Config(without="drift, alerter").left_out == {"drift", "alerter"}
    with pytest.raises(ValueError, match="no such service: swimmer"):
        _ = Config(without="swimmer").left_out


def test_every_port_is_somebody_elses():
    ports = Ports(8700).all()
    assert len(set(ports.values())) == len(ports) == len(NAMES) + 5
    assert (ports["gateway"], ports["supervisor"], ports["rollback"]) == (8700, 8706, 8718)
