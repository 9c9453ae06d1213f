"""A dlt pipeline over its generic REST source, run by the peer's own interpreter: one object into DuckDB, increments after."""

import json
import sys

import dlt
from dlt.sources.rest_api import rest_api_source

asked = json.loads(sys.argv[1])
FIELDS = (
    "Id, Name, Type, Website, BillingCity, BillingCountry, Industry, NumberOfEmployees, Description, SystemModstamp"
)


def salesforce() -> object:
    """Account by SystemModstamp, following nextRecordsUrl."""
    import requests

    form = {k: asked[k] for k in ("client_id", "client_secret")} | {"grant_type": "client_credentials"}
    token = requests.post(f"{asked['url']}/services/oauth2/token", data=form, timeout=60).json()["access_token"]
    soql = f"SELECT {FIELDS} FROM Account WHERE SystemModstamp >= {{incremental.start_value}} ORDER BY SystemModstamp"
    return {
        "client": {"base_url": asked["url"], "auth": {"type": "bearer", "token": token}},
        "resources": [
            {
                "name": "accounts",
                "primary_key": "Id",
                "write_disposition": "merge",
                "endpoint": {
                    "path": "services/data/v67.0/queryAll",
                    "params": {"q": soql},
                    "data_selector": "records",
                    "paginator": {"type": "json_link", "next_url_path": "nextRecordsUrl"},
                    "incremental": {
                        "cursor_path": "SystemModstamp",
                        "initial_value": "2015-01-01T00:00:00.000+0000",
                        "convert": lambda at: at.replace("+0000", "Z"),
                    },
                },
            }
        ],
    }


def hubspot() -> object:
    """Contacts by the list: the list knows no increments, so every run reads all."""
    return {
        "client": {"base_url": asked["url"], "auth": {"type": "bearer", "token": asked["access_token"]}},
        "resources": [
            {
                "name": "contacts",
                "primary_key": "id",
                "write_disposition": "merge",
                "endpoint": {
                    "path": "crm/objects/2026-09/contacts",
                    "params": {"limit": 100, "properties": "firstname,lastname,email,jobtitle,lastmodifieddate"},
                    "data_selector": "results",
                    "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
                },
            }
        ],
    }


config = {"salesforce": salesforce, "hubspot": hubspot}[asked["vendor"]]()
pipeline = dlt.pipeline(
    f"bench_{asked['vendor']}",
    destination=dlt.destinations.duckdb(f"{asked['folder']}/read.duckdb"),
    dataset_name="rows",
    pipelines_dir=f"{asked['folder']}/pipelines",
)
pipeline.run(rest_api_source(config))
counts = pipeline.last_trace.last_normalize_info.row_counts
print(json.dumps({"rows": sum(n for name, n in counts.items() if not name.startswith("_dlt"))}))
