"""Rule files: what they may say, and what is said of the wrong ones."""

from pathlib import Path

import pytest

from services.alerter.alerter.rules import ChangeRule, DriftRule, RuleError, ThresholdRule, check_names, parse

from .streams import segment

DEFAULT = Path(__file__).parents[3] / "deploy/rules/default.yaml"
GOOD = "{name: slow, kind: threshold, metric: duration_seconds, enter: 2, exit: 1}"


def file(*rules):
    return "rules:\n" + "\n".join(f"  - {rule}" for rule in rules)


def test_the_default_rules_are_valid_and_cover_the_scorers():
    rules = {rule.name: rule for rule in parse(DEFAULT.read_text(), "default.yaml")}
    check_names(list(rules.values()))
    assert isinstance(rules["toxic-responses"], ThresholdRule)
    assert isinstance(rules["hallucination-rise"], ChangeRule)
    assert isinstance(rules["embedding-drift"], DriftRule)
    assert rules["embedding-drift"].covers(segment(), "embedding_drift.response", "")


def test_groups_are_not_judged_unless_a_rule_says_so():
    (rule,) = parse(file(GOOD), "f")
    assert not rule.covers(segment(), "duration_seconds", "country=nl")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{name: slow, kind: threshold, metric: m, enter: high, exit: 1}", r"rules.yaml, rule 'slow'.*\$\.enter"),
        ("{name: slow, kind: threshold, metric: m, enter: 1, exit: 2}", "field exit is above enter.*lower exit"),
        ("{name: slow, kind: thresold, metric: m, enter: 2, exit: 1}", "rule 'slow'.*thresold"),
        ("{name: slow, kind: threshold, metric: m, enter: 2, exit: 1, treshold: 3}", "treshold"),
        ("{kind: threshold, metric: m, enter: 2, exit: 1}", "without a name.*name"),
        ("{name: low, kind: change, metric: m, direction: below, enter: 0.5, exit: 0.4}", "raise exit"),
        ("{name: r, kind: change, metric: m, enter: 2, exit: -1}", "a ratio is above 0"),
        ("{name: d, kind: drift, metric: m, strong_p_value: 0.001}", "strong_statistic"),
    ],
)
def test_a_wrong_rule_is_named_with_its_field(rule, said):
    with pytest.raises(RuleError, match=said):
        parse(file(rule), "rules.yaml")


@pytest.mark.parametrize("text", ["rules: [", "- a", "rules: 3", "groups: []"])
def test_a_file_that_is_no_list_of_rules_is_refused(text):
    with pytest.raises(RuleError, match=r"rules\.yaml"):
        parse(text, "rules.yaml")


def test_two_rules_of_one_name_are_refused():
    with pytest.raises(RuleError, match="'slow'"):
        check_names(parse(file(GOOD, GOOD), "f"))
