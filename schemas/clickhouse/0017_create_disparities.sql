CREATE VIEW IF NOT EXISTS {database}.disparities {on_cluster} AS
WITH
    1.959963984540054 AS z,
    grouped AS
    (
        SELECT tenant, app, environment, version, metric, evaluator, evaluator_version, interval_seconds,
            substring(group, 1, position(group, '=') - 1) AS attribute, substring(group, position(group, '=') + 1) AS value,
            sum(count) AS own_count, sum(weight) AS own_weight, sum(weight_squares) AS own_squares,
            sum(labelled_weight) AS own_labelled, sum(weighted_sum) AS own_sum
        FROM {database}.windows
        WHERE group != '' AND window_start >= {since:DateTime('UTC')} AND window_start < {until:DateTime('UTC')}
        GROUP BY ALL
    ),
    summed AS
    (
        SELECT *, sum(own_count) OVER same - own_count AS other_count, sum(own_weight) OVER same - own_weight AS other_weight,
            sum(own_squares) OVER same - own_squares AS other_squares,
            sum(own_labelled) OVER same - own_labelled AS other_labelled, sum(own_sum) OVER same - own_sum AS other_sum
        FROM grouped
        WINDOW same AS
            (PARTITION BY tenant, app, environment, version, metric, evaluator, evaluator_version, interval_seconds, attribute)
    ),
    rated AS
    (
        SELECT *, own_weight * own_weight / own_squares AS n1, other_weight * other_weight / other_squares AS n2,
            least(1., own_labelled / own_weight) AS p1, greatest(0., least(1., other_labelled / other_weight)) AS p2
        FROM summed WHERE own_count > 0 AND other_count > 0
    ),
    bounded AS
    (
        SELECT *,
            (p1 + z * z / (2 * n1)) / (1 + z * z / n1) AS c1, (p2 + z * z / (2 * n2)) / (1 + z * z / n2) AS c2,
            z * sqrt(p1 * (1 - p1) / n1 + z * z / (4 * n1 * n1)) / (1 + z * z / n1) AS h1,
            z * sqrt(p2 * (1 - p2) / n2 + z * z / (4 * n2 * n2)) / (1 + z * z / n2) AS h2
        FROM rated
    )
SELECT tenant, app, environment, version, metric, evaluator, evaluator_version, interval_seconds, attribute, value,
    own_count AS count, other_count, p1 AS label_rate, p2 AS other_label_rate, p1 - p2 AS difference,
    p1 - p2 - sqrt(pow(p1 - (c1 - h1), 2) + pow(c2 + h2 - p2, 2)) AS difference_low,
    p1 - p2 + sqrt(pow(c1 + h1 - p1, 2) + pow(p2 - (c2 - h2), 2)) AS difference_high,
    if(p2 > 0, p1 / p2, NULL) AS ratio, own_sum / own_weight AS mean, other_sum / other_weight AS other_mean
FROM bounded;
