// A description that objects to nothing proves nothing: each must object to a call that is wrong. Prism passes everything, silently,
// when it cannot compile a schema.
//
// node control.mjs SETTINGS.json

import fs from 'node:fs';

const WRONG = {
  directory: '/admin/directory/v1/users?customer=my_customer&maxResults=900',
  reports: '/admin/reports/v1/activity/users/all/applications/token?maxResults=many',
  graph: '/servicePrincipals?$select=id,noSuchProperty',
  github: '/orgs/acme/installations?per_page=many',
  okta: '/api/v1/apps?limit=many',
  slack: '/admin.apps.approved.list?limit=many',
};

const { descriptions } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
for (const { name, prism } of descriptions) {
  const reply = await fetch(prism + WRONG[name], { headers: { authorization: 'Bearer FAKE' } });
  const text = (reply.headers.get('sl-violations') ?? '') + (await reply.text());
  if (!text.includes('request')) {
    console.error(`the description ${name} does not object to ${WRONG[name]}`);
    process.exit(1);
  }
}
