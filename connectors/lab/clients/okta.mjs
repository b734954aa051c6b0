// The vendor's own Node client against the lab: a token bound to a key, pages, revocation, a 429.
// Usage: NODE_EXTRA_CA_CERTS=CA.pem node okta.mjs READY.json
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import okta from "@okta/okta-sdk-nodejs";

const tenants = JSON.parse(readFileSync(process.argv[2], "utf8")).tenants;
const ready = tenants.find((tenant) => tenant.platform === "okta");

const client = (clientId, keyFile, keyId, scopes) =>
  new okta.Client({
    orgUrl: ready.base_url,
    authorizationMode: "PrivateKey",
    clientId,
    scopes,
    privateKey: readFileSync(keyFile, "utf8"),
    keyId,
  });

const all = async (collection) => {
  const rows = [];
  await collection.each((row) => void rows.push(row));
  return rows;
};

const reader = client(ready.client_id, ready.private_key_file, ready.key_id, [
  "okta.apps.read", "okta.appGrants.read", "okta.users.read", "okta.apiTokens.read", "okta.roles.read",
]);
const apps = await all(await reader.applicationApi.listApplications({ limit: 50 }));
assert.ok(apps.length > 200, `${apps.length} apps`);
const named = (label) => apps.find((app) => app.label === label);
const robot = named("Backup Robot");
const grants = await all(await reader.applicationApi.listScopeConsentGrants({ appId: robot.id }));
assert.ok(grants.length >= 3, `${grants.length} grants`);
const users = await all(await reader.userApi.listUsers({ limit: 100 }));
assert.ok(users.length > 200, `${users.length} users`);
const tokens = await all(await reader.applicationApi.listOAuth2TokensForApplication({ appId: named("Drift").id }));
assert.equal(tokens.length, 4);
const apiTokens = await all(await reader.apiTokenApi.listApiTokens());
assert.ok(apiTokens.some((token) => token.name === "Backup vendor"));
const roles = await all(await reader.roleAssignmentApi.listRolesForClient({ clientId: robot.id }));
assert.deepEqual(roles.map((role) => role.type), ["SUPER_ADMIN"]);

const revoker = client(ready.revoker_client_id, ready.revoker_private_key_file, ready.revoker_key_id, [
  "okta.apps.manage", "okta.appGrants.manage",
]);
await revoker.applicationApi.revokeScopeConsentGrant({ appId: robot.id, grantId: grants[0].id });
await revoker.applicationApi.revokeOAuth2TokensForApplication({ appId: named("Drift").id });
const left = await all(await reader.applicationApi.listOAuth2TokensForApplication({ appId: named("Drift").id }));
assert.equal(left.length, 0);
await assert.rejects(revoker.applicationApi.deleteApplication({ appId: named("Drift").id }), /E0000056/);

const ssws = new okta.Client({ orgUrl: ready.base_url, token: ready.api_token });
// The lab was told to refuse the first of these with 429; the client waits for the reset that it is told.
const zones = await all(await ssws.networkZoneApi.listNetworkZones());
assert.equal(zones.length, 3);
console.log(`okta-sdk-nodejs: ${apps.length} apps, ${users.length} users, ${tokens.length} refresh tokens of one app; revocations and a 429 too`);
