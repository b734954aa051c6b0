// GitHub's own client for JavaScript against the lab: an App's sign-in by @octokit/auth-app, listings through
// octokit.paginate, revocations, error classes.
//
// Usage: node github.mjs READY.json  (the lab serves github-small with generated rows on the first host)

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { createAppAuth } from "@octokit/auth-app";
import { RequestError } from "@octokit/request-error";
import { Octokit } from "@octokit/rest";

const { tenants } = JSON.parse(readFileSync(process.argv[2]));
const tenant = tenants.find((one) => one.platform === "github");
const log = { debug() {}, info() {}, warn() {}, error() {} };
const shared = { baseUrl: tenant.base_url, log, userAgent: "lab-check" };
const scanner = { appId: tenant.client_id, privateKey: readFileSync(tenant.private_key_file, "utf8") };
const revoker = { appId: tenant.revoker_app_id, privateKey: readFileSync(tenant.revoker_key_file, "utf8") };

const asApp = (auth) => new Octokit({ ...shared, authStrategy: createAppAuth, auth });
const on = async (auth, org) => {
  const { data } = await asApp(auth).rest.apps.getOrgInstallation({ org });
  return new Octokit({ ...shared, authStrategy: createAppAuth, auth: { ...auth, installationId: data.id } });
};
const refused = async (status, part, call) => {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof RequestError, String(error));
    assert.equal(error.status, status, error.message);
    assert.ok(error.message.includes(part), error.message);
    return error;
  }
  throw new Error(`expected ${status} ${part}`);
};

const org = tenant.organisations[0];
const app = (await asApp(scanner).rest.apps.getAuthenticated()).data;
assert.equal(app.client_id, tenant.client_id);
const read = await on(scanner, org);
const write = await on(revoker, org);
const auth = await read.auth({ type: "installation" });
assert.ok(auth.token.startsWith("ghs_") && auth.permissions.organization_administration === "read");

const installations = await read.paginate(read.rest.orgs.listAppInstallations, { org, per_page: 30 });
const { data } = await read.rest.orgs.listAppInstallations({ org, per_page: 1 });
assert.equal(installations.length, data.total_count);
assert.equal(new Set(installations.map((row) => row.id)).size, installations.length);

const path = "GET /orgs/{org}/credential-authorizations";
const credentials = await read.paginate(path, { org, per_page: 100 });
assert.ok(credentials.length > 100, String(credentials.length));
assert.equal(new Set(credentials.map((row) => row.credential_id)).size, credentials.length);
const pats = await read.paginate(read.rest.orgs.listPatGrants, { org, per_page: 100 });
assert.ok(pats.length > 100, String(pats.length));
const members = await read.paginate(read.rest.orgs.listMembers, { org, per_page: 100 });
const repositories = await read.paginate(read.rest.repos.listForOrg, { org, per_page: 100 });
let pages = 0;
const events = [];
for await (const page of read.paginate.iterator("GET /orgs/{org}/audit-log", {
  org,
  per_page: 100,
  phrase: "action:integration_installation.create created:>=2020-01-01",
})) {
  pages += 1;
  events.push(...page.data);
}
assert.ok(events.length >= installations.length && pages === Math.ceil(events.length / 100), String(pages));

let keys = [];
let after = null;
do {
  const { organization } = await read.graphql(
    `query($org: String!, $after: String) { organization(login: $org) { repositories(first: 100, after: $after) {
      nodes { nameWithOwner isArchived deployKeys(first: 100) { nodes { id title readOnly } } }
      pageInfo { endCursor hasNextPage } } } }`,
    { org, after },
  );
  keys.push(...organization.repositories.nodes.flatMap((row) => row.deployKeys.nodes));
  after = organization.repositories.pageInfo.hasNextPage ? organization.repositories.pageInfo.endCursor : null;
} while (after);
const withKeys = (await read.rest.repos.listDeployKeys({ owner: org, repo: "backend" })).data;
assert.ok(keys.length > withKeys.length && withKeys.length === 2);
assert.equal((await read.rest.apps.getBySlug({ app_slug: "drift" })).data.owner.login, "drift-apps");

const credential = { org, credential_id: credentials[0].credential_id };
const forbidden = await refused(403, "Resource not accessible by integration", () =>
  read.request("DELETE /orgs/{org}/credential-authorizations/{credential_id}", credential),
);
assert.equal(
  forbidden.response.headers["x-accepted-github-permissions"],
  "organization_administration=write",
);
const revoke = () => write.request("DELETE /orgs/{org}/credential-authorizations/{credential_id}", credential);
assert.equal((await revoke()).status, 204);
await refused(404, "Not Found", revoke);
const many = { org, action: "revoke", pat_ids: pats.slice(0, 3).map((row) => row.id) };
assert.equal((await write.rest.orgs.updatePatAccesses(many)).status, 202);
await refused(422, "Validation Failed", () => write.rest.orgs.updatePatAccesses(many));
assert.equal((await write.rest.orgs.updatePatAccess({ org, pat_id: pats[3].id, action: "revoke" })).status, 204);
const left = await read.paginate(read.rest.orgs.listPatGrants, { org, per_page: 100 });
assert.equal(left.length, pats.length - 4);
assert.equal((await write.rest.orgs.deleteWebhook({ org, hook_id: 70001 })).status, 204);
await refused(404, "Not Found", () => read.rest.orgs.getWebhook({ org, hook_id: 70001 }));
await refused(401, "Bad credentials", () =>
  new Octokit({ ...shared, auth: "ghp_FAKEnothing" }).rest.orgs.get({ org }),
);
const anybody = new Octokit(shared);
const leak = await anybody.request("POST /credentials/revoke", { credentials: [tenant.owner_token] });
assert.equal(leak.status, 202);
await refused(401, "Bad credentials", () =>
  new Octokit({ ...shared, auth: tenant.owner_token }).rest.orgs.get({ org }),
);

const enterprise = (await asApp(scanner).request("GET /enterprises/{enterprise}/installation", tenant)).data;
const whole = new Octokit({
  ...shared,
  authStrategy: createAppAuth,
  auth: { ...scanner, installationId: enterprise.id },
});
const above = "GET /enterprises/{enterprise}/apps/organizations/{org}/installations";
const seen = await whole.paginate(above, { enterprise: tenant.enterprise, org, per_page: 100 });
assert.equal(seen.length, installations.length);

const { version } = JSON.parse(
  readFileSync(new URL("node_modules/@octokit/rest/package.json", import.meta.url)),
);
console.log(
  `@octokit/rest ${version} agrees: ${installations.length} installations, ${credentials.length} credentials,`,
  `${pats.length} tokens, ${members.length} members, ${repositories.length} repositories, ${keys.length} keys,`,
  `${events.length} events`,
);
