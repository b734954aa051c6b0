// Writes the router's settings and the scanner's configuration, and says which Prisms to start: `PORT DESCRIPTION UPSTREAM` a line.
//
// node settings.mjs WORK SPECS

import fs from 'node:fs';
import net from 'node:net';

const [work, specs] = process.argv.slice(2);

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

// Which description knows which calls: everything below `prefix`.
const KNOWN = {
  // GitHub's own media type is not in its description.
  github: [{ name: 'github', file: 'github-ghec-grants.json', prefix: '', accept: 'application/json' }],
  'google-workspace': [
    { name: 'directory', file: 'google-admin.directory_v1.swagger.json', prefix: '' },
    { name: 'reports', file: 'google-admin.reports_v1.swagger.json', prefix: '' },
  ],
  'microsoft-365': [{ name: 'graph', file: 'graph-grants-ex.json', prefix: '/v1.0' }],
  okta: [{ name: 'okta', file: 'okta-grants.json', prefix: '' }],
  slack: [{ name: 'slack', file: 'slack-web.json', prefix: '/api' }],
};

const INCLUDED = {
  github: ['outside-collaborators', 'repository-webhooks'],
  okta: ['cross-app-access', 'user-grants'],
  slack: ['approvals', 'requests', 'workspace-approvals'],
};

const { tenants } = JSON.parse(fs.readFileSync(`${work}/lab.json`, 'utf8'));
let config = fs.readFileSync(`${work}/config/grantwarden.toml`, 'utf8');
const settings = { result: `${work}/result.json`, tenants: [], descriptions: [] };
const labs = new Map(tenants.filter((tenant) => KNOWN[tenant.platform]).map((tenant) => [tenant.base_url, tenant]));
for (const { platform, name, base_url: lab } of labs.values()) {
  const port = await freePort();
  const here = `http://127.0.0.1:${port}`;
  settings.tenants.push({ name, platform, lab, port, here });
  // Assertions and scopes name the authorization server and the API themselves, not what stands before them.
  config = config.replace(new RegExp(`^token_url = "(${lab}.*)"$`, 'm'), 'token_url = "$1"\naudience = "audience:$1"');
  if (platform === 'okta') config = config.replace(`base_url = "${lab}"`, `$&\naudience = "audience:${lab}/oauth2/v1/token"`);
  config = config.replaceAll(lab, here).replace(`"audience:${here}`, `"${lab}`);
  for (const description of KNOWN[platform]) {
    const prismPort = await freePort();
    const file = `${specs}/${description.file}`;
    settings.descriptions.push({ ...description, file, tenant: name, prism: `http://127.0.0.1:${prismPort}` });
    console.log(prismPort, file, lab + description.prefix);
  }
}
// What is read only if asked for is asked for here, so that its requests are checked too.
for (const [platform, facets] of Object.entries(INCLUDED)) {
  config = config.replace(`platform = "${platform}"`, `$&\ninclude = ${JSON.stringify(facets)}`);
}
config = config.replace(/(platform = "microsoft-365"[^]*?method = "private_key_jwt")/, '$1, scopes = ["https://graph.microsoft.com/.default"]');
fs.writeFileSync(`${work}/settings.json`, JSON.stringify(settings));
fs.writeFileSync(`${work}/grantwarden.toml`, config);
