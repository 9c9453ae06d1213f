"""What a RevOps person would write for the made-up company: tierd.yaml with its field mapping, and the shipped rules."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

SECRETS = ("TIERD_DEMO_SF_SECRET", "TIERD_DEMO_HUBSPOT_TOKEN", "TIERD_DEMO_SLACK_BOT", "TIERD_DEMO_SLACK_APP")

_CONFIG = Template("""\
# The made-up company of the demo. `tierd init` writes such a file for yours.
timezone: UTC
store: $store
own_domains: [tierd-demo.example]

sources:
  salesforce:
    kind: salesforce
    base_url: $sf_url
    auth: {method: client_credentials, client_id: $sf_client, client_secret: {env: TIERD_DEMO_SF_SECRET}}
    org_id: $sf_org
    at: "05:30"
    customer: {Type: Customer}
    churned: {Type: Former Customer}
    csm:
      - {field: CSM__c}
      - object: AccountTeamMember
        where: {TeamMemberRole: Customer Success Manager}
        path: AccountId
        field: UserId
    fields:
      arr:
        - {field: ARR__c}
        - object: OpportunityLineItem
          where: {Opportunity.StageName: Closed Won, Opportunity.Type: [New Business, Renewal]}
          path: Opportunity.AccountId
          field: TotalPrice
          aggregate: sum
        - object: Opportunity
          where: {StageName: Closed Won, Type: [New Business, Renewal]}
          path: AccountId
          field: Amount
          by: CloseDate
      renewal: {field: Renewal_Date__c}
      contract_start: {field: Contract_Start__c}
      auto_renews: {field: Auto_Renews__c}
      term: {field: Term_Days__c}
      seats: {field: Seats__c}
      potential: {field: Potential__c}
      market_fit: {field: Market_Fit__c}
      strategic: {field: Strategic__c}
      usage_key: {field: Workspace_Id__c}
    contact: {user: {field: Product_User__c}}
    activities: {meeting_status: Meeting_Status__c, meeting_uid: ICal_UID__c, automatic: Automatic__c}
    tier: {field: Customer_Tier__c, values: {1: Tier 1, 2: Tier 2, 3: Tier 3}}

  hubspot:
    kind: hubspot
    base_url: $hs_url
    auth: {access_token: {env: TIERD_DEMO_HUBSPOT_TOKEN}}
    portal_id: $hs_portal
    at: "05:30"
    customer: {lifecyclestage: customer}
    churned: {customer_status: former}
    csm: {field: csm}
    fields:
      arr:
        - {field: arr}
        - object: deals
          where: {dealstage: closedwon, dealtype: [newbusiness, renewal]}
          field: amount
          by: closedate
      renewal: {field: renewal_date}
      contract_start: {field: contract_start}
      auto_renews: {field: auto_renews}
      term: {field: term_days}
      seats: {field: seats}
      potential: {field: potential}
      market_fit: {field: market_fit}
      strategic: {field: strategic}
      usage_key: {field: workspace_id}
    contact: {user: {field: product_user}}
    activities: {automatic: automatic}
    tier: {field: customer_tier, values: {1: tier_1, 2: tier_2, 3: tier_3}}

  product-usage:
    kind: usage
    files: ["$usage/*.csv"]
    at: "05:30"
    columns: {key: workspace, at: date}
    metrics: [active_users, active_users_28d]

  surveys:
    kind: usage
    content: surveys
    files: ["$surveys/*.csv"]
    at: "05:30"
    columns: {key: workspace, at: answered}

usage: {metric: active_users, active_users: active_users_28d}
offerings:
  $offering: {released: $released}
rules: [rules/*.yaml]

slack:
  base_url: $slack_url
  bot_token: {env: TIERD_DEMO_SLACK_BOT}
  app_token: {env: TIERD_DEMO_SLACK_APP}
  team_id: $slack_team
  channels: {alerts: $slack_alerts, operators: $slack_operators}

alerts:
  digest_at: "07:00"
  links: {salesforce: "$crm_page/salesforce/{id}", hubspot: "$crm_page/hubspot/{id}"}
tiers: {at: "06:05"}
writeback: {enabled: true}
evaluate: {at: "06:00", after_sync: false}
health: {bind: "127.0.0.1:$health_port"}
""")


def write(folder: Path, info: Mapping[str, Any], *, store: str = "sqlite:///tierd.db", health_port: int = 0) -> Path:
    """tierd.yaml and rules/ in `folder` for the sandbox that `info` describes; gives the configuration's path."""
    sf, hs, slack = info["salesforce"], info["hubspot"], info["slack"]
    text = _CONFIG.substitute(
        store=store,
        sf_url=sf["base_url"],
        sf_client=sf["client_id"],
        sf_org=sf["org_id"],
        hs_url=hs["base_url"],
        hs_portal=hs["portal_id"],
        usage=info["usage"]["directory"],
        surveys=info["surveys"]["directory"],
        offering=info["offering"]["name"],
        released=info["offering"]["released"],
        slack_url=slack["base_url"],
        slack_team=slack["team_id"],
        slack_alerts=slack["channels"]["alerts"],
        slack_operators=slack["channels"]["operators"],
        crm_page=info["crm"]["page"].rstrip("/"),
        health_port=health_port,
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tierd.yaml"
    path.write_text(text, encoding="utf-8")
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    for rule in files("rules.shipped").iterdir():
        if rule.name.endswith(".yaml"):
            with rule.open("rb") as source, (rules / rule.name).open("wb") as target:
                shutil.copyfileobj(source, target)
    return path


def secrets(info: Mapping[str, Any]) -> dict[str, str]:
    """The environment that the configuration's secrets come from."""
    values = (
        info["salesforce"]["client_secret"],
        info["hubspot"]["access_token"],
        info["slack"]["bot_token"],
        info["slack"]["app_token"],
    )
    return dict(zip(SECRETS, values, strict=True))
