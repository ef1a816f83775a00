"""Metrics of computing-aware traffic steering: raw (L0), one value by category (L1), and a single one (L2).

After draft-ietf-cats-metric-definition; docs/metrics.md has the sections and every number. All of it is pure
integer arithmetic, so that whoever computes from the same samples gets the same bytes.
"""
