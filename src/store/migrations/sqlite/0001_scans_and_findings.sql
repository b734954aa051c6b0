-- Times are microseconds since 1970 in UTC. Lists and objects are JSON. Nothing here is a token or a key.

CREATE TABLE scan (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The first line of its inventory.
    header TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    -- NULL: it was broken off. Its finished snapshots count all the same.
    finished_at BIGINT,
    -- Findings that counted, by severity; NULL if they were not judged.
    active TEXT,
    -- How it ended, once its reports were written; NULL: nobody got them.
    exit_code BIGINT
);

CREATE TABLE snapshot (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    scan BIGINT NOT NULL REFERENCES scan (number),
    -- In the order of the configuration.
    place BIGINT NOT NULL,
    tenant TEXT NOT NULL,
    platform TEXT NOT NULL,
    -- SHA-256 of what the configuration said about where to find the tenant; NULL if no configuration did.
    source TEXT,
    -- The platform's own id of the tenant; NULL if it could not be read.
    account TEXT,
    taken_at BIGINT NOT NULL,
    -- 1: everything that was promised was read.
    complete BIGINT NOT NULL,
    -- Why a finding that is not seen here may be there all the same: facets and reasons.
    losses TEXT NOT NULL,
    grants BIGINT NOT NULL,
    records BIGINT NOT NULL,
    -- SHA-256 of its lines, and how many bytes they are.
    digest TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    pruned_at BIGINT,
    UNIQUE (scan, tenant)
);

CREATE INDEX snapshot_of_account ON snapshot (platform, account, taken_at);

CREATE TABLE chunk (
    snapshot BIGINT NOT NULL REFERENCES snapshot (number),
    number BIGINT NOT NULL,
    -- Zstandard.
    lines BLOB NOT NULL,
    PRIMARY KEY (snapshot, number)
) WITHOUT ROWID;

CREATE TABLE finding (
    fingerprint TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    status TEXT NOT NULL,
    platform TEXT,
    tenant TEXT,
    -- The tenant's key; NULL for what is about several tenants.
    account TEXT,
    -- Of what is about several tenants: the keys of those that were scanned when it was last seen, in order.
    scope TEXT,
    app TEXT,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    last_scan BIGINT NOT NULL,
    resolved_at BIGINT,
    reopened BIGINT NOT NULL DEFAULT 0,
    reopened_at BIGINT
) WITHOUT ROWID;

CREATE INDEX finding_of_account ON finding (account, resolved_at, last_scan);

CREATE TABLE change (
    scan BIGINT NOT NULL REFERENCES scan (number),
    kind TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    severity TEXT NOT NULL,
    PRIMARY KEY (scan, kind, fingerprint)
) WITHOUT ROWID;

CREATE TABLE exception_use (
    scan BIGINT NOT NULL REFERENCES scan (number),
    place BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    owner TEXT,
    until TEXT,
    reason TEXT NOT NULL,
    holds BIGINT NOT NULL,
    broken BIGINT NOT NULL,
    PRIMARY KEY (scan, kind, place)
) WITHOUT ROWID;

CREATE TABLE sent (
    channel TEXT NOT NULL,
    message TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (channel, message)
) WITHOUT ROWID;
