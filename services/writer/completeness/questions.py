"""What the store is asked about its own completeness."""

# The ranges of a broker run that were inserted since a moment, joined where they touch or overlap: one row a partition
# where nothing is missing. What the log no longer holds (it begins at `starts`) is left out.
SPANS = """
SELECT concat(topic, '|', toString(partition)) AS place, min(first), max(last)
FROM
(
    SELECT topic, partition, first, last, sum(opens) OVER (PARTITION BY topic, partition ORDER BY first, last) AS span
    FROM
    (
        SELECT topic, partition, first_offset AS first, last_offset AS last, first > 1 + max(last) OVER
        (
            PARTITION BY topic, partition ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS opens
        FROM ingest_ranges_rows
        WHERE broker_run = {run:String} AND inserted_at >= {since:DateTime64(6, 'UTC')}
            AND last >= transform(
                concat(topic, '|', toString(partition)), {places:Array(String)}, {starts:Array(Int64)}, toInt64(0))
    )
)
GROUP BY topic, partition, span
"""

# Numbers of client instances that are neither stored nor refused nor in a dead letter, although a later one is stored.
# A call that takes long is numbered long after it was called. So what is called in the first hour only tells from which
# number on (`floor`) an instance is judged; one that began meanwhile, which its id (UUIDv7) tells, from 0 on. Only
# instances whose count is wrong are looked at number by number, all that there is of them.
HOLES = """
WITH
    {since:DateTime64(6, 'UTC')} AS since,
    suspected AS
    (
        SELECT tenant, instance, floor
        FROM
        (
            SELECT tenant, instance,
                UUIDv7ToDateTime(toUUIDOrZero(instance), 'UTC') >= since AS young,
                if(young, -1, greatest(min(number), maxIf(number, called_at < since + INTERVAL 1 HOUR))) AS floor,
                max(number) AS largest,
                groupBitmapState(toUInt64(number)) AS numbers,
                bitmapCardinality(bitmapSubsetInRange(numbers, toUInt64(floor + 1), toUInt64(largest + 1))) AS stored
            FROM
            (
                SELECT tenant, assumeNotNull(client_instance) AS instance, assumeNotNull(sequence) AS number, called_at
                FROM calls_rows
                WHERE called_at >= since AND isNotNull(client_instance) AND isNotNull(sequence)
            )
            GROUP BY tenant, instance
        )
        WHERE stored != largest - floor
    ),
    accounted AS
    (
        SELECT tenant, assumeNotNull(client_instance) AS instance, assumeNotNull(sequence) AS number, app, environment
        FROM calls_rows
        WHERE (tenant, client_instance) IN (SELECT tenant, instance FROM suspected) AND isNotNull(sequence)
        UNION ALL
        SELECT tenant, client_instance, sequence, '', '' FROM refusals_rows
        WHERE (tenant, client_instance) IN (SELECT tenant, instance FROM suspected)
        UNION ALL
        SELECT JSONExtractString(value, 'tenant') AS dead_tenant,
            JSONExtractString(value, 'client_instance') AS dead_instance, JSONExtractInt(value, 'sequence'), '', ''
        FROM
        (
            SELECT ifNull(message_value, '') AS value FROM dead_letters_rows
            WHERE service = 'writer' AND topic = 'calls.v1' AND failed_at >= since
        )
        WHERE (dead_tenant, dead_instance) IN (SELECT tenant, instance FROM suspected) AND JSONHas(value, 'sequence')
        UNION ALL
        SELECT tenant, instance, floor, '', '' FROM suspected
    )
SELECT concat(tenant, '|', instance), reached + 1 AS first, number - 1 AS last,
    if(app = '', '', concat(app, ' in ', environment))
FROM
(
    SELECT tenant, instance, app, environment, number,
        max(number) OVER before AS reached, count() OVER before AS earlier
    FROM accounted INNER JOIN suspected USING (tenant, instance)
    WHERE number >= floor
    WINDOW before AS
    (
        PARTITION BY tenant, instance ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
WHERE earlier > 0 AND first <= last
LIMIT {most:UInt32}
"""

DEAD_LETTERS = "SELECT count() FROM dead_letters WHERE service = 'writer' AND failed_at > now() - INTERVAL 3 DAY"
REFUSED = "SELECT count() FROM refusals WHERE refused_at > now() - INTERVAL 3 DAY"
LAST = "SELECT broker_run, gaps FROM completeness ORDER BY checked_at DESC LIMIT 1"
