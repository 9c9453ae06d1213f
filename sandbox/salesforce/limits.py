"""The org's allowances and rough row counts."""

from __future__ import annotations

from sandbox.salesforce.calls import Call, Reply


def limits(call: Call) -> Reply:
    """GET limits: name -> Max and Remaining."""
    usage = call.state.usage
    fixed = {
        "ConcurrentAsyncGetReportInstances": 200,
        "DailyAsyncApexExecutions": 250_000,
        "DailyBulkApiBatches": 15_000,
        "DataStorageMB": 10_240,
        "FileStorageMB": 10_240,
        "HourlyTimeBasedWorkflow": 1_000,
        "SingleEmail": 5_000,
    }
    body = {name: {"Max": value, "Remaining": value} for name, value in fixed.items()}
    bulk, switches = call.state.bulk, call.state.switches
    body["DailyBulkV2QueryJobs"] = _left(switches.bulk_jobs, bulk.made())
    body["DailyBulkV2QueryFileStorageMB"] = _left(switches.bulk_storage_kb // 1024, bulk.stored_kb() // 1024)
    body["DailyApiRequests"] = _left(usage.limit, usage.used)
    return Reply(200, dict(sorted(body.items())))


def _left(most: int, used: int) -> dict[str, int]:
    return {"Max": most, "Remaining": max(0, most - used)}


def record_count(call: Call) -> Reply:
    """GET limits/recordCount?sObjects=A,B: approximate counts, archived rows and all; unknown names are left out."""
    org = call.state.org
    wanted = call.query.get("sObjects")
    names = [o.name for o in org.objects()] if wanted is None else wanted.split(",")
    counts = []
    for name in names:
        sobject = org.object(name.strip())
        if sobject is not None:
            counts.append({"count": org.store.table(sobject.name).count_ids(), "name": sobject.name})
    return Reply(200, {"sObjects": counts})
