"""Slack's own Python client against the lab: who a token is, listings by its own iterator, logs, refusals, a revocation.

Usage: slack.py READY.json  (the lab serves slack-small over plain HTTP, with generated installs)
"""

import json
import os
import sys
from importlib.metadata import version

from slack_sdk import WebClient
from slack_sdk.audit_logs import AuditLogsClient
from slack_sdk.errors import SlackApiError

# The client would send calls to loopback through a proxy of the environment.
for name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)

tenants = json.load(open(sys.argv[1]))["tenants"]
org = next(one for one in tenants if one["platform"] == "slack" and one["plan"] == "enterprise")
shop = next(one for one in tenants if one["platform"] == "slack" and one["plan"] == "workspace")
enterprise = org["enterprise_id"]


def client(tenant, name="reader"):
    return WebClient(token=tenant["tokens"][name], base_url=f"{tenant['base_url']}/api/")


def refused(code, call, status=200):
    try:
        call()
    except SlackApiError as error:
        assert error.response["error"] == code, error
        assert error.response.status_code == status, error
        return error.response
    raise SystemExit(f"expected {code}")


def listed(key, first):
    return [item for page in first for item in page[key]]


reader, revoker = client(org), client(org, "revoker")
assert open(org["token_file"]).read() == org["tokens"]["reader"]
me = reader.auth_test()
assert me["is_enterprise_install"] and me["enterprise_id"] == enterprise
assert "admin.apps:read" in me.headers["x-oauth-scopes"].split(",")

approved = listed("approved_apps", reader.admin_apps_approved_list(enterprise_id=enterprise, limit=40))
whole = reader.admin_apps_approved_list(enterprise_id=enterprise, limit=1000)["approved_apps"]
assert approved == whole and len(whole) > 80, len(whole)
certified = reader.api_call(
    "admin.apps.approved.list", params={"enterprise_id": enterprise, "certified": True, "limit": 1000}
)["approved_apps"]
assert not {one["app"]["id"] for one in certified} & {one["app"]["id"] for one in approved}
restricted = listed("restricted_apps", reader.admin_apps_restricted_list(enterprise_id=enterprise, limit=10))
assert any(one["app"]["name"] == "Shady Sync" for one in restricted)
requests = reader.admin_apps_requests_list(enterprise_id=enterprise)["app_requests"]
assert [one["id"] for one in requests] == ["Ar0SMALL01", "Ar0SMALL04"]
teams = listed("teams", reader.admin_teams_list(limit=10))
assert len(teams) == 33, len(teams)
users = listed("users", reader.admin_users_list(limit=100))
assert len({user["id"] for user in users}) == len(users) > 280, len(users)
members = reader.users_list(team_id="T0SALES01")["members"]
assert {"sam.sales", "gone.gus"} <= {one["name"] for one in members}
assert reader.team_info(team="T0SALES01")["team"]["domain"] == "small-sales"

audit = AuditLogsClient(token=org["tokens"]["reader"], base_url=f"{org['base_url']}/audit/v1/")
entries, cursor = [], None
while cursor != "":
    page = audit.logs(action="app_installed,org_app_installed", limit=700, cursor=cursor).typed_body
    entries += page.entries
    cursor = page.response_metadata.next_cursor
assert len({entry.id for entry in entries}) == len(entries) == 2012, len(entries)
assert "app_uninstalled" in audit.actions().body["actions"]["app"]
assert audit.schemas().status_code == 200
admin = AuditLogsClient(token=org["tokens"]["org_admin"], base_url=f"{org['base_url']}/audit/v1/")
assert admin.logs().body["ok"] is False

place = {"enterprise_id": enterprise}
drift = {"app_id": "A0DRIFT001", **place}
response = refused("missing_scope", lambda: reader.admin_apps_restrict(**drift))
assert response["needed"] == "admin.apps:write" and "admin.apps:read" in response["provided"]
refused("not_allowed_token_type", lambda: client(org, "bot").admin_apps_approved_list(**place))
refused("invalid_cursor", lambda: reader.admin_teams_list(cursor="x"))
refused("too_many_teams_provided", lambda: reader.admin_apps_approved_list(team_id="T0SALES01", **place))
refused("feature_not_enabled", lambda: client(shop, "revoker").admin_apps_restrict(app_id="A0DRIFT001", team_id="T"))

assert revoker.admin_apps_restrict(**drift)["ok"] and revoker.admin_apps_uninstall(**drift)["ok"]
response = refused("ratelimited", lambda: revoker.admin_apps_uninstall(**drift), status=429)
assert 0 < int(response.headers["Retry-After"]) <= 60
gone = audit.logs(action="app_uninstalled", entity="A0DRIFT001").typed_body.entries
assert len(gone) == 2 and gone[0].context.location.type == "workspace"
assert revoker.admin_users_session_reset(user_id="W0SAM0001")["ok"]

workshop, rows, page = client(shop), [], 1
while True:
    body = workshop.team_integrationLogs(count=10, page=page)
    rows += body["logs"]
    if page >= body["paging"]["pages"]:
        break
    page += 1
assert len(rows) == body["paging"]["total"] == 28 and all("app_id" in row or "service_id" in row for row in rows)
assert workshop.auth_revoke(test=True)["revoked"] is False

print(f"slack_sdk {version('slack_sdk')} agrees: {len(whole)} approved apps, {len(entries)} installs, {len(rows)} rows")
