"""What may be registered, deployed, leased and executed."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry import registry
from services.registry.registry import Refused, Standing, content_hash
from tests.unit.registry.builders import (
    LATER,
    NOW,
    TARGET,
    a_command,
    a_deployment,
    a_lease,
    a_version,
    an_order,
    running,
    versions,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_a_bundle_that_crossed_the_wire_in_another_order_has_the_same_hash(bundle):
    shuffled = dict(reversed(list(json.loads(json.dumps(bundle)).items())))
    assert content_hash(shuffled) == content_hash(bundle)


def test_every_difference_in_content_is_another_hash():
    bundles = [{"t": 1}, {"t": 1.0}, {"t": "1"}, {"t": [1]}, {"t": {"1": 1}}, {}]
    assert len({content_hash(bundle) for bundle in bundles}) == len(bundles)


def test_a_number_that_json_lacks_is_refused_with_its_place():
    with pytest.raises(Refused) as caught:
        content_hash({"parameters": {"temperature": [0.1, float("nan")]}})
    assert caught.value.field == "bundle.parameters.temperature.1"


def test_a_label_is_never_given_to_other_content():
    assert registry.same_content(a_version("v1"), a_version("v1").hash) == a_version("v1")
    with pytest.raises(Refused, match="other content"):
        registry.same_content(a_version("v1"), a_version("v1", model="other").hash)


def test_the_first_deployment_is_revision_one():
    made = registry.deploy(an_order("v1", expected_revision=0), versions("v1"), Standing(), NOW)
    assert (made.revision, made.version, made.previous_version) == (1, "v1", None)
    assert (made.version_hash, made.bundle) == (a_version("v1").hash, {"model": "v1"})


def test_the_next_deployment_counts_on_and_names_what_it_replaced():
    made = registry.deploy(an_order("v2", reason="better"), versions("v1", "v2"), running("v1", 4), NOW)
    assert (made.revision, made.previous_version, made.reason, made.deployed_by) == (5, "v1", "better", "ann")


@pytest.mark.parametrize("weights", [{"v1": 0.5, "v2": 0.5}, {}])
def test_other_weights_do_not_make_a_version_its_own_predecessor(weights):
    first = registry.deploy(an_order("v2", weights={"v1": 0.9, "v2": 0.1}), versions("v1", "v2"), running("v1"), NOW)
    made = registry.deploy(an_order("v2", weights=weights), versions("v1", "v2"), Standing(first), NOW)
    assert (made.revision, made.version, made.previous_version) == (3, "v2", "v1")


def test_other_weights_do_not_make_the_version_that_was_rolled_back_from_a_predecessor():
    restored = registry.execute(a_command(), versions("v1", "v2"), running("v2", 2, lease=a_lease(7)), NOW)
    order = an_order("v1", weights={"v1": 0.9, "v3": 0.1})
    made = registry.deploy(order, versions("v1", "v3"), Standing(restored), NOW)
    assert (restored.previous_version, made.previous_version, made.decision_id) == ("v2", None, None)


def test_an_order_for_what_runs_already_changes_nothing():
    assert registry.deploy(an_order("v1"), versions("v1"), running("v1", 4), NOW) == a_deployment("v1", 4)


@pytest.mark.parametrize(
    ("order", "standing", "code", "field"),
    [
        (an_order("v9"), running(), "unknown_version", "version"),
        (an_order(weights={"v1": 0.5, "v9": 0.5}), running(), "unknown_version", "version"),
        (an_order(weights={"v1": 0.5, "v2": 0.4}), running(), "invalid_weights", "weights"),
        (an_order(weights={"v1": 1.5, "v2": -0.5}), running(), "invalid_weights", "weights"),
        (an_order(expected_revision=2), running(revision=3), "conflict", "expected_revision"),
        (an_order(), running(lease=a_lease()), "leased", "fencing_token"),
        (an_order(fencing_token=6), running(lease=a_lease(7)), "conflict", "fencing_token"),
        (an_order(fencing_token=6), running(), "conflict", "fencing_token"),
    ],
)
def test_an_order_that_does_not_fit_is_refused_with_the_field(order, standing, code, field):
    with pytest.raises(Refused) as caught:
        registry.deploy(order, versions("v1", "v2"), standing, NOW)
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize(
    ("order", "lease"),
    [
        (an_order(fencing_token=7), a_lease(7)),
        (an_order(fencing_token=7), a_lease(7, expires_at=NOW)),  # nobody took it since: the token still fences
        (an_order(), a_lease(expires_at=NOW)),
    ],
)
def test_a_lease_that_is_held_or_over_lets_the_order_pass(order, lease):
    assert registry.deploy(order, versions("v2"), running(lease=lease), NOW).revision == 2


def test_a_renewed_lease_keeps_its_token_and_a_new_holder_gets_a_higher_one():
    first = registry.lease(Standing(), "a", NOW, LATER)
    renewed = registry.lease(Standing(lease=first), "a", NOW, LATER + timedelta(minutes=1))
    taken = registry.lease(Standing(lease=renewed), "b", renewed.expires_at, renewed.expires_at + timedelta(minutes=1))
    assert (first.token, renewed.token, taken.token) == (1, 1, 2)


def test_a_lease_that_lasts_keeps_others_away():
    with pytest.raises(Refused, match="holds the lease"):
        registry.lease(Standing(lease=a_lease(holder="a")), "b", NOW, LATER)


def test_a_command_restores_the_version_and_records_the_decision():
    command = a_command()
    made = registry.execute(command, versions("v1", "v2"), running("v2", 2, lease=a_lease(7)), NOW)
    assert (made.revision, made.version, made.previous_version) == (3, "v1", "v2")
    assert (made.decision_id, made.target) == (command.decision_id, TARGET)


@pytest.mark.parametrize(
    ("standing", "field"),
    [
        (running("v3", 2, lease=a_lease(7)), "from_version"),
        (running("v2", 4, lease=a_lease(7)), "expected_revision"),
        (running("v2", 2, lease=a_lease(8)), "fencing_token"),
        (running("v2", 2), "fencing_token"),
        (Standing(lease=a_lease(7)), "from_version"),
        (running("v2", 2, lease=a_lease(7), frozen="the host moves"), "target"),
    ],
)
def test_a_command_for_another_state_takes_no_effect_and_says_why(standing, field):
    with pytest.raises(Refused) as caught:
        registry.execute(a_command(), versions("v1", "v2"), standing, NOW)
    outcome = registry.conflicted(a_command(), caught.value, standing, NOW)
    assert (outcome.state, outcome.evidence["result"], outcome.evidence["field"]) == ("failed", "conflict", field)


def test_an_applied_command_is_said_to_be_executing_by_the_registry():
    outcome = registry.applied(a_command(), a_deployment("v1", 3), NOW)
    assert (outcome.state, outcome.actor, outcome.step) == ("executing", "registry", 100)
    assert outcome.evidence == {"result": "applied", "revision": 3}
