"""simple-salesforce against the lab: its own JWT login, queries, pages, refusals.

Usage: check.py READY.json CA.pem
"""

import json
import sys
import warnings
from importlib.metadata import version

import requests
from simple_salesforce import Salesforce, login
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
)

warnings.simplefilter("ignore")  # its advice about a refused user
ready = json.load(open(sys.argv[1]))["tenants"][0]
session = requests.Session()
session.trust_env = False
session.verify = sys.argv[2]
host = ready["base_url"].removeprefix("https://")


class Redirected(requests.Session):
    """Sends the library's sign-in, which knows only salesforce.com, to the lab."""

    def __init__(self):
        super().__init__()
        self.trust_env = False
        self.verify = sys.argv[2]

    def request(self, method, url, **kwargs):
        return super().request(method, url.replace("login.salesforce.com", host), **kwargs)


def sign_in(username):
    return login.SalesforceLogin(
        username=username,
        consumer_key=ready["client_id"],
        privatekey_file=ready["private_key_file"],
        session=Redirected(),
    )


token, instance = sign_in(ready["username"])
assert instance == host, (instance, host)
sf = Salesforce(instance_url=ready["base_url"], session_id=token, session=session, version="60.0")

all_tokens = sf.query_all("SELECT Id, AppName FROM OauthToken")
assert all_tokens["totalSize"] == len(all_tokens["records"]) == 2500, all_tokens["totalSize"]
assert sf.query("SELECT COUNT() FROM OauthToken")["totalSize"] == 3006
names = {row["AppName"] for row in sf.query_all_iter("SELECT AppName FROM OauthToken WHERE AppName LIKE 'Drift'")}
assert names == {"Drift"}, names
assert sf.describe()["sobjects"], "no objects"
assert any(field["name"] == "DeleteToken" for field in sf.OauthToken.describe()["fields"])
assert sf.limits()["DailyApiRequests"]["Max"] == 15000
assert sf.api_usage["api-usage"].total == 15000

for refused, call in [
    (SalesforceMalformedRequest, lambda: sf.query("SELECT Bogus FROM OauthToken")),
    (SalesforceMalformedRequest, lambda: sf.OauthToken.create({"AppName": "Z"})),
    (SalesforceAuthenticationFailed, lambda: sign_in("nobody@small.example")),
    (
        SalesforceExpiredSession,
        lambda: Salesforce(instance_url=ready["base_url"], session_id="x", session=session).query(
            "SELECT Id FROM User"
        ),
    ),
]:
    try:
        call()
    except refused:
        continue
    raise SystemExit(f"expected {refused.__name__}")

print("simple-salesforce", version("simple-salesforce"), "agrees")
