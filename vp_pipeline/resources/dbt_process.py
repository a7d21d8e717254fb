"""The dbt process: dbt as it is, and it ends when the process that started it does.

A run that is killed would otherwise leave its dbt at work, changing tables under the run that comes to mend them.
"""

import os
import threading
import time

_LOOK_EVERY_SECONDS = 0.1


def main() -> None:
    """What the command `vp-dbt` does: the arguments are dbt's."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    from dbt.cli.main import cli

    cli()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_SECONDS)
    os._exit(1)  # at once, as if killed: an open transaction is rolled back


if __name__ == "__main__":
    main()
