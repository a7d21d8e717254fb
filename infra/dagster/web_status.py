"""Whether a web server has loaded the code location: `python web_status.py http://127.0.0.1:3000`.

Its own /server_info says that it runs, also where the code could not be loaded. Exit code 0: loaded.
"""

import json
import sys
import urllib.request

QUERY = """{workspaceOrError {... on Workspace {locationEntries {name locationOrLoadError {
    __typename ... on PythonError {message}}}}}}"""


def main(url: str) -> None:
    """Ends the process with what is wrong, if anything is."""
    body = json.dumps({"query": QUERY}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=15) as response:
        entries = json.load(response)["data"]["workspaceOrError"].get("locationEntries", [])
    found = {entry["name"]: entry["locationOrLoadError"] or {"__typename": "nothing yet"} for entry in entries}
    bad = [
        f"{name}: {error.get('message', error['__typename'])}"
        for name, error in found.items()
        if error["__typename"] != "RepositoryLocation"
    ]
    if bad or not found:
        sys.exit("\n".join(bad) or "The workspace has no code location.")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
