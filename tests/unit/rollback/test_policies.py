"""Policy files: what they may say, and what is said of the wrong ones."""

from pathlib import Path

import pytest

from services.rollback.rollback.policies import PolicyError, check_names, chosen, parse

from .scene import an_alert

FOLDER = Path(__file__).parents[3] / "deploy"


def file(*policies):
    return "policies:\n" + "\n".join(f"  - {policy}" for policy in policies)


def test_the_default_policy_acts_on_the_default_rules():
    policies = parse((FOLDER / "policies/default.yaml").read_text(), "default.yaml")
    assert chosen(policies, an_alert()) is policies[0]
    assert chosen(policies, an_alert(rule="embedding-drift", severity="warning")) is None
    rules = (FOLDER / "rules/default.yaml").read_text()
    assert all(f"name: {rule}\n" in rules for rule in policies[0].rules)


@pytest.mark.parametrize("kind", ["health", "no_data"])
def test_no_policy_acts_where_data_is_missing(kind):
    (policy,) = parse(file("{name: p, rules: ['*']}"), "p.yaml")
    assert policy.covers(an_alert())
    assert not policy.covers(an_alert(kind=kind))


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("{name: p, rules: []}", r"p.yaml, policy 'p'.*rules"),
        ("{name: p, rules: [a], aproval: manual}", "aproval"),
        ("{name: p, rules: [a], most_per_day: 0}", "most_per_day"),
        ("{rules: [a]}", "without a name.*name"),
        ("{name: p, rules: [a], verification: {windows: many}}", r"verification\.windows"),
    ],
)
def test_a_wrong_policy_is_named_with_its_field(policy, said):
    with pytest.raises(PolicyError, match=said):
        parse(file(policy), "p.yaml")


@pytest.mark.parametrize("text", ["policies: [", "- a", "policies: 3"])
def test_a_file_that_is_no_list_of_policies_is_refused(text):
    with pytest.raises(PolicyError, match=r"p\.yaml"):
        parse(text, "p.yaml")


def test_two_policies_of_one_name_are_refused():
    with pytest.raises(PolicyError, match="'p'"):
        check_names(parse(file("{name: p, rules: [a]}", "{name: p, rules: [b]}"), "f"))
