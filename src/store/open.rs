//! Opens a store: makes the file if it is not there, and brings the tables up to date.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use grantwarden_kit::secret::Secret;
use sqlx::{AnyConnection, Connection as _};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};
use url::Url;

use super::{
    Database, Store, StoreError,
    dialect::Dialect,
    migrations::{migrator, newest},
};

/// How long to wait for another process that writes to the file, in milliseconds. A scan of a million grants writes for some seconds.
const WAIT: &str = "PRAGMA busy_timeout = 60000";

/// How long opening is tried while others are busy with the file, and how long to wait before the next time.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// What every connection to the file needs. A commit is on the disk before it is said to be done: a scan is not asked for twice.
const SETTINGS: [&str; 4] = [
    WAIT,
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
];

impl Store {
    /// Opens a file of SQLite's. It and its folder are made if they are not there, for this user only.
    ///
    /// # Errors
    /// If it cannot be made or opened, is damaged, or was written by a newer version.
    pub async fn open_file(path: &Path) -> Result<Self, StoreError> {
        prepare(path).map_err(|source| StoreError::File { path: path.to_owned(), source })?;
        let name = path.display().to_string();
        let url = file_url(path).ok_or_else(|| StoreError::File {
            path: path.to_owned(),
            source: std::io::Error::other("the path cannot be used"),
        })?;
        // SQLite does not wait for others where it switches to WAL: two first scans at once.
        let end = Instant::now() + PATIENCE;
        loop {
            match open_file(&name, &url).await {
                Err(StoreError::Busy { .. }) if Instant::now() < end => sleep(PAUSE).await,
                database => return Ok(Self { database: Mutex::new(database?), name }),
            }
        }
    }

    /// Connects to a PostgreSQL server.
    ///
    /// # Errors
    /// If it cannot be reached, refuses, or was written to by a newer version.
    pub async fn connect(url: &Secret) -> Result<Self, StoreError> {
        let parsed: Url = url.expose().parse().map_err(|_| StoreError::Address)?;
        if !matches!(parsed.scheme(), "postgres" | "postgresql") {
            return Err(StoreError::Address);
        }
        let name = format!(
            "PostgreSQL {}{}",
            parsed.host_str().unwrap_or("on this machine"),
            parsed.path()
        );
        let mut database = connect(&name, parsed.as_str(), Dialect::Postgres).await?;
        database.migrate(&name).await?;
        Ok(Self { database: Mutex::new(database), name })
    }
}

impl Database {
    async fn migrate(&mut self, name: &str) -> Result<(), StoreError> {
        let failed = |error| StoreError::of(name, &error);
        match self.dialect {
            // The migrator takes an advisory lock.
            Dialect::Postgres => migrator(self.dialect).run(&mut self.connection).await,
            // It has none for SQLite: two first scans at once would both make the tables.
            Dialect::Sqlite => {
                let mut transaction =
                    self.connection.begin_with(self.dialect.begin()).await.map_err(failed)?;
                let done = migrator(self.dialect).run(&mut *transaction).await;
                if done.is_ok() {
                    transaction.commit().await.map_err(failed)?;
                }
                done
            }
        }
        .map_err(|error| StoreError::of_migration(name, error, newest()))
    }
}

async fn open_file(name: &str, url: &str) -> Result<Database, StoreError> {
    let mut database = connect(name, url, Dialect::Sqlite).await?;
    for setting in SETTINGS {
        let set = sqlx::query(setting).execute(&mut database.connection).await;
        set.map_err(|error| StoreError::of(name, &error))?;
    }
    database.migrate(name).await?;
    Ok(database)
}

async fn connect(name: &str, url: &str, dialect: Dialect) -> Result<Database, StoreError> {
    sqlx::any::install_default_drivers();
    let connection =
        AnyConnection::connect(url).await.map_err(|error| StoreError::of(name, &error))?;
    Ok(Database { connection, dialect })
}

/// The address of a file, whatever its name holds.
fn file_url(path: &Path) -> Option<String> {
    let path: PathBuf = std::path::absolute(path).ok()?;
    let url = Url::from_file_path(path).ok()?;
    Some(format!("sqlite://{}", url.path()))
}

/// Makes the file and its folder for this user only: they tell who uses what.
fn prepare(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions());
        if mode & 0o077 != 0 {
            tracing::warn!(
                "Others than you may open the store {}; it tells who uses what: chmod 600.",
                path.display()
            );
        }
    }
    #[cfg(not(unix))]
    drop(file);
    Ok(())
}
