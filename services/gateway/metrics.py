"""The gateway's own numbers."""

from prometheus_client import Counter, Gauge

MESSAGES = Counter("tidemark_gateway_messages", "Calls and feedback by what became of them.", ["kind", "status"])
BYTES = Counter("tidemark_gateway_bytes", "Bytes of accepted messages, as they go to Kafka.", ["kind"])
REFUSED = Counter("tidemark_gateway_refused", "Requests that were refused as a whole, by reason.", ["reason"])
CLIENT_DROPPED = Counter("tidemark_gateway_client_dropped", "Calls that clients say they lost.", ["tenant"])
PAYLOAD_BYTES = Counter("tidemark_gateway_payload_bytes", "Bytes of large calls that went to the payloads.")
IN_FLIGHT_BYTES = Gauge("tidemark_gateway_in_flight_bytes", "Bytes of requests that are not answered yet.")
IN_FLIGHT_REQUESTS = Gauge("tidemark_gateway_in_flight_requests", "Requests that are not answered yet.")
UNSETTLED_BYTES = Gauge("tidemark_gateway_unsettled_bytes", "Bytes sent to Kafka, answered `retry`, not settled yet.")
SPOOL_BYTES = Gauge("tidemark_gateway_spool_bytes", "Bytes of accepted messages on disk.")
SPOOL_SEGMENTS = Gauge("tidemark_gateway_spool_segments", "Files of accepted messages on disk.")
RESENT = Counter(
    "tidemark_gateway_resent", "Messages sent again: to a new broker, or because Kafka had not taken them."
)
