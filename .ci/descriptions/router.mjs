// Stands between the scanner and the lab, and sends every call that a vendor's description knows through Prism, which checks request
// and reply against it. Collects what Prism objects to; judges nothing itself.
//
// node router.mjs SETTINGS.json   (written by check.sh; see there)

import fs from 'node:fs';
import http from 'node:http';

const settings = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const objections = [];
const seen = {};

// A path of a description as a pattern: `/users/{userKey}/tokens` matches one segment for each name in braces.
const pattern = (path) =>
  new RegExp(`^${path.split(/\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[^/]+')}$`);

for (const description of settings.descriptions) {
  const { paths } = JSON.parse(fs.readFileSync(description.file, 'utf8'));
  description.known = Object.keys(paths).map((path) => ({ path, matches: pattern(path) }));
}

const find = (tenant, path) => {
  for (const description of settings.descriptions.filter((each) => each.tenant === tenant.name)) {
    if (!path.startsWith(description.prefix)) continue;
    const rest = path.slice(description.prefix.length);
    const known = description.known.find(({ matches }) => matches.test(rest));
    if (known) return { description, rest, known };
  }
  return null;
};

const send = (base, path, { method, headers, body }) =>
  new Promise((resolve, reject) => {
    const url = new URL(path, base);
    const { host, connection, 'accept-encoding': encoding, ...kept } = headers;
    const request = http.request(url, { method, headers: kept }, (reply) => {
      const chunks = [];
      reply.on('data', (chunk) => chunks.push(chunk));
      reply.on('end', () => resolve({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
    request.end(body);
  });

// Sends a call to the lab, through Prism where a description knows it.
const relay = async (tenant, method, target, headers, body) => {
  const [path, query = ''] = target.split('?');
  const found = find(tenant, path);
  if (!found) return send(tenant.lab, target, { method, headers, body });
  const { description, rest, known } = found;
  const shown = description.accept ? { ...headers, accept: description.accept } : headers;
  const reply = await send(description.prism, query ? `${rest}?${query}` : rest, { method, headers: shown, body });
  seen[description.name] = (seen[description.name] ?? 0) + 1;
  for (const { location, severity, code, message } of JSON.parse(reply.headers['sl-violations'] ?? '[]')) {
    if (severity !== 'Error') continue;
    objections.push({ description: description.name, method, path: known.path, target: target.slice(0, 300), at: location.join('.'), code, message });
  }
  return reply;
};

// The parts of a batch are calls, too: each read among them is made once more on its own, so that the description sees it.
const unpack = async (tenant, target, headers, body) => {
  if (!target.endsWith('/$batch')) return;
  const prefix = target.slice(0, -'/$batch'.length);
  for (const part of JSON.parse(body).requests) {
    if (part.method !== 'GET') continue;
    const { 'content-length': length, 'content-type': type, ...kept } = headers;
    await relay(tenant, 'GET', prefix + part.url, { ...kept, ...part.headers }, undefined);
  }
};

const serve = (tenant) =>
  new Promise((ready) => {
    const server = http.createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', async () => {
        try {
          const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined;
          const reply = await relay(tenant, request.method, request.url, request.headers, body);
          if (body) await unpack(tenant, request.url, request.headers, body);
          // Links of the lab lead back here.
          const text = reply.body.toString('utf8').replaceAll(tenant.lab, tenant.here);
          const { 'content-length': length, 'transfer-encoding': coding, 'sl-violations': listed, ...kept } = reply.headers;
          response.writeHead(reply.status, kept);
          response.end(text);
        } catch (error) {
          response.writeHead(599, { 'content-type': 'text/plain' });
          response.end(String(error));
        }
      });
    });
    server.listen(tenant.port, '127.0.0.1', ready);
  });

process.on('SIGTERM', () => {
  fs.writeFileSync(settings.result, JSON.stringify({ seen, objections }, null, 1));
  process.exit(0);
});

await Promise.all(settings.tenants.map(serve));
console.log('ready');
