"""The queries of a chart's Grafana dashboard and alerts, made checkable.

dashboard.py rules DASHBOARD        the dashboard's queries as a file of rules, for `promtool check rules`
dashboard.py metrics NAMES FILE…    fails when a file asks for a metric that is not among the names, one a line in NAMES
"""

import json
import re
import sys

mode, *files = sys.argv[1:]


def queries(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def plain(query):
    """The query with values for Grafana's variables."""
    return re.sub(r"\$\w+", "x", query.replace("$__rate_interval", "5m"))


if mode == "rules":
    found = [(title, plain(query)) for title, query in queries(json.load(open(files[0], encoding="utf-8")))]
    # JSON is valid YAML.
    rules = [{"record": f"panel:{i}", "expr": query, "labels": {"panel": title}} for i, (title, query) in enumerate(found)]
    print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
else:
    names = set(open(files[0], encoding="utf-8").read().split())
    # What Prometheus adds to a scrape.
    names.add("up")
    unknown = set()
    for file in files[1:]:
        text = open(file, encoding="utf-8").read()
        for metric in re.findall(r"\b(?:vector_store|process|nodejs)_[a-z0-9_]+(?=[{\[]|, )", text):
            if not {metric, re.sub(r"_(bucket|sum|count)$", "", metric)} & names:
                unknown.add(metric)
    if unknown:
        sys.exit(f"no such metrics: {', '.join(sorted(unknown))}")
