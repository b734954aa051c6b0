"""The vendor's own Python client against the lab: both service apps, with and without key-bound tokens, pages, revocation, a 429.

Usage: okta_sdk.py READY.json CA.pem
"""

import asyncio
import json
import os
import sys
from importlib.metadata import version
from urllib.parse import parse_qs, urlparse

# The client looks for proxies and authorities in the environment.
for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
    os.environ.pop(name, None)
os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = sys.argv[2]

from okta.client import Client

tenants = json.load(open(sys.argv[1]))["tenants"]
ready = next(tenant for tenant in tenants if tenant["platform"] == "okta")
READ = [
    f"okta.{name}.read"
    for name in ("apps", "appGrants", "users", "apiTokens", "authorizationServers", "oauthIntegrations", "roles", "logs")
]
MANAGE = ["okta.apps.manage", "okta.appGrants.manage", "okta.apiTokens.manage", "okta.oauthIntegrations.manage", "okta.users.manage"]


def service(client_id, key_file, key_id, scopes, **more):
    return Client(
        {
            "orgUrl": ready["base_url"],
            "authorizationMode": "PrivateKey",
            "clientId": client_id,
            "scopes": scopes,
            "privateKey": open(key_file).read(),
            "kid": key_id,
            "rateLimit": {"maxRetries": 2},
            **more,
        }
    )


async def good(call):
    result = await call
    data, response, error = result if len(result) == 3 else (None, *result)
    assert error is None, error
    return data, response


async def everything(call, **parameters):
    """All rows of a listing, by the cursors of its pages."""
    rows, pages = [], 0
    data, response = await good(call(**parameters))
    while True:
        rows.extend(data)
        pages += 1
        after = next_cursor(response)
        if after is None:
            return rows, pages
        data, response = await good(call(**{**parameters, "after": after}))


def next_cursor(response):
    # Of several header lines of one name the client keeps the last.
    link = response.headers.get("Link", "")
    if not link.endswith('rel="next"'):
        return None
    return parse_qs(urlparse(link[1 : link.index(">")]).query)["after"][0]


async def look(reader, what):
    apps, pages = await everything(reader.list_applications, limit=50)
    assert len(apps) > 200 and pages >= 5, (len(apps), pages)
    drift = next(app for app in apps if app.label == "Drift")
    robot = next(app for app in apps if app.label == "Backup Robot")
    grants, _ = await good(reader.list_scope_consent_grants(robot.id))
    assert {grant.scope_id for grant in grants} >= {"okta.users.manage", "okta.logs.read"}, grants
    tokens, _ = await everything(reader.list_o_auth2_tokens_for_application, app_id=drift.id, limit=2)
    assert len(tokens) == 4, tokens
    users, _ = await everything(reader.list_users, limit=100)
    assert len(users) > 200, len(users)
    sam = next(user for user in users if user.profile.login == "sam.sales@small.example")
    assert len((await good(reader.list_user_clients(sam.id)))[0]) >= 2
    assert len((await good(reader.list_user_grants(sam.id)))[0]) == 2
    secrets, _ = await good(reader.list_api_tokens())
    assert {"Backup vendor", "Grantwarden"} <= {token.name for token in secrets}
    services, _ = await good(reader.list_api_service_integration_instances())
    assert len(services) == 2
    servers, _ = await good(reader.list_authorization_servers())
    policies, _ = await good(reader.list_authorization_server_policies(servers[1].id))
    rules, _ = await good(reader.list_authorization_server_policy_rules(servers[1].id, policies[0].id))
    assert rules[0].actions.token.access_token_lifetime_minutes == 1440
    # Roles are left out: of a standard and a custom one the client cannot tell which it has before it.
    events, _ = await good(reader.list_log_events(filter='eventType sw "app.oauth2"', limit=5))
    assert len(events) == 5
    print(f"{what}: {len(apps)} apps on {pages} pages, {len(users)} users, {len(secrets)} API tokens, {len(tokens)} refresh tokens of one app")
    return drift, robot, grants, sam


async def main():
    own = (ready["client_id"], ready["private_key_file"], ready["key_id"])
    reader = service(*own, READ)
    drift, robot, grants, sam = await look(reader, "bearer token")
    await look(service(*own, READ, dpopEnabled=True), "token bound to a key")

    data, _, error = await service(*own, [*READ, "okta.apps.manage"]).list_applications()
    assert error is not None and "invalid_scope" in str(error), error

    second = (ready["revoker_client_id"], ready["revoker_private_key_file"], ready["revoker_key_id"])
    revoker = service(*second, READ + MANAGE)
    await good(revoker.revoke_scope_consent_grant(robot.id, grants[0].id))
    left, _ = await good(reader.list_scope_consent_grants(robot.id))
    assert grants[0].id not in {grant.id for grant in left}
    await good(revoker.revoke_o_auth2_tokens_for_application(drift.id))
    assert (await good(reader.list_o_auth2_tokens_for_application(drift.id)))[0] == []
    await good(revoker.revoke_user_sessions(sam.id, oauth_tokens=True))
    await good(revoker.revoke_api_token("00TFAKEbackup0000001"))
    assert "Backup vendor" not in {token.name for token in (await good(reader.list_api_tokens()))[0]}
    services, _ = await good(reader.list_api_service_integration_instances())
    await good(revoker.delete_api_service_integration_instance(services[0].id))
    result = await revoker.delete_application(drift.id)
    assert "E0000056" in str(result[-1]), result
    await good(revoker.deactivate_application(drift.id))
    await good(revoker.delete_application(drift.id))
    result = await reader.get_application(drift.id)
    assert "E0000007" in str(result[-1]), result

    ssws = Client({"orgUrl": ready["base_url"], "authorizationMode": "SSWS", "token": ready["api_token"]})
    me, _ = await good(ssws.get_user("me"))
    assert me.profile.login == "ada.admin@small.example"

    # The lab was told to refuse the first of these with 429; the client waits for the reset that it is told.
    zones, _ = await good(ssws.list_network_zones())
    assert len(zones) == 3
    print(f"okta {version('okta')}: all is well, revocations and a 429 too")


asyncio.run(main())
