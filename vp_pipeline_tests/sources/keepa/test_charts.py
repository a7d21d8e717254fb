"""Charts of histories: a step function drawn as it holds, gaps as gaps."""

from datetime import datetime

import numpy as np
import pyarrow as pa

from vp_pipeline.sources.keepa.charts import DAYS, WIDTH, prices, sparkline

END = np.datetime64("2026-04-01T00:00:00", "s")


def _ago(*days: float) -> np.ndarray:
    return np.array([END - np.timedelta64(int(d * 86_400), "s") for d in days])


def test_a_value_holds_until_the_next_one() -> None:
    drawn = sparkline(_ago(400, DAYS / 2), np.array([1000, 2000]), END)
    assert len(drawn) == WIDTH
    assert set(drawn[: WIDTH // 2 - 1]) == {"▁"}
    assert set(drawn[-WIDTH // 2 + 1 :]) == {"█"}


def test_no_offer_and_no_history_are_gaps() -> None:
    drawn = sparkline(_ago(60, 30), np.array([500, -1]), END)
    assert drawn[0] == drawn[-1] == "·"
    assert drawn.strip("·") == "▁" * len(drawn.strip("·"))
    assert sparkline(_ago(60), np.array([-1]), END) == "·" * WIDTH


def test_only_the_newest_answer_of_a_product_is_drawn() -> None:
    rows = pa.table(
        {
            "asin": ["B1", "B1", "B1"],
            "domain_id": [1, 1, 1],
            "series": ["NEW", "NEW", "AMAZON"],
            "observed_at": [datetime(2026, 1, 1), datetime(2026, 3, 1), datetime(2026, 3, 1)],
            "snapshot_at": [datetime(2026, 4, 1), datetime(2026, 4, 2), datetime(2026, 4, 2)],
            "price": [999, 1250, 7],
            "currency": ["USD", "USD", "USD"],
        }
    )
    *_, line = prices(rows).splitlines()
    assert line.startswith("| 1:B1 | ·")
    assert line.endswith("| 1,250 | 1,250 | 1,250 USD |")
    assert prices(rows.slice(2)) == "*No NEW history.*"
