"""Notifications: what a run did, what failed, and what did not happen; each once.

Sensors look at what Dagster recorded and queue messages in the outbox (`sensors.py`); one sensor delivers them
(`delivery.py`). So nothing that Slack does can reach a run, and a message that was queued is never lost.

Here: `run_summary.py` (what a run did), `messages.py` (its text), `queue.py` (each once), and those sensors.
Not here: Slack itself (`delivery/slack.py`).
"""
