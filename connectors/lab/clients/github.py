"""PyGithub against the lab: an App's sign-in and what it lists of an organisation.

Usage: github.py READY.json  (the lab serves github-small with generated rows on the first host)
"""

import json
import sys
from importlib.metadata import version

from github import Auth, GithubException, GithubIntegration

tenants = json.load(open(sys.argv[1]))["tenants"]
tenant = next(one for one in tenants if one["platform"] == "github")
key = open(tenant["private_key_file"]).read()
app = GithubIntegration(auth=Auth.AppAuth(tenant["client_id"], key), base_url=tenant["base_url"])
login = tenant["organisations"][0]

assert app.get_app().slug == "grantwarden"
installation = app.get_org_installation(login)
token = app.get_access_token(installation.id)
assert token.token.startswith("ghs_") and token.permissions["organization_hooks"] == "read"
hub = installation.get_github_for_installation()
hub.per_page = 100
organisation = hub.get_organization(login)
assert organisation.plan.name == "enterprise"

installations = list(organisation.get_installations())
assert len({one.id for one in installations}) == len(installations) > 30, len(installations)
members = list(organisation.get_members())
repositories = list(organisation.get_repos())
assert len(repositories) > 10, len(repositories)
backend = next(one for one in repositories if one.name == "backend")
keys = list(backend.get_keys())
assert len(keys) == 2, keys
hooks = list(organisation.get_hooks())

try:
    keys[0].delete()
except GithubException as error:
    assert error.status == 403, error
else:
    raise SystemExit("expected 403")

print("PyGithub", version("PyGithub"), "agrees:", len(installations), "installations,",
      len(members), "members,", len(repositories), "repositories,", len(hooks), "hooks")
