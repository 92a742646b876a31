"""What the chart's users may set, as types; values.yaml, its schema and the chart's README are rendered from them."""
