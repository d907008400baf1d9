"""Apache Kafka on this machine, without Docker: jars, Java, and one or three brokers that are their own controllers."""
