CREATE VIEW alerts
(
    `alert_id` UUID,
    `fingerprint` String,
    `rule` LowCardinality(String),
    `kind` LowCardinality(String),
    `state` LowCardinality(String),
    `severity` LowCardinality(String),
    `tenant` LowCardinality(String),
    `app` LowCardinality(String),
    `environment` LowCardinality(String),
    `version` LowCardinality(String),
    `metric` LowCardinality(String),
    `group` LowCardinality(String),
    `summary` String,
    `value` Nullable(Float64),
    `threshold` Nullable(Float64),
    `baseline_version` Nullable(String),
    `baseline_value` Nullable(Float64),
    `count` UInt64,
    `interval_seconds` UInt32,
    `first_window_start` DateTime64(6, 'UTC'),
    `window_start` DateTime64(6, 'UTC'),
    `window_end` DateTime64(6, 'UTC'),
    `changed_at` DateTime64(6, 'UTC'),
    `labels` Map(LowCardinality(String), String)
)
AS SELECT * EXCEPT row_version
FROM alerts_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE alerts_rows
(
    `alert_id` UUID CODEC(ZSTD(1)),
    `fingerprint` String CODEC(ZSTD(1)),
    `rule` LowCardinality(String) CODEC(ZSTD(1)),
    `kind` LowCardinality(String) CODEC(ZSTD(1)),
    `state` LowCardinality(String) CODEC(ZSTD(1)),
    `severity` LowCardinality(String) CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `app` LowCardinality(String) CODEC(ZSTD(1)),
    `environment` LowCardinality(String) CODEC(ZSTD(1)),
    `version` LowCardinality(String) CODEC(ZSTD(1)),
    `metric` LowCardinality(String) CODEC(ZSTD(1)),
    `group` LowCardinality(String) CODEC(ZSTD(1)),
    `summary` String CODEC(ZSTD(1)),
    `value` Nullable(Float64) CODEC(ZSTD(1)),
    `threshold` Nullable(Float64) CODEC(ZSTD(1)),
    `baseline_version` Nullable(String) CODEC(ZSTD(1)),
    `baseline_value` Nullable(Float64) CODEC(ZSTD(1)),
    `count` UInt64 CODEC(ZSTD(1)),
    `interval_seconds` UInt32 CODEC(ZSTD(1)),
    `first_window_start` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `window_start` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `window_end` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `changed_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `labels` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(first_window_start)
ORDER BY (tenant, toDate(first_window_start), app, environment, alert_id, state, changed_at)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW audit
(
    `audit_id` UUID,
    `tenant` LowCardinality(String),
    `actor` String,
    `action` LowCardinality(String),
    `subject` String,
    `detail` String,
    `hash` String,
    `previous_hash` String,
    `happened_at` DateTime64(6, 'UTC')
)
AS SELECT * EXCEPT row_version
FROM audit_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE audit_rows
(
    `audit_id` UUID CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `actor` String CODEC(ZSTD(1)),
    `action` LowCardinality(String) CODEC(ZSTD(1)),
    `subject` String CODEC(ZSTD(1)),
    `detail` String CODEC(ZSTD(1)),
    `hash` String CODEC(ZSTD(1)),
    `previous_hash` String CODEC(ZSTD(1)),
    `happened_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(happened_at)
ORDER BY (tenant, toDate(happened_at), audit_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW calls
(
    `call_id` UUID,
    `tenant` LowCardinality(String),
    `app` LowCardinality(String),
    `environment` LowCardinality(String),
    `version` LowCardinality(String),
    `called_at` DateTime64(6, 'UTC'),
    `trace_id` Nullable(String),
    `span_id` Nullable(String),
    `parent_span_id` Nullable(String),
    `session_id` Nullable(String),
    `user_id` Nullable(String),
    `provider` LowCardinality(Nullable(String)),
    `requested_model` LowCardinality(Nullable(String)),
    `answering_model` LowCardinality(Nullable(String)),
    `system_fingerprint` LowCardinality(Nullable(String)),
    `parameters` String,
    `prompt` Nullable(String),
    `messages` String,
    `system_prompt` Nullable(String),
    `context` String,
    `response` Nullable(String),
    `choices` String,
    `tool_calls` String,
    `finish_reason` LowCardinality(Nullable(String)),
    `log_probabilities` Array(Float32),
    `input_tokens` Nullable(Int64),
    `output_tokens` Nullable(Int64),
    `cached_tokens` Nullable(Int64),
    `reasoning_tokens` Nullable(Int64),
    `duration_seconds` Nullable(Float64),
    `queue_seconds` Nullable(Float64),
    `time_to_first_token_seconds` Nullable(Float64),
    `inter_token_seconds` Array(Float32),
    `cost_usd` Nullable(Float64),
    `error_kind` LowCardinality(Nullable(String)),
    `error_message` Nullable(String),
    `error_status` Nullable(Int32),
    `groups` Map(LowCardinality(String), String),
    `tags` Map(LowCardinality(String), String),
    `expected_format` String,
    `reference` Nullable(String),
    `inclusion_probability` Float64,
    `client_instance` Nullable(String),
    `sequence` Nullable(Int64),
    `synthetic` Bool,
    `experiment` LowCardinality(Nullable(String)),
    `arm` LowCardinality(Nullable(String)),
    `attributes` String,
    `payload_reference` Nullable(String)
)
AS SELECT * EXCEPT row_version
FROM calls_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE calls_rows
(
    `call_id` UUID CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `app` LowCardinality(String) CODEC(ZSTD(1)),
    `environment` LowCardinality(String) CODEC(ZSTD(1)),
    `version` LowCardinality(String) CODEC(ZSTD(1)),
    `called_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `trace_id` Nullable(String) CODEC(ZSTD(1)),
    `span_id` Nullable(String) CODEC(ZSTD(1)),
    `parent_span_id` Nullable(String) CODEC(ZSTD(1)),
    `session_id` Nullable(String) CODEC(ZSTD(1)),
    `user_id` Nullable(String) CODEC(ZSTD(1)),
    `provider` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `requested_model` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `answering_model` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `system_fingerprint` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `parameters` String CODEC(ZSTD(1)),
    `prompt` Nullable(String) CODEC(ZSTD(1)),
    `messages` String CODEC(ZSTD(1)),
    `system_prompt` Nullable(String) CODEC(ZSTD(1)),
    `context` String CODEC(ZSTD(1)),
    `response` Nullable(String) CODEC(ZSTD(1)),
    `choices` String CODEC(ZSTD(1)),
    `tool_calls` String CODEC(ZSTD(1)),
    `finish_reason` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `log_probabilities` Array(Float32) CODEC(ZSTD(1)),
    `input_tokens` Nullable(Int64) CODEC(ZSTD(1)),
    `output_tokens` Nullable(Int64) CODEC(ZSTD(1)),
    `cached_tokens` Nullable(Int64) CODEC(ZSTD(1)),
    `reasoning_tokens` Nullable(Int64) CODEC(ZSTD(1)),
    `duration_seconds` Nullable(Float64) CODEC(ZSTD(1)),
    `queue_seconds` Nullable(Float64) CODEC(ZSTD(1)),
    `time_to_first_token_seconds` Nullable(Float64) CODEC(ZSTD(1)),
    `inter_token_seconds` Array(Float32) CODEC(ZSTD(1)),
    `cost_usd` Nullable(Float64) CODEC(ZSTD(1)),
    `error_kind` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `error_message` Nullable(String) CODEC(ZSTD(1)),
    `error_status` Nullable(Int32) CODEC(ZSTD(1)),
    `groups` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `tags` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `expected_format` String CODEC(ZSTD(1)),
    `reference` Nullable(String) CODEC(ZSTD(1)),
    `inclusion_probability` Float64 CODEC(ZSTD(1)),
    `client_instance` Nullable(String) CODEC(ZSTD(1)),
    `sequence` Nullable(Int64) CODEC(ZSTD(1)),
    `synthetic` Bool CODEC(ZSTD(1)),
    `experiment` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `arm` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `attributes` String CODEC(ZSTD(1)),
    `payload_reference` Nullable(String) CODEC(ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1)),
    INDEX call_id_index call_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(called_at)
ORDER BY (tenant, toDate(called_at), app, environment, version, call_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW commands
(
    `decision_id` UUID,
    `kind` LowCardinality(String),
    `tenant` LowCardinality(String),
    `app` LowCardinality(String),
    `environment` LowCardinality(String),
    `from_version` LowCardinality(String),
    `to_version` LowCardinality(String),
    `expected_revision` Int64,
    `fencing_token` Int64,
    `policy` LowCardinality(String),
    `alert_id` Nullable(UUID),
    `reason` String,
    `issued_at` DateTime64(6, 'UTC')
)
AS SELECT * EXCEPT row_version
FROM commands_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE commands_rows
(
    `decision_id` UUID CODEC(ZSTD(1)),
    `kind` LowCardinality(String) CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `app` LowCardinality(String) CODEC(ZSTD(1)),
    `environment` LowCardinality(String) CODEC(ZSTD(1)),
    `from_version` LowCardinality(String) CODEC(ZSTD(1)),
    `to_version` LowCardinality(String) CODEC(ZSTD(1)),
    `expected_revision` Int64 CODEC(ZSTD(1)),
    `fencing_token` Int64 CODEC(ZSTD(1)),
    `policy` LowCardinality(String) CODEC(ZSTD(1)),
    `alert_id` Nullable(UUID) CODEC(ZSTD(1)),
    `reason` String CODEC(ZSTD(1)),
    `issued_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(issued_at)
ORDER BY (tenant, toDate(issued_at), app, environment, decision_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW completeness
(
    `checked_at` DateTime64(6, 'UTC'),
    `broker_run` String,
    `grace_seconds` Float64,
    `pause_seconds` Float64,
    `covered` UInt64,
    `missing_offsets` UInt64,
    `pending_offsets` UInt64,
    `missing_calls` UInt64,
    `pending_calls` UInt64,
    `dead_letters` UInt64,
    `refused` UInt64,
    `whole` Bool,
    `gaps` Array(Tuple(
        kind String,
        place String,
        subject String,
        first Int64,
        last Int64,
        since DateTime64(6, 'UTC')))
)
AS SELECT * EXCEPT row_version
FROM completeness_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE completeness_rows
(
    `checked_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `broker_run` String CODEC(ZSTD(1)),
    `grace_seconds` Float64 CODEC(ZSTD(1)),
    `pause_seconds` Float64 CODEC(ZSTD(1)),
    `covered` UInt64 CODEC(ZSTD(1)),
    `missing_offsets` UInt64 CODEC(ZSTD(1)),
    `pending_offsets` UInt64 CODEC(ZSTD(1)),
    `missing_calls` UInt64 CODEC(ZSTD(1)),
    `pending_calls` UInt64 CODEC(ZSTD(1)),
    `dead_letters` UInt64 CODEC(ZSTD(1)),
    `refused` UInt64 CODEC(ZSTD(1)),
    `whole` Bool DEFAULT true CODEC(ZSTD(1)),
    `gaps` Array(Tuple(
        kind String,
        place String,
        subject String,
        first Int64,
        last Int64,
        since DateTime64(6, 'UTC'))) CODEC(ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(checked_at)
ORDER BY (checked_at, broker_run)
TTL toDateTime(checked_at) + toIntervalDay(30)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW costs
AS SELECT
    call_id,
    tenant,
    app,
    environment,
    version,
    user_id,
    coalesce(answering_model, requested_model) AS model,
    called_at,
    input_tokens,
    cached_tokens,
    output_tokens,
    reasoning_tokens,
    cost.value AS cost_usd,
    cost.priced_by AS evaluator_version,
    if(cost.probability > 0, cost.probability, inclusion_probability) AS inclusion_probability
FROM
(
    SELECT *
    FROM calls
    WHERE (called_at >= {since:DateTime('UTC')}) AND (called_at < {until:DateTime('UTC')}) AND (NOT synthetic)
) AS call
LEFT JOIN
(
    SELECT
        tenant,
        call_id,
        argMax(value, evaluator_version) AS value,
        max(evaluator_version) AS priced_by,
        argMax(inclusion_probability, evaluator_version) AS probability
    FROM scores
    WHERE (metric = 'cost_usd') AND (status = 'scored') AND (called_at >= {since:DateTime('UTC')}) AND (called_at < {until:DateTime('UTC')})
    GROUP BY
        tenant,
        call_id
) AS cost ON (cost.tenant = call.tenant) AND (cost.call_id = call.call_id);

CREATE VIEW dead_letters
(
    `dead_letter_id` UUID,
    `service` LowCardinality(String),
    `stage` LowCardinality(String),
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64,
    `broker_run` String,
    `call_id` Nullable(UUID),
    `message_key` Nullable(String),
    `message_value` Nullable(String),
    `headers` Map(String, String),
    `error` LowCardinality(String),
    `reason` String,
    `failed_at` DateTime64(6, 'UTC'),
    `redrives` UInt32
)
AS SELECT * EXCEPT row_version
FROM dead_letters_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE dead_letters_rows
(
    `dead_letter_id` UUID CODEC(ZSTD(1)),
    `service` LowCardinality(String) CODEC(ZSTD(1)),
    `stage` LowCardinality(String) CODEC(ZSTD(1)),
    `topic` LowCardinality(String) CODEC(ZSTD(1)),
    `partition` Int32 CODEC(ZSTD(1)),
    `offset` Int64 CODEC(ZSTD(1)),
    `broker_run` String CODEC(ZSTD(1)),
    `call_id` Nullable(UUID) CODEC(ZSTD(1)),
    `message_key` Nullable(String) CODEC(ZSTD(1)),
    `message_value` Nullable(String) CODEC(ZSTD(1)),
    `headers` Map(String, String) CODEC(ZSTD(1)),
    `error` LowCardinality(String) CODEC(ZSTD(1)),
    `reason` String CODEC(ZSTD(1)),
    `failed_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `redrives` UInt32 CODEC(ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
ORDER BY (service, topic, broker_run, partition, offset, dead_letter_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW decisions
(
    `decision_id` UUID,
    `kind` LowCardinality(String),
    `tenant` LowCardinality(String),
    `app` LowCardinality(String),
    `environment` LowCardinality(String),
    `policy` LowCardinality(String),
    `state` LowCardinality(String),
    `step` UInt32,
    `actor` LowCardinality(String),
    `from_version` LowCardinality(String),
    `to_version` LowCardinality(String),
    `alert_id` Nullable(UUID),
    `reason` String,
    `evidence` String,
    `changed_at` DateTime64(6, 'UTC')
)
AS SELECT * EXCEPT row_version
FROM decisions_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE decisions_rows
(
    `decision_id` UUID CODEC(ZSTD(1)),
    `kind` LowCardinality(String) CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `app` LowCardinality(String) CODEC(ZSTD(1)),
    `environment` LowCardinality(String) CODEC(ZSTD(1)),
    `policy` LowCardinality(String) CODEC(ZSTD(1)),
    `state` LowCardinality(String) CODEC(ZSTD(1)),
    `step` UInt32 CODEC(ZSTD(1)),
    `actor` LowCardinality(String) CODEC(ZSTD(1)),
    `from_version` LowCardinality(String) CODEC(ZSTD(1)),
    `to_version` LowCardinality(String) CODEC(ZSTD(1)),
    `alert_id` Nullable(UUID) CODEC(ZSTD(1)),
    `reason` String CODEC(ZSTD(1)),
    `evidence` String CODEC(ZSTD(1)),
    `changed_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
ORDER BY (tenant, app, environment, decision_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW deployments
(
    `deployment_id` UUID,
    `tenant` LowCardinality(String),
    `app` LowCardinality(String),
    `environment` LowCardinality(String),
    `revision` Int64,
    `version` LowCardinality(String),
    `version_hash` String,
    `bundle` String,
    `weights` Map(String, Float64),
    `previous_version` Nullable(String),
    `deployed_at` DateTime64(6, 'UTC'),
    `deployed_by` LowCardinality(String),
    `reason` String,
    `decision_id` Nullable(UUID)
)
AS SELECT * EXCEPT row_version
FROM deployments_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE deployments_rows
(
    `deployment_id` UUID CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `app` LowCardinality(String) CODEC(ZSTD(1)),
    `environment` LowCardinality(String) CODEC(ZSTD(1)),
    `revision` Int64 CODEC(ZSTD(1)),
    `version` LowCardinality(String) CODEC(ZSTD(1)),
    `version_hash` String CODEC(ZSTD(1)),
    `bundle` String CODEC(ZSTD(1)),
    `weights` Map(String, Float64) CODEC(ZSTD(1)),
    `previous_version` Nullable(String) CODEC(ZSTD(1)),
    `deployed_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `deployed_by` LowCardinality(String) CODEC(ZSTD(1)),
    `reason` String CODEC(ZSTD(1)),
    `decision_id` Nullable(UUID) CODEC(ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(deployed_at)
ORDER BY (tenant, app, environment, revision, deployment_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW disparities
AS WITH
    1.959963984540054 AS z,
    grouped AS
    (
        SELECT
            tenant,
            app,
            environment,
            version,
            metric,
            evaluator,
            evaluator_version,
            interval_seconds,
            substring(group, 1, position(group, '=') - 1) AS attribute,
            substring(group, position(group, '=') + 1) AS value,
            sum(count) AS own_count,
            sum(weight) AS own_weight,
            sum(weight_squares) AS own_squares,
            sum(labelled_weight) AS own_labelled,
            sum(weighted_sum) AS own_sum
        FROM windows
        WHERE (group != '') AND (window_start >= {since:DateTime('UTC')}) AND (window_start < {until:DateTime('UTC')})
        GROUP BY ALL
    ),
    summed AS
    (
        SELECT
            *,
            sum(own_count) OVER same - own_count AS other_count,
            sum(own_weight) OVER same - own_weight AS other_weight,
            sum(own_squares) OVER same - own_squares AS other_squares,
            sum(own_labelled) OVER same - own_labelled AS other_labelled,
            sum(own_sum) OVER same - own_sum AS other_sum
        FROM grouped
        WINDOW same AS (PARTITION BY tenant, app, environment, version, metric, evaluator, evaluator_version, interval_seconds, attribute)
    ),
    rated AS
    (
        SELECT
            *,
            (own_weight * own_weight) / own_squares AS n1,
            (other_weight * other_weight) / other_squares AS n2,
            least(1., own_labelled / own_weight) AS p1,
            greatest(0., least(1., other_labelled / other_weight)) AS p2
        FROM summed
        WHERE (own_count > 0) AND (other_count > 0)
    ),
    bounded AS
    (
        SELECT
            *,
            (p1 + ((z * z) / (2 * n1))) / (1 + ((z * z) / n1)) AS c1,
            (p2 + ((z * z) / (2 * n2))) / (1 + ((z * z) / n2)) AS c2,
            (z * sqrt(((p1 * (1 - p1)) / n1) + ((z * z) / ((4 * n1) * n1)))) / (1 + ((z * z) / n1)) AS h1,
            (z * sqrt(((p2 * (1 - p2)) / n2) + ((z * z) / ((4 * n2) * n2)))) / (1 + ((z * z) / n2)) AS h2
        FROM rated
    )
SELECT
    tenant,
    app,
    environment,
    version,
    metric,
    evaluator,
    evaluator_version,
    interval_seconds,
    attribute,
    value,
    own_count AS count,
    other_count,
    p1 AS label_rate,
    p2 AS other_label_rate,
    p1 - p2 AS difference,
    (p1 - p2) - sqrt(pow(p1 - (c1 - h1), 2) + pow((c2 + h2) - p2, 2)) AS difference_low,
    (p1 - p2) + sqrt(pow((c1 + h1) - p1, 2) + pow(p2 - (c2 - h2), 2)) AS difference_high,
    if(p2 > 0, p1 / p2, NULL) AS ratio,
    own_sum / own_weight AS mean,
    other_sum / other_weight AS other_mean
FROM bounded;

CREATE VIEW embeddings
(
    `embedding_id` UUID,
    `call_id` UUID,
    `tenant` LowCardinality(String),
    `app` LowCardinality(String),
    `environment` LowCardinality(String),
    `version` LowCardinality(String),
    `called_at` DateTime64(6, 'UTC'),
    `field` LowCardinality(String),
    `encoder` LowCardinality(String),
    `encoder_version` LowCardinality(String),
    `dimension` UInt16,
    `vector` Array(BFloat16),
    `session_id` Nullable(String),
    `inclusion_probability` Float64,
    `synthetic` Bool
)
AS SELECT * EXCEPT row_version
FROM embeddings_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE embeddings_rows
(
    `embedding_id` UUID CODEC(ZSTD(1)),
    `call_id` UUID CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `app` LowCardinality(String) CODEC(ZSTD(1)),
    `environment` LowCardinality(String) CODEC(ZSTD(1)),
    `version` LowCardinality(String) CODEC(ZSTD(1)),
    `called_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `field` LowCardinality(String) CODEC(ZSTD(1)),
    `encoder` LowCardinality(String) CODEC(ZSTD(1)),
    `encoder_version` LowCardinality(String) CODEC(ZSTD(1)),
    `dimension` UInt16 CODEC(ZSTD(1)),
    `vector` Array(BFloat16) CODEC(ZSTD(1)),
    `session_id` Nullable(String) CODEC(ZSTD(1)),
    `inclusion_probability` Float64 CODEC(ZSTD(1)),
    `synthetic` Bool CODEC(ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(called_at)
ORDER BY (tenant, toDate(called_at), app, environment, version, embedding_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW feedback
(
    `feedback_id` UUID,
    `call_id` UUID,
    `tenant` LowCardinality(String),
    `kind` LowCardinality(String),
    `given_at` DateTime64(6, 'UTC'),
    `value` Nullable(Float64),
    `text` Nullable(String),
    `user_id` Nullable(String),
    `source` LowCardinality(Nullable(String))
)
AS SELECT * EXCEPT row_version
FROM feedback_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE feedback_rows
(
    `feedback_id` UUID CODEC(ZSTD(1)),
    `call_id` UUID CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `kind` LowCardinality(String) CODEC(ZSTD(1)),
    `given_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `value` Nullable(Float64) CODEC(ZSTD(1)),
    `text` Nullable(String) CODEC(ZSTD(1)),
    `user_id` Nullable(String) CODEC(ZSTD(1)),
    `source` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(given_at)
ORDER BY (tenant, toDate(given_at), call_id, feedback_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW ingest_ranges
(
    `broker_run` String,
    `topic` LowCardinality(String),
    `partition` Int32,
    `first_offset` Int64,
    `last_offset` Int64,
    `row_count` UInt64,
    `dead_letters` UInt64,
    `inserted_at` DateTime64(6, 'UTC')
)
AS SELECT * EXCEPT row_version
FROM ingest_ranges_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE ingest_ranges_rows
(
    `broker_run` String CODEC(ZSTD(1)),
    `topic` LowCardinality(String) CODEC(ZSTD(1)),
    `partition` Int32 CODEC(ZSTD(1)),
    `first_offset` Int64 CODEC(ZSTD(1)),
    `last_offset` Int64 CODEC(ZSTD(1)),
    `row_count` UInt64 CODEC(ZSTD(1)),
    `dead_letters` UInt64 CODEC(ZSTD(1)),
    `inserted_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
ORDER BY (broker_run, topic, partition, first_offset, last_offset)
TTL toDateTime(inserted_at) + toIntervalDay(90)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE migrations
(
    `number` UInt32,
    `name` String,
    `applied_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY number
SETTINGS index_granularity = 8192;

CREATE VIEW outcomes
(
    `outcome_id` UUID,
    `decision_id` UUID,
    `kind` LowCardinality(String),
    `tenant` LowCardinality(String),
    `app` LowCardinality(String),
    `environment` LowCardinality(String),
    `policy` LowCardinality(String),
    `state` LowCardinality(String),
    `step` UInt32,
    `actor` LowCardinality(String),
    `from_version` LowCardinality(String),
    `to_version` LowCardinality(String),
    `alert_id` Nullable(UUID),
    `reason` String,
    `evidence` String,
    `changed_at` DateTime64(6, 'UTC')
)
AS SELECT * EXCEPT row_version
FROM outcomes_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE outcomes_rows
(
    `outcome_id` UUID CODEC(ZSTD(1)),
    `decision_id` UUID CODEC(ZSTD(1)),
    `kind` LowCardinality(String) CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `app` LowCardinality(String) CODEC(ZSTD(1)),
    `environment` LowCardinality(String) CODEC(ZSTD(1)),
    `policy` LowCardinality(String) CODEC(ZSTD(1)),
    `state` LowCardinality(String) CODEC(ZSTD(1)),
    `step` UInt32 CODEC(ZSTD(1)),
    `actor` LowCardinality(String) CODEC(ZSTD(1)),
    `from_version` LowCardinality(String) CODEC(ZSTD(1)),
    `to_version` LowCardinality(String) CODEC(ZSTD(1)),
    `alert_id` Nullable(UUID) CODEC(ZSTD(1)),
    `reason` String CODEC(ZSTD(1)),
    `evidence` String CODEC(ZSTD(1)),
    `changed_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(changed_at)
ORDER BY (tenant, toDate(changed_at), app, environment, decision_id, outcome_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW refusals
(
    `tenant` LowCardinality(String),
    `client_instance` String,
    `sequence` Int64,
    `field` LowCardinality(String),
    `refused_at` DateTime64(6, 'UTC')
)
AS SELECT * EXCEPT row_version
FROM refusals_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE refusals_rows
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `client_instance` String CODEC(ZSTD(1)),
    `sequence` Int64 CODEC(ZSTD(1)),
    `field` LowCardinality(String) CODEC(ZSTD(1)),
    `refused_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
ORDER BY (tenant, client_instance, sequence)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW scores
(
    `score_id` UUID,
    `call_id` UUID,
    `tenant` LowCardinality(String),
    `app` LowCardinality(String),
    `environment` LowCardinality(String),
    `version` LowCardinality(String),
    `called_at` DateTime64(6, 'UTC'),
    `metric` LowCardinality(String),
    `status` Enum8('scored' = 0, 'not_scored' = 1, 'failed' = 2),
    `value` Nullable(Float64),
    `label` Nullable(Bool),
    `reason` LowCardinality(Nullable(String)),
    `evidence` Array(Tuple(
        field String,
        start Int64,
        end Int64,
        kind String,
        value Nullable(Float64))),
    `statistics` Map(LowCardinality(String), Float64),
    `evaluator` LowCardinality(String),
    `evaluator_version` LowCardinality(String),
    `input_at` Nullable(DateTime64(6, 'UTC')),
    `inclusion_probability` Float64,
    `groups` Map(LowCardinality(String), String),
    `synthetic` Bool
)
AS SELECT * EXCEPT row_version
FROM scores_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE scores_rows
(
    `score_id` UUID CODEC(ZSTD(1)),
    `call_id` UUID CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `app` LowCardinality(String) CODEC(ZSTD(1)),
    `environment` LowCardinality(String) CODEC(ZSTD(1)),
    `version` LowCardinality(String) CODEC(ZSTD(1)),
    `called_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `metric` LowCardinality(String) CODEC(ZSTD(1)),
    `status` Enum8('scored' = 0, 'not_scored' = 1, 'failed' = 2) CODEC(ZSTD(1)),
    `value` Nullable(Float64) CODEC(ZSTD(1)),
    `label` Nullable(Bool) CODEC(ZSTD(1)),
    `reason` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `evidence` Array(Tuple(
        field String,
        start Int64,
        end Int64,
        kind String,
        value Nullable(Float64))) CODEC(ZSTD(1)),
    `statistics` Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    `evaluator` LowCardinality(String) CODEC(ZSTD(1)),
    `evaluator_version` LowCardinality(String) CODEC(ZSTD(1)),
    `input_at` Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    `inclusion_probability` Float64 CODEC(ZSTD(1)),
    `groups` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `synthetic` Bool CODEC(ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(called_at)
ORDER BY (tenant, toDate(called_at), app, environment, metric, version, score_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW windows
(
    `window_id` UUID,
    `tenant` LowCardinality(String),
    `app` LowCardinality(String),
    `environment` LowCardinality(String),
    `version` LowCardinality(String),
    `metric` LowCardinality(String),
    `evaluator` LowCardinality(String),
    `evaluator_version` LowCardinality(String),
    `group` LowCardinality(String),
    `interval_seconds` UInt32,
    `window_start` DateTime64(6, 'UTC'),
    `window_end` DateTime64(6, 'UTC'),
    `source_partition` Int32,
    `generation` UInt32,
    `count` UInt64,
    `not_scored` UInt64,
    `failed` UInt64,
    `labelled` UInt64,
    `weight` Float64,
    `weight_squares` Float64,
    `weighted_sum` Float64,
    `weighted_square_sum` Float64,
    `labelled_weight` Float64,
    `minimum` Nullable(Float64),
    `maximum` Nullable(Float64),
    `sketch_alpha` Nullable(Float64),
    `sketch_positive` Map(Int32, Float64),
    `sketch_negative` Map(Int32, Float64),
    `sketch_zero` Float64,
    `statistics` Map(LowCardinality(String), Float64),
    `corpus` Nullable(Float64),
    `drift_name` LowCardinality(Nullable(String)),
    `drift_statistic` Nullable(Float64),
    `drift_p_value` Nullable(Float64),
    `drift_reference_id` Nullable(String),
    `drift_reference_version` Nullable(String),
    `drift_reference_size` Nullable(Int64),
    `drift_sample_size` Nullable(Int64)
)
AS SELECT * EXCEPT row_version
FROM windows_rows
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE windows_rows
(
    `window_id` UUID CODEC(ZSTD(1)),
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `app` LowCardinality(String) CODEC(ZSTD(1)),
    `environment` LowCardinality(String) CODEC(ZSTD(1)),
    `version` LowCardinality(String) CODEC(ZSTD(1)),
    `metric` LowCardinality(String) CODEC(ZSTD(1)),
    `evaluator` LowCardinality(String) CODEC(ZSTD(1)),
    `evaluator_version` LowCardinality(String) CODEC(ZSTD(1)),
    `group` LowCardinality(String) CODEC(ZSTD(1)),
    `interval_seconds` UInt32 CODEC(ZSTD(1)),
    `window_start` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `window_end` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `source_partition` Int32 CODEC(ZSTD(1)),
    `generation` UInt32 CODEC(ZSTD(1)),
    `count` UInt64 CODEC(ZSTD(1)),
    `not_scored` UInt64 CODEC(ZSTD(1)),
    `failed` UInt64 CODEC(ZSTD(1)),
    `labelled` UInt64 CODEC(ZSTD(1)),
    `weight` Float64 CODEC(ZSTD(1)),
    `weight_squares` Float64 CODEC(ZSTD(1)),
    `weighted_sum` Float64 CODEC(ZSTD(1)),
    `weighted_square_sum` Float64 CODEC(ZSTD(1)),
    `labelled_weight` Float64 CODEC(ZSTD(1)),
    `minimum` Nullable(Float64) CODEC(ZSTD(1)),
    `maximum` Nullable(Float64) CODEC(ZSTD(1)),
    `sketch_alpha` Nullable(Float64) CODEC(ZSTD(1)),
    `sketch_positive` Map(Int32, Float64) CODEC(ZSTD(1)),
    `sketch_negative` Map(Int32, Float64) CODEC(ZSTD(1)),
    `sketch_zero` Float64 CODEC(ZSTD(1)),
    `statistics` Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    `corpus` Nullable(Float64) CODEC(ZSTD(1)),
    `drift_name` LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    `drift_statistic` Nullable(Float64) CODEC(ZSTD(1)),
    `drift_p_value` Nullable(Float64) CODEC(ZSTD(1)),
    `drift_reference_id` Nullable(String) CODEC(ZSTD(1)),
    `drift_reference_version` Nullable(String) CODEC(ZSTD(1)),
    `drift_reference_size` Nullable(Int64) CODEC(ZSTD(1)),
    `drift_sample_size` Nullable(Int64) CODEC(ZSTD(1)),
    `row_version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(window_start)
ORDER BY (tenant, toDate(window_start), app, environment, metric, version, window_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;
