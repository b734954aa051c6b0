// Slack's own Node client against the lab: who a token is, listings by its own iterator, logs, refusals, a revocation.
// Usage: slack.mjs READY.json  (the lab serves slack-small over plain HTTP, with generated installs)

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ErrorCode, WebClient } from '@slack/web-api';

const { tenants } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const [org, shop] = ['enterprise', 'workspace'].map((plan) => tenants.find((one) => one.platform === 'slack' && one.plan === plan));
const enterprise_id = org.enterprise_id;
const client = (tenant, name = 'reader') => new WebClient(tenant.tokens[name], {
  slackApiUrl: `${tenant.base_url}/api/`, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true,
});

async function refused(code, call) {
  try {
    await call();
  } catch (error) {
    assert.equal(error.code, ErrorCode.PlatformError, error);
    assert.equal(error.data.error, code);
    return error.data;
  }
  throw new Error(`expected ${code}`);
}

async function listed(web, method, key, options) {
  const items = [];
  for await (const page of web.paginate(method, options)) items.push(...page[key]);
  return items;
}

const [reader, revoker] = [client(org), client(org, 'revoker')];
const me = await reader.auth.test();
assert.equal(me.enterprise_id, enterprise_id);
assert.ok(me.response_metadata.scopes.includes('admin.apps:read'));

const approved = await listed(reader, 'admin.apps.approved.list', 'approved_apps', { enterprise_id, limit: 40 });
const whole = (await reader.admin.apps.approved.list({ enterprise_id, limit: 1000 })).approved_apps;
assert.deepEqual(approved, whole);
const certified = await reader.admin.apps.approved.list({ enterprise_id, limit: 1000, certified: true });
assert.ok(certified.approved_apps.every((one) => !whole.some((other) => other.app.id === one.app.id)));
assert.equal((await listed(reader, 'admin.teams.list', 'teams', { limit: 10 })).length, 33);
const users = await listed(reader, 'admin.users.list', 'users', { limit: 100 });
assert.ok(users.length > 280, `${users.length}`);
assert.equal((await reader.admin.apps.requests.list({ enterprise_id })).app_requests.length, 2);
const configs = await reader.apiCall('admin.apps.config.lookup', { app_ids: 'A0FLOWS001' });
assert.equal(configs.configs[0].workflow_auth_strategy, 'end_user_only');

const place = { app_id: 'A0DRIFT001', enterprise_id };
const missing = await refused('missing_scope', () => reader.admin.apps.restrict(place));
assert.equal(missing.needed, 'admin.apps:write');
assert.ok(missing.response_metadata.acceptedScopes.includes('admin.apps:write'));
await refused('not_allowed_token_type', () => client(org, 'bot').admin.apps.approved.list({ enterprise_id }));
await refused('invalid_cursor', () => reader.admin.teams.list({ cursor: 'x' }));
await refused('feature_not_enabled', () => client(shop, 'revoker').admin.apps.restrict(place));
assert.equal((await revoker.admin.apps.restrict(place)).ok, true);
assert.equal((await revoker.admin.apps.uninstall(place)).ok, true);
await assert.rejects(() => revoker.admin.apps.uninstall(place), (error) => {
  assert.equal(error.code, ErrorCode.RateLimitedError);
  assert.ok(error.retryAfter > 0 && error.retryAfter <= 60);
  return true;
});
const after = await reader.admin.apps.restricted.list({ enterprise_id, limit: 1000 });
assert.ok(after.restricted_apps.some((one) => one.app.name === 'Drift'));

const workshop = client(shop);
const logs = await workshop.team.integrationLogs({ count: 5, page: 2 });
assert.equal(logs.logs.length, 5);
assert.equal(logs.paging.total, 28);
assert.equal((await workshop.auth.revoke({ test: true })).revoked, false);

const { version } = JSON.parse(readFileSync('node_modules/@slack/web-api/package.json', 'utf8'));
console.log(`@slack/web-api ${version} agrees: ${whole.length} approved apps, ${users.length} users`);
