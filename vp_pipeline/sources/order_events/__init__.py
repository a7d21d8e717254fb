"""Amazon's notifications of changed orders (ORDER_CHANGE), from a Kafka topic.

Here: everything of this source. Amazon sends them to a queue of the seller's, and a bridge of the seller's writes them
to the topic; the words in them are those of SP-API's orders (`sources/sp_api/`).
"""
