"""msal and msgraph-sdk against the lab: tokens by secret and by certificate, pages, revocation.

Usage: graph.py READY.json CA.pem
"""

import asyncio
import json
import os
import sys
import time
from importlib.metadata import version

# Microsoft's clients look for proxies and authorities in the environment.
for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
    os.environ.pop(name, None)
os.environ["REQUESTS_CA_BUNDLE"] = sys.argv[2]

import httpx
import msal
import requests
from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.oauth2_permission_grants.oauth2_permission_grants_request_builder import (
    Oauth2PermissionGrantsRequestBuilder as Grants,
)
from msgraph.generated.service_principals.service_principals_request_builder import (
    ServicePrincipalsRequestBuilder as Principals,
)
from msgraph_core.tasks.page_iterator import PageIterator

tenants = json.load(open(sys.argv[1]))["tenants"]
ready = next(tenant for tenant in tenants if tenant["platform"] == "microsoft-365")
session = requests.Session()
session.trust_env = False
session.verify = sys.argv[2]


def token(credential):
    app = msal.ConfidentialClientApplication(
        ready["client_id"],
        client_credential=credential,
        authority=f"{ready['base_url']}/{ready['tenant_id']}",
        instance_discovery=False,
        http_client=session,
    )
    return app.acquire_token_for_client(["https://graph.microsoft.com/.default"])


by_secret = token(ready["client_secret"])
assert by_secret["token_type"] == "Bearer", by_secret
certificate = {
    "private_key": open(ready["private_key_file"]).read(),
    "public_certificate": open(ready["certificate_file"]).read(),
}
by_certificate = token(certificate)
assert "access_token" in by_certificate, by_certificate
refused = token("wrong")
assert refused["error"] == "invalid_client" and refused["error_codes"] == [7000215], refused


class Given:
    """Hands Microsoft's SDK the token that msal got."""

    def get_token(self, *scopes, **options):
        return AccessToken(by_certificate["access_token"], int(time.time()) + 3600)


def only(kind, **options):
    return RequestConfiguration(query_parameters=kind(**options))


async def main():
    provider = AzureIdentityAuthenticationProvider(Given(), allowed_hosts=["localhost"])
    http = httpx.AsyncClient(verify=sys.argv[2], trust_env=False)
    adapter = GraphRequestAdapter(auth_provider=provider, client=http)
    adapter.base_url = ready["base_url"] + "/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)

    options = only(Principals.ServicePrincipalsRequestBuilderGetQueryParameters, top=999, select=["id", "appId", "displayName", "appRoles"])
    principals = []
    page = await graph.service_principals.get(request_configuration=options)
    assert len(page.value) == 999 and page.odata_next_link, len(page.value)
    await PageIterator(page, adapter).iterate(lambda row: principals.append(row) or True)
    assert len(principals) == 1500, len(principals)

    resource = next(row for row in principals if row.app_id == "00000003-0000-0000-c000-000000000000")
    assert {role.value for role in resource.app_roles} >= {"Mail.Read", "Directory.Read.All"}
    assigned = await graph.service_principals.by_service_principal_id(resource.id).app_role_assigned_to.get()
    assert assigned.value[0].resource_display_name == "Microsoft Graph"
    assert assigned.value[0].created_date_time.year >= 2020

    client = next(row for row in principals if row.display_name == "Chartly")
    mine = only(Grants.Oauth2PermissionGrantsRequestBuilderGetQueryParameters, filter=f"clientId eq '{client.id}'")
    grants = await graph.oauth2_permission_grants.get(request_configuration=mine)
    assert {grant.client_id for grant in grants.value} == {client.id}
    target = graph.oauth2_permission_grants.by_o_auth2_permission_grant_id(grants.value[0].id)
    await target.delete()
    left = await graph.oauth2_permission_grants.get(request_configuration=mine)
    assert len(left.value) == len(grants.value) - 1
    for again in (target.delete, graph.service_principals.by_service_principal_id("x").get):
        try:
            await again()
        except ODataError as error:
            assert error.response_status_code == 404, error
            assert error.error.code == "Request_ResourceNotFound", error
        else:
            raise SystemExit("a missing object was not refused")

    policy = await graph.policies.authorization_policy.get()
    assert policy.default_user_role_permissions.permission_grant_policies_assigned
    audits = await graph.audit_logs.directory_audits.get()
    assert audits.value[0].target_resources[0].display_name, "an audit entry without a target"


asyncio.run(main())
print("msal", version("msal"), "and msgraph-sdk", version("msgraph-sdk"), "agree")
