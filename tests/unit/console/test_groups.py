"""What the page says of groups of calls."""

from services.console.groups import groups


def a_row(group, count, labelled, metric="error"):
    sums = {"count": count, "weight": float(count), "weight_squares": float(count), "labelled_weight": float(labelled)}
    return {"version": "v1", "metric": metric, "group": group, **sums}


def test_a_group_that_fares_differently_is_shown_beside_how_many_were_compared():
    rows = [a_row("plan=free", 400, 60), a_row("plan=paid", 400, 4), a_row("language=en", 80, 4)]
    shown = groups(rows, {"v1": 3})
    assert shown["compared"] == 2
    assert {each["found"].value for each in shown["differing"]} == {"free", "paid"}
    assert {each["colour"] for each in shown["differing"]} == {3}


def test_the_group_with_less_of_a_good_label_is_the_one_below():
    rows = [a_row("plan=free", 400, 100, "feedback"), a_row("plan=paid", 400, 300, "feedback")]
    impact = {each["found"].value: each["found"].impact for each in groups(rows, {})["differing"]}
    assert impact == {"free": 1 / 3, "paid": 1.0}


def test_chance_is_not_shown():
    shown = groups([a_row("plan=free", 60, 5), a_row("plan=paid", 60, 2)], {})
    assert (shown["compared"], shown["differing"]) == (2, [])


def test_few_calls_are_not_compared():
    assert groups([a_row("plan=free", 10, 5), a_row("plan=paid", 600, 2)], {})["compared"] == 0
