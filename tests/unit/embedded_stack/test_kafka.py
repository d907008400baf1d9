"""Apache Kafka's jars, Java and settings, without starting it."""

import stat

import pytest

from services.embedded import machine
from services.embedded.config import Config
from services.embedded.data_directory import DataDirectory
from services.embedded.kafka import cluster as clusters
from services.embedded.kafka import jars
from services.embedded.kafka.cluster import Cluster
from services.embedded.kafka.java import java, version
from services.embedded.plan import plan
from tests.support.kafka_broker import skip_where_missing


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """A list of one jar, whose bytes are `jar`."""
    monkeypatch.setattr(jars, "DEPLOY", tmp_path)
    (tmp_path / "jars.sha256").write_text(
        "7a5f4dc6e7c44ae2b8fd2c3cc6ddbbb3ab9c37d1c4d9a3b6c3ea1ad87dc55a14  kafka.jar\n"
    )
    folder = tmp_path / "jars"
    folder.mkdir()
    return folder


def program(path, said):
    path.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_jar_with_other_bytes_or_without_a_line_is_refused(listed):
    (listed / "kafka.jar").write_bytes(b"another")
    (listed / "more.jar").write_bytes(b"more")
    assert jars.wrong(listed) == ["kafka.jar", "more.jar"]
    with pytest.raises(jars.KafkaMissingError, match="--fetch` brings them"):
        jars.found(listed)


def test_without_maven_the_remedy_is_named(listed, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(jars.KafkaMissingError, match="install Maven"):
        jars.fetch(listed)


@pytest.mark.parametrize(
    ("said", "number"),
    [('openjdk version "17.0.15" 2025-04-15', 17), ('java version "1.8.0_401"', 8), ('openjdk version "25" x', 25)],
)
def test_a_java_tells_its_release(tmp_path, said, number):
    assert version(program(tmp_path / "java", said)) == number


def test_an_old_java_is_named_with_the_remedy(tmp_path, monkeypatch):
    program(tmp_path / "java", 'java version "1.8.0_401"')
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(jars.KafkaMissingError, match=r"is 8.*install Java 17"):
        java()


def test_three_nodes_copy_each_other_and_one_stands_alone(tmp_path):
    three = Cluster.of(tmp_path, [(1, 11), (2, 12), (3, 13)], java="java", jars=tmp_path)
    told = three.properties(three.nodes[2])
    assert (told["default.replication.factor"], told["min.insync.replicas"], told["node.id"]) == ("3", "2", "3")
    assert told["controller.quorum.voters"] == "1@127.0.0.1:11,2@127.0.0.1:12,3@127.0.0.1:13"
    one = Cluster.of(tmp_path / "one", [(1, 11)], java="java", jars=tmp_path)
    assert one.properties(one.nodes[0])["min.insync.replicas"] == "1"
    assert one.id == Cluster.of(tmp_path / "one", [(1, 11)], java="java", jars=tmp_path).id != three.id


@pytest.mark.kafka
def test_a_log_is_formatted_once_whatever_its_id_begins_with(tmp_path):
    skip_where_missing()
    cluster = Cluster.of(tmp_path, [(1, 11)], java=java(), jars=jars.JARS)
    (tmp_path / "cluster-id").write_text("-AAAAAAAAAAAAAAAAAAAAA")
    cluster.prepare()
    written = (cluster.nodes[0].log / "meta.properties").read_text()
    assert "cluster.id=-AAAAAAAAAAAAAAAAAAAAA\n" in written
    cluster.prepare()
    assert (cluster.nodes[0].log / "meta.properties").read_text() == written


def test_a_format_that_hangs_is_given_up(tmp_path, monkeypatch):
    slow = tmp_path / "java"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    monkeypatch.setattr(clusters, "_FORMAT_SECONDS", 0.2)
    with pytest.raises(jars.KafkaMissingError, match="was not formatted within"):
        Cluster.of(tmp_path / "data", [(1, 11)], java=str(slow), jars=tmp_path).prepare()


def test_a_maven_that_hangs_is_given_up(listed, tmp_path, monkeypatch):
    slow = tmp_path / "mvn"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    told = []
    with pytest.raises(jars.KafkaMissingError, match="did not bring"):
        jars.fetch(listed, tell=told.append, seconds=0.2)
    assert len(told) == 1


def test_a_data_directory_belongs_to_the_broker_that_it_was_begun_with(tmp_path):
    data = DataDirectory(tmp_path)
    assert [data.broker("kafka"), data.broker("")] == ["kafka", "tansu"]  # asking alone settles nothing
    data.keep_broker("kafka")
    data.keep_broker("tansu")
    assert [data.broker(""), data.broker("kafka")] == ["kafka"] * 2
    with pytest.raises(ValueError, match="use --broker kafka"):
        data.broker("tansu")


def test_a_start_that_came_to_nothing_settles_no_broker(tmp_path):
    assert plan(Config(data=tmp_path), {}).broker.engine.kind == "tansu"
    assert DataDirectory(tmp_path).broker_kind() == ""


def test_a_broker_that_cannot_be_had_is_not_what_the_data_are_on(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr("services.embedded.kafka.java.importlib.util.find_spec", lambda _: None)
    with pytest.raises(jars.KafkaMissingError, match="install Java 17"):
        plan(Config(data=tmp_path, broker="kafka"), {})
    assert DataDirectory(tmp_path).broker_kind() == ""


@pytest.mark.parametrize(("chosen", "grade"), [(True, "problem"), (False, "good")])
def test_java_and_the_jars_are_looked_for_one_by_one(tmp_path, monkeypatch, chosen, grade):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr("services.embedded.kafka.java.importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(machine, "found", lambda: jars.found(tmp_path))
    java_, jars_ = machine.kafka(chosen=chosen)
    assert (java_.grade, jars_.grade) == (grade, grade)
    assert "install Java 17" in java_.what
    assert "install Maven 3" in jars_.what
