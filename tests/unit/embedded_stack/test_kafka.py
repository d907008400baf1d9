"""Apache Kafka's jars, Java and settings, without starting it."""

import stat

import pytest

from services.embedded.data_directory import DataDirectory
from services.embedded.kafka import jars
from services.embedded.kafka.cluster import Cluster
from services.embedded.kafka.java import java, version


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
    with pytest.raises(jars.KafkaMissingError, match="install Maven"):
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


def test_a_data_directory_belongs_to_one_broker(tmp_path):
    data = DataDirectory(tmp_path)
    assert [data.broker("kafka"), data.broker(""), data.broker("kafka")] == ["kafka"] * 3
    with pytest.raises(ValueError, match="use --broker kafka"):
        data.broker("tansu")
    (tmp_path / "other").mkdir()
    assert DataDirectory(tmp_path / "other").broker("") == "tansu"
