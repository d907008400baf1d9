CREATE OR REPLACE VIEW {database}.costs {on_cluster} AS
SELECT call_id, tenant, app, environment, version, user_id, coalesce(answering_model, requested_model) AS model, called_at,
    input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost.value AS cost_usd, cost.priced_by AS evaluator_version,
    if(cost.probability > 0, cost.probability, inclusion_probability) AS inclusion_probability
FROM
(
    SELECT * FROM {database}.calls
    WHERE called_at >= {since:DateTime('UTC')} AND called_at < {until:DateTime('UTC')} AND NOT synthetic
) AS call
LEFT JOIN
(
    SELECT tenant, call_id, argMax(value, evaluator_version) AS value, max(evaluator_version) AS priced_by,
        argMax(inclusion_probability, evaluator_version) AS probability
    FROM {database}.scores
    WHERE metric = 'cost_usd' AND status = 'scored'
        AND called_at >= {since:DateTime('UTC')} AND called_at < {until:DateTime('UTC')}
    GROUP BY tenant, call_id
) AS cost ON cost.tenant = call.tenant AND cost.call_id = call.call_id;
