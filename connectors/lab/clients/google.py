"""Google's own client against the lab: its sign-in for service accounts, typed calls, refusals.

Usage: google.py READY.json  (the lab serves over plain HTTP, with generated users and grants)
"""

import json
import sys
from importlib.metadata import version

from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import service_account
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

tenants = json.load(open(sys.argv[1]))["tenants"]
tenant = next(one for one in tenants if one["platform"] == "google-workspace")
prefix = "https://www.googleapis.com/auth/"
scopes = [
    prefix + name
    for name in (
        "admin.directory.user.readonly",
        "admin.directory.user.security",
        "admin.reports.audit.readonly",
        "admin.reports.usage.readonly",
    )
]


def credentials(subject, scopes):
    made = service_account.Credentials.from_service_account_file(tenant["key_file"], scopes=scopes)
    return made.with_subject(subject)


def service(name, version):
    return build(
        name,
        version,
        credentials=credentials(tenant["subject"], scopes),
        static_discovery=True,
        client_options={"api_endpoint": tenant["base_url"]},
    )


def refused(status, reason, call):
    try:
        call()
    except HttpError as error:
        assert error.status_code == status, error
        assert any(item["reason"] == reason for item in error.error_details), error.error_details
        return
    raise SystemExit(f"expected {status} {reason}")


directory = service("admin", "directory_v1")
reports = service("admin", "reports_v1")

users, call, pages = [], directory.users().list(customer="my_customer", maxResults=50), 0
while call is not None:
    page = call.execute()
    users += page["users"]
    pages += 1
    call = directory.users().list_next(call, page)
assert pages == -(-len(users) // 50) > 1, (pages, len(users))
assert len({user["id"] for user in users}) == len(users) > 100

holder, grants = next(
    (user, tokens)
    for user in users
    if (tokens := directory.tokens().list(userKey=user["id"]).execute().get("items"))
)
grant = {"userKey": holder["id"], "clientId": grants[0]["clientId"]}
assert directory.tokens().get(**grant).execute()["scopes"] == grants[0]["scopes"]
assert directory.tokens().delete(**grant).execute() == ""
refused(404, "notFound", directory.tokens().delete(**grant).execute)
refused(404, "notFound", directory.tokens().get(**grant).execute)
left = directory.tokens().list(userKey=holder["primaryEmail"]).execute().get("items", [])
assert len(left) == len(grants) - 1, left

activities = {"userKey": "all", "applicationName": "token", "maxResults": 500}
events, call = [], reports.activities().list(**activities)
while call is not None:
    page = call.execute()
    events += page.get("items", [])
    call = reports.activities().list_next(call, page)
assert events[0]["events"][0]["name"] == "revoke", events[0]
assert events[0]["actor"]["email"] == holder["primaryEmail"]
assert len({event["id"]["uniqueQualifier"] for event in events}) == len(events) > 500
one = reports.activities().list(
    **activities, eventName="revoke", filters=f"client_id=={grant['clientId']}"
)
assert len(one.execute()["items"]) == 1

usage = {"date": "2026-01-13", "parameters": "accounts:authorized_apps"}
report = reports.customerUsageReports().get(**usage).execute()["usageReports"][0]
assert report["entity"]["type"] == "CUSTOMER" and report["parameters"][0]["msgValue"]
refused(400, "invalid", reports.customerUsageReports().get(date="2026-01-15").execute)
refused(400, "badRequest", directory.users().list().execute)

for subject, asked in [
    ("nobody@small.example", scopes),
    (tenant["subject"], [prefix + "drive"]),
]:
    try:
        credentials(subject, asked).refresh(Request())
    except RefreshError:
        continue
    raise SystemExit(f"expected RefreshError for {subject} {asked}")

print("google-api-python-client", version("google-api-python-client"), "agrees")
