"""What people write as rules: rule files, packs and KPIs, read, checked and put together into a rulebook."""
