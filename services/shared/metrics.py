"""The runtime's numbers; `service` is the runtime's name, topics are without the prefix."""

from prometheus_client import Counter, Gauge, Histogram

CONSUMED = Counter("tidemark_consumed", "Messages read.", ["service", "topic"])
DELETED_UNREAD = Counter(
    "tidemark_deleted_unread", "Offsets that retention deleted before a sink read them.", ["service", "topic"]
)
PRODUCED = Counter("tidemark_produced", "Messages that Kafka has acknowledged.", ["topic"])
HANDLE_SECONDS = Histogram(
    "tidemark_handle_seconds",
    "Time in the service's own code for one batch.",
    ["service"],
    buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30),
)
BATCH_MESSAGES = Histogram(
    "tidemark_batch_messages",
    "Messages in one batch.",
    ["service"],
    buckets=(1, 10, 50, 100, 250, 500, 1000, 5000, 10000),
)
LAG = Gauge("tidemark_lag_messages", "Messages on the topic that are not committed.", ["service", "topic", "partition"])
LAG_SECONDS = Gauge("tidemark_lag_seconds", "The age of the oldest message in hand, since Kafka took it.", ["service"])
SAMPLING_RATE = Gauge(
    "tidemark_sampling_rate", "The share that is handled; 1 unless the service is behind.", ["service"]
)
SAMPLED_OUT = Counter("tidemark_sampled_out", "Messages left out because the service was behind.", ["service"])
COMMITS = Counter("tidemark_commits", "Commits that succeeded.", ["service"])
COMMIT_FAILURES = Counter(
    "tidemark_commit_failures", "Commits that failed; what they covered comes again.", ["service"]
)
REBALANCES = Counter("tidemark_rebalances", "Times that partitions were taken away.", ["service"])
RETRIES = Counter("tidemark_retries", "Tries again of what was away.", ["service"])
DEAD_LETTERS = Counter("tidemark_dead_letters", "Messages that were given up, by stage.", ["service", "stage"])
DECODE_FAILURES = Counter("tidemark_decode_failures", "Messages that are none of their topic.", ["service", "topic"])
PRODUCER_RECREATIONS = Counter("tidemark_producer_recreations", "Producers that were given up for a new one.")
PAYLOADS = Counter("tidemark_payloads", "Payloads of large calls: read, missing, damaged.", ["result"])
STANDSTILL_SECONDS = Gauge("tidemark_standstill_seconds", "For how long nothing was done.", ["service"])
STOPPED = Gauge("tidemark_stopped", "1 while the circuit breaker holds the service.", ["service"])
BROKER_RUNS = Counter("tidemark_broker_runs", "Times that the broker's log was found to be another one.", ["service"])
REPLAYED = Counter(
    "tidemark_replayed_skipped", "Messages of a replay that a service which acts left alone.", ["service"]
)
