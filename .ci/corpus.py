"""Scores how much of real documents is found, through the API: corpus.py SERVER_URL KEY CORPUS.

Ends with `N passed, N failed`.
"""

import json
import subprocess
import sys
import tempfile

OVERALL, EACH_FORMAT, SECONDS = 97.0, 90.0, 20.0

url, key, corpus = sys.argv[1:]
with tempfile.NamedTemporaryFile(suffix=".json") as out:
    subprocess.run(
        [
            sys.executable, "-B", f"{corpus}/score.py", "--http", url, "--header", f"Authorization: Bearer {key}",
            "--corpus", corpus, "--split", "public", "--json", out.name,
            "--upload-path", "/v1/vector_stores/{id}/upload",
            "--content-path", "/v1/vector_stores/{id}/files/{file_id}/content",
        ],
        check=True,
    )
    result = json.load(open(out.name))

results = []


def check(what, holds):
    results.append(holds)
    print("ok  " if holds else "FAIL", what)


formats = {name: each for name, each in result["formats"].items() if each["must"]}
share = lambda found, due: 100 * found / due
total = share(sum(each["strict"] for each in formats.values()), sum(each["must"] for each in formats.values()))
check(f"{total:.1f} % of all phrases, at least {OVERALL}", total >= OVERALL)
for name, each in sorted(formats.items()):
    found = share(each["strict"], each["must"])
    check(f"{name}: {found:.1f} % of phrases, at least {EACH_FORMAT}", found >= EACH_FORMAT)
for name, each in sorted(result["formats"].items()):
    check(f"{name}: {each['err_ok']} of {each['err_exp']} broken files refused", each["err_ok"] == each["err_exp"])
for each in result["files"]:
    fine = each["status"] in ("ok", "rejected") and each["wall"] <= SECONDS
    if not fine:
        print(each["file"], each["status"], each["wall"], each["msg"])
    results.append(fine)
print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
sys.exit(0 if all(results) else 1)
