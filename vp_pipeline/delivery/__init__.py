"""The services that data and messages are sent to: Slack, Power BI, an HTTP endpoint for exports.

Here: one module per service, the outbox through which all of them are reached (`outbox.py`), and the files of what has
changed in an exported mart (`change_export.py`). Not here: when something is sent (`assets/delivery.py`,
`automation/`), and the text of messages (`automation/notifications/`).
"""
