"""The chart's values as types, from which values.yaml, its schema and the chart's README are rendered."""
