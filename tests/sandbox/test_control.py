"""The control server of a whole, small sandbox: clock, log, faults, people's edits and clicks, truth, usage feed."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.clock import DAY, HOUR, MINUTE, SECOND
from sandbox.faults import Fault
from sandbox.hubspot.hands import ACTS
from sandbox.hubspot.switches import Switches
from sandbox.salesforce.control import routes
from sandbox.salesforce.switches import Switches as SalesforceSwitches
from sandbox.serve import FIRST_EVALUATION, Sandbox, Settings, start
from sandbox.slack.model import Switches as SlackSwitches

BEGIN = FIRST_EVALUATION - 90 * MINUTE


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests here: each leaves the clock later than it found it, nothing else."""
    settings = Settings(seed=3, accounts=120, days=3, usage_dir=tmp_path_factory.mktemp("feed") / "usage")
    sandbox = start(settings)
    yield sandbox
    sandbox.stop()


@pytest.fixture(autouse=True)
def calm(sandbox: Sandbox) -> Iterator[None]:
    """No faults, limits or log entries are left over."""
    sandbox.hubspot.switches.limits = False
    sandbox.shared.log.clear()
    yield
    sandbox.shared.faults.clear()
    sandbox.clock.set_limit(None)


def _ask(sandbox: Sandbox, method: str, path: str, json: object = None, status: int = 200) -> Any:
    response = requests.request(method, sandbox.control_url + path, json=json, timeout=60)
    assert response.status_code == status, response.text
    return response.json()


def _companies(sandbox: Sandbox, **params: str) -> requests.Response:
    info: Any = sandbox.info()["hubspot"]
    return requests.get(
        f"{info['base_url']}/crm/objects/2026-09/companies",
        params=params,
        headers={"Authorization": f"Bearer {info['access_token']}"},
        timeout=5,
    )


def test_info_is_the_issues_line(sandbox: Sandbox) -> None:
    """Every client finds its address and secrets; the key is readable by its owner only."""
    info: Any = sandbox.info()
    assert set(info["salesforce"]) >= {
        "base_url",
        "client_id",
        "client_secret",
        "username",
        "private_key_file",
        "refresh_token",
        "access_token",
    }
    assert set(info["hubspot"]) >= {"base_url", "access_token"}
    assert set(info["slack"]) >= {"base_url", "bot_token", "app_token", "page", "team_id", "channels"}
    assert info["slack"]["base_url"].endswith("/api/")
    assert info["control"] == {"base_url": sandbox.control_url}
    assert info["usage"] == {"directory": str(sandbox.usage_dir)}
    assert stat.S_IMODE(Path(info["salesforce"]["private_key_file"]).stat().st_mode) == 0o600
    assert _ask(sandbox, "GET", "/") == info


def test_clock_moves_on_command_only(sandbox: Sandbox) -> None:
    """Advance, set, cut at the limit; never back; nonsense is refused."""
    before = _ask(sandbox, "GET", "/clock")["now"]
    assert before >= BEGIN
    now = _ask(sandbox, "POST", "/clock", {"advance_seconds": 1.5})
    assert (now["now"], now["cut"]) == (before + 3 * SECOND // 2, False)
    limit = before + 5 * SECOND
    cut = _ask(sandbox, "POST", "/clock", {"limit": limit, "to": before + 60 * SECOND})
    assert (cut["now"], cut["limit"], cut["cut"]) == (limit, limit, True)
    assert _ask(sandbox, "POST", "/clock", {"to": "2020-01-01T00:00:00Z"})["now"] == limit
    assert _ask(sandbox, "POST", "/clock", {"limit": None})["limit"] is None
    assert "unknown key" in _ask(sandbox, "POST", "/clock", {"forward": 1}, 400)["error"]
    assert "error" in _ask(sandbox, "POST", "/clock", {"to": "soon"}, 400)


def test_requests_are_counted_and_cleared(sandbox: Sandbox) -> None:
    """Counts per vendor, method and path; control calls are not among them; `since` gives the later ones."""
    _companies(sandbox, limit="1")
    _companies(sandbox, limit="2")
    log = _ask(sandbox, "GET", "/requests")
    path = "/crm/objects/2026-09/companies"
    assert log["counts"] == [{"vendor": "hubspot", "method": "GET", "path": path, "count": 2, "cost": 2}]
    assert log["vendors"] == {"hubspot": {"requests": 2, "cost": 2}}
    later = _ask(sandbox, "GET", f"/requests?since={log['requests'][0]['seq']}")
    assert [r["path"] for r in later["requests"]] == [f"{path}?limit=2"]
    _ask(sandbox, "DELETE", "/requests")
    assert _ask(sandbox, "GET", "/requests")["total"] == 0
    assert "error" in _ask(sandbox, "GET", "/requests?since=x", status=400)


def test_faults_strike_and_are_cleared(sandbox: Sandbox) -> None:
    """A scripted fault hits the vendor it names; wrong scripts add nothing."""
    fault = {"vendor": "hubspot", "path": "/companies", "status": 503, "body": "<h1>no</h1>", "times": 0}
    assert _ask(sandbox, "POST", "/faults", fault)["faults"][0]["kind"] == "status 503"
    assert _companies(sandbox).status_code == 503
    _ask(sandbox, "POST", "/faults", [fault, {"colour": 1}], 400)
    assert len(_ask(sandbox, "GET", "/faults")["faults"]) == 1
    _ask(sandbox, "DELETE", "/faults")
    assert _companies(sandbox).status_code == 200


def test_held_vendor_waits(sandbox: Sandbox) -> None:
    """POST /hold keeps a vendor's requests waiting until it lets go."""
    _ask(sandbox, "POST", "/hold", {"vendor": "hubspot"})
    info: Any = sandbox.info()["hubspot"]
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{info['base_url']}/crm/v3/objects/companies", timeout=0.2)
    _ask(sandbox, "POST", "/hold", {"vendor": "hubspot", "held": False})
    assert _companies(sandbox).status_code == 200


def test_switches_change_a_vendor(sandbox: Sandbox) -> None:
    """A switch takes effect at once; unknown ones and wrong types are refused."""
    _ask(sandbox, "POST", "/switches", {"hubspot": {"no_archive": ["companies"], "batch_errors": "partial"}})
    assert _companies(sandbox, archived="true").status_code == 400
    _ask(sandbox, "POST", "/switches", {"hubspot": {"no_archive": [], "batch_errors": "whole"}})
    assert _companies(sandbox, archived="true").status_code == 200
    _ask(sandbox, "POST", "/switches", {"hubspot": {"colour": 1}}, 400)
    _ask(sandbox, "POST", "/switches", {"hubspot": {"limits": "no"}}, 400)


def test_people_edit_hubspot(sandbox: Sandbox) -> None:
    """An edit is checked, stamped with the scenario clock and signed by the person; the API shows it."""
    record_id = _companies(sandbox, limit="1").json()["results"][0]["id"]
    record = _ask(sandbox, "GET", f"/crm/hubspot/companies/{record_id}")
    assert (record["vendor"], record["object"], record["id"]) == ("hubspot", "companies", record_id)
    found = _ask(sandbox, "GET", f"/crm/hubspot/companies?q={record['fields']['name'][:6].upper()}")["records"]
    assert record_id in [r["id"] for r in found]
    sandbox.clock.advance(SECOND)
    who = next(t for t in sandbox.world.teammates if t.role == "csm")
    path = f"/crm/hubspot/companies/{record_id}?by={who.key}"
    edited = _ask(sandbox, "PATCH", path, {"customer_tier": "tier_2"})
    assert edited["fields"]["customer_tier"] == "tier_2"
    owner = sandbox.hubspot.store.get("owners", str(who.hubspot_id))
    assert owner is not None
    assert edited["fields"]["hs_updated_by_user_id"] == str(owner.fields["userId"])
    assert edited["modified_at"] == sandbox.clock.now() // 1000 * 1000
    _ask(sandbox, "PATCH", path, {"customer_tier": "gold"}, 400)
    _ask(sandbox, "PATCH", f"/crm/hubspot/companies/{record_id}?by=nobody", {"name": "x"}, 400)
    _ask(sandbox, "PATCH", "/crm/hubspot/companies/404", {"name": "x"}, 404)
    _ask(sandbox, "GET", "/crm/hubspot/gizmos/1", status=404)
    _ask(sandbox, "GET", "/crm/sugar/companies/1", status=404)


def test_people_edit_salesforce(sandbox: Sandbox) -> None:
    """LastModifiedById is a person, not the integration user; a restricted picklist is kept to."""
    account = _ask(sandbox, "GET", "/crm/salesforce/Account?limit=1")["records"][0]
    sandbox.clock.advance(SECOND)
    path = f"/crm/salesforce/Account/{account['id']}"
    edited = _ask(sandbox, "PATCH", path, {"Customer_Tier__c": "Tier 3"})
    assert edited["fields"]["Customer_Tier__c"] == "Tier 3"
    assert edited["fields"]["LastModifiedById"] != sandbox.salesforce.settings.user_id
    assert edited["fields"]["LastModifiedById"][:3] == "005"
    assert edited["modified_at"] == sandbox.clock.now() // SECOND * SECOND
    _ask(sandbox, "PATCH", path, {"Customer_Tier__c": "Gold"}, 400)
    _ask(sandbox, "PATCH", path, {"Nope__c": "x"}, 400)


def test_people_click_in_slack(sandbox: Sandbox) -> None:
    """Messages are listed with their place, and a click needs a message and a button that are there."""
    info: Any = sandbox.info()["slack"]
    blocks = [
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "ack", "value": "7", "text": {"type": "plain_text", "text": "Ack"}}
            ],
        }
    ]
    posted = requests.post(
        f"{info['base_url']}chat.postMessage",
        json={"channel": info["channels"]["alerts"], "text": "hello", "blocks": blocks},
        headers={"Authorization": f"Bearer {info['bot_token']}"},
        timeout=5,
    ).json()
    assert posted["ok"], posted
    (message,) = _ask(sandbox, "GET", "/slack/messages")["messages"]
    assert (message["text"], message["channel_name"]) == ("hello", "customer-alerts")
    who = sandbox.world.teammates[0].key
    click = {"user": who, "channel": "#customer-alerts", "ts": posted["ts"], "action_id": "ack", "value": "7"}
    assert _ask(sandbox, "POST", "/slack/click", click)["ok"] is True
    _ask(sandbox, "POST", "/slack/click", click | {"action_id": "nope"}, 404)
    _ask(sandbox, "POST", "/slack/click", click | {"user": "nobody"}, 404)


def test_days_bring_changes_and_the_usage_feed(sandbox: Sandbox) -> None:
    """The feed's file is there once the clock has passed 05:00, and the CRMs show what was due."""
    assert (sandbox.usage_dir / "usage-history.csv").exists()
    day_one = sandbox.usage_dir / "usage-2026-03-03.csv"
    sandbox.clock.advance_to(FIRST_EVALUATION + DAY - HOUR - 1)
    assert not day_one.exists()
    waiting = sandbox.hubspot.store.revision
    _ask(sandbox, "POST", "/clock", {"to": FIRST_EVALUATION + DAY - HOUR})
    assert day_one.read_text().splitlines()[0] == "date,workspace,active_users,active_users_28d"
    assert (sandbox.usage_dir / "usage-2026-03-02.csv").exists()
    _companies(sandbox, limit="1")
    assert sandbox.hubspot.store.revision > waiting


def test_truth_is_computed_once(sandbox: Sandbox) -> None:
    """The truth names the planted stories; a second question is answered from memory."""
    truth = _ask(sandbox, "GET", "/truth")
    assert truth
    assert _ask(sandbox, "GET", "/truth") == truth


def test_same_seed_same_world(sandbox: Sandbox) -> None:
    """Another sandbox of the same seed has the same records under the same ids."""
    other = start(Settings(seed=3, accounts=120, days=3))
    try:
        other.hubspot.switches.limits = False
        other.clock.advance_to(sandbox.clock.now())
        mine = _ask(sandbox, "GET", "/crm/salesforce/Contact?limit=200&q=an")["records"]
        theirs = _ask(other, "GET", "/crm/salesforce/Contact?limit=200&q=an")["records"]
        assert mine == theirs
        assert len(mine) > 10
    finally:
        other.stop()
    assert not Path(str(other.info()["usage"]["directory"])).exists()  # type: ignore[index]


def test_soak_and_time_are_scripted(sandbox: Sandbox) -> None:
    """A soak strikes and is listed; a vendor's clock can be off, and its waiting changes late."""
    listed = _ask(sandbox, "POST", "/soak", {"rate": 1, "vendor": "hubspot", "faults": [{"status": 503}]})["faults"]
    assert listed == [{"vendor": "hubspot", "rate": 1, "kinds": ["status 503"], "struck": 0}]
    assert _companies(sandbox).status_code == 503
    assert _ask(sandbox, "GET", "/faults")["faults"][0]["struck"] == 1
    _ask(sandbox, "DELETE", "/faults")
    assert _companies(sandbox).status_code == 200
    assert "rate" in _ask(sandbox, "POST", "/soak", {"rate": 2, "faults": [{}]}, 400)["error"]
    body = {"vendor": "salesforce", "lag_seconds": 5, "skew_seconds": -1.5}
    assert _ask(sandbox, "POST", "/time", body) == {"lag_seconds": 5, "skew_seconds": -1.5}
    store = sandbox.salesforce.store
    assert (store.lag, store.now()) == (5 * SECOND, sandbox.clock.now() - 3 * SECOND // 2)
    _ask(sandbox, "POST", "/time", {"vendor": "salesforce", "lag_seconds": 0, "skew_seconds": 0})


def test_hands_act_in_hubspot(sandbox: Sandbox) -> None:
    """Everything that tests do in a portal is there over HTTP; unknown acts and arguments are refused."""
    switches = {"hubspot": {"search_pages": [1, 0], "stolen": 0, "locked": {"1": 2}}}
    _ask(sandbox, "POST", "/switches", switches)
    assert (sandbox.hubspot.switches.search_pages, sandbox.hubspot.switches.locked) == ([1, 0], {"1": 2})
    _ask(sandbox, "POST", "/switches", {"hubspot": {"search_pages": [], "locked": {}}})
    first, second = (c["id"] for c in _companies(sandbox, limit="2").json()["results"])
    _ask(sandbox, "POST", "/hubspot/archive", {"object_name": "companies", "row_id": first})
    assert first not in [c["id"] for c in _companies(sandbox, limit="2").json()["results"]]
    _ask(sandbox, "POST", "/hubspot/restore", {"values": ["companies", first]})
    survivor = _ask(sandbox, "POST", "/hubspot/merge", {"values": ["companies", first, second]})["result"]
    assert survivor not in (first, second)
    refresh_token = _ask(sandbox, "POST", "/hubspot/install", {"values": ["oauth"]})["result"]
    assert sandbox.hubspot.oauth.grant_of(refresh_token) is not None
    _ask(sandbox, "POST", "/hubspot/merge", {"values": ["companies", "1", "2"]}, 404)
    _ask(sandbox, "POST", "/hubspot/explode", {}, 404)
    assert "error" in _ask(sandbox, "POST", "/hubspot/archive", {"colour": 1}, 400)


def test_reference_names_everything_that_can_be_set(sandbox: Sandbox) -> None:
    """The page of the control server has every fault, switch and act."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "sandbox.md").read_text()
    named = set(re.findall(r"`([\w-]+)`", page))
    switches = (Fault, Switches, SalesforceSwitches, SlackSwitches)
    wanted = {f.name for kind in switches for f in fields(kind)} | ACTS
    wanted |= {path.removeprefix("/salesforce/") for _, path, _ in routes(sandbox.salesforce)} - {"switches"}
    assert wanted - named == set()
