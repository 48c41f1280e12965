"""Writes bank_holidays.csv: the bank holidays of England and Wales from 2000 to 2100, from the `holidays` package.

Past closures are as they were, one-off days included; future ones follow the present rules and will be wrong where a year gets a day of
its own (a coronation) or one is moved: run this again then. `python compliance/data/make_bank_holidays.py`
"""

import csv
from pathlib import Path

import holidays

if __name__ == "__main__":
    days = holidays.country_holidays("GB", subdiv="ENG", years=range(2000, 2101), language="en_GB")
    with (Path(__file__).parent / "bank_holidays.csv").open("w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["day", "name"])
        out.writerows((day.isoformat(), name) for day, name in sorted(days.items()))
