"""What a KPI is, what its value comes to, and what may be published of it."""
