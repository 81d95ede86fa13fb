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
];
