/** The schema of the database as steps from the empty one; a step that has been released never changes. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE exports (
     id TEXT PRIMARY KEY,
     owner TEXT NOT NULL,
     creation_ns TEXT NOT NULL,
     state TEXT NOT NULL,
     request TEXT NOT NULL,
     outcome TEXT
   ) STRICT`,
  `ALTER TABLE exports ADD COLUMN deadline_ns TEXT`,
  `CREATE TABLE users (
     name TEXT PRIMARY KEY,
     role TEXT NOT NULL,
     password TEXT NOT NULL,
     sources TEXT
   ) STRICT;
   CREATE TABLE secrets (
     hash TEXT PRIMARY KEY,
     kind TEXT NOT NULL,
     id TEXT NOT NULL,
     user TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     expires_ms INTEGER NOT NULL,
     parent TEXT
   ) STRICT;
   CREATE INDEX secrets_of_users ON secrets (user, kind, created_ms);
   CREATE TABLE audit (
     id INTEGER PRIMARY KEY,
     time_ms INTEGER NOT NULL,
     who TEXT NOT NULL,
     action TEXT NOT NULL,
     what TEXT NOT NULL,
     filter TEXT,
     bytes TEXT,
     address TEXT NOT NULL
   ) STRICT;
   CREATE TABLE identity (serial TEXT NOT NULL) STRICT;
   INSERT INTO identity VALUES (hex(randomblob(8)))`,
  `CREATE TABLE tasks (
     id TEXT PRIMARY KEY,
     kind TEXT NOT NULL,
     owner TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     updated_ms INTEGER NOT NULL,
     state TEXT NOT NULL,
     input TEXT NOT NULL,
     outcome TEXT,
     expires_ms INTEGER,
     left_ms INTEGER
   ) STRICT;
   CREATE TABLE artifacts (
     id TEXT PRIMARY KEY,
     task TEXT NOT NULL,
     name TEXT NOT NULL,
     bytes INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     about TEXT NOT NULL,
     expires_ms INTEGER NOT NULL,
     left_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE profiles (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     username TEXT NOT NULL,
     password TEXT NOT NULL,
     is_default INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE peers (
     address TEXT PRIMARY KEY,
     pin TEXT,
     ca TEXT,
     profile TEXT
   ) STRICT`,
  `CREATE TABLE update_packages (
     id TEXT PRIMARY KEY,
     version TEXT NOT NULL,
     platform TEXT NOT NULL,
     architecture TEXT NOT NULL,
     node TEXT NOT NULL,
     bytes INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     crc32 INTEGER NOT NULL,
     signer TEXT,
     made_ms INTEGER NOT NULL,
     imported_ms INTEGER NOT NULL,
     file TEXT NOT NULL
   ) STRICT;
   CREATE TABLE update_keys (
     fingerprint TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     pem TEXT NOT NULL,
     added_ms INTEGER NOT NULL
   ) STRICT`,
];
