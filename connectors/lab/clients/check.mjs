// jsforce against the lab (query, queryMore, metadata, refusals), and an independent SOQL parser over
// every query that the lab's tests call good. Usage: node check.mjs READY.json GOOD.soql
import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isQueryValid } from '@jetstreamapp/soql-parser-js';
import jsforce from 'jsforce';

const [readyFile, queriesFile] = process.argv.slice(2);
const ready = JSON.parse(readFileSync(readyFile, 'utf8')).tenants[0];

const lines = readFileSync(queriesFile, 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
const queries = lines.map((line) => line.replace(/^tooling: /, ''));
const refused = queries.filter((soql) => !isQueryValid(soql));
assert.deepEqual(refused, [], 'queries that only the lab takes');
assert.ok(queries.length > 30);

const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
const claims = {
  iss: ready.client_id, sub: ready.username, aud: ready.audience, exp: Math.floor(Date.now() / 1000) + 180,
};
const unsigned = `${encode({ alg: 'RS256' })}.${encode(claims)}`;
const key = readFileSync(ready.private_key_file);
const assertion = `${unsigned}.${createSign('RSA-SHA256').update(unsigned).sign(key, 'base64url')}`;
const connection = new jsforce.Connection({ loginUrl: ready.base_url, instanceUrl: ready.base_url, version: '60.0' });
await connection.authorize({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });

const first = await connection.query('SELECT Id, AppName FROM OauthToken', { autoFetch: false });
assert.equal(first.records.length, 500);
assert.equal(first.totalSize, 2500);
const second = await connection.queryMore(first.nextRecordsUrl);
assert.equal(second.records.length, 500);
assert.notEqual(second.records[0].Id, first.records[0].Id);
const all = await connection.query('SELECT Id FROM OauthToken', { autoFetch: true, maxFetch: 10_000 });
assert.equal(all.records.length, 2500);

const code = (expected) => (error) => error.errorCode === expected;
await assert.rejects(connection.sobject('OauthToken').create({ AppName: 'Z' }), code('INVALID_TYPE_FOR_OPERATION'));
await assert.rejects(connection.query('SELECT Bogus FROM OauthToken'), code('INVALID_FIELD'));
await assert.rejects(connection.query('SELECT Id FROM Nothing'), code('INVALID_TYPE'));
const settings = await connection.tooling.query('SELECT IsAdminApprovedAppsOnlyEnabled FROM ConnectedAppSettings');
assert.equal(settings.records[0].IsAdminApprovedAppsOnlyEnabled, false);

const listed = await connection.metadata.list([{ type: 'ConnectedApp' }]);
assert.ok(listed.some((app) => app.fullName === 'drift__Drift'));
const drift = await connection.metadata.read('ConnectedApp', 'drift__Drift');
assert.equal(drift.oauthPolicy.ipRelaxation, 'BYPASS');
const policy = { policyAction: 'Block' };
const blocked = await connection.metadata.update('ConnectedApp', {
  fullName: 'drift__Drift', label: drift.label, contactEmail: drift.contactEmail, sessionPolicy: policy,
});
assert.equal(blocked.success, true);
assert.equal((await connection.metadata.read('ConnectedApp', 'drift__Drift')).sessionPolicy.policyAction, 'Block');

const secret = (await connection.query("SELECT DeleteToken FROM OauthToken WHERE AppName = 'Drift' LIMIT 1")).records[0];
const revoked = await fetch(`${ready.base_url}/services/oauth2/revoke`, {
  method: 'POST', body: new URLSearchParams({ token: secret.DeleteToken }),
});
assert.equal(revoked.status, 200);
assert.equal((await connection.query("SELECT COUNT() FROM OauthToken WHERE AppName = 'Drift'")).totalSize, 1);
assert.ok(connection.limitInfo.apiUsage.limit > 0);

console.log(`jsforce ${jsforce.VERSION ?? ''} agrees; the SOQL parser takes all ${queries.length} queries`);
